"""Divergence: a run stays at the last step before a bad one, for any slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.engine.kernels.interface import is_evaluation_point
from fallline.engine.kernels.numpy_kernels import Evaluator, Tape
from fallline.engine.measures import probes
from fallline.engine.measures.probes import evaluate, next_gradient
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.problem import Problem, build_problem, layout_of
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, RunRecipe
from fallline.vocabulary.run_settings import RunSettings
from support.aliases import Array, Json
from support.problems import edit, joined, same_bits, small_problem, train

PROBLEM = small_problem((4, "leaky_relu"), (3, "leaky_relu"), test_fraction=0.25)


def run_of(batch_size: int | None, learning_rate: float, optimizer: str = "sgd", **more: Any) -> RunRecipe:
    return RunRecipe(
        name="r", batch_size=batch_size, learning_rate=learning_rate, optimizer=optimizer, **more
    )


DIVERGING = [
    run_of(None, 1.0),
    run_of(None, 1e6),
    run_of(1, 0.6),
    run_of(7, 1.0),
    run_of(None, 0.6, "momentum"),
    run_of(1, 0.05, "momentum"),
    run_of(1, 0.1, "momentum"),
    run_of(7, 0.3, "momentum"),
    run_of(None, 30.0, "adam"),
    run_of(1, 1e4, "adam"),
    run_of(1, 0.001, edits=[edit(77, batch_size=None, learning_rate=5.0)]),
    run_of(None, 0.001, edits=[edit(63, learning_rate=0.01), edit(64, learning_rate=5.0)]),
    run_of(None, 0.001, edits=[edit(64, learning_rate=5.0), edit(65, optimizer="momentum")]),
    run_of(1, 0.001, "momentum", edits=[edit(63, optimizer="adam", learning_rate=1e3)]),
]
NAMES = [f"{run.optimizer} {run.learning_rate} {run.batch_size} {len(run.edits)}" for run in DIVERGING]
STEPS = 300


def straight(problem: Problem, run: RunRecipe, steps: int) -> tuple[int | None, Array]:
    """The rule again, one step at a time without slices: (diverged_at, parameters there)."""
    state = begin(problem)
    slots, optimizer = {}, ""
    for _ in range(steps):
        settings = run.settings_at(state.step)
        row = OPTIMIZERS[settings.optimizer]
        if settings.optimizer != optimizer:
            slots, optimizer = row.start(problem.layout.count), settings.optimizer
        gradient = flat_gradient(problem, state, run)
        if not np.isfinite(gradient).all():
            return state.step, state.parameters
        before = state.copy()
        with np.errstate(all="ignore"):
            row.update(state.parameters, gradient, slots, settings.learning_rate, row.filled(settings.own))
        m = problem.train.count
        place = state.samples_seen % m
        state.samples_seen += m if settings.batch_size is None else min(settings.batch_size, m - place)
        state.step += 1
        if is_bad(problem, state, run, settings):
            return before.step, before.parameters
    return None, state.parameters


def flat_gradient(problem: Problem, state: TrainingState, run: RunRecipe) -> Array:
    gradients, _ = next_gradient(problem, state, run)
    return np.concatenate([values.ravel() for values in gradients.values()])


def is_bad(problem: Problem, state: TrainingState, run: RunRecipe, settings: RunSettings) -> bool:
    """Judged with the settings that led here, even if an edit comes next."""
    unedited = run.model_copy(update={"edits": [each for each in run.edits if each.at_step < state.step]})
    if (
        not np.isfinite(state.parameters).all()
        or not np.isfinite(flat_gradient(problem, state, unedited)).all()
    ):
        return True
    if is_evaluation_point(state.step, state.samples_seen, settings, problem.train.count):
        return not evaluate(problem, state.parameters)["train_loss"] <= 1e6 * problem.initial_loss
    return False


@pytest.mark.parametrize("run", DIVERGING, ids=NAMES)
def test_a_run_stays_at_the_last_step_before_a_bad_one(run: RunRecipe) -> None:
    state, records = train(PROBLEM, run, STEPS)
    at, parameters = straight(PROBLEM, run, STEPS)
    assert at is not None
    assert state.diverged_at == state.step == at
    assert records.stop == at
    assert np.isfinite(state.parameters).all()
    assert np.allclose(state.parameters, parameters, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "slices", [(1,) * STEPS, (2,) * 150, (63, 1) * 5, (64,) * 5, (65,) * 5, (7, 100, 1, 3) * 3]
)
@pytest.mark.parametrize("run", DIVERGING, ids=NAMES)
def test_where_a_run_diverges_does_not_depend_on_slices(run: RunRecipe, slices: tuple[int, ...]) -> None:
    whole, expected = train(PROBLEM, run, STEPS)
    state, pieces = begin(PROBLEM), []
    for steps in slices:
        pieces.append(advance(PROBLEM, state, run, steps))
        if state.diverged_at is not None:
            break
    assert state.fingerprint() == whole.fingerprint()
    assert same_bits(np.concatenate([piece.values for piece in pieces], axis=1), expected.values)


@pytest.mark.parametrize("run", DIVERGING, ids=NAMES)
def test_a_step_once_made_is_never_undone(run: RunRecipe) -> None:
    state = begin(PROBLEM)
    reached = 0
    while state.diverged_at is None and state.step < STEPS:
        advance(PROBLEM, state, run, 1)
        assert state.step >= reached
        reached = state.step
    assert state.diverged_at == reached


def test_a_run_that_blows_up_slowly_may_do_so_at_any_place_of_a_block() -> None:
    """Lower the rate until some run diverges on each side of a boundary between two blocks."""
    problem = linear_regression()
    places = set()
    for rate in np.linspace(1.435, 1.487, 100):
        run = run_of(None, float(rate))
        whole, expected = train(problem, run, STEPS)
        sliced, records = (
            train(problem, run, *(50,) * 6) if whole.diverged_at is None else in_ones(problem, run)
        )
        assert sliced.fingerprint() == whole.fingerprint()
        assert same_bits(records.values, expected.values)
        places.add(whole.diverged_at)
    assert set(range(62, 68)) <= places


def in_ones(problem: Problem, run: RunRecipe) -> tuple[TrainingState, Records]:
    state, pieces = begin(problem), []
    while state.diverged_at is None:
        pieces.append(advance(problem, state, run, 1))
    return state, joined(pieces)


def test_a_state_that_was_reached_may_have_any_loss_if_it_falls() -> None:
    """After an edit to the full batch, for example, which evaluates where SGD did not."""
    problem = linear_regression()
    state = begin(problem)
    state.parameters *= 2e3
    assert evaluate(problem, state.parameters)["train_loss"] > 1e6 * problem.initial_loss
    advance(problem, state, run_of(None, 0.7), 3)
    assert (state.step, state.diverged_at) == (3, None)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_training_loss_that_is_not_finite_is_divergence_though_the_batch_is_fine(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    losses = iter([0.5, 0.5, 0.5, value])
    monkeypatch.setattr(Evaluator, "train", lambda evaluator: (next(losses, 0.5), 0.5))
    state, records = train(PROBLEM, run_of(1, 0.001), 10)
    assert state.diverged_at == state.step == records.stop == 2


def linear_regression() -> Problem:
    return build_problem(
        DataSettings(name="linear", features=3, samples=40), NetworkSettings(layers=[]), "mse"
    )


def test_every_record_of_a_diverged_run_is_finite() -> None:
    for run in DIVERGING:
        _, records = train(PROBLEM, run, STEPS)
        assert np.isfinite(records.values[0]).all()


def test_a_loss_a_million_times_the_first_is_divergence_and_one_below_is_not() -> None:
    problem = small_problem((1, "identity"))
    state, run = begin(problem), run_of(None, 3.0)
    advance(problem, state, run, 5000)
    assert state.diverged_at is not None
    assert evaluate(problem, state.parameters)["train_loss"] <= 1e6 * problem.initial_loss
    again, _ = train(problem, run, state.diverged_at)
    assert again.diverged_at is None
    assert again.step == state.step


def test_a_diverged_run_that_is_not_changed_stays_where_it_is() -> None:
    state, _ = train(PROBLEM, DIVERGING[0], STEPS)
    before = state.fingerprint()
    records = advance(PROBLEM, state, DIVERGING[0], 50)
    assert len(records) == 0
    assert state.fingerprint() == before


@pytest.mark.parametrize("cure", [{"learning_rate": 1e-5}, {"optimizer": "adam", "learning_rate": 1e-3}])
@pytest.mark.parametrize("run", DIVERGING[:10], ids=NAMES[:10])
def test_an_edit_at_the_step_of_divergence_goes_on_as_its_replay_does(run: RunRecipe, cure: Json) -> None:
    """The state after n steps depends only on the recipe: with the edit it never diverges."""
    state, _ = train(PROBLEM, run, STEPS)
    cured = run.model_copy(update={"edits": [edit(state.step, **cure)]})
    advance(PROBLEM, state, cured, 20)
    replayed, _ = train(PROBLEM, cured, state.step if state.diverged_at is None else STEPS)
    assert state.fingerprint() == replayed.fingerprint()
    assert state.step > 0


def test_an_edit_after_the_step_of_divergence_is_not_reached() -> None:
    run = run_of(None, 1e6, edits=[edit(40, learning_rate=1e-6)])
    state = begin(PROBLEM)
    records = advance(PROBLEM, state, run, 60)
    assert state.diverged_at == state.step == len(records) < 40


def test_a_failed_change_of_optimizer_keeps_the_former_state() -> None:
    start = run_of(None, 0.001, "momentum")
    vain = start.model_copy(update={"edits": [edit(30, optimizer="adam", learning_rate=1e6)]})
    back = start.model_copy(update={"edits": [edit(30, optimizer="momentum", learning_rate=0.001)]})
    state, _ = train(PROBLEM, start, 30)
    advance(PROBLEM, state, vain, 10)
    if state.diverged_at == 30:
        assert state.optimizer == "momentum"
    else:
        pytest.fail("the edit was meant to diverge at once")
    advance(PROBLEM, state, back, 10)
    assert state.fingerprint() == train(PROBLEM, back, 40)[0].fingerprint()


def test_a_gradient_that_is_not_finite_at_the_very_start_is_divergence_there() -> None:
    state = begin(PROBLEM)
    state.parameters[:] = 1e200
    records = advance(PROBLEM, state, run_of(None, 0.1), 10)
    assert (len(records), state.step, state.diverged_at) == (0, 0, 0)
    assert (state.parameters == 1e200).all()


def test_a_gradient_too_long_for_its_norm_is_not_divergence() -> None:
    """A sum of finite numbers may overflow: only the norm is missing then."""
    judged = Tape(layout_of((2, 2, 1)))
    judged.parameters[:] = judged.gradients[:] = 1.5e308
    judged.batch_loss[:] = 1.0
    with np.errstate(all="ignore"):
        assert judged.first_bad(3, limit=1e6) is None
        judged.gradients[2, 0] = np.inf
        assert judged.first_bad(3, limit=1e6) == 2


def test_one_infinite_entry_of_a_gradient_is_divergence() -> None:
    judged = Tape(layout_of((2, 2, 1)))
    judged.parameters[:] = judged.gradients[:] = 1.0
    judged.batch_loss[:] = 1.0
    judged.gradients[2, 0] = np.inf
    with np.errstate(all="ignore"):
        assert judged.first_bad(3, limit=1e6) == 2


def test_probes_survive_a_diverged_state() -> None:
    state, _ = train(PROBLEM, DIVERGING[2], 100)
    assert state.diverged_at is not None
    assert probes.units(PROBLEM, state.parameters)
    # the state is the last finite one; the gradient of the rejected change need not be finite
    assert next_gradient(PROBLEM, state, DIVERGING[2])
