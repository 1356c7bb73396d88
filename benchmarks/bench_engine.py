"""The engine beside the notebook's own loop: microseconds a step, with everything recorded against nothing.

    python benchmarks/bench_engine.py [--rounds 15]

Both run in turn, round after round, so that a slow spell of the machine hits both; the figures are medians over the
rounds, the ratios medians of the ratios within one round. Processor time of one thread with one BLAS thread, which
other processes cannot lengthen much.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe, RunRecipe

Array = NDArray[np.float64]
GD_STEPS, SGD_STEPS, SLICE = 501, 3600, 180


def relu(x: Array) -> Array:
    return (x > 0) * x


def notebook_changes(p: dict[str, Array], X: Array, y: Array, lr: float) -> None:
    """The body of the notebook's loop, with its allocations and its masks, and nothing recorded."""
    m = len(X)
    w1, b1, w2, b2, w3, b3 = (p[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    z1 = X @ w1 + b1
    a1 = relu(z1)
    z2 = a1 @ w2 + b2
    a2 = relu(z2)
    y_pred = a2 @ w3 + b3
    dy_pred = y_pred - y
    dw3 = (1 / m) * (a2.T @ dy_pred)
    db3 = (1 / m) * np.sum(dy_pred, axis=0, keepdims=True)
    dz2 = (dy_pred @ w3.T) * (z2 > 0).astype(float)
    dw2 = (1 / m) * (a1.T @ dz2)
    db2 = (1 / m) * np.sum(dz2, axis=0, keepdims=True)
    dz1 = (dz2 @ w2.T) * (z1 > 0).astype(float)
    dw1 = (1 / m) * (X.T @ dz1)
    db1 = (1 / m) * np.sum(dz1, axis=0, keepdims=True)
    p["W1"], p["b1"] = w1 - lr * dw1, b1 - lr * db1
    p["W2"], p["b2"] = w2 - lr * dw2, b2 - lr * db2
    p["W3"], p["b3"] = w3 - lr * dw3, b3 - lr * db3


def timed(work: Callable[[], int]) -> float:
    """Microseconds a step of work that returns how many steps it made."""
    began = time.thread_time()
    steps = work()
    return (time.thread_time() - began) / steps * 1e6


def notebook_gd(problem: Problem) -> int:
    p = dict(problem.named(problem.initial_parameters))
    for _ in range(GD_STEPS):
        notebook_changes(p, problem.X_train, problem.y_train, 0.1)
    return GD_STEPS


def notebook_sgd(problem: Problem) -> int:
    p = dict(problem.named(problem.initial_parameters))
    X, y = problem.X_train, problem.y_train
    for step in range(SGD_STEPS):
        k = step % len(X)
        notebook_changes(p, X[k : k + 1], y[k : k + 1], 0.01)
    return SGD_STEPS


def ours(problem: Problem, run: RunRecipe, steps: int, first: int = 0, length: int = SLICE) -> int:
    """In slices, as a live run is advanced; from `first` on, where evaluation points are rarer."""
    state = begin(problem)
    state.step = first
    made = 0
    while made < steps:
        made += len(advance(problem, state, run, min(length, steps - made)))
    return steps


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=15)
    rounds = arguments.parse_args().rounds
    recipe, exhibit = Recipe(), EXHIBITS["notebook"].recipe
    problem = build_problem(recipe.data, recipe.network, recipe.loss)
    split = build_problem(exhibit.data, exhibit.network, exhibit.loss)
    gd, sgd = recipe.runs
    batches = sgd.model_copy(update={"batch_size": 32})
    adam = gd.model_copy(update={"optimizer": "adam", "learning_rate": 0.01})
    tasks: dict[str, tuple[Callable[[], int], str]] = {
        "GD, notebook's loop, records nothing": (lambda: notebook_gd(problem), ""),
        "GD, ours, everything recorded": (lambda: ours(problem, gd, GD_STEPS), "gd"),
        "GD, ours, and 300 test samples": (lambda: ours(split, gd, GD_STEPS), "gd"),
        "GD, ours, Adam": (lambda: ours(problem, adam, GD_STEPS), "gd"),
        "GD, ours, a step at a time": (lambda: ours(problem, gd, GD_STEPS, length=1), ""),
        "SGD, notebook's loop, records nothing": (lambda: notebook_sgd(problem), ""),
        "SGD, ours, steps 0 to 3,600 (half of them evaluated)": (
            lambda: ours(problem, sgd, SGD_STEPS),
            "sgd",
        ),
        "SGD, ours, from step 100,000 on": (lambda: ours(problem, sgd, SGD_STEPS, 100_000), "sgd"),
        "batch 32, ours, from step 100,000 on": (lambda: ours(problem, batches, SGD_STEPS, 100_000), ""),
    }
    with threadpool_limits(1):
        figures = {name: [timed(work)] for name, (work, _) in tasks.items()}
        for _ in range(rounds - 1):
            for name, (work, _) in tasks.items():
                figures[name].append(timed(work))
    against = {"gd": "GD, notebook's loop, records nothing", "sgd": "SGD, notebook's loop, records nothing"}
    print(f"{'microseconds a step, medians of ' + str(rounds) + ' rounds':<58} {'median':>8} {'least':>8}")
    for name, (_, rival) in tasks.items():
        told = f"{name:<58} {statistics.median(figures[name]):>8.1f} {min(figures[name]):>8.1f}"
        if rival:
            pairs = zip(figures[against[rival]], figures[name], strict=True)
            ratio = statistics.median(theirs / own for theirs, own in pairs)
            told += f"   {ratio:.2f}x the notebook's speed (goal: at least 1)"
        print(told)


if __name__ == "__main__":
    main()
