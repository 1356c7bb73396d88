"""The rows of each step's batch, as specified in docs/reference/measurements.md, and the steps that samples take.

They are a pure function of (run seed, samples_seen, batch_size, order). Pass p = samples_seen // m orders the m
training samples once, or draws m of them with replacement. A step takes the next `batch_size` places of that order,
fewer at the end of a pass. A full batch (None) is all m samples in data order.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.problem import Problem, Samples
from fallline.engine.randomness import rng_for
from fallline.vocabulary.arrays import Array, Rows
from fallline.vocabulary.run_settings import RunSettings


def batch_length(settings: RunSettings, samples_seen: int, m: int) -> int:
    """Number of samples in the next step."""
    if settings.batch_size is None:
        return m
    return min(settings.batch_size, m - samples_seen % m)


def order_of_pass(order: str, seed: int, number: int, m: int) -> Rows:
    """Order of the m training samples in pass `number`.

    With replacement each place is an independent draw, the scheme of Robbins and Monro 1951 and of PyTorch's
    RandomSampler(replacement=True).
    """
    if order == "sequential":
        return np.arange(m, dtype=np.int64)
    if order == "replacement":
        return rng_for(seed, "replacement", number).integers(m, size=m)
    return rng_for(seed, "order", number).permutation(m).astype(np.int64, copy=False)


def batch_rows(problem: Problem, settings: RunSettings, seed: int, samples_seen: int) -> Rows:
    """The next batch as row numbers of the whole data set."""
    m = problem.train.count
    if settings.batch_size is None:
        return problem.train_rows
    place = samples_seen % m
    order = order_of_pass(settings.order, seed, samples_seen // m, m)
    return problem.train_rows[order[place : place + batch_length(settings, samples_seen, m)]]


class BatchReader:
    """The batches of a slice of steps with constant settings.

    It lays out a pass in its order once, up to `ahead` samples. A slice of a few steps over a large data set must
    not pay for a whole pass.
    """

    def __init__(self, train: Samples, settings: RunSettings, seed: int, ahead: int) -> None:
        self._train, self._settings, self._seed, self._ahead = train, settings, seed, ahead
        self._m = train.count
        self._pass, self._first, self._stop = -1, 0, 0
        self._rows: Array = train.rows
        self._targets: Array = train.targets
        self._upright: Array = train.rows[:, :, np.newaxis]
        self._values: list[float] = []

    def full(self) -> tuple[Array, Array]:
        """All training samples in data order: inputs (features + 1, m), targets (1, m)."""
        return self._train.columns, self._train.targets

    def columns(self, samples_seen: int, length: int) -> tuple[Array, Array]:
        """Inputs (features + 1, length) and targets (1, length) of the next batch."""
        start = self._turn_to(samples_seen, length)
        inputs, targets = self._rows[start : start + length].T, self._targets[:, start : start + length]
        if length == self._m:
            # Same memory order as `full`, so that BLAS rounds alike: a pass in data order equals the full batch.
            return np.ascontiguousarray(inputs), targets
        return inputs, targets

    def one(self, samples_seen: int) -> tuple[Array, Array, float]:
        """The next single sample: inputs as a vector (features + 1,) and the target."""
        start = self._turn_to(samples_seen, 1)
        return self._rows[start], self._upright[start], self._values[start]

    def _turn_to(self, samples_seen: int, length: int) -> int:
        """Lay out the pass that contains the batch; return the batch's position in it."""
        number, place = divmod(samples_seen, self._m)
        if number != self._pass or place < self._first or place + length > self._stop:
            self._lay_out(number, place, max(length, self._ahead))
        return place - self._first

    def _lay_out(self, number: int, place: int, ahead: int) -> None:
        order = order_of_pass(self._settings.order, self._seed, number, self._m)[place : place + ahead]
        self._pass, self._first, self._stop = number, place, place + len(order)
        self._rows = self._train.rows[order]
        self._upright = self._rows[:, :, np.newaxis]
        self._targets = self._train.targets[:, order]
        self._values = self._targets[0].tolist()


# ---------------------------------------------------------------------- counting steps


def steps_within(most: int, samples_seen: int, batch_size: int | None, train_samples: int) -> int:
    """Return the most steps that take at most `most` samples."""
    if batch_size is None:
        return max(most, 0) // train_samples
    rest = train_samples - samples_seen % train_samples
    if most < rest:
        return max(most, 0) // batch_size
    passes, over = divmod(most - rest, train_samples)
    return _steps(rest, batch_size) + passes * _steps(train_samples, batch_size) + over // batch_size


def steps_until(samples: int, samples_seen: int, batch_size: int | None, train_samples: int) -> int:
    """Return the fewest steps that take at least `samples` samples."""
    if samples <= 0:
        return 0
    if batch_size is None:
        return _steps(samples, train_samples)
    rest = train_samples - samples_seen % train_samples
    if samples <= rest:
        return _steps(samples, batch_size)
    passes, over = divmod(samples - rest, train_samples)
    return _steps(rest, batch_size) + passes * _steps(train_samples, batch_size) + _steps(over, batch_size)


def _steps(samples: int, batch_size: int) -> int:
    return -(-samples // batch_size)
