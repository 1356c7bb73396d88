"""Base of the response models, which may get further fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class OpenModel(BaseModel):
    """A response with at least these fields."""

    model_config = ConfigDict(extra="allow")
