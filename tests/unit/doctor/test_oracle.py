"""Each definition of the oracle, on numbers whose onset is known by construction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from doctor.numbers import Array, Network, Numbers
from doctor.oracle import NAMES, RULES, Fault, Window, faults_of, is_grave, label, stretches, unexplained

STEPS = 700


def _run(steps: int = STEPS, **numbers: Any) -> Numbers:
    """A run that learns: its loss falls by 1 % a step, from twice the baseline of 1, to 0.01."""
    network = Network((2, 4, 4, 1), ("relu", "tanh", "identity"), "mse")
    falling = np.asarray(0.01 + 2.0 * 0.99 ** np.arange(steps + 1), np.float64)
    fields: dict[str, Any] = {
        "network": network,
        "parameters": np.zeros((steps + 1, 37)),
        "diverged_at": None,
        "samples": 100,
        "batch": 100,
        "baseline": 1.0,
        "train_loss": falling,
        "test_loss": np.empty(0),
        "score": np.full(steps + 1, 0.5),
        "dead": {1: np.zeros((steps + 1, 4), dtype=np.bool_)},
        "saturated": {2: np.zeros(steps + 1)},
        "groups": {1: np.tile(np.arange(4), (steps + 1, 1)), 2: np.tile(np.arange(4), (steps + 1, 1))},
        "sizes": np.ones((steps + 1, 3)),
        "bias_sizes": np.ones((steps + 1, 3)),
        "trace": np.full(steps + 1, 100.0),
        "squared": np.ones(steps + 1),
        "moved": np.full((steps, 3), 1e-3),
        "input_spreads": np.ones(2),
        "input_means": np.zeros(2),
        "examined": np.ones(steps + 1, dtype=np.bool_),
    }
    return Numbers(**fields | numbers)


def _only(run: Numbers, rule: str) -> Fault:
    """The only fault of the rule; the run has no other but explained ones."""
    faults = faults_of(run)
    (fault,) = [each for each in faults if each.rule == rule]
    assert fault in unexplained(faults)
    return fault


def _dates(fault: Fault) -> tuple[int, int, int | None]:
    return fault.since, fault.shows, fault.until


def _marked(first: int, stop: int | None = None, units: tuple[int, ...] = (0,), of: int = 4) -> Any:
    """Booleans (steps + 1, of), true from `first` to before `stop` for these units."""
    marks = np.zeros((STEPS + 1, of), dtype=np.bool_)
    marks[first:stop, list(units)] = True
    return marks


def _noisy(level: float, spread: float) -> Array:
    """A loss that alternates around a level."""
    return np.asarray(level * (1.0 + spread * (-1.0) ** np.arange(STEPS + 1)))


def test_a_run_that_learns_has_no_fault() -> None:
    assert faults_of(_run()) == []
    assert not is_grave(_run())


def test_stretches_have_a_first_step_and_the_step_after_their_last() -> None:
    assert list(stretches(np.array([True, False, False, True, True, False]))) == [(0, 1), (3, 5)]
    assert list(stretches(np.array([False, True, True]))) == [(1, None)]
    assert list(stretches(np.zeros(3, dtype=np.bool_))) == []


def test_a_window_at_step_n_has_the_200_records_before_it() -> None:
    window = Window(np.arange(301.0), 300)
    assert np.isnan(window.first[:200]).all()
    assert window.first[200] == np.arange(0, 25).mean()
    assert window.last[300] == np.arange(275, 300).mean()
    assert window.before[250] == np.arange(50, 150).mean()
    assert window.after[250] == np.arange(150, 250).mean()


def test_diverged() -> None:
    assert _dates(_only(_run(diverged_at=STEPS), "diverged")) == (STEPS, STEPS, None)


def test_will_diverge_begins_at_the_last_trough_and_shows_at_twice_its_loss() -> None:
    losses = np.concatenate(
        [np.linspace(2.0, 0.5, 101), 0.5 * 1.2 ** np.arange(1, 41)]
    )  # the trough is at step 100
    run = _run(140, train_loss=losses, diverged_at=140)
    assert _dates(_only(run, "will_diverge")) == (100, 104, 140)  # 1.2 ** 4 = 2.07
    assert not [each for each in faults_of(_run(140, train_loss=losses)) if each.rule == "will_diverge"]


def test_an_earlier_and_deeper_trough_is_not_the_onset_of_divergence() -> None:
    floor = np.full(400, 0.5)
    floor[100], floor[380] = 0.4, 0.45
    losses = np.concatenate([floor, 0.5 * 1.2 ** np.arange(1, 41)])
    assert _only(_run(439, train_loss=losses, diverged_at=439), "will_diverge").since == 380


def test_a_dead_layer_begins_with_its_last_unit() -> None:
    dead = _marked(40, units=(0, 1, 2)) | _marked(90, units=(3,))
    assert _dates(_only(_run(dead={1: dead}), "dead_layer")) == (90, 90, None)


def test_only_the_first_dead_layer_is_named() -> None:
    both = {1: _marked(90, units=(0, 1, 2, 3)), 2: _marked(50, units=(0, 1, 2, 3))}
    faults = [each for each in faults_of(_run(dead=both)) if each.rule == "dead_layer"]
    assert [(each.layer, each.since, each.until) for each in faults] == [(1, 90, None), (2, 50, 90)]


def test_dead_units_have_a_first_step_each() -> None:
    dead = _marked(0, units=(1,)) | _marked(60, units=(2,)) | _marked(10, 30, units=(3,))
    fault = _only(_run(dead={1: dead}), "dead_units")
    assert _dates(fault) == (0, 25, None)
    assert fault.units == ((1, 0), (2, 60))  # the third was off for 20 steps only
    assert fault.severity == "warning"
    assert fault.layer == 1


def test_a_unit_that_wakes_up_and_dies_again_is_dead_since_then() -> None:
    dead = _marked(0, 40, units=(1,)) | _marked(41, units=(1,))
    one, other = [each for each in faults_of(_run(dead={1: dead})) if each.rule == "dead_units"]
    assert (_dates(one), one.severity) == ((0, 25, 40), "info")
    assert _dates(other) == (41, 66, None)


def test_symmetric_units_begin_with_the_first_equal_pair() -> None:
    groups = np.tile(np.arange(4), (STEPS + 1, 1))
    groups[30:, 3] = 1
    fault = _only(_run(groups={2: groups}), "symmetric_units")
    assert (_dates(fault), fault.layer, fault.units) == ((30, 30, None), 2, ((3, 30),))


def test_saturated_units_need_20_steps_and_a_poor_score() -> None:
    share = np.where(np.arange(STEPS + 1) < 50, 0.79, 0.8)
    assert _dates(_only(_run(saturated={2: share}), "saturated_units")) == (50, 70, None)
    assert faults_of(_run(saturated={2: share}, score=np.full(STEPS + 1, 0.95))) == []


def test_vanishing_gradients() -> None:
    sizes = np.ones((STEPS + 1, 3))
    sizes[80:, 0] = 0.9e-3
    assert _dates(_only(_run(sizes=sizes), "vanishing_gradients")) == (80, 100, None)


def test_exploding_gradients_need_a_loss_that_is_left() -> None:
    sizes = np.ones((STEPS + 1, 3))
    sizes[80:, 0] = 101.0
    losses = np.where(np.arange(STEPS + 1) < 300, 0.5, 0.04)
    assert _dates(_only(_run(bias_sizes=sizes, train_loss=losses), "exploding_gradients")) == (80, 100, 300)


def test_rate_at_edge_counts_rises_and_falls_in_100_changes() -> None:
    losses = np.full(STEPS + 1, 0.5)
    losses[250:] = 0.5 + 0.01 * (np.arange(STEPS + 1 - 250) % 2)  # the first rise is from step 250 to 251
    fault = _only(_run(train_loss=losses), "rate_at_edge")
    assert fault.shows == 250 + 2 * 30 + 1  # the 30th fall ends at record 310, which step 311 has
    assert fault.since == fault.shows - 101
    assert fault.severity == "warning"
    assert [
        each for each in faults_of(_run(train_loss=losses, batch=10)) if each.rule == "rate_at_edge"
    ] == []
    losses[250:] = 0.5 * 1.01 ** np.arange(STEPS + 1 - 250)  # as beside a penalty, which makes the loss rise
    assert not [each for each in faults_of(_run(train_loss=losses)) if each.rule == "rate_at_edge"]


def test_rate_too_small() -> None:
    losses = 1.5 * 0.99999 ** np.arange(STEPS + 1)
    run = _run(train_loss=losses, moved=np.full((STEPS, 3), 1e-5))
    assert _dates(_only(run, "rate_too_small")) == (0, 200, None)
    spent = np.where(np.arange(STEPS + 1) < 300, 1.0, 0.01)
    assert (
        _only(_run(train_loss=losses, moved=np.full((STEPS, 3), 1e-5), squared=spent), "rate_too_small").until
        == 300
    )


def test_small_batch_and_noise_floor_differ_by_level_and_spread() -> None:
    noisy: dict[str, Any] = {"batch": 1, "trace": np.full(STEPS + 1, 100.0)}
    assert _dates(_only(_run(train_loss=_noisy(0.8, 0.2), **noisy), "small_batch")) == (200, 400, None)
    floor = _only(_run(train_loss=_noisy(0.2, 0.05), **noisy), "noise_floor")
    assert (_dates(floor), floor.severity) == ((200, 400, None), "info")
    assert faults_of(_run(train_loss=_noisy(0.2, 0.05), batch=1, trace=np.full(STEPS + 1, 0.5))) == []


def test_wasteful_batch_needs_100_steps() -> None:
    trace = np.where(np.arange(STEPS + 1) < 60, 100.0, 4.9)
    assert _dates(_only(_run(trace=trace), "wasteful_batch")) == (60, 160, None)


@pytest.mark.parametrize(
    "inputs", [{"input_spreads": np.array([1.0, 101.0])}, {"input_means": np.array([0.0, -11.0])}]
)
def test_unscaled_inputs(inputs: dict[str, Any]) -> None:
    assert _dates(_only(_run(**inputs), "unscaled_inputs")) == (0, 0, None)


def test_overfitting_begins_after_the_lowest_test_loss_of_all() -> None:
    test = np.full(STEPS + 1, 0.3)
    test[8] = 0.232
    test[300:] = np.linspace(0.3, 1.0, STEPS + 1 - 300)
    fault = _only(_run(test_loss=test), "overfitting")
    assert fault.since == 9
    early = _only(_run(350, train_loss=_run().train_loss[:351], test_loss=test[:351]), "overfitting")
    assert (early.since, early.shows) == (fault.since, fault.shows)


def test_predicts_the_mean() -> None:
    losses = np.where(np.arange(STEPS + 1) < 100, 2.0, 1.0)
    assert _dates(_only(_run(train_loss=losses), "predicts_the_mean")) == (100, 300, None)


def test_a_run_predicts_the_mean_until_noise_takes_it_far_from_there() -> None:
    losses = np.where(np.arange(STEPS + 1) < 100, 2.0, 1.0)
    losses[400:] = 1.15
    assert _dates(_only(_run(train_loss=losses), "predicts_the_mean")) == (100, 300, None)
    losses[500:] = 1.3
    ends = [each for each in faults_of(_run(train_loss=losses)) if each.rule == "predicts_the_mean"]
    assert [each.until for each in ends] == [500 + 100 * (1.2 - 1.15) / (1.3 - 1.15) // 1 + 1]
    never = np.where(np.arange(STEPS + 1) < 100, 2.0, 1.15)
    assert not [each for each in faults_of(_run(train_loss=never)) if each.rule == "predicts_the_mean"]


def test_stuck_is_above_the_baseline_and_not_at_it() -> None:
    losses = np.full(STEPS + 1, 1.3)
    assert _dates(_only(_run(train_loss=losses), "stuck")) == (200, 400, None)
    losses[500:] = 0.9
    assert _only(_run(train_loss=losses), "stuck").until == 517  # 17 lower records of 100 are a fall of 5 %


def test_plateau() -> None:
    losses = np.where(np.arange(STEPS + 1) < 300, 0.8, 0.6)
    fault = _only(_run(train_loss=losses), "plateau")
    assert (_dates(fault), fault.severity) == ((300, 500, None), "warning")


def test_a_spike_shows_at_its_step() -> None:
    losses = np.full(STEPS + 1, 0.1)
    losses[450:452] = 1.47
    fault = _only(_run(train_loss=losses), "spike")
    assert _dates(fault) == (450, 450, 452)


def test_worse_than_before_begins_when_the_loss_leaves_its_lowest_level() -> None:
    losses = np.full(STEPS + 1, 0.1)
    losses[300:] = np.linspace(0.1, 0.9, STEPS + 1 - 300)
    fault = _only(_run(train_loss=losses), "worse_than_before")
    assert fault.since == 301
    assert _run(train_loss=losses).train_loss[fault.shows - 25 : fault.shows].mean() > 0.2


def test_every_rule_has_a_test_here() -> None:
    source = "\n".join(name for name in globals() if name.startswith("test_"))
    assert [name for name in NAMES if name not in source and name not in _SHOWN_ELSEWHERE] == []


_SHOWN_ELSEWHERE = {"dead_layer", "spike"}
"""Rules whose tests have another name."""


def test_names_are_those_of_the_functions() -> None:
    assert len(set(NAMES)) == len(RULES)


def test_a_cause_silences_its_consequences() -> None:
    run = _run(dead={1: _marked(90, units=(0, 1, 2, 3))}, train_loss=np.full(STEPS + 1, 1.0))
    assert {"predicts_the_mean", "stuck", "plateau"} <= {each.rule for each in faults_of(run)}
    assert [each.rule for each in label(run)] == ["dead_layer"]


@pytest.mark.parametrize(
    ("losses", "grave"),
    [
        (np.full(STEPS + 1, 0.99), True),
        (np.full(STEPS + 1, 0.9), False),
        (np.linspace(0.1, 0.3, STEPS + 1), True),
        (np.linspace(30.0, 2.0, STEPS + 1), False),
    ],
)
def test_grave_harm_is_nothing_learnt_or_half_of_it_lost(losses: Array, grave: bool) -> None:
    assert is_grave(_run(train_loss=losses)) == grave
    assert all(each.grave == grave for each in label(_run(train_loss=losses)) if each.until is None)
