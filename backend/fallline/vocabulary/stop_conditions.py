"""Stop conditions of a run, in a recipe or an edit.

They change no number, only where the run ends.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fallline.vocabulary.strict import LARGEST, SparseModel

SERIES = ("train_loss", "test_loss", "train_r2", "test_r2", "train_accuracy", "test_accuracy")
MOST_STOPS = 8
PATIENCE, LEAST = 500, 0.01
"""Defaults: a loss stalls if it has not fallen by this share within this many steps."""


class StopCondition(SparseModel):
    """One condition.

    With an evaluated series in `when`, the run stops `above` or `below` a value. With `layer_dies`, it stops when all
    units of a hidden layer output 0 for every training sample. With `loss_stalls`, it stops when for `steps` steps the
    train loss has not fallen by the share `below` of its minimum.
    """

    when: Literal[
        "train_loss",
        "test_loss",
        "train_r2",
        "test_r2",
        "train_accuracy",
        "test_accuracy",
        "layer_dies",
        "loss_stalls",
    ]
    above: Annotated[float, Field(ge=-1e300, le=1e300)] | None = None
    below: Annotated[float, Field(ge=-1e300, le=1e300)] | None = None
    steps: Annotated[int, Field(ge=1, le=LARGEST)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> StopCondition:
        if self.when in SERIES:
            if (self.above is None) == (self.below is None) or self.steps is not None:
                raise ValueError(f"{self.when} needs either above or below, and no other field")
        elif self.when == "layer_dies":
            if (self.above, self.below, self.steps) != (None, None, None):
                raise ValueError("layer_dies takes no other field")
        elif self.above is not None or not 0.0 <= self.share < 1.0:
            raise ValueError("loss_stalls takes steps, and below as a share of at least 0 and less than 1")
        return self

    @property
    def share(self) -> float:
        """For `loss_stalls`: the share of its minimum by which the loss has to fall."""
        return LEAST if self.below is None else self.below

    @property
    def patience(self) -> int:
        """For `loss_stalls`: the number of steps to wait."""
        return PATIENCE if self.steps is None else self.steps


Stops = Annotated[list[StopCondition], Field(max_length=MOST_STOPS)]
