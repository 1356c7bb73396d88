"""The query strings of reading calls, as strict as bodies are. Must not know what is read."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.messages import MOST_BUCKETS, MOST_SERIES, SeriesNames
from fallline.vocabulary.strict import LARGEST, RunName
from fallline.web.errors import problem_response
from fallline.web.strict_json import MOST_ERRORS, below

MOST_CELLS = 64
MOST_PARAMETERS = MOST_SERIES + 16
"""Of one address. Counted before they are read: 64 KiB of them take longer to read than any answer may."""

REPEATABLE = frozenset({"series"})
"""Parameters that may stand in an address more than once."""

OPTIONS = {"plane", "normalize", "weights", "predictions"}

_WHOLE = re.compile(r"-?[0-9]{1,17}")


def _whole(text: Any) -> Any:
    # Pydantic would read "1_000", " 5" and "5.0" as numbers too.
    if isinstance(text, str) and not _WHOLE.fullmatch(text):
        raise ValueError("a whole number")
    return text


Whole = Annotated[int, BeforeValidator(_whole)]
StepNumber = Annotated[Whole, Field(ge=0, le=LARGEST)]


def check_query(query: bytes) -> None:
    """Raises InvalidRequest for too many parameters, and for one that would be read as the last of several."""
    if query.count(b"&") >= MOST_PARAMETERS:
        raise InvalidRequest(FieldError("", f"should have at most {MOST_PARAMETERS} parameters"))
    times = Counter(name for name, _ in QueryParams(query).multi_items() if name not in REPEATABLE)
    errors = [FieldError(below("", name), "should be said once") for name in times if times[name] > 1]
    if errors:
        raise InvalidRequest(*errors[:MOST_ERRORS], more=len(errors) > MOST_ERRORS)


class EachOnce:
    """ASGI middleware: `check_query` of every request, since the framework reads a whole query before anything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["type"] == "http":
                check_query(scope["query_string"])
        except InvalidRequest as error:
            await problem_response(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _AtStep(_Query):
    step: StepNumber | None = None


class _Inspect(_AtStep):
    rows: Annotated[Whole, Field(ge=1, le=LARGEST)] | None = None
    first: Annotated[Whole, Field(ge=0, le=LARGEST)] = 0
    block: Annotated[Whole, Field(ge=1, le=LARGEST)] | None = None


class _OfRun(_Query):
    run: RunName | None = None


class _Instrument(_AtStep):
    plane: Literal["pca", "eigenvectors"] | None = None
    normalize: Literal["none", "filter"] | None = None
    weights: Annotated[Whole, Field(ge=1, le=MOST_CELLS)] | None = None
    predictions: Literal["all", "pairs", "none"] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What was asked for besides."""
        return self.model_dump(include=OPTIONS, exclude_none=True)


class _Figure(_Instrument):
    run: RunName | None = None
    filled: bool = True


class _History(_Query):
    series: SeriesNames | None = None
    since: StepNumber | None = None
    until: StepNumber | None = None
    buckets: Annotated[Whole, Field(ge=1, le=MOST_BUCKETS)] = 1_000
    encoding: Literal["json", "bdata"] = "json"


AtStep = Annotated[_AtStep, Query()]
Inspect = Annotated[_Inspect, Query()]
InstrumentQuery = Annotated[_Instrument, Query()]
FigureQuery = Annotated[_Figure, Query()]
OfRun = Annotated[_OfRun, Query()]
HistoryQuery = Annotated[_History, Query()]
