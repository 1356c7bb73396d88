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

PATH_BYTES = 4 << 20
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
    affordable = PATH_BYTES // (8 * DOUBLINGS * parameters)
    return min(1 << max(affordable, 1).bit_length() - 1, MOST_IN_A_DOUBLING)


def next_chosen(step: int, many: int) -> int:
    """Return the next chosen step, with `many` in a doubling."""
    stride = max((1 << step.bit_length() - 1) // many, 1) if step else 1
    return (step // stride + 1) * stride


class SampledPath:
    """The chosen steps of one generation of a run.

    They depend on the step numbers only, as far as it has come.
    """

    def __init__(self, problem: Problem, generation: int) -> None:
        self._problem = problem
        self._start = problem.initial_parameters
        self._many = in_a_doubling(len(self._start))
        self.generation = generation
        self._head = begin(problem)
        self._steps = [0]
        self._chosen = np.zeros((self._many, len(self._start)))
        """The distance from the start at each of `_steps`, with room for more. A path is often read."""
        self._latest: deque[tuple[int, Array]] = deque(maxlen=LATEST)

    @property
    def nbytes(self) -> int:
        """Bytes of its own arrays."""
        return self._chosen.nbytes + len(self._latest) * self._start.nbytes

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
        """Return a number of steps, and whether the kernel stores each, or at most the last one is stored."""
        step, target = self._head.step, course.state.step
        in_a_block = max(BLOCK_BYTES // self._start.nbytes, 1)
        chosen = next_chosen(step, self._many)
        if chosen - step <= in_a_block or step >= target - LATEST:
            return min(target - step, in_a_block), True
        return min(chosen, target - LATEST) - step, False

    def _replay(self, course: Course, steps: int, *, are_stored: bool) -> None:
        state, first = self._head, self._head.step
        path = np.empty((steps, len(self._start))) if are_stored else NO_PATH
        advance(self._problem, state, course.recipe, steps, course.kernel, path)
        for step in self._kept(first, state.step, course.state.step) if are_stored else ():
            self._store(step, state.parameters if step == state.step else path[step - first], course)
        if state.step > first and not are_stored:
            self._store(state.step, state.parameters, course)

    def _kept(self, first: int, last: int, target: int) -> list[int]:
        """Return the chosen steps and the latest ones after `first` and up to `last`."""
        latest = range(max(first + 1, target - LATEST + 1), last + 1)
        chosen, step = [], first
        while (step := next_chosen(step, self._many)) <= last:
            chosen.append(step)
        return sorted({*chosen, *latest})

    def _store(self, step: int, parameters: Array, course: Course) -> None:
        """Store its distance from the start if the step is chosen, or one of the latest."""
        away = parameters - self._start
        if step == next_chosen(step - 1, self._many):
            if len(self._steps) == len(self._chosen):
                self._chosen = np.concatenate([self._chosen, np.zeros((self._many, len(self._start)))])
            self._chosen[len(self._steps)] = away
            self._steps.append(step)
        if step > course.state.step - LATEST:
            self._latest.append((step, away))

    def path(self, course: Course) -> Path:
        """Return the path up to the step of the course, which may be behind the last sampled one.

        Checkpoints stand for the steps that are not sampled yet.
        """
        later = [(one.step, one.parameters - self._start) for one in course.checkpoints]
        later = [*self._latest, *((step, away) for step, away in later if step > self._head.step)]
        steps = np.array(self._steps + [step for step, _ in later])
        away = np.concatenate([self._chosen[: len(self._steps)], *(one[np.newaxis] for _, one in later)])
        steps, places = np.unique(steps, return_index=True)
        places = places[steps < course.state.step]
        present = course.state.parameters - self._start
        steps = np.append(steps[: len(places)], course.state.step)
        return Path(steps, np.concatenate([away[places], present[np.newaxis]]))
