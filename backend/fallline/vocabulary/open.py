"""Base of the response models.

A response may get further fields, so a model accepts them.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class OpenModel(BaseModel):
    """A response with at least these fields."""

    model_config = ConfigDict(extra="allow")
