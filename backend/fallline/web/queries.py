"""Query strings of GET requests, parsed as strictly as bodies.

Must not know the calls.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.datastructures import QueryParams

from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.messages import MOST_BUCKETS, MOST_SERIES, SeriesNames
from fallline.vocabulary.recipe import MOST_RUNS
from fallline.vocabulary.strict import LARGEST, RunName
from fallline.web.errors import MOST_ERRORS, UNKNOWN, below

MOST_CELLS = 64
MOST_WAIT = 25.0
"""Most seconds that a request may wait for findings or messages: below the usual limits of proxies."""

MOST_PARAMETERS = MOST_SERIES + 16
"""Limit on the parameters of one URL. They are counted first, because parsing 64 KiB of them takes too long."""

REPEATABLE = frozenset({"series", "runs", "mapped"})
"""Parameters that a URL may repeat."""

OPTIONS = {"plane", "normalize", "weights", "predictions", "x", "y"}

FARTHEST = 1e17
"""Largest size of a region's edges."""

MOST_LETTERS = 200
"""Limit on the name of an input."""

_WHOLE = r"-?[0-9]{1,17}"
_DECIMAL = rf"{_WHOLE}(?:\.[0-9]{{1,17}})?(?:[eE][+-]?[0-9]{{1,3}})?"
_EDGES = re.compile(rf"({_DECIMAL}),({_DECIMAL}),({_DECIMAL}),({_DECIMAL})")


def _written(pattern: str, kind: str) -> BeforeValidator:
    """Refuse other texts: pydantic would accept "1_000", " 5" and "inf" too, and "5.0" for a whole number."""

    def check(text: Any) -> Any:
        if isinstance(text, str) and not re.fullmatch(pattern, text):
            raise ValueError(f"must be {kind}")
        return text

    return BeforeValidator(check)


def _edges(value: Any) -> Any:
    # FastAPI collects the values of a tuple in a list.
    [text] = value if isinstance(value, list) and len(value) == 1 else [value]
    match = _EDGES.fullmatch(text) if isinstance(text, str) else None
    west, east, south, north = map(float, match.groups()) if match else (0.0, 0.0, 0.0, 0.0)
    if not (-FARTHEST <= west < east <= FARTHEST and -FARTHEST <= south < north <= FARTHEST):
        raise ValueError("must be four numbers with commas: west, east above it, south, and north above it")
    return west, east, south, north


Edges = Annotated[tuple[float, float, float, float], BeforeValidator(_edges)]
Decimal = Annotated[float, _written(_DECIMAL, "a number")]
Whole = Annotated[int, _written(_WHOLE, "a whole number")]
InputName = Annotated[str, Field(min_length=1, max_length=MOST_LETTERS)]
NonNegative = Annotated[Whole, Field(ge=0, le=LARGEST)]
Positive = Annotated[Whole, Field(ge=1, le=LARGEST)]
Cells = Annotated[Whole, Field(ge=1, le=MOST_CELLS)]
Predictions = Literal["all", "pairs", "predicted", "none"]


def check_query(query: bytes, names: Collection[str] | None) -> None:
    """Raise InvalidRequest for too many or repeated parameters, and for others than these, unless any may be there.

    FastAPI would use only the last of repeated ones. A call that takes no parameters would ignore any: one that resets
    `?run=gd` would reset all runs.
    """
    if query.count(b"&") >= MOST_PARAMETERS:
        raise InvalidRequest(FieldError("", f"must have at most {MOST_PARAMETERS} parameters"))
    times = Counter(name for name, _ in QueryParams(query).multi_items())
    repeated = [name for name in times if times[name] > 1 and name not in REPEATABLE]
    errors = [FieldError(below("", name), "must appear only once") for name in repeated]
    if names is not None and not errors:
        errors = [FieldError(below("", name), UNKNOWN) for name in times if name not in names]
    if errors:
        raise InvalidRequest(*errors[:MOST_ERRORS], more=len(errors) > MOST_ERRORS)


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _AtStep(_Query):
    step: NonNegative | None = None


class _Inspect(_AtStep):
    rows: Positive | None = None
    first: NonNegative = 0
    block: Positive | None = None


class _Wait(_Query):
    wait: Annotated[Decimal, Field(ge=0, le=MOST_WAIT)] = 0.0


class _OfRun(_Query):
    run: RunName | None = None


class _Instrument(_AtStep):
    plane: Literal["pca", "eigenvectors"] | None = None
    normalize: Literal["none", "filter"] | None = None
    weights: Cells | None = None
    predictions: Predictions | None = None
    x: InputName | None = None
    y: InputName | None = None

    @property
    def options(self) -> dict[str, Any]:
        return self.model_dump(include=OPTIONS, exclude_none=True)


class _Figure(_Instrument):
    run: RunName | None = None
    filled: bool = True


class _SharedInstrument(_AtStep):
    runs: Annotated[list[RunName], Field(max_length=MOST_RUNS)] | None = None
    terrain: bool | None = None
    aspect: Annotated[Decimal, Field(ge=0.2, le=5.0)] | None = None
    region: Edges | None = None
    lens: Annotated[Decimal, Field(ge=0.02, le=0.5)] | None = None
    encoding: Literal["json", "bdata"] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options that the query contains."""
        return self.model_dump(exclude={"runs", "step"}, exclude_none=True)


class _Moment(_Query):
    predictions: Predictions = "none"
    weights: Cells | None = None
    drawn: RunName | None = None
    map: bool = False
    mapped: Annotated[list[RunName], Field(max_length=MOST_RUNS)] | None = None
    curve: bool = False
    x: InputName | None = None
    y: InputName | None = None
    inspect: RunName | None = None
    first: NonNegative = 0
    rows: Positive | None = None
    block: Positive | None = None


class _History(_Query):
    series: SeriesNames | None = None
    since: NonNegative | None = None
    until: NonNegative | None = None
    buckets: Annotated[Whole, Field(ge=1, le=MOST_BUCKETS)] = 1_000
    encoding: Literal["json", "bdata"] = "json"


class _Line(_Query):
    after: NonNegative = 0
    wait: Annotated[Decimal, Field(ge=0, le=MOST_WAIT)] = 0.0


class _Story(_Query):
    experiment: Annotated[str, Field(min_length=1, max_length=64)] | None = None


Wait = Annotated[_Wait, Query()]
LineQuery = Annotated[_Line, Query()]
StoryQuery = Annotated[_Story, Query()]
AtStep = Annotated[_AtStep, Query()]
Inspect = Annotated[_Inspect, Query()]
InstrumentQuery = Annotated[_Instrument, Query()]
SharedInstrumentQuery = Annotated[_SharedInstrument, Query()]
MomentQuery = Annotated[_Moment, Query()]
FigureQuery = Annotated[_Figure, Query()]
OfRun = Annotated[_OfRun, Query()]
HistoryQuery = Annotated[_History, Query()]
