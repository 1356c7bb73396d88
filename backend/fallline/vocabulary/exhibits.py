"""Exhibits: example recipes with two sentences each.

Every number in a sentence is measured: a test trains the recipe and checks the number.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from fallline.vocabulary.recipe import DataSettings, LayerSettings, NetworkSettings, Recipe, RunRecipe


@dataclass(frozen=True, slots=True)
class View:
    """The suggested view of an exhibit.

    It has the x axis, the measure of the gradients, the speed in steps per second (of the run with the smallest batch),
    the pace, the end of the x axis, and the panel under the loss.
    """

    x: Literal["steps", "samples"] = "steps"
    measure: Literal["grad_l1", "grad_l2", "grad_mean", "ratio"] = "grad_l1"
    speed: int = 60
    pace: Literal["steps", "samples"] = "steps"
    until: int = 500
    panel: Literal["gradients", "instruments"] = "gradients"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A recipe with a title.

    `line` is its topic in a few words and can follow "Press play:". The two `sentences` say what to look at.
    """

    title: str
    line: str
    sentences: tuple[str, str]
    recipe: Recipe
    view: View = View()

    def as_json(self) -> dict[str, object]:
        """Return the exhibit as plain JSON without its recipe."""
        return {
            "title": self.title,
            "line": self.line,
            "sentences": list(self.sentences),
            "view": asdict(self.view),
        }


def _layers(count: int, units: int, activation: str) -> list[LayerSettings]:
    return [LayerSettings(units=units, activation=activation)] * count


def _two_dimensional(name: str) -> DataSettings:
    return DataSettings(name=name, samples=400, test_fraction=0.25, standardize="inputs", seed=1)


_DEEP = DataSettings(samples=300, standardize="targets", seed=1)
_SIGMOIDS = NetworkSettings(layers=_layers(6, 8, "sigmoid"), weights="xavier_normal", biases="zeros", seed=1)

