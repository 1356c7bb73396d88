"""The faults that independent checks found in the Doctor: its answer in each, and the right one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from doctor.numbers import Numbers, replay
from doctor.oracle import faults_of, is_grave, label
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json
from support.examined import Examined


@dataclass(frozen=True, slots=True)
class Answer:
    """The Doctor's answer and the right one. They are equal once the fault is mended."""

    actual: object
    expected: object

    @property
    def is_right(self) -> bool:
        return json.dumps(self.actual) == json.dumps(self.expected)


def _recipe(
    data: Json,
    layers: list[int],
    activation: str,
    weights: str,
    *runs: Json,
    seed: int = 0,
    biases: str = "zeros",
) -> Recipe:
    hidden = [{"units": units, "activation": activation} for units in layers]
    network = {"layers": hidden, "weights": weights, "biases": biases, "seed": seed}
    return Recipe.model_validate({"data": data, "network": network, "runs": list(runs)})


CHEBYSHEV = _recipe(
    {"name": "chebyshev", "features": 1, "samples": 100, "degree": 6, "noise": 0.05},
    [20, 20, 20],
    "relu",
    "he",
    {"name": "sgd", "learning_rate": 0.05, "batch_size": 10},
    {"name": "adam", "optimizer": "adam", "learning_rate": 0.01, "batch_size": 10},
)


def fault_1() -> Answer:
    """Unit 8 of layer 2 is dead from step 0, and is reported since the set of dead units last changed."""
    one = Examined(CHEBYSHEV)
    one.step(400)
    actual = [
        each["since_step"]
        for each in one.open("adam")
        if each["rule"] == "dead_units" and 8 in each["subject"]["units"] and each["subject"]["layer"] == 2
    ]
    (fault,) = [
        each
        for each in faults_of(replay(CHEBYSHEV, 400, "adam"))
        if (each.rule, each.layer) == ("dead_units", 2)
    ]
    return Answer(actual, [dict(fault.units)[8]])


OVERFITS = _recipe(
    {
        "name": "sine",
        "features": 2,
        "samples": 60,
        "noise": 0.6,
        "test_fraction": 0.5,
        "standardize": "both",
        "seed": 3,
    },
    [20, 20],
    "tanh",
    "he_normal",
    {"name": "run", "optimizer": "nesterov", "learning_rate": 0.02},
    seed=3,
)
CIRCLE = _recipe(
    {"name": "circle", "features": 2, "samples": 74, "noise": 0.5, "standardize": "both", "seed": 912624},
    [],
    "relu",
    "lecun",
    {"name": "run", "optimizer": "adam", "learning_rate": 0.00115, "batch_size": 4},
    seed=912624,
    biases="normal",
)
TOO_HIGH = _recipe(
    {"standardize": "both", "seed": 1}, [], "relu", "normal", {"name": "gd", "learning_rate": 2.2}
)


def fault_2() -> Answer:
    """Open findings and onsets depend on stepping; by hand nothing is reported at 32 times the first loss.

    It compares the rules open after 3,000 steps in one request and in 15. It takes onsets of overfitting at three
    steps in both ways. It looks for a forecast at 32 times the first loss.
    """
    ends = [_open(CIRCLE, 3000, slice) for slice in (3000, 200)]
    (fault, *_) = [each for each in label(replay(OVERFITS, 900)) if each.rule == "overfitting"]
    onsets = [
        [
            *{
                each["since_step"]
                for each in _stepped(OVERFITS, steps, slice).findings()
                if each["rule"] == "overfitting"
            }
        ]
        for steps in (300, 600, 900)
        for slice in (steps, 60)
    ]
    losses = replay(TOO_HIGH, 60).train_loss
    grown = int((losses > 32.0 * losses[0]).argmax())
    actual = [ends[0] == ends[1], onsets, "will_diverge" in _open(TOO_HIGH, grown, 1)]
    return Answer(actual, [True, [[fault.since]] * len(onsets), True])


def _stepped(recipe: Recipe, steps: int, slice: int) -> Examined:
    one = Examined(recipe)
    one.step(steps, slice)
    return one


def _open(recipe: Recipe, steps: int, slice: int) -> list[str]:
    return sorted({each["rule"] for each in _stepped(recipe, steps, slice).open()})


MOONS = _recipe(
    {"name": "moons", "features": 2, "samples": 40, "noise": 0.35},
    [16, 16],
    "relu",
    "he",
    {"name": "adam", "optimizer": "adam", "learning_rate": 0.02},
)


