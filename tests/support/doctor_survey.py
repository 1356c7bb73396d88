"""Counts the Doctor's false alarms over all 200 healthy recipes (`make doctor`)."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from fallline.vocabulary.recipe import Recipe
from support.doctor_cases import healthy_recipes
from support.examined import Examined

STEPS, SLICE = 600, 50
MOST = 2
"""False alarms allowed in 200 runs."""


def false_alarms(recipes: Iterable[Recipe]) -> list[str]:
    """Return the problems and warnings reported for healthy runs."""
    alarms: list[str] = []
    for number, recipe in enumerate(recipes):
        one = Examined(recipe)
        one.step(STEPS, SLICE)
        run = recipe.runs[0]
        assert learnt(one), f"{number} is not healthy"
        alarms += [
            f"{number}: {recipe.data.name}, {run.optimizer} {run.batch_size}: {each['title']} {each['evidence']}"
            for each in one.findings()
            if each["severity"] != "info"
        ]
    return alarms


def learnt(one: Examined) -> bool:
    """Return whether the loss is well below the baseline, as in a healthy run."""
    (run,) = one.one.runs.values()
    loss: float = run.latest(evaluated=True)["train_loss"]["value"]
    return loss < 0.9 * one.one.problem.baseline["train"]


def main() -> int:
    """Print the alarms. Fails above `MOST`."""
    recipes = list(healthy_recipes())
    alarms = false_alarms(recipes)
    print(*alarms, f"{len(alarms)} false alarms in {len(recipes)} healthy runs; {MOST} are allowed", sep="\n")
    return int(len(alarms) > MOST)


if __name__ == "__main__":
    sys.exit(main())
