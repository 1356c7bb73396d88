"""NumPy and compiled code make the same step from the same state; each replays its own to the bit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fallline.engine.batches import order_of_pass
from fallline.engine.kernels import compiled, compiled_curves, compiled_orders
from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.compiled_activations import ACTIVATION_CODES, CURVED
from fallline.engine.kernels.compiled_changes import OPTIMIZER_CODES
from fallline.engine.kernels.compiled_losses import LOSS_CODES
from fallline.engine.kernels.compiled_schedules import SCHEDULE_CODES
from fallline.engine.kernels.compiled_work import Memory
from fallline.engine.kernels.interface import Kernel, evaluated_series
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.losses import LOSSES
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import DataSettings, LossSettings, RunRecipe
from fallline.vocabulary.run_settings import ScheduleSettings
from support.aliases import Array, Json
from support.problems import classes_problem, edit, joined, network, same_bits, series, small_problem

HIDDEN = {
    "none": (), "one": (4,), "two": (4, 4), "uneven": (5, 1, 3), "wide": (70, 40), "widest": (512,),
    "deepest": (3,) * 8,
}  # fmt: skip
BATCHES = [1, 2, 7, 32, 45, None]
ROUNDING = 1e-12
CANCELLED = 4e-16
"""A ratio is a small change over a large parameter. NumPy computes it from a difference, which loses digits."""


def problem_with(
    activation: str, hidden: tuple[int, ...], output: str = "identity", loss: str | LossSettings = "mse"
) -> Problem:
    """Return data of 60 samples that fit the loss, with up to 4 classes."""
    layers = network(*((units, activation) for units in hidden), weights="xavier", output=output)
    if isinstance(loss, str) and not LOSSES[loss].fits(0):
        return classes_problem(loss, LOSSES[loss].most_classes or 4, net=layers, test_fraction=0.25)
    data = DataSettings(name="linear", samples=60, features=3, test_fraction=0.25, standardize="both")
    return build_problem(data, layers, loss)


def close(one: Array, other: Array) -> bool:
    return bool(np.abs(one - other).max() <= ROUNDING * np.abs(other).max())


SCALED = {("rmsprop_momentum", "velocity"), ("rmsprop_centered", "velocity")}
"""Slots of divided gradients. One of almost 0 may be all rounding, so only the steps that they make are compared."""

DIFFERENCES = {
    ("lbfgs", "change"): "parameters",
    ("lbfgs", "steps"): "parameters",
    ("lbfgs", "bends"): "gradient",
}
"""Slots of small differences. Their rounding is that of the numbers that were subtracted."""


def is_close_slot(twin: TrainingState, state: TrainingState, name: str, rate: float) -> bool:
    one, other = twin.slots[name], state.slots[name]
    if (state.optimizer, name) in SCALED:
        return bool(rate * np.abs(one - other).max() <= ROUNDING * np.abs(state.parameters).max())
    whole = DIFFERENCES.get((state.optimizer, name))
    if whole is None:
        return close(one, other)
    numbers = state.parameters if whole == "parameters" else state.slots[whole]
    return bool(np.abs(one - other).max() <= ROUNDING * np.abs(numbers).max())


def assert_same_step(problem: Problem, run: RunRecipe, state: TrainingState) -> None:
    """Make one step of each kernel from the same state; continue with NumPy's."""
    twin, settings = state.copy(), run.settings_at(state.step)
    theirs, ours = advance(problem, state, run, 1, NUMPY), advance(problem, twin, run, 1, COMPILED)
    assert (twin.step, twin.samples_seen, twin.diverged_at, twin.optimizer) == (
        state.step,
        state.samples_seen,
        state.diverged_at,
        state.optimizer,
    ), settings
    assert twin.slots.keys() == state.slots.keys(), settings
    named = problem.named(twin.parameters)
    for name, values in problem.named(state.parameters).items():
        assert close(named[name], values), (name, settings)
    for name in state.slots:
        assert is_close_slot(twin, state, name, settings.learning_rate), (name, settings)
    assert np.array_equal(ours.samples_seen, theirs.samples_seen), settings
    assert np.array_equal(np.isnan(ours.values), np.isnan(theirs.values)), settings
    same = np.isclose(ours.values, theirs.values, rtol=1e-11, atol=CANCELLED * 30, equal_nan=True)
    assert same.all(), (np.array(theirs.names)[~same.all(axis=1)], settings)


