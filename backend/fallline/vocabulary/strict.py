"""Bases of the request and response models, with common types of names and numbers."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from fallline.vocabulary.errors import TooExpensive

LARGEST = 2**53
"""Larger integers are not exact in every JSON reader."""

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of invisible characters, some of which reverse or break a line."""


JOINERS = "\u200c\u200d"
"""Invisible as well, but parts of words in Persian and Hindi, and of emoji."""


def _printable(text: str) -> str:
    visible = text.translate(dict.fromkeys(map(ord, JOINERS)))
    if not visible or any(unicodedata.category(character) in UNPRINTABLE for character in visible):
        raise ValueError("must be one line of text without control characters")
    return unicodedata.normalize("NFC", text)


Seed = Annotated[int, Field(ge=0, lt=2**32)]
RowName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
RunName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
Label = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]


def at_most(limit: int, bound: str = "") -> BeforeValidator:
    """Refuse a longer list or object before its entries are validated.

    With TooExpensive, if it has a `bound`. Pydantic's `max_length` does so for lists. In an object it validates every
    entry first, with an error for each.
    """

    def within(value: Any) -> Any:
        if isinstance(value, list | dict) and len(value) > limit:
            if bound:
                raise TooExpensive(bound, limit, len(value))
            raise ValueError(f"must have at most {limit} entries")
        return value

    return BeforeValidator(within)


class StrictModel(BaseModel):
    """A frozen request model: no unknown fields, no coerced types, no NaN."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class OpenModel(BaseModel):
    """A response with at least these fields."""

    model_config = ConfigDict(extra="allow")
