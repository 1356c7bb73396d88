"""Exhibits: example recipes, each with a question to bet on and what happened.

Every number in a clause is measured: a test trains the recipe and checks the number. Nothing else of an
exhibit reveals its ending.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from fallline.vocabulary.commands import Until
from fallline.vocabulary.questions import (
    NONE,
    ByFirst,
    ByLowest,
    ByStep,
    ByValue,
    ByVerdict,
    Choice,
    Clause,
    Question,
)
from fallline.vocabulary.recipe import DataSettings, LayerSettings, NetworkSettings, Recipe, RunRecipe


@dataclass(frozen=True, slots=True)
class View:
    """The suggested view of an exhibit.

    It has the x axis, the end of the question along it, the measure of the gradients, the pace, and the panel under
    the loss. The speed is in steps per second, of the run with the smallest batch.
    """

    x: Literal["steps", "samples"] = "steps"
    measure: Literal["grad_l1", "grad_l2", "grad_mean", "ratio"] = "grad_l1"
    speed: int = 60
    pace: Literal["steps", "samples"] = "steps"
    until: int = 500
    panel: Literal["gradients", "instruments"] = "gradients"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A recipe with a title, its topic in a few words (`line`), and a question to bet on."""

    title: str
    line: str
    question: Question
    recipe: Recipe
    view: View = View()

    @property
    def until(self) -> Until:
        """The end of the question."""
        return Until(**{self.view.x: self.view.until})

    def as_json(self) -> dict[str, object]:
        """Return the exhibit as plain JSON without its recipe, and without the parts that reveal the ending."""
        return {
            "title": self.title,
            "line": self.line,
            "question": self.question.public(),
            "view": asdict(self.view),
        }


def _choices(*choices: tuple[str, str]) -> list[Choice]:
    return [Choice(id=id, text=text) for id, text in choices]


def _story(*clauses: tuple[int, str | None, str]) -> list[Clause]:
    """Return clauses from step, run and text."""
    return [Clause(text=text, step=step, run=run) for step, run, text in clauses]


def _layers(count: int, units: int, activation: str) -> list[LayerSettings]:
    return [LayerSettings(units=units, activation=activation)] * count


def _two_dimensional(name: str) -> DataSettings:
    return DataSettings(name=name, samples=400, test_fraction=0.25, standardize="inputs", seed=1)


_DEEP = DataSettings(samples=300, standardize="targets", seed=1)
_SIGMOIDS = NetworkSettings(layers=_layers(6, 8, "sigmoid"), weights="xavier_normal", biases="zeros", seed=1)

