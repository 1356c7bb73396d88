"""How often the Doctor cries wolf: run by itself, over all 200 healthy recipes (`make doctor`)."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from fallline.vocabulary.recipe import Recipe
from support.doctor_cases import healthy_recipes
from support.examined import Examined

STEPS, SLICE = 600, 50
MOST = 2
"""False alarms that are borne in 200 runs."""


def false_alarms(recipes: Iterable[Recipe]) -> list[str]:
    """The problems and warnings that are raised in runs that have none."""
    found: list[str] = []
    for number, recipe in enumerate(recipes):
        one = Examined(recipe)
        one.step(STEPS, SLICE)
        run = recipe.runs[0]
        assert learnt(one), f"{number} is not healthy"
        found += [
            f"{number}: {recipe.data.name}, {run.optimizer} {run.batch_size}: {each['title']} {each['evidence']}"
            for each in one.findings()
            if each["severity"] != "info"
        ]
    return found


def learnt(one: Examined) -> bool:
    """Whether the run got well below the loss of guessing: without that it would not be a healthy one."""
    (run,) = one.one.runs.values()
    loss: float = run.latest(evaluated=True)["train_loss"]["value"]
    return loss < 0.9 * one.one.problem.baseline["train"]


def main() -> int:
    """Tell the alarms; fails beyond `MOST`."""
    recipes = list(healthy_recipes())
    found = false_alarms(recipes)
    print(*found, f"{len(found)} false alarms in {len(recipes)} healthy runs; {MOST} are borne", sep="\n")
    return int(len(found) > MOST)


if __name__ == "__main__":
    sys.exit(main())
