"""Restoring an experiment: its runs return to their stored positions.

Each run starts from its last stored state. It replays the remaining steps in slices, beside other work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fallline.engine.kernels.choice import Kernels
from fallline.engine.problem import Problem
from fallline.runs.past.checkpoints import CheckpointBudget
from fallline.runs.past.replay import Slices
from fallline.runs.persistence.journal_writer import Saved, restore
from fallline.runs.persistence.replayed_facts import ReplayedFacts, ReplayedRun
from fallline.runs.run import Run
from fallline.vocabulary.journal import TO_ROUNDING, StoredExperiment, replay_of
from fallline.vocabulary.run_settings import StopCondition


@dataclass(frozen=True, slots=True)
class RestoredRuns:
    """Runs at their last stored states, and the pieces that are stored of them.

    `generations` and `rounded` (with the kernel) name the runs whose past changed: clients may have seen unstored
    steps, or other builds replay them.
    """

    runs: dict[str, Run]
    saved: dict[str, Saved]
    generations: dict[str, int]
    rounded: dict[str, str]


def restored_runs(
    problem: Problem,
    facts: ReplayedFacts,
    stored_experiment: StoredExperiment,
    kernels: Kernels,
    checkpoint_budget: CheckpointBudget | None = None,
) -> RestoredRuns:
    """Return the runs at their last stored states, not yet at their positions."""
    restored = RestoredRuns({}, {}, {}, {})
    for name, replayed in facts.runs.items():
        run = Run(
            problem, replayed.recipe, kernels, kernels.named(replayed.provenance.kernel), checkpoint_budget
        )
        run.generation, run.is_rounded = replayed.generation, replayed.is_rounded
        restored.runs[name] = run
        _restore(run, replayed, stored_experiment, restored)
    return restored


def _restore(
    run: Run, replayed: ReplayedRun, stored_experiment: StoredExperiment, restored: RestoredRuns
) -> None:
    position = stored_experiment.progress["runs"][run.name]
    provenance = replayed.provenance
    if (stored := restore(run, stored_experiment.parts.get(run.name, {}))) is not None:
        restored.saved[run.name], saved_by = stored
        provenance = provenance if replayed.is_rounded else saved_by
    elif stored_experiment.parts.get(run.name):
        restored.saved[run.name] = Saved(is_certain=False)
    differs = position["step"] > 0 and replay_of(provenance, run.provenance) == TO_ROUNDING
    if differs:
        run.is_rounded = True
        restored.rounded[run.name] = run.kernel.name
    may_have_shown_more = stored_experiment.progress["loose"] and not (
        position["diverged"] or position.get("finished")
    )
    if may_have_shown_more or (differs and position["step"] > run.state.step):
        run.generation += 1
        restored.generations[run.name] = run.generation


def restoration(
    runs: Mapping[str, Run],
    positions: Mapping[str, Mapping[str, Any]],
    arrived: Callable[[], dict[str, Any]],
) -> Slices:
    """Bring all runs to their stored positions, and return what `arrived` returns."""

    def steps_left(run: Run) -> int:
        return 0 if run.diverged else max(int(positions[run.name]["step"]) - run.state.step, 0)

    while behind := [run for run in runs.values() if steps_left(run)]:
        budget, clock = yield
        for run in behind:
            affordable = max(int(budget / len(behind) / run.step_seconds), 1)
            run.advance(min(steps_left(run), affordable), clock, publish=False, stops=False)
    for run in runs.values():
        if positions[run.name]["diverged"]:
            run.state.diverged_at = run.state.step
        if (condition := positions[run.name].get("finished")) is not None:
            run.finished = StopCondition.model_validate(condition)
    return arrived()
