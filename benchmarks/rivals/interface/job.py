"""The interface of a rival in Python: jobs and answers are lines of JSON.

A rival is a class with a job as its argument. It can return to the job's first parameters, train a number of steps,
and return its parameters. The function `serve` does the rest, including the timing. Its first line reports that the
rival is ready, and its versions. The file `job.mjs` beside this one is the same in JavaScript.
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
    """A workload, and the number of steps to make.

    - `samples` (m, features) and `targets` (m,) are the training data.
    - `order` is the rows of all `total_steps` steps, `batch_size` per step; None if every step takes all samples in
      data order.
    - `parameters` is one flat vector: per layer the weights (fan_in, fan_out), row by row, then the biases.
    - Hidden layers have the `activation`, the output none. A step subtracts `learning_rate` times the gradient of
      half the mean squared error.
    - `first_step` is the number of the first step, for rivals that evaluate at certain steps.
    - `recipe` is the same workload as a fallline recipe.
    - The `steps` are made `repeats` times, from the first parameters each time.
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
        """All steps' batches end to end.

        Inputs are (batches, batch_size, features), targets (batches, batch_size, 1). There is one batch if every step
        takes all samples.
        """
        rows = np.arange(len(self.samples)) if self.order is None else np.array(self.order)
        X, y = np.array(self.samples)[rows], np.array(self.targets)[rows]
        return X.reshape(-1, self.batch_size, self.sizes[0]), y.reshape(-1, self.batch_size, 1)


class CannotDo(Exception):
    """A rival cannot do the workload; the text is the reason."""


class Rival(Protocol):
    """Interface of a rival's class; its constructor may raise CannotDo."""

    def __init__(self, job: Job) -> None: ...

    def reset(self) -> None:
        """Return to the job's first parameters and first batch. Not timed."""

    def train(self, steps: int) -> None:
        """Make that many steps. Timed."""

    def parameters(self) -> Array:
        """The flat vector, in the layout of the job."""


def flat(layers: list[tuple[Any, Any]]) -> Array:
    """One flat vector of weights and biases, as in a job."""
    return np.concatenate([np.asarray(part, dtype=np.float64).ravel() for layer in layers for part in layer])


def serve(rival: type[Rival], **versions: str) -> None:
    """Answer the jobs on standard input until its end.

    A workload is prepared once, at its first job.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print to standard error
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
        except Exception as error:  # an exception is the rival's answer, and the next job may succeed
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        _say(answers, answer)


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
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