NETWORKS = list(product(ACTIVATIONS, LOSSES, HIDDEN))
STRIDES = (1, 5, 3, 2)
"""Steps along the axes of `optimizer_of`, found by trying small ones."""


def optimizer_of(activation: str, loss: str, hidden: str, batch_size: int | None) -> str:
    """Return an optimizer in turn, so that any two of the four axes meet all optimizers."""
    axes: tuple[list[Any], ...] = (list(ACTIVATIONS), list(LOSSES), list(HIDDEN), BATCHES)
    options = (activation, loss, hidden, batch_size)
    places = (stride * axis.index(each) for stride, axis, each in zip(STRIDES, axes, options, strict=True))
    return list(OPTIMIZERS)[sum(places) % len(OPTIMIZERS)]


def assert_steps_are_numpys(
    activation: str, loss: str, hidden: str, methods: Iterable[tuple[str, int | None]]
) -> None:
    """The second step uses the optimizer's memory. The rate is small, because some optimizers turn a gradient of
    almost 0, and its rounding, into a whole step.
    """
    problem = problem_with(activation, HIDDEN[hidden], loss=loss)
    for optimizer, batch_size in methods:
        run = RunRecipe(name="r", optimizer=optimizer, batch_size=batch_size, learning_rate=1e-4)
        state = begin(problem)
        for _ in range(2):
            assert_same_step(problem, run, state)


@pytest.mark.parametrize(("activation", "loss", "hidden"), NETWORKS)
def test_a_step_is_numpys_but_for_rounding(activation: str, loss: str, hidden: str) -> None:
    """Test every batch size up to a bound, each with an optimizer."""
    methods = [(optimizer_of(activation, loss, hidden, size), size) for size in BATCHES]
    assert_steps_are_numpys(activation, loss, hidden, methods)


@pytest.mark.long
@pytest.mark.parametrize(("activation", "loss", "hidden"), NETWORKS)
def test_a_step_is_numpys_with_every_optimizer_on_every_network(
    activation: str, loss: str, hidden: str
) -> None:
    assert_steps_are_numpys(activation, loss, hidden, product(OPTIMIZERS, BATCHES))


def test_every_optimizer_is_tested_with_every_pair_of_options() -> None:
    """The steps above are a part of all combinations, with every pair of settings."""
    axes = (list(ACTIVATIONS), list(LOSSES), list(HIDDEN), BATCHES)
    for one, other in combinations(range(len(axes)), 2):
        pairs = {(each[one], each[other], optimizer_of(*each)) for each in product(*axes)}
        assert len(pairs) == len(axes[one]) * len(axes[other]) * len(OPTIMIZERS)


FURTHER = [
    {"l1": 0.02}, {"l2": 0.3}, {"l1": 0.02, "l2": 0.3}, {"clip_norm": 0.2}, {"clip_value": 0.05},
    {"clip_norm": 0.2, "clip_value": 0.05}, {"l1": 0.02, "l2": 0.3, "clip_norm": 0.2, "clip_value": 0.05},
    {"layer_rates": [0.5, 0.0, 2.0]}, *({"schedule": name} for name in SCHEDULES),
    {"schedule": {"name": "warmup", "steps": 3, "next": {"name": "cosine", "steps": 5}}},
    {"schedule": {"name": "plateau", "every": 10, "patience": 0, "factor": 0.1}},
]  # fmt: skip


