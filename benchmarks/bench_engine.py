"""The engine's kernels beside the notebook's own loop and a C loop: microseconds a step, everything recorded.

    python benchmarks/bench_engine.py [--rounds 9]

All systems of a task run in turn, round after round, so that a slow spell of the machine hits all; figures are medians
over the rounds, ratios medians of the ratios within one round. Processor time of one thread with one BLAS thread. The
notebook's loop records nothing; the kernels and C record every series at every step, and losses at evaluation points.
All start from the same parameters and take the same samples in the same order (the notebook's loop: in data order, as
it does), and must end at the same loss.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fallline.engine.batches import order_of_pass
from fallline.engine.evaluation import evaluate
from fallline.engine.kernels.choice import KernelUnavailable, compiled_kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.kernels.table import Kernel
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.execution.compiling import warm
from fallline.vocabulary.recipe import DataSettings, LayerSettings, NetworkSettings, Recipe, RunRecipe

Array = NDArray[np.float64]
SLICE_SECONDS, FEWEST = 0.005, 8
"""Slices are about as long as a live run's, and some steps long at least, since each looks one step ahead."""

Work = Callable[[], tuple[int, Array]]
"""Something timed: returns the steps made and the parameters at the end."""


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


@dataclass(frozen=True)
class Task:
    """`steps` steps of a run from step `first` on; the goals are ratios: at least so many times the notebook's and
    NumPy's speed, at most so many times C's time.
    """

    name: str
    problem: Problem
    run: RunRecipe
    steps: int
    first: int = 0
    notebook_steps: int = 0
    in_c: bool = False
    goals: dict[str, float] = field(default_factory=dict)


def tasks() -> list[Task]:
    recipe = Recipe()
    notebook = build_problem(recipe.data, recipe.network, recipe.loss)
    gd, sgd = recipe.runs
    batches = sgd.model_copy(update={"batch_size": 32})
    tanh = _wide("linear", 2, "tanh", 64)
    relu_net = _wide("log_linear", 5, "relu", 256)
    late = 100_000
    slow = RunRecipe(name="r", learning_rate=0.01, batch_size=32)
    return [
        Task(
            "SGD 5-4-4-1, from step 100,000",
            notebook,
            sgd,
            20_000,
            late,
            900,
            True,
            {"notebook": 100, "C": 2},
        ),
        Task("SGD 5-4-4-1, 50 passes from step 0", notebook, sgd, 45_000, 0, 900, True, {"C": 2}),
        Task("GD 5-4-4-1, 900 samples", notebook, gd, 501, 0, 501, True, {"notebook": 12, "C": 2}),
        Task("batch 32, 5-4-4-1, from step 100,000", notebook, batches, 10_000, late, 900, True, {"C": 2.5}),
        Task("batch 32, 5-4-4-1, 50 passes from step 0", notebook, batches, 1_450, 0, 900, True, {"C": 2.5}),
        Task("batch 32, 2-64-64-1 tanh", tanh, slow, 600, late, goals={"NumPy": 1}),
        Task(
            "batch 256, 5-256-256-1 relu",
            relu_net,
            slow.model_copy(update={"batch_size": 256}),
            24,
            late,
            goals={"NumPy": 1},
        ),
    ]


def _wide(data: str, features: int, activation: str, units: int) -> Problem:
    weights = "he" if activation == "relu" else "xavier"
    layers = [LayerSettings(units=units, activation=activation)] * 2
    network = NetworkSettings(layers=layers, weights=weights, biases="zeros")
    return build_problem(DataSettings(name=data, features=features, standardize="both"), network, "mse")


def in_kernel(task: Task, kernel: Kernel) -> Work:
    """Slices of SLICE_SECONDS; how many steps these are is found out beforehand."""
    probe, length, took = begin(task.problem), FEWEST, 0.0
    probe.step = task.first
    while took < SLICE_SECONDS and length < task.steps:
        length *= 2
        began = time.thread_time()
        advance(task.problem, probe, task.run, length, kernel)
        took = time.thread_time() - began

    def work() -> tuple[int, Array]:
        state = begin(task.problem)
        state.step, made = task.first, 0
        while made < task.steps:
            made += len(advance(task.problem, state, task.run, min(length, task.steps - made), kernel))
        return made, state.parameters

    return work


