"""The form of every word to the outside: further fields may be added to any answer, so its model lets them pass.

Must not know what the words mean.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class OpenModel(BaseModel):
    """A word with at least these fields."""

    model_config = ConfigDict(extra="allow")