def fault_3() -> Answer:
    """Gradients of a converged run do not explode."""
    actual = any(each["rule"] == "exploding_gradients" for each in _stepped(MOONS, 2000, 2000).findings())
    return Answer(actual, any(each.rule == "exploding_gradients" for each in faults_of(replay(MOONS, 2000))))


NOISY = _recipe(
    {"name": "linear", "features": 2, "samples": 200, "noise": 30.0, "standardize": "both", "seed": 9},
    [6],
    "tanh",
    "xavier_normal",
    {"name": "sgd", "learning_rate": 0.3, "batch_size": 2},
    seed=9,
)
SPIKED = _recipe(
    {"name": "linear", "features": 5, "samples": 240, "noise": 0.1, "standardize": "both", "seed": 2},
    [12, 12],
    "tanh",
    "xavier_normal",
    {
        "name": "run",
        "optimizer": "momentum",
        "learning_rate": 0.02,
        "edits": [{"at_step": 213, "learning_rate": 6.0}, {"at_step": 215, "learning_rate": 0.02}],
    },
    seed=2,
)


def fault_4() -> Answer:
    """A run at 1.08 of the baseline for 3,000 steps, and a loss that jumps in two steps, are problems or warnings."""
    actual = [
        any(each["severity"] != "info" for each in _stepped(NOISY, 3000, 200).open()),
        any(each["rule"] in ("spike", "worse_than_before") for each in _stepped(SPIKED, 240, 10).findings()),
    ]
    true = [is_grave(replay(NOISY, 3000)), any(each.rule == "spike" for each in label(replay(SPIKED, 240)))]
    return Answer(actual, true)


def fault_5() -> Answer:
    """One large step killed three of four units: its step, parameter, and both values are evidence."""
    notebook = EXHIBITS["notebook"].recipe
    run = replay(notebook, 60, "sgd")
    (fault, *_) = [each for each in label(run) if each.rule == "dead_units"]
    one = Examined(notebook)
    one.step(60, 5)
    (actual,) = [each for each in one.open("sgd") if each["rule"] == "dead_units"][:1]
    right = largest_change(run, fault.since - 1)
    return Answer({name: actual["did"][name] for name in right}, right)


def largest_change(run: Numbers, step: int) -> Json:
    """Return the parameter that moved most in the change from that step."""
    before, after = run.parameters[step], run.parameters[step + 1]
    place = int(abs(after - before).argmax())
    start = 0
    for layer, (W, b) in enumerate(run.network.blocks(run.parameters[:1]), start=1):
        for kind, size in (("W", W[0].size), ("b", b[0].size)):
            if place < start + size:
                values = {"from": float(before[place]), "to": float(after[place])}
                return {"step": step, "parameter": f"{kind}{layer}", "entry": place - start, **values}
            start += size
    raise AssertionError(place)


def fault_6() -> Answer:
    """A test loss that has doubled ranks above one that has grown by less."""
    recipe = OVERFITS.as_json()
    recipe["data"]["noise"], recipe["network"]["layers"] = 1.0, [{"units": 20, "activation": "relu"}] * 2
    recipe["runs"] = [
        {"name": "grave", "optimizer": "adam", "learning_rate": 0.03},
        {"name": "mild", "optimizer": "rmsprop", "learning_rate": 0.01},
    ]
    one, names = Examined(recipe), ("grave", "mild")
    one.step(900, 100)
    actual = [
        [each["severity"] for each in one.open(name) if each["rule"] == "overfitting"] for name in names
    ]
    runs = [replay(Recipe.model_validate(recipe), 900, name) for name in names]
    return Answer(actual, [["problem" if is_grave(run) else "warning"] for run in runs])


def fault_7() -> Answer:
    """One verdict stands in the state of a run, for table and Doctor alike."""
    state = _stepped(OVERFITS, 900, 900).one.state()["runs"][0]
    return Answer(state.get("verdict"), "overfitting")


def fault_8() -> Answer:
    """The answer of a step has a collapsed layer, and says up to which step findings are complete."""
    actual = []
    for tick in (1e-6, 0.02):
        one = Examined(EXHIBITS["notebook"].recipe)
        one.clock.tick = tick
        one.step(190, 95)
        state = one.step(10, 1)["runs"][1]
        named = "dead_layer" in [each["rule"] for each in state["findings"]]
        actual.append(
            [named or state.get("findings_complete_to", 200) < 196, "findings_complete_to" in state]
        )
    return Answer(actual, [[True, True], [True, True]])


CASES: tuple[Callable[[], Answer], ...] = (
    fault_1,
    fault_2,
    fault_3,
    fault_4,
    fault_5,
    fault_6,
    fault_7,
    fault_8,
)
"""The numbered faults, in their order."""
