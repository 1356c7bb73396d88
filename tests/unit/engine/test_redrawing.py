"""Redraw of layers: its step, its numbers, and the recovery of a dead network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.probes import units
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.randomness import rng_for
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.checks.recipe import check_recipe
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.run_settings import Edit
from support.aliases import Array
from support.problems import edit, problem_of, small_problem, train

PROBLEM = small_problem((4, "relu"), (3, "tanh"))


def redrawn(*layers: int, at_step: int = 10, weights: str = "he", **run: Any) -> RunRecipe:
    return RunRecipe(
        name="r", edits=[edit(at_step, redraw={"layers": list(layers), "weights": weights})], seed=7, **run
    )


@pytest.mark.parametrize("kernel", [NUMPY, COMPILED], ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_change_is_made_as_ever_and_then_the_layers_are_drawn(kernel: Kernel, optimizer: str) -> None:
    plain, drawn = begin(PROBLEM), begin(PROBLEM)
    without = RunRecipe(name="r", optimizer=optimizer, seed=7)
    expected = advance(PROBLEM, plain, without, 11, kernel)
    records = advance(PROBLEM, drawn, redrawn(2, optimizer=optimizer), 11, kernel)
    before, after = PROBLEM.named(plain.parameters), PROBLEM.named(drawn.parameters)
    assert np.array_equal(after["W1"], before["W1"])
    assert np.array_equal(after["W3"], before["W3"])
    assert np.array_equal(after["W2"], rng_for(7, "redraw", 162).standard_normal((4, 3)) * np.sqrt(2 / 4))
    assert not after["b2"].any()
    for name in records.names:
        row = records.names.index(name)
        same = np.array_equal(records.values[row], expected.values[row], equal_nan=True)
        assert same == (name not in ("ratio/W2", "ratio/b2")), name


def test_the_optimizer_resets_their_slots_and_keeps_the_others() -> None:
    plain, _ = train(PROBLEM, RunRecipe(name="r", optimizer="adam", seed=7), 11)
    drawn, _ = train(PROBLEM, redrawn(1, 3, optimizer="adam"), 11)
    for slot in ("mean", "square"):
        slots_after, whole = PROBLEM.named(drawn.slots[slot]), PROBLEM.named(plain.slots[slot])
        assert not any(slots_after[name].any() for name in ("W1", "b1", "W3", "b3"))
        assert slots_after["W2"].any()
        assert np.array_equal(slots_after["W2"], whole["W2"])
        assert np.array_equal(slots_after["b2"], whole["b2"])


def test_the_ratio_of_that_step_is_the_whole_change() -> None:
    before, _ = train(PROBLEM, redrawn(2), 10)
    after, records = train(PROBLEM, redrawn(2), 11)
    old, new = PROBLEM.named(before.parameters)["W2"], PROBLEM.named(after.parameters)["W2"]
    recorded = records.values[records.names.index("ratio/W2"), 10]
    assert recorded == pytest.approx(np.linalg.norm(new - old) / np.linalg.norm(old), rel=1e-12)


def test_steps_and_layers_and_seeds_draw_different_numbers() -> None:
    def drawn(layer: int, at_step: int, seed: int) -> Array:
        run = redrawn(layer, at_step=at_step).model_copy(update={"seed": seed})
        return PROBLEM.named(train(PROBLEM, run, at_step + 1)[0].parameters)[f"W{layer}"]

    first = drawn(2, 10, 7)
    assert np.array_equal(first, drawn(2, 10, 7))
    assert not np.allclose(first, drawn(2, 11, 7))
    assert not np.allclose(first, drawn(2, 10, 8))
    assert not np.allclose(first.ravel()[:3], drawn(3, 10, 7).ravel()[:3])


@pytest.mark.parametrize("weights", [name for name, row in INITIALIZERS.items() if "weights" in row.draws])
def test_every_initializer_can_be_asked_for(weights: str) -> None:
    state, _ = train(PROBLEM, redrawn(1, 2, 3, weights=weights), 11)
    assert np.isfinite(state.parameters).all()
    assert PROBLEM.named(state.parameters)["W1"].any() == (weights != "zeros")


def test_the_dead_run_of_the_notebooks_exhibit_learns_again() -> None:
    recipe = check_recipe(Recipe.model_validate(EXHIBITS["notebook"].recipe))
    problem = problem_of(recipe)
    (sgd,) = [run for run in recipe.runs if run.name == "sgd"]
    dead, _ = train(problem, sgd, 3000)
    assert all(units(problem, dead.parameters)[1].dead)
    cured = sgd.model_copy(update={"edits": [edit(3000, redraw={"layers": [1, 2, 3]})]})
    state, records = train(problem, cured, 9000)
    assert not all(units(problem, state.parameters)[1].dead)
    losses = records.values[records.names.index("train_loss")]
    assert losses[np.isfinite(losses)][-1] < 0.5 * problem.baseline["train"]


class Counted(list[Edit]):
    """A list that counts how often its elements are read."""

    reads = 0

    def __iter__(self) -> Iterator[Edit]:
        for each in super().__iter__():
            self.reads += 1
            yield each

    def __getitem__(self, place: Any) -> Any:
        self.reads += 1
        return super().__getitem__(place)


@pytest.mark.parametrize("slice_length", [1, 100], ids=["step by step", "in slices"])
def test_stepping_through_redraws_takes_work_in_proportion_to_their_number(slice_length: int) -> None:
    def reads(steps: int) -> int:
        edits = Counted(edit(step, redraw={"layers": [1]}) for step in range(steps))
        run, state = RunRecipe(name="r").model_copy(update={"edits": edits}), begin(PROBLEM)
        while state.step < steps:
            advance(PROBLEM, state, run, slice_length)
        return edits.reads

    assert 100 <= reads(800) <= 8 * reads(100)
