"""One suite for every kernel: a step follows the textbook gradient and records every series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.engine.kernels import passes
from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.interface import Kernel, evaluated_series, series_names
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.probes import evaluate, next_gradient
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.losses import LOSSES
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.arrays import Rows
from fallline.vocabulary.recipe import DataSettings, LossSettings, RunRecipe
from support.aliases import Array, Json
from support.gradient_check import planted, relative_error
from support.problems import classes_problem, edit, joined, network, series, small_problem

KERNELS = {"numpy": NUMPY, "compiled": COMPILED}
HIDDEN = {"no hidden layer": (), "one": (4,), "two": (4, 4), "three, uneven": (5, 1, 3), "wide": (70, 40)}


def problem_with(activation: str, hidden: tuple[int, ...]) -> Problem:
    data = DataSettings(name="linear", samples=60, features=3, test_fraction=0.25, standardize="both")
    layers = network(*((units, activation) for units in hidden), weights="xavier")
    return build_problem(data, layers, "mse")


def run_of(batch_size: int | None, **settings: Any) -> RunRecipe:
    return RunRecipe(name="r", batch_size=batch_size, learning_rate=0.01, **settings)


@pytest.fixture(params=list(KERNELS.values()), ids=list(KERNELS))
def kernel(request: pytest.FixtureRequest) -> Kernel:
    row: Kernel = request.param
    return row


@pytest.mark.parametrize("batch_size", [1, 2, 7, 45, None])
@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_step_follows_the_gradient_of_the_blackboard(
    kernel: Kernel, activation: str, hidden: tuple[int, ...], batch_size: int | None
) -> None:
    problem, run = problem_with(activation, hidden), run_of(batch_size)
    state = begin(problem)
    for _ in range(3):
        expected, _rows = next_gradient(problem, state, run)
        before = state.parameters.copy()
        records = advance(problem, state, run, 1, kernel)
        moved = problem.named((before - state.parameters) / run.learning_rate)
        for name, gradient in expected.items():
            assert np.abs(moved[name] - gradient).max() <= 1e-12 * max(1.0, np.abs(gradient).max())
            assert series(records, f"grad_l1/{name}")[0] == pytest.approx(
                np.abs(gradient).sum(), rel=1e-11, abs=1e-13
            )


LOSS_PROBLEMS = {
    **{f"{name}, classes": (name, 2) for name in LOSSES},
    "softmax, four classes": ("softmax_cross_entropy", 4),
    "huber": (LossSettings(name="huber", delta=0.5), 0),
}


def problem_of_loss(loss: str | LossSettings, classes: int, *layers: tuple[int, str], **more: Any) -> Problem:
    if classes:
        return classes_problem(loss, classes, *layers, **more)
    return small_problem(*layers, loss=loss, **more)


@pytest.mark.parametrize("batch_size", [1, 7, None])
@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)], ids=str)
@pytest.mark.parametrize(("loss", "classes"), LOSS_PROBLEMS.values(), ids=LOSS_PROBLEMS)
def test_every_loss_is_descended_and_scored(
    kernel: Kernel, loss: str | LossSettings, classes: int, hidden: tuple[int, ...], batch_size: int | None
) -> None:
    layers = [(units, "tanh") for units in hidden] or [(3, "identity")]
    problem, run = problem_of_loss(loss, classes, *layers, test_fraction=0.25), run_of(batch_size)
    state = begin(problem)
    for _ in range(10):
        expected, _rows = next_gradient(problem, state, run)
        before, scores = state.parameters.copy(), evaluate(problem, state.parameters)
        record = advance(problem, state, run, 1, kernel)
        moved = problem.named((before - state.parameters) / run.learning_rate)
        for name, gradient in expected.items():
            assert np.abs(moved[name] - gradient).max() <= 1e-12 * max(1.0, np.abs(gradient).max())
        for name, score in scores.items():
            assert series(record, name)[0] == pytest.approx(score, rel=1e-12)


FURTHER: dict[str, Json] = {
    "no more": {},
    "penalties": {"l1": 0.01, "l2": 0.1},
    "bounds": {"clip_norm": 0.1, "clip_value": 0.05},
    "a schedule": {"schedule": {"name": "step", "every": 50, "factor": 0.5}},
}
"""Settings to combine with an optimizer."""
INSTRUMENT_FIGURES = 60
"""Steps in which a schedule changes the rate, and the smallest batches make more than one pass."""
METHODS = [(name, "no more") for name in OPTIMIZERS] + [
    ("sgd", more) for more in FURTHER if more != "no more"
]


@pytest.mark.parametrize(("optimizer", "further"), METHODS)
@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_every_measure_is_what_its_name_says(
    kernel: Kernel, optimizer: str, further: str, batch_size: int | None
) -> None:
    problem, run = (
        small_problem((4, "relu"), (3, "tanh"), test_fraction=0.25),
        run_of(batch_size, optimizer=optimizer, **FURTHER[further]),
    )
    state, pieces = begin(problem), []
    for _ in range(INSTRUMENT_FIGURES):
        gradients, rows = next_gradient(problem, state, run)
        before = {name: values.copy() for name, values in problem.named(state.parameters).items()}
        scores = evaluate(problem, state.parameters)
        record = advance(problem, state, run, 1, kernel)
        after = problem.named(state.parameters)
        for name, g in gradients.items():
            change = np.linalg.norm(after[name] - before[name]) / np.linalg.norm(before[name])
            measures = {
                "grad_l1": np.abs(g).sum(),
                "grad_l2": np.linalg.norm(g),
                "grad_mean": np.abs(g).mean(),
                "ratio": change,
            }
            for measure, expected in measures.items():
                assert series(record, f"{measure}/{name}")[0] == pytest.approx(expected, rel=1e-10, abs=1e-13)
        for name, expected in scores.items():
            assert series(record, name)[0] == pytest.approx(expected, rel=1e-12)
        assert record.samples_seen[0] == state.samples_seen
        pieces.append((record, rows))
    assert sum(len(rows) for _, rows in pieces) == state.samples_seen
    whole = joined([record for record, _ in pieces])
    other = begin(problem)
    at_once = advance(problem, other, run, INSTRUMENT_FIGURES, kernel)
    assert other.fingerprint() == state.fingerprint()
    assert whole.values.tobytes() == at_once.values.tobytes()


@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_batch_loss_is_the_loss_of_the_batch(kernel: Kernel, batch_size: int) -> None:
    problem, run = small_problem(), run_of(batch_size)
    state = begin(problem)
    for _ in range(10):
        _, rows = next_gradient(problem, state, run)
        own = evaluate(problem, state.parameters)["train_loss"]
        y_pred = problem.y[rows] * 0 + _predictions(problem, state, rows)
        record = advance(problem, state, run, 1, kernel)
        assert series(record, "batch_loss")[0] == pytest.approx(
            np.mean((problem.y[rows] - y_pred) ** 2), rel=1e-11
        )
        assert series(record, "train_loss")[0] == pytest.approx(own, rel=1e-12)


def _predictions(problem: Problem, state: TrainingState, rows: Rows) -> Array:
    p = problem.named(state.parameters)
    return np.tanh(problem.X[rows] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def test_the_train_loss_of_a_full_batch_is_its_batch_loss(kernel: Kernel) -> None:
    problem = small_problem(test_fraction=0.25)
    records = advance(problem, begin(problem), run_of(None), 50, kernel)
    assert np.array_equal(series(records, "train_loss"), series(records, "batch_loss"))


def test_the_series_are_in_order() -> None:
    problem = small_problem((2, "relu"), test_fraction=0.5)
    names = series_names(problem)
    assert names[:6] == ("batch_loss", "grad_l1/W1", "grad_l2/W1", "grad_mean/W1", "ratio/W1", "grad_l1/b1")
    assert names[-8:-4] == ("learning_rate", "grad_norm", "grad_norm_clipped", "objective")
    assert names[-4:] == evaluated_series(problem) == ("train_loss", "test_loss", "train_r2", "test_r2")
    assert evaluated_series(small_problem()) == ("train_loss", "train_r2")


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_the_objective_is_recorded_with_penalties(kernel: Kernel, batch_size: int | None) -> None:
    problem = small_problem()
    run = run_of(batch_size, l2=0.3, edits=[edit(70, l1=0.2), edit(80, l1=0.0, l2=0.0), edit(90, l1=0.5)])
    records = advance(problem, begin(problem), run, 100, kernel)
    objective, loss = series(records, "objective"), series(records, "batch_loss")
    assert np.flatnonzero(np.isnan(objective)).tolist() == list(range(80, 90))
    state = begin(problem)
    for step in (0, 10, 70, 95):
        advance(problem, state, run, step - state.step, kernel)
        settings = run.settings_at(step)
        weights = np.concatenate([problem.named(state.parameters)[name].ravel() for name in ("W1", "W2")])
        penalties = settings.l1 * np.abs(weights).sum() + settings.l2 / 2 * (weights**2).sum()
        assert objective[step] == pytest.approx(0.5 * loss[step] + penalties, rel=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_the_norm_of_the_whole_gradient_is_recorded_and_under_a_bound_that_after_clipping(
    kernel: Kernel, batch_size: int | None
) -> None:
    problem = small_problem()
    edits = [
        edit(10, clip_norm=0.2),
        edit(20, clip_value=0.1),
        edit(30, clip_norm=None),
        edit(40, clip_value=None),
    ]
    run = run_of(batch_size, l2=0.1, optimizer="momentum", edits=edits)
    records = advance(problem, begin(problem), run, 50, kernel)
    state, norms, clipped = begin(problem), [], []
    for step in range(50):
        settings = run.settings_at(step)
        gradients, _ = next_gradient(problem, state, run)
        g = np.concatenate([each.ravel() for each in gradients.values()])
        norms.append(float(np.linalg.norm(g)))
        if settings.clip_norm is not None:
            g = g * min(1.0, settings.clip_norm / (norms[-1] + 1e-6))
        if settings.clip_value is not None:
            g = np.sign(g) * np.minimum(np.abs(g), settings.clip_value)
        clipped.append(float(np.linalg.norm(g)) if settings.clipped else np.nan)
        advance(problem, state, run, 1, kernel)
    np.testing.assert_allclose(series(records, "grad_norm"), norms, rtol=1e-11)
    np.testing.assert_allclose(series(records, "grad_norm_clipped"), clipped, rtol=1e-11)
    assert np.isnan(clipped).sum() == 20
    assert max(clipped[10:20]) == pytest.approx(0.2, rel=1e-4)


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_the_rate_in_force_is_recorded(kernel: Kernel, batch_size: int | None) -> None:
    problem = small_problem()
    warmup = {"name": "warmup", "steps": 10, "start": 0.2}
    edits = [edit(20, learning_rate=0.03), edit(30, schedule=warmup), edit(45, schedule="constant")]
    run = run_of(batch_size, edits=[edit(5, learning_rate=0.02), *edits])
    records = advance(problem, begin(problem), run, 50, kernel)
    rising = 0.03 * (0.2 + 0.8 * np.minimum(np.arange(15), 10) / 10)
    expected = np.concatenate(
        [np.full(5, 0.01), np.full(15, 0.02), np.full(10, 0.03), rising, np.full(5, 0.03)]
    )
    np.testing.assert_allclose(series(records, "learning_rate"), expected, rtol=1e-15)


def test_a_ratio_without_a_size_is_missing(kernel: Kernel) -> None:
    """Zero biases have no relative change in the first step: 0 / 0 and x / 0 are not recorded."""
    problem = small_problem()
    state = begin(problem)
    problem.named(state.parameters)["b1"][:] = 0.0
    records = advance(problem, state, run_of(None), 2, kernel)
    assert np.isnan(series(records, "ratio/b1")[0])
    assert np.isfinite(series(records, "ratio/b1")[1])


@pytest.mark.parametrize(
    ("of_one", "right", "wrong"),
    [
        (False, "np.multiply(above, layer.z, above)", "np.subtract(above, layer.z, above)"),
        (False, "layer.slope(layer.z, layer.outputs, layer.z)", "layer.slope(layer.z, layer.z, layer.z)"),
        (False, "np.multiply(delta, self._z, delta)", "np.divide(delta, self._z, delta)"),
        (True, "np.multiply(delta, z, delta)", "np.divide(delta, z, delta)"),
        (True, "blocks[place][:-1] if place", "blocks[place][1:] if place"),
    ],
)
def test_a_planted_slip_in_a_fast_pass_is_caught(of_one: bool, right: str, wrong: str) -> None:
    """The comparison above catches planted faults."""
    problem = small_problem((4, "tanh"), (4, "sigmoid"), features=4)
    problem = type(problem)(**{**_fields(problem), "activations": ("tanh", "sigmoid", "sigmoid")})
    state = begin(problem)
    faulty = planted(passes, right, wrong)
    run = run_of(1 if of_one else None, order="sequential")
    expected, _ = next_gradient(problem, state, run)
    for under_test, equal in ((passes, True), (faulty, False)):
        gradient = np.empty(problem.layout.count)
        if of_one:
            passed = under_test.SinglePass(problem, state.parameters, gradient)
            passed.gradient(problem.train.rows[0], problem.train.rows[0][:, None], float(problem.y[0, 0]))
        else:
            passed = under_test.ColumnPass(problem, state.parameters, gradient, problem.train.count)
            passed.gradient(problem.train.columns, problem.train.targets)
        flat = np.concatenate([values.ravel() for values in expected.values()])
        assert (relative_error(gradient, flat) < 1e-12) == equal


def _fields(problem: Problem) -> Json:
    return {name: getattr(problem, name) for name in problem.__dataclass_fields__}
