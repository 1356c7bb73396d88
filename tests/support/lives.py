"""An experiment with its store, without threads, on a clock of training steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fallline.engine.kernels.interface import Slice
from fallline.engine.kernels.numpy_kernels import NUMPY, Kernels
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.execution.memory import SharedBudget
from fallline.runs.experiment import Experiment
from fallline.storage.interface import Store
from fallline.storage.memory import MemoryStore
from fallline.vocabulary.commands import EditRun
from fallline.vocabulary.journal import Json, Moment, NewExperiment, Receipt, Record, StoredExperiment
from fallline.vocabulary.recipe import Recipe
from support.measurements import assert_same


class Costly:
    """NumPy's kernel, and a clock on which each of its steps takes a millisecond."""

    name = "costly"

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def supports(self, problem: Problem) -> bool:
        return NUMPY.supports(problem)

    def run(self, problem: Problem, state: TrainingState, slice: Slice) -> int:
        steps = NUMPY.run(problem, state, slice)
        self.now += 0.001 * steps
        return steps

    def losses(self, problem: Problem, *plane: Any) -> Any:
        return NUMPY.losses(problem, *plane)


CLOCK = Costly()
BUILDS = {"engine": "e", "numpy": "n", "simd": "s", "blas": "b"}
KERNELS = Kernels(CLOCK, builds=BUILDS)
SMALL: Json = {"data": {"samples": 60, "test_fraction": 0.2}}

ROOM_BYTES = 30_000
"""Shared bytes for further checkpoints. Forks and reopened runs find them used up."""

Do = Callable[[Experiment], Any]


class Life:
    """An experiment with its store."""

    def __init__(self, store: Store | None = None, **recipe: Any) -> None:
        self.store = MemoryStore() if store is None else store
        self.writes = self.stored_bytes = 0
        self.budget = SharedBudget(ROOM_BYTES)
        self.one = Experiment(
            "x",
            Recipe.model_validate({**SMALL, **recipe}),
            KERNELS,
            saves=True,
            checkpoint_budget=self.budget,
        )
        self.store_it(token=b"hash")

    def store_it(
        self,
        *,
        token: bytes | None = None,
        publishes: bool = True,
        is_final: bool = False,
        saves_all: bool = False,
    ) -> None:
        batch = self.one.take_write(CLOCK.now, publishes=publishes, is_final=is_final, saves_all=saves_all)
        if batch is not None:
            self.writes += 1
            self.stored_bytes += sum(len(data) for _, _, data in batch.parts)
            stored = self.store.load("x")
            first = 0 if stored is None else len(stored.entries)
            self.store.write(
                [Record("x", Moment(0.0, 0.0), first, batch, NewExperiment(token) if token else None)]
            )
            self.one.confirm_write(stored=True)
        self.one.take_outgoing()

    def do(self, call: Do) -> Any:
        answer = call(self.one)
        self.store_it()
        return answer

    def step(self, steps: int, run: str | None = None, receipt: Receipt | None = None) -> Any:
        answers: list[Any] = []
        self.one.step(CLOCK.now, answers.append, steps=steps, run=run, receipt=receipt)
        while not answers:
            self.one.work(0.01, CLOCK.now, CLOCK)
            self.store_it()
        return answers[0]

    def play(self, turns: int) -> None:
        self.one.play(None, "steps", CLOCK.now)
        self.store_it()
        for _ in range(turns):
            self.one.work(0.01, CLOCK.now, CLOCK)
            self.store_it(publishes=False)

    @property
    def stored(self) -> StoredExperiment:
        stored = self.store.load("x")
        assert stored is not None
        return stored

    def reopen(self, stored: StoredExperiment | None = None, kernels: Kernels = KERNELS, **how: Any) -> int:
        """Reopen as after a crash.

        Returns the turns until it is restored; `there` is then its state.
        """
        self.one = Experiment.reopened(
            "x", stored or self.stored, kernels, saves=True, checkpoint_budget=self.budget, **how
        )
        answers: list[Any] = []
        self.one.when_restored(CLOCK.now, answers.append)
        turns = 0
        while not answers:
            self.one.work(0.01, CLOCK.now, CLOCK)
            turns += 1
        self.there = answers[0]
        self.store_it()
        return turns


def assert_twins(life: Life, *, histories: bool = True) -> None:
    """Check that every run equals a replay of its recipe up to its present step."""
    for name, run in life.one.runs.items():
        twin = Experiment("y", life.one.recipe, KERNELS).runs[name]
        twin.advance(run.state.step, CLOCK)
        assert run.state.fingerprint() == twin.state.fingerprint(), name
        if histories and run.state.step:
            ours, other = run.window(0, None, 300), twin.window(0, None, 300)
            assert_same(replace(ours, seconds=other.seconds), other)


def steps(life: Life) -> dict[str, int]:
    return {name: run.state.step for name, run in life.one.runs.items()}


def generations(life: Life) -> dict[str, int]:
    return {name: run.generation for name, run in life.one.runs.items()}


def edit(run: str, **change: Any) -> Do:
    return lambda one: one.edit(run, EditRun.model_validate(change), 0.0)


def costless(state: Json) -> Json:
    """Return the state without the cost of examinations, which differs each time."""
    runs = [{name: value for name, value in run.items() if name != "doctor"} for run in state["runs"]]
    return {**state, "runs": runs}
