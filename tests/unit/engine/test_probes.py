"""Probes measure correctly and change nothing."""

import numpy as np
import pytest

from fallline.engine.batches import batch_rows
from fallline.engine.measures.probes import (
    evaluate,
    next_gradient,
    predict,
    units,
)
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import RunRecipe
from support.problems import series, small_problem

RUN = RunRecipe(name="r", batch_size=7, optimizer="adam", learning_rate=0.01)


def look_everywhere(problem: Problem, state: TrainingState) -> None:
    evaluate(problem, state.parameters)
    units(problem, state.parameters)
    predict(problem, state.parameters, problem.X)
    next_gradient(problem, state, RUN)
    batch_rows(problem, RUN.settings, RUN.seed, state.samples_seen)
    state.copy()


def test_examinations_do_not_change_a_run() -> None:
    problem = small_problem((4, "relu"), (4, "tanh"), test_fraction=0.25)
    watched, alone = begin(problem), begin(problem)
    for _ in range(20):
        look_everywhere(problem, watched)
        before = watched.fingerprint()
        look_everywhere(problem, watched)
        assert watched.fingerprint() == before
        watched_records, alone_records = advance(problem, watched, RUN, 9), advance(problem, alone, RUN, 9)
        assert watched_records.values.tobytes() == alone_records.values.tobytes()
    assert watched.fingerprint() == alone.fingerprint()


def test_a_fingerprint_notices_the_last_bit_of_anything() -> None:
    problem = small_problem()
    state = begin(problem)
    advance(problem, state, RUN, 5)
    prints = {state.fingerprint()}
    for change in (
        lambda s: setattr(s, "step", 6),
        lambda s: setattr(s, "samples_seen", 1),
        lambda s: setattr(s, "optimizer", "sgd"),
        lambda s: setattr(s, "diverged_at", 5),
        lambda s: s.parameters.__setitem__(0, np.nextafter(s.parameters[0], 9)),
        lambda s: s.slots["square"].__setitem__(0, np.nextafter(s.slots["square"][0], 9)),
    ):
        other = state.copy()
        change(other)
        prints.add(other.fingerprint())
    assert len(prints) == 7


def test_a_relu_unit_that_is_0_for_every_training_sample_is_dead() -> None:
    problem = small_problem((3, "relu"), (2, "relu"), test_fraction=0.25)
    state = begin(problem)
    p = problem.named(state.parameters)
    p["b1"][0, 1] = -1e3
    first, second, output = units(problem, state.parameters)
    assert first.dead == [False, True, False]
    assert (first.mean[1], first.active_share[1]) == (0.0, 0.0)
    a1 = np.maximum(problem.X_train @ p["W1"] + p["b1"], 0)
    assert first.mean == pytest.approx(a1.mean(axis=0))
    assert first.active_share == pytest.approx((a1 > 0).mean(axis=0))
    a2 = np.maximum(a1 @ p["W2"] + p["b2"], 0)
    assert second.dead == (a2 == 0.0).all(axis=0).tolist()
    assert output.mean == pytest.approx([predict(problem, state.parameters, problem.X_train).mean()])


@pytest.mark.parametrize("activation", [name for name, row in ACTIVATIONS.items() if not row.dies])
def test_units_that_cannot_be_off_are_never_dead(activation: str) -> None:
    problem = small_problem((3, activation))
    state = begin(problem)
    problem.named(state.parameters)["b1"][:] = -1e3
    assert not any(units(problem, state.parameters)[0].dead)


def test_the_next_gradient_is_the_one_recorded_and_its_batch_the_one_taken() -> None:
    problem = small_problem(test_fraction=0.25)
    state = begin(problem)
    for _ in range(12):
        gradients, rows = next_gradient(problem, state, RUN)
        assert list(gradients) == list(problem.layout.names)
        assert set(rows) <= set(problem.train_rows.tolist())
        samples_before = state.samples_seen
        record = advance(problem, state, RUN, 1)
        assert series(record, "grad_l2/W1")[0] == pytest.approx(np.linalg.norm(gradients["W1"]), rel=1e-11)
        assert len(rows) == state.samples_seen - samples_before


def test_a_saturated_unit_has_almost_no_slope() -> None:
    problem = small_problem((3, "tanh"), (2, "sigmoid"), (2, "relu"))
    state = begin(problem)
    p = problem.named(state.parameters)
    p["W1"][:, 0], p["b1"][0, 0] = 0.0, -3.0  # slope 0.0099 everywhere
    p["W1"][:, 1], p["b1"][0, 1] = 0.0, 1.0  # slope 0.42
    first, second, third, _ = units(problem, state.parameters)
    assert first.saturated_share is not None
    assert first.saturated_share[:2] == [1.0, 0.0]
    a2 = 1 / (1 + np.exp(-(np.tanh(problem.X_train @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])))
    assert second.saturated_share == pytest.approx((4 * a2 * (1 - a2) < 0.05).mean(axis=0))
    assert second.saturated_share is not None
    assert third.saturated_share is None


def test_units_that_start_equal_are_reported_as_equal_until_they_differ() -> None:
    problem = small_problem((5, "tanh"), (3, "relu"))
    state = begin(problem)
    p = problem.named(state.parameters)
    p["W1"][:, 3], p["b1"][0, 3], p["W2"][3] = p["W1"][:, 1], p["b1"][0, 1], p["W2"][1]
    assert [layer.alike for layer in units(problem, state.parameters)] == [[[1, 3]], [], []]
    advance(problem, state, RUN, 300)
    assert units(problem, state.parameters)[0].alike == [[1, 3]]
    p["W2"][3, 0] += 1e-6
    assert units(problem, state.parameters)[0].alike == []


def test_equal_units_of_a_layer_with_large_weights_may_differ_by_its_rounding() -> None:
    problem = small_problem((3, "tanh"))
    p = problem.named(begin(problem).parameters)
    p["W1"][:], p["b1"][:] = 1e3, 0.0
    p["W1"][0] += np.array([0.0, 1e-8, 2e-8])
    p["W2"][:] = 0.5
    flat = np.concatenate([np.ravel(value) for value in p.values()])
    assert units(problem, flat)[0].alike == [[0, 1, 2]]


def test_a_network_that_starts_with_zeros_has_layers_of_one_unit_many_times() -> None:
    problem = small_problem((4, "tanh"), (4, "tanh"))
    assert [layer.alike for layer in units(problem, np.zeros(problem.layout.count))] == [
        [[0, 1, 2, 3]]
    ] * 2 + [[]]
