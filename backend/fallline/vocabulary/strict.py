"""The form of every word from outside: frozen, strict models, and the kinds of names and numbers that they share.

Must not know what the words mean.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LARGEST = 2**53
"""Integers beyond this are not exact in every JSON reader."""


def _printable(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in text):
        raise ValueError("a text without control characters")
    return unicodedata.normalize("NFC", text)


Seed = Annotated[int, Field(ge=0, lt=2**32)]
RowName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
RunName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
Label = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]


class StrictModel(BaseModel):
    """A frozen word: no unknown fields, no coerced types, no NaN."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
