"""Recipes worth showing, each with a claim that a test checks. Must not know how they are shown."""

from __future__ import annotations

from dataclasses import dataclass

from fallline.vocabulary.recipe import DataSettings, NetworkSettings, Recipe, RunRecipe


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A recipe with a title; `claim` is one sentence on what can be seen in it."""

    title: str
    claim: str
    recipe: Recipe

    def as_json(self) -> dict[str, object]:
        """The exhibit as plain JSON."""
        return {"title": self.title, "claim": self.claim, "recipe": self.recipe.as_json()}


EXHIBITS: dict[str, Exhibit] = {
    "notebook": Exhibit(
        title="The notebook: log-linear regression",
        claim="At the same rate GD learns, while SGD races ahead and loses its second layer for good.",
        recipe=Recipe(
            # Seeds found by tests/golden/find_exhibit_seeds.py: about 1 pair in 150 tells this story.
            data=DataSettings(samples=1200, test_fraction=0.25, seed=17),
            network=NetworkSettings(seed=173),
            runs=[
                RunRecipe(name="gd", learning_rate=0.1),
                RunRecipe(name="sgd", learning_rate=0.1, batch_size=1),
            ],
        ),
    ),
}
