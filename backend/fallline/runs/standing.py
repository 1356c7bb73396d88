"""What has become of an experiment by the facts that are stored of it: its recipe, its runs and their generations.

Reads facts of today's version. Must not know states, steps or where facts are stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fallline.diagnosis.examine import Record
from fallline.runs.run_check import merge_edit
from fallline.vocabulary.findings import Finding
from fallline.vocabulary.journal import Json
from fallline.vocabulary.provenance import Provenance
from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.run_settings import Edit


@dataclass(slots=True)
class RunStanding:
    """A run's recipe with all its edits, what made its first steps, and what was found in it.

    `is_rounded`: some of its past was made again elsewhere, equal to rounding only; then it is told what made it last.
    """

    recipe: RunRecipe
    generation: int
    provenance: Provenance
    is_rounded: bool = False
    found: Record = field(default_factory=Record)

    def edit(self, fact: Json) -> None:
        """An edit, another label, or both."""
        if "edit" in fact:
            edit = Edit.model_validate(fact["edit"])
            self.recipe = self.recipe.model_copy(update={"edits": merge_edit(self.recipe.edits, edit)})
        if "label" in fact:
            self.recipe = self.recipe.model_copy(update={"label": fact["label"]})


@dataclass(slots=True)
class Standing:
    """An experiment's recipe, its runs, and the last generations of runs that are gone."""

    recipe: Recipe
    runs: dict[str, RunStanding] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)

    def with_edits(self) -> Recipe:
        """The recipe with all edits."""
        return self.recipe.model_copy(update={"runs": [run.recipe for run in self.runs.values()]})


def standing_of(facts: Iterable[Json]) -> Standing:
    """Fold the facts, which begin with the experiment's beginning. ValueError where they do not."""
    standing: Standing | None = None
    for fact in facts:
        if fact["what"] == "began":
            standing = _began(fact)
        elif standing is None:
            raise ValueError("the beginning is missing")
        else:
            _happened(standing, fact)
    if standing is None:
        raise ValueError("nothing is known of it")
    return standing


def _began(fact: Json) -> Standing:
    recipe = Recipe.model_validate(fact["recipe"])
    runs = {run.name: RunStanding(run, 0, _provenance(fact)) for run in recipe.runs}
    return Standing(recipe, runs)


def _happened(standing: Standing, fact: Json) -> None:
    match fact["what"]:
        case "edited":
            standing.runs[fact["run"]].edit(fact)
        case "found":
            standing.runs[fact["run"]].found.take([Finding.read(fact["finding"])])
        case "reset" | "run_added":
            recipe = RunRecipe.model_validate(fact["recipe"])
            run = RunStanding(recipe, fact["generation"], _provenance(fact), fact.get("rounded", False))
            run.found.take(map(Finding.read, fact.get("findings", ())))
            standing.runs[recipe.name] = run
        case "run_removed":
            standing.gone[fact["run"]] = standing.runs.pop(fact["run"]).generation
        case "resumed":
            for name, generation in fact["generations"].items():
                standing.runs[name].generation = generation
            for name, kernel in fact["rounded"].items():
                standing.runs[name].is_rounded = True
                standing.runs[name].provenance = Provenance(kernel, fact["builds"])
        case unknown:
            raise ValueError(f"nobody knows what {unknown} means: a newer fallline wrote it")


def _provenance(fact: Json) -> Provenance:
    return Provenance(fact["kernel"], fact["builds"])
