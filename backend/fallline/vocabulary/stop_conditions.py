"""When a run stops by itself: conditions that a recipe or an edit names. They change no number, only where one looks.

Must not know how they are met.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from fallline.vocabulary.strict import LARGEST, StrictModel

SERIES = ("train_loss", "test_loss", "train_r2", "test_r2", "train_accuracy", "test_accuracy")
MOST_STOPS = 8
PATIENCE, LEAST = 500, 0.01
"""A loss stalls that has not fallen by this share of itself in so many steps, where a condition says no others."""


class StopCondition(StrictModel):
    """One condition.

    `when` names an evaluated series, which stops the run `above` or `below` a value. `layer_dies`: all units of a
    hidden layer give 0 for every training sample. `loss_stalls`: for `steps` steps the train loss has not fallen by
    the share `below` of its least.
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
                raise ValueError(f"{self.when} needs either above or below, and nothing else")
        elif self.when == "layer_dies":
            if (self.above, self.below, self.steps) != (None, None, None):
                raise ValueError("layer_dies needs nothing else")
        elif self.above is not None or not 0.0 <= self.share < 1.0:
            raise ValueError("loss_stalls takes steps, and below as a share from 0 to less than 1")
        return self

    @property
    def share(self) -> float:
        """Of `loss_stalls`: what the loss has to lose of its least to count as falling."""
        return LEAST if self.below is None else self.below

    @property
    def patience(self) -> int:
        """Of `loss_stalls`: for how many steps one waits."""
        return PATIENCE if self.steps is None else self.steps

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


Stops = Annotated[list[StopCondition], Field(max_length=MOST_STOPS)]
