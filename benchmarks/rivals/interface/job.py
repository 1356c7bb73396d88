"""The interface of a rival in Python: jobs come in as lines of JSON, an answer to each goes out as a line of JSON.

A rival is a class that is made from a job, can go back to the job's first parameters, can train a number of steps and
can tell its parameters. `serve` does the rest, the clock included: it says in a first line that it is there, and of
which versions it is made. `job.mjs` beside this file is the same in JavaScript.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import traceback
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, TextIO

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Job:
    """A workload, and how much of it to do.

    `samples` (m, features) and `targets` (m,) are the training data; `order` has the rows that `total_steps` steps
    take, `batch_size` a step, or is None where every step takes all samples as they lie. `parameters` is one flat
    vector: per layer the weights (fan_in, fan_out), row by row, then the biases. Hidden layers have the `activation`,
    the output none; half the mean squared error is descended, its gradient times `learning_rate` is the step.
    `first_step` is the number of the first step, for those who evaluate at certain steps; `recipe` tells the same
    workload in fallline's own words. The `steps` are made `repeats` times over, from the first parameters each time.
    """

    workload: str
    sizes: list[int]
    activation: str
    samples: list[list[float]]
    targets: list[float]
    order: list[int] | None
    batch_size: int
    learning_rate: float
    parameters: list[float]
    first_step: int
    total_steps: int
    recipe: dict[str, Any]
    steps: int
    repeats: int

    def layers(self) -> list[tuple[Array, Array]]:
        """Weights (fan_in, fan_out) and biases (1, fan_out) of each layer, the job's own copies."""
        flat, at, layers = np.array(self.parameters), 0, []
        for fan_in, fan_out in pairwise(self.sizes):
            bias = at + fan_in * fan_out
            layers.append(
                (flat[at:bias].reshape(fan_in, fan_out), flat[bias : bias + fan_out].reshape(1, -1))
            )
            at = bias + fan_out
        return layers

    def batches(self) -> tuple[Array, Array]:
        """All steps' batches end to end: inputs (batches, batch_size, features), targets (batches, batch_size, 1).

        One batch of all samples where every step takes all.
        """
        rows = np.arange(len(self.samples)) if self.order is None else np.array(self.order)
        X, y = np.array(self.samples)[rows], np.array(self.targets)[rows]
        return X.reshape(-1, self.batch_size, self.sizes[0]), y.reshape(-1, self.batch_size, 1)


class CannotDo(Exception):
    """A workload that a rival has no way to do; the text says why."""


class Rival(Protocol):
    """What a rival's class has to offer; raising CannotDo when it is made declines the workload."""

    def __init__(self, job: Job) -> None: ...

    def reset(self) -> None:
        """Back to the job's first parameters and first batch. Not timed."""

    def train(self, steps: int) -> None:
        """Make so many steps; this is what is timed."""

    def parameters(self) -> Array:
        """The flat vector, in the layout of the job's."""


def flat(layers: list[tuple[Any, Any]]) -> Array:
    """One flat vector of weights and biases, as a job has it."""
    return np.concatenate([np.asarray(part, dtype=np.float64).ravel() for layer in layers for part in layer])


def serve(rival: type[Rival], **versions: str) -> None:
    """Answer the jobs on standard input until it ends. A workload is prepared once, at its first job."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints goes to standard error
    _say(answers, {"versions": {"Python": platform.python_version(), "NumPy": np.__version__, **versions}})
    prepared: dict[tuple[str, int], Rival] = {}
    for line in sys.stdin:
        try:
            job = Job(**json.loads(line))
            key = (job.workload, job.first_step)
            if key not in prepared:
                prepared[key] = rival(job)
            answer = _answer(prepared[key], job)
        except CannotDo as reason:
            answer = {"cannot": str(reason)}
        except Exception as error:  # whatever a rival raises is its answer, and the next job may go well
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        _say(answers, answer)


def _say(answers: TextIO, told: dict[str, Any]) -> None:
    answers.write(json.dumps(told) + "\n")
    answers.flush()


def _answer(rival: Rival, job: Job) -> dict[str, Any]:
    seconds = 0.0
    for _ in range(job.repeats):
        rival.reset()
        began = time.process_time()
        rival.train(job.steps)
        seconds += time.process_time() - began
    return {
        "seconds": seconds,
        "steps": job.steps * job.repeats,
        "parameters": [float(number) for number in rival.parameters()],
    }
