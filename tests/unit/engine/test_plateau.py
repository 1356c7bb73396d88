"""The schedule `plateau`: drops follow from the recorded losses, on every path to a step."""

from __future__ import annotations

import numpy as np
import pytest

from fallline.engine.inspection.sheet import sheet_of
from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.edge import edge_of
from fallline.engine.problem import Problem
from fallline.engine.state import begin
from fallline.engine.training import SLOT, advance, in_force
from fallline.vocabulary.recipe import RunRecipe
from support.aliases import Json
from support.problems import edit, series, small_problem

PROBLEM = small_problem((6, "tanh"), test_fraction=0.25)
STEPS = 400

with_each_kernel = pytest.mark.parametrize("kernel", [NUMPY, COMPILED], ids=lambda kernel: kernel.name)


def run_of(schedule: Json, **more: object) -> RunRecipe:
    return RunRecipe.model_validate({"name": "r", "learning_rate": 0.3, "schedule": schedule, **more})


PLATEAU: Json = {"name": "plateau", "every": 10, "patience": 2, "factor": 0.4, "least": 0.01}


def expected_shares(losses: list[float], since: int, own: Json) -> list[float]:
    """ReduceLROnPlateau, written from PyTorch's documentation, over all steps."""
    best, bad, share, shares = float("inf"), 0, 1.0, []
    for step, loss in enumerate(losses):
        if step > since and (step - since) % own["every"] == 0:
            if loss < best * (1 - 1e-4):
                best, bad = loss, 0
            else:
                bad += 1
            if bad > own["patience"]:
                share, bad = max(share * own["factor"], own["least"]), 0
        shares.append(share)
    return shares


def shares_of(problem: Problem, run: RunRecipe, kernel: Kernel) -> tuple[list[float], list[float]]:
    """The share of the rate at each step, one step at a time, and the training losses."""
    state, shares, losses = begin(problem), [], []
    for step in range(STEPS):
        settings = run.settings_at(step)
        shares.append(in_force(settings, state).learning_rate / settings.learning_rate)
        before = state.parameters.copy()
        records = advance(problem, state, run, 1, kernel)
        losses.append(float(series(records, "train_loss")[0]))
        # The change of W1 by plain descent is rate times gradient, so the rate made is known from the records.
        size = np.linalg.norm(problem.named(state.parameters)["W1"] - problem.named(before)["W1"])
        rate = series(records, "learning_rate")[0]
        assert size == pytest.approx(rate * series(records, "grad_l2/W1")[0], rel=1e-6)
        if settings.schedule.name == "plateau" or step >= 13:
            assert rate == pytest.approx(shares[-1] * settings.learning_rate, rel=1e-15)
    return shares, losses


@with_each_kernel
@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_the_rate_falls_where_the_recorded_losses_stop_falling(
    kernel: Kernel, batch_size: int | None
) -> None:
    own = PLATEAU if batch_size else {**PLATEAU, "patience": 0}
    run = run_of(own, batch_size=batch_size, learning_rate=0.3 if batch_size else 0.9)
    shares, losses = shares_of(PROBLEM, run, kernel)
    assert shares == pytest.approx(expected_shares(losses, 0, own), rel=1e-14)
    assert len(set(shares)) > 1


@with_each_kernel
def test_after_a_warm_up_its_clock_starts_at_the_end_of_that(kernel: Kernel) -> None:
    run = run_of({"name": "warmup", "steps": 13, "next": PLATEAU}, batch_size=3)
    shares, losses = shares_of(PROBLEM, run, kernel)
    assert shares == pytest.approx(expected_shares(losses, 13, PLATEAU), rel=1e-14)
    assert shares[13] == 1.0
    assert len(set(shares)) > 1


@with_each_kernel
def test_slices_and_checkpoints_lead_to_the_same_bits(kernel: Kernel) -> None:
    run = run_of(PLATEAU, batch_size=1, edits=[edit(95, optimizer="adam"), edit(203, redraw={"layers": [2]})])
    whole = begin(PROBLEM)
    advance(PROBLEM, whole, run, STEPS, kernel)
    assert SLOT in whole.slots
    assert whole.slots[SLOT][3] < 1.0
    for length in (1, 7, 10, 11, 150):
        state = begin(PROBLEM)
        while state.step < STEPS:
            advance(PROBLEM, state, run, min(length, STEPS - state.step), kernel)
            checkpoint = state.copy()
            state = checkpoint
        assert state.fingerprint() == whole.fingerprint(), length


@with_each_kernel
def test_setting_it_again_starts_it_again_and_another_optimizer_does_not(kernel: Kernel) -> None:
    run = run_of(PLATEAU, batch_size=1, edits=[edit(155, optimizer="momentum"), edit(205, schedule=PLATEAU)])
    state = begin(PROBLEM)
    advance(PROBLEM, state, run, 150, kernel)
    dropped = in_force(run.settings_at(150), state).learning_rate
    assert dropped < 0.3
    advance(PROBLEM, state, run, 8, kernel)
    assert in_force(run.settings_at(158), state).learning_rate == dropped
    advance(PROBLEM, state, run, 205 - 158, kernel)
    assert in_force(run.settings_at(204), state).learning_rate <= dropped
    assert in_force(run.settings_at(205), state).learning_rate == 0.3
    advance(PROBLEM, state, run, 10, kernel)
    assert state.slots[SLOT].tolist()[0] == 205.0
    assert in_force(run.settings_at(215), state).learning_rate == 0.3


@with_each_kernel
def test_inspector_and_stability_know_the_rate_in_force(kernel: Kernel) -> None:
    run = run_of(PLATEAU, batch_size=1)
    state = begin(PROBLEM)
    advance(PROBLEM, state, run, STEPS, kernel)
    rate = in_force(run.settings_at(STEPS), state).learning_rate
    sheet = sheet_of(PROBLEM, state, run)
    lines = {line.name: line.value for line in sheet.lines}
    assert lines["lr"] == pytest.approx(rate, rel=1e-15)
    assert not any(SLOT in entry.name for entry in sheet.given)
    assert edge_of(run.settings_at(STEPS), state).limit == pytest.approx(2 / rate)
    advance(PROBLEM, state, run, 1, kernel)
    assert np.allclose(lines["W1"], PROBLEM.named(state.parameters)["W1"], rtol=0, atol=1e-12)


@with_each_kernel
def test_its_memory_outlasts_a_step_that_diverges(kernel: Kernel) -> None:
    run = run_of(PLATEAU, batch_size=1, edits=[edit(300, learning_rate=1e6)])
    state = begin(PROBLEM)
    advance(PROBLEM, state, run, 300, kernel)
    before = state.slots[SLOT].copy()
    advance(PROBLEM, state, run, 100, kernel)
    assert state.diverged_at is not None
    assert np.array_equal(state.slots[SLOT], before)
