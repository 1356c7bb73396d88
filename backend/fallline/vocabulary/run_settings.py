"""The settings of a run, and what an edit may change of them.

Owns how a change makes new settings of old ones. Must not know which methods exist (the engine's tables say so) or when
a change is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer, model_validator

from fallline.vocabulary.strict import LARGEST, RowName, StrictModel

OWN_SETTINGS = ("momentum", "decay", "beta1", "beta2", "epsilon", "weight_decay")
"""Settings that belong to one optimizer or another; they stand beside the optimizer's name."""

EDITABLE = ("optimizer", "learning_rate", "batch_size", "order", *OWN_SETTINGS)
"""What an edit may change."""

Order = Literal["shuffle", "sequential"]
LearningRate = Annotated[float, Field(gt=0, le=1e6)]
BatchSize = Annotated[int, Field(ge=1, le=LARGEST)]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings in force at one step. `batch_size` None is the full batch; `own`: the optimizer's parameters."""

    optimizer: str
    learning_rate: float
    batch_size: int | None
    order: str
    own: dict[str, float] = field(default_factory=dict)

    def changed(self, change: dict[str, Any]) -> RunSettings:
        """The settings after a change; a new optimizer drops the parameters of the one before."""
        optimizer = change.get("optimizer", self.optimizer)
        own = dict(self.own) if optimizer == self.optimizer else {}
        own.update({name: change[name] for name in OWN_SETTINGS if name in change})
        return RunSettings(
            optimizer=optimizer,
            learning_rate=change.get("learning_rate", self.learning_rate),
            batch_size=change.get("batch_size", self.batch_size),
            order=change.get("order", self.order),
            own=own,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "order": self.order,
            **self.own,
        }


class MethodSettings(StrictModel):
    """What belongs to one method or another and may be left out. Ranges stand in the methods' tables."""

    momentum: float | None = None
    decay: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    epsilon: float | None = None
    weight_decay: float | None = None


class Change(MethodSettings):
    """What an edit changes. A field left out stays as it is; `batch_size` null is the full batch."""

    optimizer: RowName | None = None
    learning_rate: LearningRate | None = None
    batch_size: BatchSize | None = None
    order: Order | None = None

    @model_validator(mode="before")
    @classmethod
    def _null_only_for_the_batch(cls, body: Any) -> Any:
        if isinstance(body, dict):
            for name in EDITABLE:
                if name != "batch_size" and name in body and body[name] is None:
                    raise ValueError(f"{name} is null: leave it out to keep it as it is")
        return body

    def given(self) -> dict[str, Any]:
        """Only the settings that the change names."""
        return {name: getattr(self, name) for name in EDITABLE if name in self.model_fields_set}


class Edit(Change):
    """A change of settings, in force from the step that takes the counter from `at_step` to `at_step` + 1."""

    at_step: Annotated[int, Field(ge=0, le=LARGEST)]

    @model_serializer(mode="plain")
    def _only_what_is_given(self) -> dict[str, Any]:
        return {"at_step": self.at_step, **self.given()}
