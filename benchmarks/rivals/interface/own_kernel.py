"""fallline as a rival: a kernel of the engine behind the interface, used as in a server."""

from __future__ import annotations

import time

import numpy as np

from fallline.engine.kernels.interface import Kernel
from fallline.engine.problem import build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import Recipe
from interface.job import Array, Job, Rival

SLICE_SECONDS, FEWEST = 0.005, 8
"""Slices are as long as a live run's, with a minimum of steps. Only the last computes a gradient that none uses."""


def with_kernel(kernel: Kernel) -> type[Rival]:
    """A rival that trains the job's recipe with this kernel."""

    class Own:
        def __init__(self, job: Job) -> None:
            recipe = Recipe.model_validate(job.recipe)
            self._problem = build_problem(recipe.data, recipe.network, recipe.loss)
            self._run, self._first = recipe.runs[0], job.first_step
            if not np.array_equal(self._problem.initial_parameters, job.parameters):
                raise ValueError("the recipe starts from other parameters than the job")
            self._slice = self._slice_for(job.total_steps)
            self.reset()

        def _slice_for(self, most: int) -> int:
            length, took = FEWEST, 0.0
            while took < SLICE_SECONDS and length < most:
                length *= 2
                self.reset()
                began = time.thread_time()
                advance(self._problem, self._state, self._run, length, kernel)
                took = time.thread_time() - began
            return length

        def reset(self) -> None:
            self._state = begin(self._problem)
            self._state.step = self._first

        def train(self, steps: int) -> None:
            while steps > 0:
                steps_made = len(
                    advance(self._problem, self._state, self._run, min(self._slice, steps), kernel)
                )
                if self._state.diverged_at is not None:
                    raise ArithmeticError(f"diverged at step {self._state.diverged_at}")
                steps -= steps_made

        def parameters(self) -> Array:
            return self._state.parameters

    return Own
