"""The query strings of reading calls, as strict as bodies are. Must not know what is read."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fallline.vocabulary.messages import MOST_BUCKETS
from fallline.vocabulary.strict import LARGEST, RunName

MOST_CELLS = 64
OPTIONS = {"plane", "normalize", "weights", "predictions"}

_WHOLE = re.compile(r"-?[0-9]{1,17}")


def _whole(text: Any) -> Any:
    # Pydantic would read "1_000", " 5" and "5.0" as numbers too.
    if isinstance(text, str) and not _WHOLE.fullmatch(text):
        raise ValueError("a whole number")
    return text


Whole = Annotated[int, BeforeValidator(_whole)]
StepNumber = Annotated[Whole, Field(ge=0, le=LARGEST)]


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
    series: list[str] | None = None
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