EXHIBITS: dict[str, Exhibit] = {
    "notebook": Exhibit(
        title="The notebook: log-linear regression",
        line="two ways down the same slope, and one of them gets stuck",
        sentences=(
            "At the same rate of 0.1 GD's train loss falls to 0.000211 by step 500, while SGD's is "
            "0.0121, no better than predicting the mean (0.0118).",
            "Look at the gradients of W1 and W2 under SGD: from step 196 on they are exactly 0, because "
            "all four units of layer 2 output 0 for every training sample, and no later step can revive "
            "them.",
        ),
        recipe=Recipe(
            # Seeds from tests/golden/find_exhibit_seeds.py: about 1 pair in 150 shows this effect.
            data=DataSettings(samples=1200, test_fraction=0.25, seed=17),
            network=NetworkSettings(seed=173),
            runs=[
                RunRecipe(name="gd", learning_rate=0.1),
                RunRecipe(name="sgd", learning_rate=0.1, batch_size=1),
            ],
        ),
    ),
    "as-printed": Exhibit(
        title="The notebook as printed: a stale z2",
        line="the printed loss and the true loss",
        sentences=(
            "The notebook's GD loop uses a z2 that was computed once, before the loop: from this start it "
            "prints a loss of 0.00553 at step 500, while the weights it had by then gave 3.89.",
            "Here z2 is computed at every step, so you see the true loss: it falls to 0.000262 by step 500, "
            "with nothing else changed.",
        ),
        recipe=Recipe(
            data=DataSettings(seed=17),
            network=NetworkSettings(seed=173),
            runs=[RunRecipe(name="gd", learning_rate=0.1)],
        ),
    ),
    "same-start": Exhibit(
        title="GD and SGD from the same start",
        line="900 samples a step against one",
        sentences=(
            "Per sample, SGD is far ahead: after 9,000 samples it has made 9,000 steps and its train "
            "loss is 0.000111, while GD has made ten and is at 0.423.",
            "Per step, GD is smoother: in the first 1,000 steps its train loss never rises, and "
            "SGD's rises at 443 of them.",
        ),
        recipe=Recipe(
            data=DataSettings(samples=1200, test_fraction=0.25, seed=1),
            network=NetworkSettings(weights="he_normal", biases="zeros", seed=1),
            runs=[
                RunRecipe(name="gd", learning_rate=0.1),
                RunRecipe(name="sgd", learning_rate=0.01, batch_size=1),
            ],
        ),
        view=View(x="samples", speed=1000, pace="samples", until=9000),
    ),
    "too-high": Exhibit(
        title="Too high a rate",
        line="three rates on one bowl, and one of them climbs out of it",
        sentences=(
            "The loss of a linear regression is a bowl, here with a curvature of at most 1.108: GD goes "
            "down at rates below 2 / 1.108 = 1.805, and out of it above.",
            "At rate 0.9 the loss slides down, at 1.7 every step jumps across the bowl and still ends "
            "lower; at 1.9 it falls for 4 steps and then rises at every one, until the run diverges at "
            "step 85.",
        ),
        recipe=Recipe(
            data=DataSettings(name="linear", samples=200, features=2, noise=0.1, seed=3),
            network=NetworkSettings(layers=[]),
            runs=[
                RunRecipe(name=f"rate-{place}", label=label, learning_rate=rate)
                for place, (label, rate) in enumerate(
                    (("Low", 0.9), ("High", 1.7), ("Too high", 1.9)), start=1
                )
            ],
        ),
        view=View(speed=10, until=85),
    ),
    "batch-sizes": Exhibit(
        title="Batch sizes",
        line="the same samples in batches of 1, 8, 64 and all 512",
        sentences=(
            "After one pass over the 512 samples the batch of 1 has made 512 steps and has a train loss "
            "of 0.115, the full batch has made one and is at 1.07.",
            "Small batches are noisy: between passes 30 and 40 the batch of 1 wanders from 0.0642 to "
            "0.120, the batch of 64 from 0.0845 to 0.0876.",
        ),
        recipe=Recipe(
            data=DataSettings(name="linear", samples=512, noise=0.5, standardize="both", seed=1),
            network=NetworkSettings(
                layers=_layers(1, 8, "tanh"), weights="xavier_normal", biases="zeros", seed=1
            ),
            runs=[
                RunRecipe(name=name, label=label, learning_rate=0.05, batch_size=size)
                for name, label, size in (
                    ("batch-1", "SGD", 1),
                    ("batch-8", "Mini 8", 8),
                    ("batch-64", "Mini 64", 64),
                    ("full", "GD", None),
                )
            ],
        ),
        view=View(x="samples", speed=1000, pace="samples", until=10240),
    ),
    "momentum": Exhibit(
        title="Momentum",
        line="the same rate, with and without a memory of earlier steps",
        sentences=(
            "Both runs have the rate 0.05: with a momentum of 0.9 the train loss is below 0.01 first at "
            "step 206, without it at step 1,496.",
            "Momentum overshoots: in the first 500 steps the loss rises 8 times with "
            "momentum, and never without.",
        ),
        recipe=Recipe(
            data=DataSettings(standardize="targets", seed=1),
            network=NetworkSettings(
                layers=_layers(2, 4, "tanh"), weights="xavier_normal", biases="zeros", seed=1
            ),
            runs=[
                RunRecipe(name="plain", label="Plain", learning_rate=0.05),
                RunRecipe(name="momentum", label="Momentum", optimizer="momentum", learning_rate=0.05),
            ],
        ),
        view=View(speed=100, until=1500),
    ),
    "adam": Exhibit(
        title="Adam",
        line="a slope too flat for plain GD",
        sentences=(
            "Through six layers of sigmoids plain GD is still at the loss of predicting the mean, 1.00, "
            "at step 1,000; Adam's train loss is below 0.1 first at step 216.",
            "Look at update ÷ weight of W1: at step 10 it is 0.0000172 under GD and 0.0250 under Adam, "
            "which divides each gradient by its own recent size.",
        ),
        recipe=Recipe(
            data=_DEEP,
            network=_SIGMOIDS,
            runs=[
                RunRecipe(name="gd", learning_rate=0.5),
                RunRecipe(name="adam", optimizer="adam", learning_rate=0.01),
            ],
        ),
        view=View(measure="ratio", until=300),
    ),
    "vanishing": Exhibit(
        title="Vanishing gradients",
        line="how much gradient survives six sigmoid layers",
        sentences=(
            "Look at the gradients from right to left: at step 0 the mean |dW| is 0.608 in W7 and "
            "0.0000142 in W1, 42,730 times less, because every sigmoid on the way back multiplies by at "
            "most 0.25.",
            "So the first layers hardly learn, and at step 1,000 the train loss is 1.00, as for predicting the mean.",
        ),
        recipe=Recipe(data=_DEEP, network=_SIGMOIDS, runs=[RunRecipe(name="gd", learning_rate=0.5)]),
        view=View(measure="grad_mean", speed=200, until=1000),
    ),
    "zeros": Exhibit(
        title="Zero initialisation",
        line="four units that start equal and can never differ",
        sentences=(
            "All weights start at 0, so the four hidden units get the same gradients and stay equal to "
            "the last digit: the network shows one unit drawn four times.",
            "One sigmoid can only cut the plane along a line: at step 500 the accuracy on the test "
            "samples is 0.65, where the same network from Xavier's weights gets all of them right.",
        ),
        recipe=Recipe(
            data=_two_dimensional("circle"),
            network=NetworkSettings(layers=_layers(1, 4, "sigmoid"), weights="zeros", biases="zeros", seed=1),
            runs=[RunRecipe(name="adam", optimizer="adam", learning_rate=0.02)],
        ),
    ),
    "spirals": Exhibit(
        title="Two spirals: classification in the plane",
        line="two classes that wind around each other",
        sentences=(
            "At step 750 Adam is right about 90 of the 100 test samples, SGD with the same batches about 69.",
            "At step 1,500 Adam is right about all of them, as its map shows: no sample is outlined.",
        ),
        recipe=Recipe(
            data=_two_dimensional("two_spirals"),
            network=NetworkSettings(
                layers=_layers(2, 16, "tanh"), weights="xavier_normal", biases="zeros", seed=1
            ),
            runs=[
                RunRecipe(name="adam", optimizer="adam", learning_rate=0.01, batch_size=32),
                RunRecipe(name="sgd", learning_rate=0.1, batch_size=32),
            ],
        ),
        view=View(speed=200, until=1500),
    ),
    "edge": Exhibit(
        title="Edge of stability",
        line="the loss gets sharper until the steps barely fit",
        sentences=(
            "Look at the sharpness, the loss's largest curvature: from 2.32 at step 0 it climbs to 2 / rate and stays: "
            "between steps 2,000 and 4,000 its mean is within 2 % of 5 at rate 0.4 and of 10 at rate 0.2.",
            "There the steps barely fit: at rate 0.4 the loss rises at 500 of the 1,000 steps after step 3,000, "
            "every other one, and still falls.",
        ),
        recipe=Recipe(
            data=DataSettings(samples=100, standardize="targets"),
            network=NetworkSettings(layers=_layers(2, 4, "tanh"), weights="lecun", biases="zeros"),
            runs=[
                RunRecipe(name="fast", label="Rate 0.4", learning_rate=0.4),
                RunRecipe(name="slow", label="Rate 0.2", learning_rate=0.2),
            ],
        ),
        view=View(speed=200, until=4000, panel="instruments"),
    ),
}
"""Exhibits by name; the page opens the first."""
