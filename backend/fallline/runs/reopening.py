"""An experiment opened again from what is stored of it: its runs are brought to where they stood.

From the last state that was stored the rest of the way is made again, in slices beside what else is at work. Must not
know where things are stored, nor who waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fallline.engine.kernels.choice import Kernels
from fallline.engine.problem import Problem
from fallline.runs.case import Case
from fallline.runs.checkpoints import Room
from fallline.runs.lookback import Clock
from fallline.runs.run import Run
from fallline.runs.saving import Saved, restore
from fallline.runs.standing import RunStanding, Standing
from fallline.vocabulary.findings import Evidence
from fallline.vocabulary.journal import StoredExperiment
from fallline.vocabulary.provenance import TO_ROUNDING, replay_of
from fallline.vocabulary.stop_conditions import StopCondition


@dataclass(frozen=True, slots=True)
class Reopened:
    """Runs on their way to where they stood, and what is stored of their states.

    `generations` and `rounded` (with the kernel) tell whose past is no longer as it was: steps may have been seen that
    are not stored, or are made again by other builds.
    """

    runs: dict[str, Run]
    saved: dict[str, Saved]
    generations: dict[str, int]
    rounded: dict[str, str]


def reopened_runs(
    problem: Problem, standing: Standing, kept: StoredExperiment, kernels: Kernels, room: Room | None = None
) -> Reopened:
    """The runs as they were stored last, not yet where they stood."""
    found = Reopened({}, {}, {}, {})
    for name, stood in standing.runs.items():
        run = Run(problem, stood.recipe, kernels, kernels.named(stood.provenance.kernel), room)
        run.generation, run.is_rounded = stood.generation, stood.is_rounded
        seen = kept.progress.get("seen", {}).get(name, {})  # what was stored at first has none
        stood.found.resume({id: Evidence(**told) for id, told in seen.items()})
        run.case = Case(stood.found)
        found.runs[name] = run
        _reopen(run, stood, kept, found)
    return found


def _reopen(run: Run, stood: RunStanding, kept: StoredExperiment, found: Reopened) -> None:
    at = kept.progress["runs"][run.name]
    made_by = stood.provenance
    if (restored := restore(run, kept.parts.get(run.name, {}))) is not None:
        found.saved[run.name], saved_by = restored
        made_by = made_by if stood.is_rounded else saved_by
    elif kept.parts.get(run.name):
        found.saved[run.name] = Saved(is_known=False)
    differs = at["step"] > 0 and replay_of(made_by, run.provenance) == TO_ROUNDING
    if differs:
        run.is_rounded = True
        found.rounded[run.name] = run.kernel.name
    seen_beyond = kept.progress["loose"] and not (at["diverged"] or at.get("finished"))
    if seen_beyond or (differs and at["step"] > run.state.step):
        run.generation += 1
        found.generations[run.name] = run.generation


class Arrival:
    """Somebody waits for the runs to be where they stood: `done` gets what `arrived` says when they are."""

    def __init__(
        self,
        runs: Mapping[str, Run],
        positions: Mapping[str, Mapping[str, Any]],
        arrived: Callable[[], dict[str, Any]],
        done: Callable[[Any], None],
    ) -> None:
        self._runs, self._positions, self._arrived, self.done = runs, positions, arrived, done

    def work(self, budget: float, clock: Clock) -> bool:
        """Go on for about `budget` seconds; True when the answer has been given."""
        behind = [run for run in self._runs.values() if self._steps_left(run)]
        for run in behind:
            affordable = max(int(budget / len(behind) / run.step_seconds), 1)
            run.advance(min(self._steps_left(run), affordable), clock, told=False, stops=False)
        if any(self._steps_left(run) for run in behind):
            return False
        for run in self._runs.values():
            if self._positions[run.name]["diverged"]:
                run.state.diverged_at = run.state.step
            if (condition := self._positions[run.name].get("finished")) is not None:
                run.finished = StopCondition.model_validate(condition)
        self.done(self._arrived())
        return True

    def _steps_left(self, run: Run) -> int:
        return 0 if run.diverged else max(int(self._positions[run.name]["step"]) - run.state.step, 0)