EXHIBITS: dict[str, Exhibit] = {
    "notebook": Exhibit(
        title="The notebook: log-linear regression",
        line="two ways down the same slope",
        question=Question(
            id="notebook",
            prompt="Same start, same rate. Which one gets stuck?",
            choices=_choices(("gd", "GD"), ("sgd", "SGD"), (NONE, "Neither")),
            answer=ByVerdict(verdicts=["on_the_way", "flat", "dead", "diverged"]),
            explain=_story(
                (0, None, "Both start at loss 6.98."),
                (6, "sgd", "One sample throws SGD up to 96.1. Three of four units in layer 2 are off."),
                (141, "gd", "GD passes the mean: below 0.0118 it has learned something."),
                (196, "sgd", "The last unit of layer 2 dies. Every weight's gradient is now exactly 0."),
                (500, None, "GD: 0.000211. SGD: 0.0121, no better than the mean."),
            ),
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
        question=Question(
            id="as-printed",
            prompt="With z2 computed at every step, how low does the loss get?",
            choices=_choices(("below", "Below 0.001"), ("between", "0.001 to 1"), ("above", "Above 1")),
            answer=ByValue(run="gd", series="train_loss", limits=[0.001, 1.0]),
            explain=_story(
                (
                    0,
                    "gd",
                    "GD starts at loss 6.85, as the notebook's loop does with its z2 from an earlier cell.",
                ),
                (500, "gd", "The notebook prints 0.00553 here. The weights that it has by then give 3.89."),
                (
                    500,
                    "gd",
                    "With z2 computed at every step the true loss is 0.000262, and nothing else changed.",
                ),
            ),
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
        question=Question(
            id="same-start",
            prompt="Both see 9,000 samples. Whose loss ends lower?",
            choices=_choices(("gd", "GD: 10 steps"), ("sgd", "SGD: 9,000 steps")),
            answer=ByLowest(series="train_loss"),
            explain=_story(
                (0, None, "Both start at loss 8.27."),
                (10, "gd", "GD has paid for 9,000 samples with ten steps, and is at 0.423."),
                (1000, "sgd", "SGD is rougher: in its first 1,000 steps the loss rises at 443 of them."),
                (9000, "sgd", "SGD has made 9,000 steps for the same samples, and is at 0.000111."),
            ),
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
        title="How high may the rate be?",
        line="three rates on one bowl",
        question=Question(
            id="too-high",
            prompt="One bowl, three rates. Which runs climb out of it?",
            choices=_choices((NONE, "None"), ("rate-3", "Rate 1.9"), ("rate-2+rate-3", "1.7 and 1.9")),
            answer=ByVerdict(verdicts=["diverged"]),
            explain=_story(
                (
                    0,
                    None,
                    "The bowl curves by at most 1.108. Steps overshoot more and more above 2 / 1.108 = 1.805.",
                ),
                (1, "rate-2", "Rate 1.7 jumps across the bowl at every step, and lands lower each time."),
                (4, "rate-3", "Rate 1.9 falls for 4 steps. From here on its loss rises at every one."),
                (85, "rate-3", "Rate 1.9 diverges."),
            ),
        ),
        recipe=Recipe(
            data=DataSettings(name="linear", samples=200, features=2, noise=0.1, seed=3),
            network=NetworkSettings(layers=[]),
            runs=[
                RunRecipe(name=f"rate-{place}", label=label, learning_rate=rate)
                for place, (label, rate) in enumerate(
                    (("Rate 0.9", 0.9), ("Rate 1.7", 1.7), ("Rate 1.9", 1.9)), start=1
                )
            ],
        ),
        view=View(speed=10, until=90),
    ),
    "batch-sizes": Exhibit(
        title="Batch sizes",
        line="the same samples in batches of 1, 8, 64 and all 512",
        question=Question(
            id="batch-sizes",
            prompt="Twenty passes over 512 samples. Which batch ends lowest?",
            choices=_choices(("batch-1", "1 sample"), ("batch-8", "8 samples"), ("full", "All 512")),
            answer=ByLowest(series="train_loss"),
            explain=_story(
                (1, "full", "After one pass the full batch has made one step, and is at 1.07."),
                (512, "batch-1", "After one pass the batch of 1 has made 512 steps, and is at 0.115."),
                (
                    1280,
                    "batch-8",
                    "The batch of 8 is at 0.0748. Its steps are calmer, and there are enough of them.",
                ),
                (
                    10240,
                    "batch-1",
                    "The batch of 1 wandered from 0.0698 to 0.135 in ten passes, and ends at 0.0797.",
                ),
                (10240, None, "The batch of 64 is at 0.0915 and all 512 at 0.291: they made too few steps."),
            ),
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
        question=Question(
            id="momentum",
            prompt="At which step does momentum first bring the loss below 0.01?",
            kind="number",
            unit="steps",
            answer=ByStep(run="momentum", series="train_loss", below=0.01),
            explain=_story(
                (0, None, "Both start at the same loss, 1.33, with the rate 0.05."),
                (206, "momentum", "With momentum 0.9 the loss is below 0.01."),
                (
                    500,
                    "momentum",
                    "Momentum overshoots: its loss has risen 8 times so far. Without it, never.",
                ),
                (1496, "plain", "Without momentum the loss is below 0.01 only here."),
            ),
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
        line="one flat slope, two methods",
        question=Question(
            id="adam",
            prompt="Six layers of sigmoids. Who gets the loss below 0.1 first?",
            choices=_choices(("gd", "GD"), ("adam", "Adam"), (NONE, "Neither")),
            answer=ByFirst(series="train_loss", below=0.1),
            explain=_story(
                (
                    10,
                    None,
                    "GD moves W1 by 0.0000172 of its size, Adam by 0.0250: it divides by the gradient's size.",
                ),
                (216, "adam", "Adam's loss is below 0.1."),
                (300, "gd", "GD is at 1.00, the loss of predicting the mean."),
            ),
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
        question=Question(
            id="vanishing",
            prompt="How much smaller is the first layer's gradient than the last's?",
            choices=_choices(("ten", "10 times"), ("thousand", "1,000 times"), ("more", "Over 10,000 times")),
            answer=ByValue(
                run="gd", series="grad_mean/W7", over="grad_mean/W1", step=0, limits=[100.0, 10000.0]
            ),
            explain=_story(
                (0, "gd", "The mean |dW| is 0.608 in W7 and 0.0000142 in W1, 42,730 times less."),
                (0, "gd", "Every sigmoid on the way back multiplies by at most 0.25."),
                (1000, "gd", "The first layers hardly learn: the loss is 1.00, as for predicting the mean."),
            ),
        ),
        recipe=Recipe(data=_DEEP, network=_SIGMOIDS, runs=[RunRecipe(name="gd", learning_rate=0.5)]),
        view=View(measure="grad_mean", speed=200, until=1000),
    ),
    "zeros": Exhibit(
        title="Zero initialisation",
        line="four units that start equal",
        question=Question(
            id="zeros",
            prompt="All weights start at 0. How many test samples are right?",
            choices=_choices(("half", "About half"), ("two-thirds", "About two thirds"), ("all", "All")),
            answer=ByValue(run="adam", series="test_accuracy", limits=[0.58, 0.9]),
            explain=_story(
                (
                    1,
                    "adam",
                    "The four hidden units get the same gradients, and stay equal to the last digit.",
                ),
                (
                    500,
                    "adam",
                    "One sigmoid can only cut the plane along a line: 65 of the 100 test samples are right.",
                ),
                (500, "adam", "The same network from Xavier's weights gets all of them right."),
            ),
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
        question=Question(
            id="spirals",
            prompt="Same network, same batches. Which one unwinds the spirals first?",
            choices=_choices(("adam", "Adam"), ("sgd", "Mini-batch"), (NONE, "Neither")),
            answer=ByFirst(series="test_accuracy", above=0.985),
            explain=_story(
                (0, None, "Both start at loss 0.733."),
                (750, None, "Adam is right about 90 of the 100 test samples, Mini-batch about 69."),
                (1500, "adam", "Adam is right about all of them: its map outlines no sample."),
            ),
        ),
        recipe=Recipe(
            data=_two_dimensional("two_spirals"),
            network=NetworkSettings(
                layers=_layers(2, 16, "tanh"), weights="xavier_normal", biases="zeros", seed=1
            ),
            runs=[
                RunRecipe(name="adam", optimizer="adam", learning_rate=0.01, batch_size=32),
                RunRecipe(name="sgd", label="Mini-batch", learning_rate=0.1, batch_size=32),
            ],
        ),
        view=View(speed=200, until=1500),
    ),
    "edge": Exhibit(
        title="Edge of stability",
        line="two rates on a loss that bends more and more",
        question=Question(
            id="edge",
            prompt="The loss bends more and more sharply. Which rate is thrown out?",
            choices=_choices(("fast", "Rate 0.4"), ("fast+slow", "Both"), (NONE, "Neither")),
            answer=ByVerdict(verdicts=["diverged"]),
            explain=_story(
                (0, None, "The steepest bend of the loss is 2.32."),
                (
                    2000,
                    None,
                    "It is at 2 / rate, and on average stays within 2 % of 5 at rate 0.4 and of 10 at rate 0.2.",
                ),
                (
                    3000,
                    "fast",
                    "The steps barely fit: the loss rises at 500 of the next 1,000 steps, every other one.",
                ),
                (4000, "fast", "And still it falls: nothing is thrown out."),
            ),
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
