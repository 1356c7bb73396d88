"""A run's parameters at chosen steps, from step 0 to the present one, for a picture of its path.

Owns which steps are chosen. Its copies are made on the run's thread and read on another one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from fallline.engine.kernels.interface import NO_PATH, Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.shared_plane import Path
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.recipe import RunRecipe

MOST_IN_A_DOUBLING = 64
"""Most chosen steps while the step number doubles. Up to twice as many, every step is chosen."""

TRAIL_BYTES = 4 << 20
"""Bytes of the chosen steps of a run, about: a larger network has fewer, but at least one in a doubling."""

DOUBLINGS = 16
"""Number of doublings that share these bytes."""

LATEST = 30
"""The latest steps, which are all chosen."""

BLOCK_BYTES = 1 << 20
"""Most bytes of the steps that one call of the kernel stores."""

SPEED, BESIDE, CALL = 1e10, 1e-6, 8e-5
"""Multiplications a second of the compiled kernel, and its seconds beside them: of each step, and of each call."""

NUMPYS_SPEED, NUMPYS_BESIDE, NUMPYS_CALL = 3e9, 2e-5, 1.5e-4
"""The same of NumPy's kernel."""


@dataclass(frozen=True, slots=True)
class Course:
    """A run at the step `to`, and how it came there.

    `state` is a copy of its state at that step, or of the last checkpoint before. The `checkpoints` are earlier
    states, the earliest first, which are never changed.
    """

    name: str
    generation: int
    recipe: RunRecipe
    kernel: Kernel
    state: TrainingState
    to: int
    checkpoints: tuple[TrainingState, ...]
    diverged: bool

    def arrive(self, problem: Problem) -> None:
        """Replay the state to its step."""
        advance(problem, self.state, self.recipe, self.to - self.state.step, self.kernel)


def replay_seconds(problem: Problem, recipe: RunRecipe, kernel: Kernel, step: int) -> tuple[float, float]:
    """Return about the cost of a step and of a call, in seconds, with the settings at `step`.

    They are computed, not measured: the same state has the same path, also on a busy server.
    """
    batch = recipe.settings_at(step).batch_size or problem.train.count
    samples = problem.train.count + (0 if problem.test is None else problem.test.count)
    work = (6.0 * batch + 2.0 * samples) * problem.layout.count
    if kernel.name == NUMPY.name:
        return work / NUMPYS_SPEED + NUMPYS_BESIDE, NUMPYS_CALL
    return work / SPEED + BESIDE, CALL


def in_a_doubling(parameters: int) -> int:
    """Return the number of chosen steps in a doubling, a power of two."""
    affordable = TRAIL_BYTES // (8 * DOUBLINGS * parameters)
    return min(1 << max(affordable, 1).bit_length() - 1, MOST_IN_A_DOUBLING)


def next_chosen(step: int, many: int) -> int:
    """Return the next chosen step, with `many` in a doubling."""
    stride = max((1 << step.bit_length() - 1) // many, 1) if step else 1
    return (step // stride + 1) * stride


class Trail:
    """The chosen steps of one generation of a run.

    They depend on the step numbers only, as far as it has come.
    """

    def __init__(self, problem: Problem, generation: int) -> None:
        self._problem = problem
        self._start = problem.initial_parameters
        self._many = in_a_doubling(len(self._start))
        self.generation = generation
        self._head = begin(problem)
        self._chosen: list[tuple[int, Array]] = [(0, self._start)]
        self._latest: deque[tuple[int, Array]] = deque(maxlen=LATEST)

    @property
    def nbytes(self) -> int:
        """Bytes of its own arrays."""
        return (len(self._chosen) + len(self._latest)) * self._start.nbytes

    def extend(self, course: Course, seconds: float) -> None:
        """Continue towards the present step of the run, by a replay of at most about so many seconds."""
        a_step, a_call = replay_seconds(self._problem, course.recipe, course.kernel, course.to)
        while self._head.step < course.state.step and self._head.diverged_at is None:
            next_steps, are_stored = self._next_steps(course)
            steps = min(next_steps, int((seconds - a_call) / a_step))
            if steps < 1:
                return
            seconds -= steps * a_step + a_call
            self._replay(course, steps, are_stored=are_stored)
        if self._head.step == course.state.step:
            self._head = course.state.copy()  # a replay by other builds is equal to rounding only

    def _next_steps(self, course: Course) -> tuple[int, bool]:
        """Return a number of steps, and whether each is to be stored, or at most the last one."""
        step, target = self._head.step, course.state.step
        every = target if step >= target - LATEST else min(2 * self._many, target)
        if step < every:
            return min(every - step, max(BLOCK_BYTES // self._start.nbytes, 1)), True
        return min(next_chosen(step, self._many), target - LATEST) - step, False

    def _replay(self, course: Course, steps: int, *, are_stored: bool) -> None:
        state, first = self._head, self._head.step
        path = np.empty((steps, len(self._start))) if are_stored else NO_PATH
        advance(self._problem, state, course.recipe, steps, course.kernel, path)
        for step in range(first + 1, state.step) if are_stored else ():
            self._store(step, path[step - first], course)
        if state.step > first:
            self._store(state.step, state.parameters, course)

    def _store(self, step: int, parameters: Array, course: Course) -> None:
        """Store a copy if the step is chosen, or one of the latest."""
        if step == next_chosen(step - 1, self._many):
            self._chosen.append((step, parameters.copy()))
        if step > course.state.step - LATEST:
            self._latest.append((step, parameters.copy()))

    def path(self, course: Course) -> Path:
        """Return the path up to the step of the course, which may be behind the trail.

        Checkpoints stand for the steps that the trail has not come to.
        """
        step = course.state.step
        points = dict(self._chosen)
        points.update(self._latest)
        points.update((one.step, one.parameters) for one in course.checkpoints if one.step > self._head.step)
        points = {one: points[one] for one in sorted(points) if one < step}
        points[step] = course.state.parameters
        return Path(np.array([*points]), np.stack([*points.values()]) - self._start)
