"""The schedule `plateau`: the rate falls when the training loss has stopped falling.

The schedule depends on losses, so it has a memory. The memory is a slot of the state beside the optimizer's, so that
checkpoints, forks and replays have it. It changes only at steps that the recipe names: every so many steps since the
schedule was set. So the rate of a step is a function of the recipe.

Source: PyTorch's ReduceLROnPlateau, mode "min", with its relative threshold and without a cooldown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fallline.engine.kernels.numpy_kernels import Evaluator
from fallline.engine.methods.schedules import plateau_memory, sequence_of
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.run_settings import CONSTANT, RunSettings

SLOT = "plateau"
"""Name of the slot: step of the schedule, least loss, looks since then, factor of the rate."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """A plateau in force from step `since`, with a look at the loss `every` so many steps."""

    since: int
    every: int
    own: list[float]

    def is_look(self, step: int) -> bool:
        """Return whether the loss of this step is looked at."""
        return step > self.since and (step - self.since) % self.every == 0

    def memory(self, state: TrainingState) -> tuple[float, float, float]:
        """Least loss, looks since then, and factor of the rate; fresh if the slot is of an earlier plateau."""
        slot = state.slots.get(SLOT)
        if slot is None or slot[0] != self.since:
            return np.inf, 0.0, 1.0
        return float(slot[1]), float(slot[2]), float(slot[3])


def plateau_of(settings: RunSettings) -> Plateau | None:
    """The plateau among these settings, the last of a sequence; None without."""
    if not settings.watches_loss:
        return None
    begin, _, (every, *own) = sequence_of(settings.schedule)[-1]
    return Plateau(settings.schedule_since + begin, int(every), own)


def in_force(settings: RunSettings, state: TrainingState) -> RunSettings:
    """The settings for the change from this state, with a plateau's rate as a constant one."""
    plateau = plateau_of(settings)
    if plateau is None or state.step < plateau.since:
        return settings
    *_, factor = plateau.memory(state)
    return replace(settings, learning_rate=settings.learning_rate * factor, schedule=CONSTANT)


def cut_at_looks(first: int, stop: int, settings: RunSettings) -> Iterator[tuple[int, int, RunSettings]]:
    """Split a segment (first, stop, settings) where the plateau begins and at its looks."""
    plateau = plateau_of(settings)
    while plateau is not None and first < stop:
        passed = (first - plateau.since) // plateau.every
        following = plateau.since + max((passed + 1) * plateau.every, 0)
        yield first, min(following, stop), settings
        first = following


def look(problem: Problem, state: TrainingState, settings: RunSettings) -> None:
    """Look at the training loss, if the state has just reached a step for it."""
    plateau = plateau_of(settings)
    if plateau is None or not plateau.is_look(state.step):
        return
    with np.errstate(all="ignore"):
        loss, _ = Evaluator(problem, state.parameters).train()
    state.slots[SLOT] = np.array([plateau.since, *plateau_memory(loss, *plateau.memory(state), *plateau.own)])
