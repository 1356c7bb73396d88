"""The limits of curvature, against each optimizer on a parabola just below and above them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fallline.engine.measures.edge import edge_of
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.problem import layout_of
from fallline.engine.state import TrainingState
from fallline.vocabulary.run_settings import RunSettings
from support.aliases import Array

RATE = 0.05


def state_of(optimizer: str, slots: dict[str, Array]) -> TrainingState:
    return TrainingState(1, 1, np.ones(1), optimizer, slots)


def reach(optimizer: str, own: dict[str, float], slots: dict[str, Array], curvature: float) -> float:
    """Growth of |x| in 20,000 steps on curvature / 2 * x**2; about 1 at the limit.

    It starts near 0, so that squares of gradients do not change the optimizer's state.
    """
    row = OPTIMIZERS[optimizer]
    x = np.full(1, 1e-6)
    for _ in range(20_000):
        row.update(x, curvature * x, slots, RATE, row.filled(own))
        if abs(x[0]) > 1e-3:
            break
    return float(abs(x[0]) / 1e-6)


@pytest.mark.parametrize(
    ("optimizer", "own"),
    [
        ("sgd", {}),
        ("momentum", {"momentum": 0.5}),
        ("momentum", {"momentum": 0.9}),
        ("nesterov", {"momentum": 0.5}),
        ("nesterov", {"momentum": 0.9}),
    ],
)
def test_steps_settle_below_the_limit_and_grow_above(optimizer: str, own: dict[str, float]) -> None:
    settings = RunSettings(optimizer, RATE, None, "shuffle", own=own)
    edge = edge_of(settings, state_of(optimizer, {}))
    assert edge.scale is None
    start = OPTIMIZERS[optimizer].start
    assert reach(optimizer, own, start(1), 0.999 * edge.limit) < 1e-2
    assert reach(optimizer, own, start(1), 1.001 * edge.limit) > 1e2


@pytest.mark.parametrize("square", [0.3, 4.0])
def test_adam_sees_curvature_through_its_scale(square: float) -> None:
    """With a nearly constant mean of squares, Adam is momentum with a separate rate per entry."""
    own = {"beta1": 0.9, "beta2": 1.0 - 1e-15, "epsilon": 0.1}

    def slots() -> dict[str, Array]:
        return {"mean": np.zeros(1), "square": np.full(1, square), "count": np.full(1, 1e18)}

    edge = edge_of(RunSettings("adam", RATE, None, "shuffle", own=own), state_of("adam", slots()))
    assert edge.scale is not None
    limit = edge.limit / edge.scale[0] ** 2
    assert reach("adam", own, slots(), 0.999 * limit) < 1e-2
    assert reach("adam", own, slots(), 1.001 * limit) > 1e2


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop"])
def test_other_scaling_optimizers_are_plain_descent_in_scaled_space(optimizer: str) -> None:
    slots = {"square": np.array([4.0])}
    edge = edge_of(
        RunSettings(optimizer, RATE, None, "shuffle", own={"epsilon": 0.5}), state_of(optimizer, slots)
    )
    assert edge.limit == 2.0 / RATE
    assert edge.scale is not None
    assert edge.scale[0] ** 2 == pytest.approx(1.0 / 2.5)


FROZEN = {"beta2": 1.0 - 1e-15, "decay": 1.0 - 1e-15, "epsilon": 0.1}
"""Settings that keep the scale of a step nearly constant."""


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [
        ("dampened_momentum", {"count": 9.0}),
        ("adadelta", {"square": 4.0, "change_square": 0.2}),
        ("rmsprop_momentum", {"square": 4.0}),
        ("rmsprop_centered", {"square": 4.0, "mean": 1.5}),
        ("amsgrad", {"largest": 4.0, "square": 1.0, "count": 1e18}),
        ("adamax", {"largest": 4.0, "count": 1e18}),
        ("nadam", {"square": 4.0, "count": 1e18, "correction": 1.0}),
        ("radam", {"square": 4.0, "count": 1e18}),
    ],
)
def test_a_limit_is_the_edge_of_its_own_steps(optimizer: str, slots: dict[str, float]) -> None:
    """The scale comes from the slots, which hardly change."""
    row = OPTIMIZERS[optimizer]
    own = {name: value for name, value in FROZEN.items() if name in row.filled({})}

    def begun() -> dict[str, Array]:
        return row.start(1) | {name: np.full(1, value) for name, value in slots.items()}

    edge = edge_of(RunSettings(optimizer, RATE, None, "shuffle", own=own), state_of(optimizer, begun()))
    assert edge.known
    limit = edge.limit / (1.0 if edge.scale is None else edge.scale[0] ** 2)
    assert reach(optimizer, own, begun(), 0.999 * limit) < 1e-2
    assert reach(optimizer, own, begun(), 1.001 * limit) > 1e2


def test_factors_of_the_rate_are_a_part_of_the_scale() -> None:
    layout = layout_of((1, 1, 1))
    settings = RunSettings("rmsprop", RATE, None, "shuffle", own={"epsilon": 0.5}, layer_rates=(4.0, 0.0))
    state = TrainingState(1, 1, np.ones(4), "rmsprop", {"square": np.full(4, 4.0)})
    edge = edge_of(settings, state, layout)
    assert edge.limit == 2.0 / RATE
    assert edge.scale is not None
    assert edge.scale**2 == pytest.approx([4.0 / 2.5, 4.0 / 2.5, 0.0, 0.0])
    assert not edge_of(settings, state).known
    plain = edge_of(replace(settings, optimizer="sgd", own={}), state, layout)
    assert plain.scale is not None
    assert plain.scale.tolist() == [2.0, 2.0, 0.0, 0.0]


def test_the_scale_of_nadam_follows_its_rising_momentum() -> None:
    """Its mu is far from beta1 at first: at step 10, 0.50."""
    slots = {"mean": np.zeros(1), "square": np.full(1, 4.0)}
    slots |= {"count": np.full(1, 10.0), "correction": np.full(1, 0.9)}
    own = {"epsilon": 0.5, "momentum_decay": 0.2}
    edge = edge_of(RunSettings("nadam", RATE, None, "shuffle", own=own), state_of("nadam", slots))
    mu, mu_next = (0.9 * (1.0 - 0.5 * 0.96 ** (n * 0.2)) for n in (10, 11))
    of_mean = mu_next / (1.0 - 0.1 * mu_next)
    weight = (1.0 - mu) / 0.9 * 1.9 + of_mean * 0.1
    root = np.sqrt(4.0 / (1.0 - 0.999**10)) + 0.5
    assert edge.scale is not None
    assert edge.scale[0] ** 2 == pytest.approx(weight / root)


def test_before_it_divides_radam_is_momentum() -> None:
    slots = {"mean": np.zeros(1), "square": np.full(1, 4.0), "count": np.full(1, 3.0)}
    edge = edge_of(RunSettings("radam", RATE, None, "shuffle"), state_of("radam", slots))
    assert edge.scale is not None
    assert edge.scale[0] ** 2 == pytest.approx(1.0 / (1.0 - 0.9**3))


@pytest.mark.parametrize("optimizer", ["adam", "amsgrad", "adamax", "radam"])
@pytest.mark.parametrize("steps", [1, 3, 12])
def test_an_early_step_was_made_with_its_scale(optimizer: str, steps: int) -> None:
    """The correction of the mean counts as a part of the scale."""
    row = OPTIMIZERS[optimizer]
    slots, x, before = row.start(1), np.ones(1), np.ones(1)
    for step in range(steps):
        before = x.copy()
        row.update(x, np.full(1, 1.0 - 0.2 * step), slots, RATE, row.filled({}))
    edge = edge_of(RunSettings(optimizer, RATE, None, "shuffle"), state_of(optimizer, slots))
    assert edge.scale is not None
    assert before - x == pytest.approx(RATE * slots["mean"] * edge.scale**2, rel=1e-12)


def test_steps_of_a_fixed_size_have_no_limit() -> None:
    edge = edge_of(RunSettings("lion", RATE, None, "shuffle"), state_of("lion", {"mean": np.ones(1)}))
    assert (edge.known, edge.limit, edge.scale) == (False, np.inf, None)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_a_rate_of_zero_is_stable_for_any_curvature(optimizer: str) -> None:
    assert edge_of(RunSettings(optimizer, 0.0, None, "shuffle"), state_of("sgd", {})).limit == np.inf


SCALING = [name for name, row in OPTIMIZERS.items() if row.stability.divisor is not None]


@pytest.mark.parametrize("optimizer", SCALING)
def test_without_slots_there_is_no_scale(optimizer: str) -> None:
    settings = RunSettings(optimizer, RATE, None, "shuffle")
    assert not edge_of(settings, TrainingState(0, 0, np.ones(1))).known
    assert not edge_of(settings, state_of("sgd", {})).known