def in_notebook(task: Task) -> Work:
    def work() -> tuple[int, Array]:
        problem, size = task.problem, task.run.batch_size or len(task.problem.X_train)
        p = dict(problem.named(problem.initial_parameters))
        X, y = problem.X_train, problem.y_train
        for step in range(task.notebook_steps):
            k = step * size % len(X)
            notebook_changes(p, X[k : k + size], y[k : k + size], task.run.learning_rate)
        return task.notebook_steps, np.concatenate([values.ravel() for values in p.values()])

    return work


def in_c(task: Task, library: ctypes.CDLL) -> Work:
    problem, run = task.problem, task.run
    train, m = problem.train, problem.train.count
    passes = -(-task.steps * (run.batch_size or 0) // m) + 1
    order = np.concatenate([order_of_pass(run.order, run.seed, number, m) for number in range(passes)])

    def pointer(array: NDArray[np.generic]) -> ctypes.c_void_p:
        return array.ctypes.data_as(ctypes.c_void_p)

    def work() -> tuple[int, Array]:
        parameters, records = problem.initial_parameters.copy(), np.empty((task.steps, 27))
        columns, targets = pointer(train.columns), pointer(train.targets)
        step, count = ctypes.c_longlong(task.first), ctypes.c_int(task.steps)
        rate, baseline = ctypes.c_double(run.learning_rate), ctypes.c_double(train.variance)
        end = (step, count, rate, baseline, pointer(records))
        if run.batch_size == 1:
            library.single(
                pointer(parameters), pointer(train.rows), columns, targets, m, pointer(order), *end
            )
        else:
            rows = None if run.batch_size is None else pointer(order)
            library.batches(pointer(parameters), columns, targets, m, rows, run.batch_size or m, *end)
        return task.steps, parameters

    return work


def c_library(directory: Path) -> ctypes.CDLL | None:
    """limit.c compiled for this machine, or None without a compiler."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return None
    source, built = Path(__file__).with_name("limit.c"), directory / "limit.so"
    # -ffast-math but for NaN, which marks a step that is not evaluated.
    options = ["-O3", "-march=native", "-ffast-math", "-fno-finite-math-only", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, str(source), "-o", str(built), "-lm"], check=True)
    return ctypes.CDLL(str(built))


def measured(task: Task, systems: dict[str, Work], rounds: int) -> dict[str, list[float]]:
    """Microseconds a step of every system, round after round; raises where two end at different losses."""
    figures: dict[str, list[float]] = {name: [] for name in systems}
    ends = {}
    for _ in range(rounds + 1):
        for name, work in systems.items():
            began = time.thread_time()
            steps, ends[name] = work()
            figures[name].append((time.thread_time() - began) / steps * 1e6)
    losses = {
        name: evaluate(task.problem, end)["train_loss"]
        for name, end in ends.items()
        if name != "notebook" or task.run.batch_size is None
    }
    if max(losses.values()) - min(losses.values()) > 1e-9 * abs(losses["NumPy"]):
        raise SystemExit(f"{task.name}: the systems end at different losses: {losses}")
    return {name: times[1:] for name, times in figures.items()}


def told(task: Task, figures: dict[str, list[float]]) -> list[str]:
    lines = [task.name]
    own = figures.get("compiled", figures["NumPy"])
    for name, times in figures.items():
        line = f"  {name:<10} {statistics.median(times):>10.3f} µs  [{min(times):.3f}]"
        if times is not own:
            ratio = statistics.median(theirs / ours for theirs, ours in zip(times, own, strict=True))
            if name == "C":
                line += f"   ours takes {1 / ratio:.2f} times C's time"
            else:
                line += f"   ours is {ratio:.1f} times as fast"
            if name in task.goals:
                line += f" (goal: at {'most' if name == 'C' else 'least'} {task.goals[name]:g})"
        lines.append(line)
    return lines


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=9)
    rounds = arguments.parse_args().rounds
    kernels = {"NumPy": NUMPY}
    try:
        warm()
        kernels["compiled"] = compiled_kernel()
    except KernelUnavailable as error:
        print(f"without compiled code: {error}")
    print(f"medians of {rounds} rounds, least in brackets, a step; one thread")
    with tempfile.TemporaryDirectory() as directory, threadpool_limits(1):
        library = c_library(Path(directory))
        for task in tasks():
            systems: dict[str, Work] = {}
            if task.notebook_steps:
                systems["notebook"] = in_notebook(task)
            systems |= {name: in_kernel(task, kernel) for name, kernel in kernels.items()}
            if task.in_c and library is not None:
                systems["C"] = in_c(task, library)
            print("\n".join(told(task, measured(task, systems, rounds))), flush=True)


if __name__ == "__main__":
    main()
