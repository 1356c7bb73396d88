"""The recipe and runs of an experiment, replayed from facts of this version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fallline.runs.checks.run import merge_edit
from fallline.vocabulary.journal import Json, Provenance
from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.run_settings import Edit


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
    """An experiment's recipe, its runs, and the last generations of removed runs."""

    recipe: Recipe
    runs: dict[str, ReplayedRun] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)

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
