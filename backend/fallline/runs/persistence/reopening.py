"""Reopening an experiment: its recipe and runs, replayed from facts of this version, and their stored positions.

Each run starts from its last stored state. It replays the remaining steps in slices, beside other work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.engine.problem import Problem
from fallline.runs.checks.run import merge_edit
from fallline.runs.past.checkpoints import CheckpointBudget
from fallline.runs.past.replay import Slices
from fallline.runs.persistence.journal_writer import Saved, restore
from fallline.runs.run import Run
from fallline.runs.undoing import Undos, move_to
from fallline.vocabulary.journal import TO_ROUNDING, Json, Provenance, StoredExperiment, replay_of
from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.run_settings import Edit, StopCondition


@dataclass(slots=True)
class ReplayedRun:
    """A run's recipe with all edits, and its provenance.

    `is_rounded`: other builds replayed part of its past, equal to rounding only. `provenance` then names the last ones.
    """

    recipe: RunRecipe
    generation: int
    provenance: Provenance
    is_rounded: bool = False

    def edit(self, fact: Json) -> None:
        """Apply the fact of an edit, a new label, or both."""
        if "edit" in fact:
            edit = Edit.model_validate(fact["edit"])
            self.recipe = self.recipe.model_copy(update={"edits": merge_edit(self.recipe.edits, edit)})
        if "label" in fact:
            self.recipe = self.recipe.model_copy(update={"label": fact["label"]})


@dataclass(slots=True)
class ReplayedFacts:
    """An experiment's recipe, its runs, the last generations of removed runs, and what can be undone."""

    recipe: Recipe
    runs: dict[str, ReplayedRun] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    undos: Undos = field(default_factory=Undos)

    def with_edits(self) -> Recipe:
        return self.recipe.model_copy(update={"runs": [run.recipe for run in self.runs.values()]})


def replay_facts(facts: Iterable[Json]) -> ReplayedFacts:
    """Replay the facts, which start with `began`. Raises ValueError for others."""
    replayed: ReplayedFacts | None = None
    for fact in facts:
        if fact["what"] == "began":
            replayed = _start(fact)
        elif replayed is None:
            raise ValueError("the first fact is missing")
        else:
            _apply(replayed, fact)
            replayed.undos.replay(fact)
    if replayed is None:
        raise ValueError("there are no facts")
    return replayed


def _start(fact: Json) -> ReplayedFacts:
    recipe = Recipe.model_validate(fact["recipe"])
    runs = {run.name: ReplayedRun(run, 0, _provenance(fact)) for run in recipe.runs}
    return ReplayedFacts(recipe, runs)


def _apply(replayed: ReplayedFacts, fact: Json) -> None:
    match fact["what"]:
        case "edited":
            replayed.runs[fact["run"]].edit(fact)
        case "found":
            pass  # earlier versions stored findings, which follow from the recipe
        case "reset" | "run_added":
            recipe = RunRecipe.model_validate(fact["recipe"])
            run = ReplayedRun(recipe, fact["generation"], _provenance(fact), fact.get("rounded", False))
            replayed.runs[recipe.name] = run
            move_to(fact.get("place"), recipe.name, replayed.runs)
        case "run_removed":
            replayed.removed[fact["run"]] = replayed.runs.pop(fact["run"]).generation
        case "resumed":
            for name, generation in fact["generations"].items():
                replayed.runs[name].generation = generation
            for name, kernel in fact["rounded"].items():
                replayed.runs[name].is_rounded = True
                replayed.runs[name].provenance = Provenance(kernel, fact["builds"])
        case unknown:
            raise ValueError(f"unknown fact {unknown}: a newer fallline wrote it")


def _provenance(fact: Json) -> Provenance:
    return Provenance(fact["kernel"], fact["builds"])


@dataclass(frozen=True, slots=True)
class RestoredRuns:
    """Runs at their last stored states, and the pieces that are stored of them.

    `generations` and `rounded` (with the kernel) name the runs whose past changed. The reasons: clients may have
    seen unstored steps, other builds replay them, or a deleted experiment came back.
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
    checkpoint_budget: CheckpointBudget | None,
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
    is_back = "undeleted" in stored_experiment.progress
    is_other = may_have_shown_more or is_back or (differs and position["step"] > run.state.step)
    generation = run.generation + is_other
    generation = max(generation, least_generation(stored_experiment.progress))
    if generation != run.generation:
        run.generation = restored.generations[run.name] = generation
        if run.name in restored.saved:  # its pieces name the generation: the next write saves them
            restored.saved[run.name].seconds = -math.inf


def least_generation(progress: Json) -> int:
    """Return the least generation of any run: above 0 once the store was restored from a backup."""
    return int(progress.get("least_generation", 0))


def restoration(
    runs: Mapping[str, Run],
    positions: Mapping[str, Mapping[str, Any]],
    arrived: Callable[[], Any],
) -> Slices:
    """Bring all runs to their stored positions, and return what `arrived` returns.

    A turn makes steps until its budget is spent, since the cost of a step is not known yet. With a class that comes
    back, each turn waits for the turns of all others.
    """

    def steps_left(run: Run) -> int:
        return 0 if run.diverged else max(int(positions[run.name]["step"]) - run.state.step, 0)

    while behind := [run for run in runs.values() if steps_left(run)]:
        budget, clock = yield
        end = clock() + budget
        while behind and (left := end - clock()) > 0.0:
            for run in behind:
                affordable = max(int(left / len(behind) / run.step_seconds), 1)
                run.advance(min(steps_left(run), affordable), clock, stops=False)
            behind = [run for run in behind if steps_left(run)]
    for run in runs.values():
        if positions[run.name]["diverged"]:
            run.state.diverged_at = run.state.step
        if (condition := positions[run.name].get("finished")) is not None:
            run.finished = StopCondition.model_validate(condition)
    return arrived()