@pytest.mark.parametrize("batch_size", [1, 7, None])
@pytest.mark.parametrize("further", FURTHER, ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_is_numpys_with_every_other_setting(
    optimizer: str, further: Json, batch_size: int | None
) -> None:
    problem = problem_with("tanh", (5, 4))
    run = RunRecipe(name="r", optimizer=optimizer, batch_size=batch_size, learning_rate=0.01, **further)
    state = begin(problem)
    for _ in range(6):
        assert_same_step(problem, run, state)
    state.step = 1_500
    assert_same_step(problem, run, state)


@pytest.mark.parametrize("batch_size", [1, 7, None])
@pytest.mark.parametrize("bias_decay", [0.0, 0.3])
@pytest.mark.parametrize(
    "optimizer", [row.name for row in OPTIMIZERS.values() if "bias_decay" in row.filled({})]
)
def test_a_step_is_numpys_with_another_decay_of_biases(
    optimizer: str, bias_decay: float, batch_size: int | None
) -> None:
    problem = problem_with("tanh", (5, 4))
    own: Json = {"weight_decay": 0.5, "bias_decay": bias_decay}
    run = RunRecipe(name="r", optimizer=optimizer, batch_size=batch_size, learning_rate=0.01, **own)
    state = begin(problem)
    for _ in range(6):
        assert_same_step(problem, run, state)


@pytest.mark.parametrize("loss", [name for name, row in LOSSES.items() if not row.logits])
@pytest.mark.parametrize("output", ACTIVATIONS)
def test_the_output_may_have_an_activation(output: str, loss: str) -> None:
    problem = problem_with("tanh", (5,), output, loss)
    for batch_size in (1, 7, None):
        run, state = RunRecipe(name="r", batch_size=batch_size, learning_rate=0.01), begin(problem)
        for _ in range(6):
            assert_same_step(problem, run, state)


@pytest.mark.parametrize("samples", [1, 3, 8, 121, 500])
@pytest.mark.parametrize("features", [1, 9])
def test_tiles_end_anywhere(samples: int, features: int) -> None:
    problem = small_problem((24, "relu"), (9, "sigmoid"), samples=samples, features=features)
    for batch_size in (1, 119, None):
        state = begin(problem)
        for _ in range(3):
            assert_same_step(problem, RunRecipe(name="r", batch_size=batch_size, learning_rate=0.01), state)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_tiles_that_a_diverged_run_has_used_change_no_bit(activation: str, batch_size: int | None) -> None:
    run = RunRecipe(name="r", batch_size=batch_size, learning_rate=0.01)
    problem, other = (problem_with(activation, (5, 4), loss=loss) for loss in ("mse", "huber"))

    def steps() -> Array:
        return advance(problem, begin(problem), run, 9, COMPILED).values

    compiled._FREE.clear()
    fresh = steps()
    assert len(compiled._FREE) == 1
    wild = run.model_copy(update={"learning_rate": 1e300})
    advance(other, begin(other), wild, 9, COMPILED)
    assert len(compiled._FREE) == 1, "both use the same tiles"
    assert same_bits(steps(), fresh)


def test_every_row_of_the_tables_is_compiled() -> None:
    """NumPy serves a row without code, correctly but slowly: the author should know."""
    assert ACTIVATION_CODES.keys() == ACTIVATIONS.keys()
    assert OPTIMIZER_CODES.keys() == OPTIMIZERS.keys()
    assert LOSS_CODES.keys() == LOSSES.keys()
    assert SCHEDULE_CODES.keys() == SCHEDULES.keys()
    for name, row in LOSS_CODES.items():
        assert row.own == tuple(parameter.name for parameter in LOSSES[name].parameters)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_compiled_kernel_makes_everything_itself(
    activation: str, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the suite would compare NumPy with itself."""
    problem, run = problem_with(activation, (4,), loss=loss), RunRecipe(name="r", batch_size=7)
    assert COMPILED.supports(problem)
    monkeypatch.setattr(compiled, "NUMPY", None)
    assert len(advance(problem, begin(problem), run, 3, COMPILED)) == 3


JUDGED = {
    **{f"{name}, classes": (name, 2) for name in LOSSES},
    "softmax, many classes": ("softmax_cross_entropy", 23),
    "huber, near": (LossSettings(name="huber", delta=0.05), 0),
}


def judged(loss: str | LossSettings, classes: int, **more: Any) -> Problem:
    layers = network((5, "tanh"), (4, "relu"), weights="xavier")
    if classes:
        return classes_problem(loss, classes, net=layers, test_fraction=0.25, **more)
    return small_problem((5, "tanh"), (4, "relu"), loss=loss, test_fraction=0.25, **more)


@pytest.mark.parametrize("batch_size", [1, 7, 300, None])
@pytest.mark.parametrize(("loss", "classes"), JUDGED.values(), ids=JUDGED)
def test_losses_and_scores_are_numpys_at_every_evaluation_point(
    loss: str | LossSettings, classes: int, batch_size: int | None
) -> None:
    """Covers full tiles, a partial one, and a part of a pass."""
    problem = judged(loss, classes, samples=700)
    run, state = RunRecipe(name="r", batch_size=batch_size, learning_rate=0.05), begin(problem)
    for step in (0, 1, 2, 3, 1_500, 2_048):
        state.step = step
        assert_same_step(problem, run, state)


HUGE = [30.0, 1e3, 1e5, 1e150, 1e300]


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize(("loss", "classes"), JUDGED.values(), ids=JUDGED)
def test_a_big_logit_makes_a_big_loss_and_never_a_nan(
    loss: str | LossSettings, classes: int, size: float
) -> None:
    """Both kernels continue with the same loss, or stop at the same step."""
    problem = judged(loss, classes)
    for batch_size in (1, 7, None):
        run = RunRecipe(name="r", batch_size=batch_size, learning_rate=1e-12)
        one = begin(problem)
        problem.named(one.parameters)["W3"][:] *= size
        other = one.copy()
        theirs, ours = advance(problem, one, run, 2, NUMPY), advance(problem, other, run, 2, COMPILED)
        assert (len(ours), other.diverged_at) == (len(theirs), one.diverged_at)
        for name in ("batch_loss", *evaluated_series(problem)):
            actual, expected = series(ours, name), series(theirs, name)
            assert np.allclose(actual, expected, rtol=1e-11, atol=1e-300, equal_nan=True), name
        if problem.loss.logits:
            assert np.isfinite(ours.values[0]).all()
            assert len(ours) == 2 or size > 1e100


@pytest.mark.parametrize("classes", [2, 5])
def test_a_tie_goes_to_the_class_that_comes_first(classes: int) -> None:
    """With zero weights all logits are equal, and every prediction is the first class."""
    problem = judged("softmax_cross_entropy", classes)
    for batch_size in (1, 7, None):
        state = begin(problem)
        state.parameters[:] = 0.0
        records = advance(problem, state, RunRecipe(name="r", batch_size=batch_size), 1, COMPILED)
        assert series(records, "batch_loss")[0] == pytest.approx(np.log(classes), rel=1e-15)
        assert series(records, "train_accuracy")[0] == (problem.train.y == 0).mean()


def test_numpy_computes_methods_without_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(OPTIMIZER_CODES, "adam")
    problem, run = small_problem(), RunRecipe(name="r", optimizer="adam", batch_size=7)
    one, other = begin(problem), begin(problem)
    assert same_bits(
        advance(problem, one, run, 50, COMPILED).values, advance(problem, other, run, 50, NUMPY).values
    )
    assert one.fingerprint() == other.fingerprint()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_kernels_may_alternate_with_edits_between_them(optimizer: str) -> None:
    """Far enough for rounding to grow by some digits, but not all."""
    problem = small_problem((4, "tanh"), (3, "gelu"), test_fraction=0.25)
    edits = [
        edit(50, batch_size=1),
        edit(75, optimizer=optimizer),
        edit(100, batch_size=None, learning_rate=0.01),
    ]
    run = RunRecipe(name="r", optimizer="momentum", batch_size=7, learning_rate=0.003, edits=edits)
    whole, passed_on, pieces = begin(problem), begin(problem), []
    expected = advance(problem, whole, run, 150, NUMPY)
    for kernel, steps in zip((COMPILED, NUMPY) * 3, (10, 40, 20, 30, 25, 25), strict=True):
        pieces.append(advance(problem, passed_on, run, steps, kernel))
    assert np.allclose(passed_on.parameters, whole.parameters, rtol=1e-9, atol=0)
    assert np.allclose(joined(pieces).values, expected.values, rtol=1e-8, atol=1e-12, equal_nan=True)
    assert passed_on.slots.keys() == whole.slots.keys()
    for name, values in whole.slots.items():
        assert np.allclose(passed_on.slots[name], values, rtol=1e-8, atol=1e-12), name


ROWS = [
    *({"activation": name} for name in ACTIVATIONS),
    *({"loss": name} for name in LOSSES),
    *({"optimizer": name} for name in OPTIMIZERS),
]


@pytest.mark.parametrize("kernel", [NUMPY, COMPILED], ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_replay_on_the_same_kernel_is_bit_exact(row: dict[str, str], kernel: Kernel) -> None:
    optimizer = row.get("optimizer", "sgd")
    problem = problem_with(row.get("activation", "tanh"), (5, 3), loss=row.get("loss", "mse"))
    for batch_size in (1, 7, None):
        run = RunRecipe(name="r", optimizer=optimizer, batch_size=batch_size, learning_rate=0.01)
        live, again = begin(problem), begin(problem)
        pieces = [advance(problem, live, run, steps, kernel) for steps in (1, 63, 2, 30, 4)]
        expected = advance(problem, again, run, 100, kernel)
        assert live.fingerprint() == again.fingerprint()
        assert same_bits(joined(pieces).values, expected.values)


DIVERGING = [
    RunRecipe(name="r", learning_rate=1.0),
    RunRecipe(name="r", learning_rate=1e6),
    RunRecipe(name="r", learning_rate=0.6, batch_size=1),
    RunRecipe(name="r", learning_rate=1.0, batch_size=7),
    RunRecipe(name="r", learning_rate=0.05, batch_size=1, optimizer="momentum"),
    RunRecipe(name="r", learning_rate=0.3, batch_size=7, optimizer="momentum"),
    RunRecipe(name="r", learning_rate=0.3, batch_size=7, optimizer="nesterov"),
    RunRecipe(name="r", learning_rate=30.0, optimizer="adam"),
    RunRecipe(name="r", learning_rate=30.0, batch_size=1, optimizer="adamw"),
    RunRecipe(name="r", learning_rate=0.1, batch_size=7, l2=30.0),
    RunRecipe(name="r", learning_rate=0.1, batch_size=1, l2=30.0),
    RunRecipe(name="r", learning_rate=1e6, batch_size=1, clip_value=1e3),
    RunRecipe(
        name="r", learning_rate=30.0, optimizer="nesterov", schedule=ScheduleSettings(name="warmup", steps=50)
    ),
    RunRecipe(name="r", learning_rate=1e3, batch_size=7, optimizer="rmsprop"),
    RunRecipe(name="r", learning_rate=1e4, optimizer="adagrad"),
    RunRecipe(name="r", learning_rate=1e4, batch_size=1, optimizer="adam"),
    RunRecipe(
        name="r", learning_rate=0.001, batch_size=1, edits=[edit(77, batch_size=None, learning_rate=5.0)]
    ),
    RunRecipe(
        name="r", learning_rate=0.001, edits=[edit(64, learning_rate=5.0), edit(65, optimizer="momentum")]
    ),
]
LEAKY = small_problem((4, "leaky_relu"), (3, "leaky_relu"), test_fraction=0.25)


@pytest.mark.parametrize("run", DIVERGING, ids=range(len(DIVERGING)))
def test_a_run_diverges_at_the_same_step(run: RunRecipe) -> None:
    one, other = begin(LEAKY), begin(LEAKY)
    theirs, ours = advance(LEAKY, one, run, 300, NUMPY), advance(LEAKY, other, run, 300, COMPILED)
    assert one.diverged_at is not None
    assert (other.step, other.diverged_at, other.samples_seen) == (
        one.step,
        one.diverged_at,
        one.samples_seen,
    )
    assert other.optimizer == one.optimizer
    assert np.allclose(other.parameters, one.parameters, rtol=1e-6)
    assert np.array_equal(np.isnan(ours.values), np.isnan(theirs.values))


@pytest.mark.parametrize("slices", [(1,) * 300, (63, 1) * 5, (64,) * 5, (65,) * 5, (7, 100, 1, 3) * 3])
@pytest.mark.parametrize("run", DIVERGING, ids=range(len(DIVERGING)))
def test_the_step_of_divergence_does_not_depend_on_slices(run: RunRecipe, slices: tuple[int, ...]) -> None:
    whole, state = begin(LEAKY), begin(LEAKY)
    expected, pieces = advance(LEAKY, whole, run, 300, COMPILED), []
    for steps in slices:
        pieces.append(advance(LEAKY, state, run, steps, COMPILED))
        if state.diverged_at is not None:
            break
    assert state.fingerprint() == whole.fingerprint()
    assert same_bits(joined(pieces).values, expected.values)


RELU_TANH = small_problem((4, "relu"), (3, "tanh"), test_fraction=0.25)
CHANGES = [
    {"batch_size": None}, {"batch_size": 1}, {"batch_size": 7}, {"order": "sequential"}, {"order": "replacement"},
    {"optimizer": "sgd"},
    *({"optimizer": name} for name in OPTIMIZERS if name != "sgd"), {"learning_rate": 0.001}, {"learning_rate": 3.0},
    *FURTHER, {"l1": 0.0, "l2": 0.0}, {"clip_norm": None, "clip_value": None},
]  # fmt: skip


@settings(max_examples=settings().max_examples)
@given(
    start=st.sampled_from([None, 1, 7, 45]),
    edits=st.dictionaries(st.integers(0, 200), st.sampled_from(CHANGES), max_size=5),
    slices=st.lists(st.integers(1, 90), min_size=1, max_size=40),
)
def test_slices_with_edits_are_the_straight_replay_bit_for_bit(
    start: int | None, edits: dict[int, Json], slices: list[int]
) -> None:
    steps = [edit(step, **change) for step, change in sorted(edits.items())]
    run = RunRecipe(name="r", learning_rate=0.03, batch_size=start, edits=steps)
    straight, sliced, pieces = begin(RELU_TANH), begin(RELU_TANH), []
    expected = advance(RELU_TANH, straight, run, 200, COMPILED)
    for length in [*slices, 200]:
        if sliced.diverged_at is not None or sliced.step == 200:
            break
        pieces.append(advance(RELU_TANH, sliced, run, min(length, 200 - sliced.step), COMPILED))
    assert sliced.fingerprint() == straight.fingerprint()
    assert same_bits(joined(pieces).values, expected.values)


def test_a_long_slice_is_made_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, run = small_problem((4, "relu"), test_fraction=0.25), RunRecipe(name="r", batch_size=7)
    whole, other = begin(problem), begin(problem)
    expected = advance(problem, whole, run, 3000, COMPILED)
    monkeypatch.setattr(compiled, "SAMPLES_AHEAD", 100)
    assert same_bits(advance(problem, other, run, 3000, COMPILED).values, expected.values)
    assert other.fingerprint() == whole.fingerprint()


@pytest.mark.parametrize("number", [0, 1, 2**32 - 1, 2**32, 2**40])
@pytest.mark.parametrize("m", [1, 2, 3, 60, 1000])
def test_orders_are_numpys(number: int, m: int) -> None:
    for seed in (0, 1, 2**32 - 1):
        expected = [order_of_pass("shuffle", seed, number + each, m) for each in range(3)]
        assert np.array_equal(compiled_orders.shuffled_passes(seed, number, m, 3), np.concatenate(expected))


CURVES = [name for name, code in ACTIVATION_CODES.items() if code >= CURVED]


@pytest.mark.parametrize("name", CURVES)
def test_a_compiled_curve_is_numpys_to_a_few_last_places(name: str) -> None:
    """Small outputs agree too, such as 1e-200; only gelu loses digits there, by squaring."""
    small = np.geomspace(1e-300, 1e300, 2001)
    x = np.concatenate([np.linspace(-30, 30, 20_001), small, -small, [0.0, -0.0]])
    row, curve = ACTIVATIONS[name], getattr(compiled_curves, name)
    a, slopes = np.array([curve(each) for each in x]).T
    expected = row(x)
    assert np.allclose(a, expected, rtol=1e-12 if name == "gelu" else 1e-15, atol=1e-300)
    assert np.allclose(a, expected, rtol=1e-15, atol=1e-15)
    assert np.allclose(slopes, row.derivative(x, expected), rtol=1e-15, atol=1e-15)


def test_parts_of_losses_are_the_librarys_to_a_few_last_places() -> None:
    above = np.concatenate([np.geomspace(1e-300, 1e6, 20_001), [0.0, 1.0, np.nextafter(1.0, 2.0), 3.0]])
    logs = np.array([compiled_curves.log_one_plus(each) for each in above])
    assert np.allclose(logs, np.log1p(above), rtol=1e-15, atol=0)
    below = -np.concatenate([np.geomspace(1e-300, 700.0, 20_001), [0.0, 710.0, 1e300, np.inf]])
    powers = np.array([compiled_curves.exp_below(each) for each in below])
    assert np.allclose(powers, np.exp(below), rtol=1e-15, atol=1e-300)
    assert np.isnan(compiled_curves.log_one_plus(np.nan))
    assert np.isnan(compiled_curves.exp_below(np.nan))


@pytest.mark.parametrize("name", CURVES)
def test_a_compiled_curve_hides_nothing_that_is_not_finite(name: str) -> None:
    curve, row = getattr(compiled_curves, name), ACTIVATIONS[name]
    assert np.isnan(curve(np.nan)[0])
    with np.errstate(all="ignore"):
        for z in (np.inf, -np.inf):
            assert np.isfinite(curve(z)[0]) == np.isfinite(row(np.array([z]))[0])


SLIPS = {
    "a rate that is off by a hundred-millionth": ("mse", {"hyper": 0.0100000001}),
    "an order that is off by one place": ("mse", {"place": 1}),
    "a line that begins a hundred-millionth later": ("huber", {"delta": 0.05000000001}),
    "a class decided on at one half": ("binary_cross_entropy", {"threshold": 0.5}),
    "the loss of another kind of class": ("softmax_cross_entropy", {"loss": 2}),
}


@pytest.mark.parametrize(("loss", "slip"), SLIPS.values(), ids=SLIPS)
def test_a_slip_in_a_step_would_be_noticed(loss: str, slip: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison catches planted faults."""
    right = compiled._Slices._loop

    def wrong(self: compiled._Slices, memory: Memory, column: int, count: int) -> tuple[int, bool]:
        if "hyper" in slip:
            self._hyper = np.array([slip["hyper"]])
        elif "place" not in slip:
            net = self._prepared.net
            net = net._replace(criterion=net.criterion._replace(**slip))
            self._prepared = replace(self._prepared, net=net)
        else:
            order = self._order
            monkeypatch.setattr(self, "_order", lambda samples: order(samples + 1)[slip["place"] :])
        return right(self, memory, column, count)

    monkeypatch.setattr(compiled._Slices, "_loop", wrong)
    problem = problem_with(
        "tanh", (4,), loss=LossSettings(name=loss, delta=0.05) if loss == "huber" else loss
    )
    with pytest.raises(AssertionError):
        assert_same_step(problem, RunRecipe(name="r", batch_size=7, learning_rate=0.01), begin(problem))


@pytest.mark.parametrize("loss", LOSSES)
def test_not_a_number_in_a_hidden_layer_reaches_the_loss(loss: str) -> None:
    for activation in ACTIVATIONS:
        problem = problem_with(activation, (4, 3), loss=loss)
        for batch_size in (1, 7, None):
            state = begin(problem)
            state.parameters[0] = np.nan
            records = advance(problem, state, RunRecipe(name="r", batch_size=batch_size), 3, COMPILED)
            assert (len(records), state.diverged_at) == (0, 0)


def test_a_gradient_too_long_for_its_norm_is_not_divergence() -> None:
    """If the sum of squares of finite numbers overflows, the norm is missing and the run continues."""
    problem = small_problem((2, "identity"))
    problem = replace(problem, initial_loss=1e308)
    for batch_size in (1, None):
        one = begin(problem)
        one.parameters[:] = 1e100
        other = one.copy()
        run = RunRecipe(name="r", batch_size=batch_size, learning_rate=1e-200)
        theirs, ours = advance(problem, one, run, 1, NUMPY), advance(problem, other, run, 1, COMPILED)
        assert (other.step, other.diverged_at) == (one.step, one.diverged_at)
        assert len(ours) == len(theirs)


def test_a_large_finite_sum_is_not_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without a stored gradient, for any earlier content of its memory."""
    right = compiled._Slices._memory

    def littered(self: compiled._Slices) -> Memory:
        memory = right(self)
        memory.G.fill(np.nan)
        return memory

    monkeypatch.setattr(compiled._Slices, "_memory", littered)
    problem = small_problem((2, "relu"))
    for batch_size in (1, 7, None):
        state = begin(problem)
        named = problem.named(state.parameters)
        named["W1"].fill(0.0)
        named["b1"].fill(-1.0)
        named["W2"].fill(1e151)
        records = advance(problem, state, RunRecipe(name="r", batch_size=batch_size), 3, COMPILED)
        assert (len(records), state.diverged_at) == (3, None), batch_size


@pytest.mark.parametrize("loss", sorted(LOSS_CODES))
@pytest.mark.parametrize("activation", sorted(ACTIVATION_CODES))
def test_both_measure_the_same_losses_over_a_plane(activation: str, loss: str) -> None:
    problem = problem_with(activation, HIDDEN["uneven"], loss=loss)
    directions = np.random.default_rng(3).standard_normal((2, problem.layout.count))
    s, t = np.linspace(-2.0, 1.0, 7), np.linspace(-1.0, 3.0, 4)
    one, other = (
        kernel.losses(problem, problem.initial_parameters, directions, s, t) for kernel in (NUMPY, COMPILED)
    )
    assert one.shape == other.shape == (4, 7)
    np.testing.assert_allclose(one, other, rtol=1e-11)
    assert problem.initial_loss == pytest.approx(
        COMPILED.losses(problem, problem.initial_parameters, directions, s * 0.0, t * 0.0)[0, 0]
    )
