"""The NumPy kernel, and the choice between it and the compiled one.

The NumPy kernel makes a slice of steps in blocks, recorded on a tape. A step only copies its parameters and
gradient into a row. Norms and checks run over many rows at once, which shares NumPy's call cost. A record per step
would double the time of an SGD step. Each block is checked for divergence at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from fallline.engine.batches import BatchReader, batch_length
from fallline.engine.kernels.interface import (
    DIVERGED,
    MEASURES,
    WHOLE,
    Kernel,
    Slice,
    evaluated_series,
    is_evaluation_point,
)
from fallline.engine.kernels.passes import ColumnForward, ColumnPass, SinglePass
from fallline.engine.methods.optimizers import BIAS_DECAY, OPTIMIZERS, Own
from fallline.engine.methods.schedules import rate_of
from fallline.engine.methods.terms import clip, penalty, penalty_gradient
from fallline.engine.problem import Layout, Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.arrays import Array

Flags = NDArray[np.bool_]

ROWS = 64
NUMBERS = 65_536
"""Limit of a buffer in numbers: 100,000 parameters take megabytes, not hundreds."""


class Tape:
    """Row r, up to `capacity`, holds the measurements r steps after the block's start.

    There is one more row than steps: the last is checked with this block and becomes row 0 of the next.
    """

    def __init__(self, layout: Layout, steps: int = ROWS) -> None:
        self.capacity = max(1, min(ROWS, NUMBERS // layout.count, steps))
        rows = self.capacity + 1
        self._starts = np.array(layout.offsets)
        self._lengths = np.array(layout.lengths, dtype=np.float64)
        self.parameters = np.empty((rows, layout.count))
        self.gradients = np.empty((rows, layout.count))
        self.batch_loss = np.empty(rows)
        self.rate, self.clipped_norm = np.empty(rows), np.full(rows, np.nan)
        self.train_loss = np.full(rows, np.nan)
        self.test_loss = np.full(rows, np.nan)
        self.train_tally, self.test_tally = np.full(rows, np.nan), np.full(rows, np.nan)
        self._scratch = np.empty((self.capacity, layout.count))

    def rewind(self, last: int) -> None:
        """Move row `last` to row 0 of the next block."""
        for column in (self.parameters, self.gradients, self.batch_loss):
            column[0] = column[last]
        for column in (self.train_loss, self.test_loss, self.train_tally, self.test_tally):
            column[0] = column[last]

    def first_bad(self, last: int, limit: float) -> int | None:
        """The first bad row of 0 .. last; row 0 may have any training loss."""
        rows = slice(0, last + 1)
        bad: Flags = ~np.isfinite(self.batch_loss[rows])
        bad[1:] |= self.train_loss[1 : last + 1] > limit
        # A sum of finite numbers may overflow, so check the numbers of a suspicious row.
        sums = self.parameters[rows].sum(axis=1) + self.gradients[rows].sum(axis=1)
        for row in np.flatnonzero(~np.isfinite(sums)):
            if not (np.isfinite(self.parameters[row]).all() and np.isfinite(self.gradients[row]).all()):
                bad[row] = True
                break
        rows_bad = np.flatnonzero(bad)
        return int(rows_bad[0]) if len(rows_bad) else None

    def write(self, values: Array, count: int) -> Array:
        """Write the measures of every parameter in rows 0 .. count - 1; return the norms of the whole gradients.

        `values` is (parameters * measures, count).
        """
        out = values.reshape(len(self._starts), len(MEASURES), count)
        before, after, gradients = (
            self.parameters[:count],
            self.parameters[1 : count + 1],
            self.gradients[:count],
        )
        scratch = self._scratch[:count]
        l1 = self._sums(np.abs(gradients, scratch)).T
        out[:, 0] = l1
        gradient_squares = self._sums(np.multiply(gradients, gradients, scratch)).T
        np.sqrt(gradient_squares, out[:, 1])
        np.divide(l1, self._lengths[:, np.newaxis], out[:, 2])
        change = np.subtract(after, before, scratch)
        squares = self._sums(np.multiply(change, change, scratch)).T
        own = self._sums(np.multiply(before, before, scratch)).T
        np.sqrt(np.divide(squares, own, out[:, 3]), out[:, 3])
        return np.asarray(np.sqrt(reduce(np.add, gradient_squares)))

    def weight_sums(self, count: int) -> tuple[Array, Array]:
        """Sums (count,) of |W| and of W**2 over all weights in rows 0 .. count - 1."""
        before, scratch = self.parameters[:count], self._scratch[:count]
        sizes = self._sums(np.abs(before, scratch))[:, 0::2]
        squares = self._sums(np.multiply(before, before, scratch))[:, 0::2]
        # Layer by layer: the order of a sum along an axis may depend on the other rows.
        return reduce(np.add, sizes.T), reduce(np.add, squares.T)

    def _sums(self, numbers: Array) -> Array:
        """Sums over each parameter's numbers: (rows, parameters)."""
        return np.add.reduceat(numbers, self._starts, axis=1)


LARGEST = float(np.finfo(np.float64).max)


def entry_decays(own: Own, layout: Layout) -> Array | None:
    """The weight decay of every entry; None if it is the same for weights and biases, or there is none."""
    decay, share = own.get("weight_decay", 0.0), own.get(BIAS_DECAY, 1.0)
    return None if share == 1.0 else layout.per_kind(decay, decay * share)


class Evaluator:
    """Loss and tally over whole splits, at the current value of the flat `parameters`."""

    def __init__(self, problem: Problem, parameters: Array) -> None:
        self._problem, self._parameters = problem, parameters

    def train(self) -> tuple[float, float]:
        return self._train.evaluate(self._problem.train.columns, self._problem.train.targets)

    def test(self) -> tuple[float, float]:
        """NaN without a test split."""
        if self._problem.test is None:
            return float("nan"), float("nan")
        return self._test.evaluate(self._problem.test.columns, self._problem.test.targets)

    # Buffers are made on first use: a full-batch run never needs buffers for the training samples.

    @cached_property
    def _train(self) -> ColumnForward:
        return ColumnForward(self._problem, self._parameters, len(self._problem.train_rows))

    @cached_property
    def _test(self) -> ColumnForward:
        return ColumnForward(self._problem, self._parameters, len(self._problem.test_rows))


class Descent:
    """Arithmetic of one slice, with its buffers: gradients and changes."""

    def __init__(self, problem: Problem, state: TrainingState, request: Slice) -> None:
        self._problem, self._state, self._settings = problem, state, request.settings
        self._m = problem.train.count
        self._row = OPTIMIZERS[request.settings.optimizer]
        own = self._row.filled(request.settings.own)
        decays = entry_decays(own, problem.layout)
        self._own: dict[str, float | Array] = {**own, **({} if decays is None else {"weight_decay": decays})}
        self._rate = rate_of(request.settings)
        factors = request.settings.layer_rates
        self._factors = problem.layout.per_layer(factors) if factors else 1.0
        self.gradient = np.empty(problem.layout.count)
        self._clipped = np.empty(problem.layout.count)
        self.rate, self.clipped_norm = float("nan"), float("nan")
        self._weights = list(
            zip(problem.layout.weights(state.parameters), problem.layout.weights(self.gradient), strict=True)
        )
        ahead = (request.steps + 1) * (request.settings.batch_size or 1)
        self._reader = BatchReader(problem.train, request.settings, request.seed, ahead)
        self._passes: dict[int, ColumnPass] = {}

    def adopt_optimizer(self) -> None:
        """Give the state fresh slots if it comes from another optimizer."""
        if self._state.optimizer != self._settings.optimizer:
            self._state.optimizer = self._settings.optimizer
            self._state.slots = self._row.start(self._problem.layout.count)

    def compute_gradient(self) -> float:
        """Compute the objective's gradient; return the batch's reported loss."""
        loss = self._batch_gradient()
        if self._settings.penalised:
            for weights, gradient in self._weights:
                np.add(gradient, penalty_gradient(weights, self._settings), gradient)
        return loss

    def _batch_gradient(self) -> float:
        samples_seen = self._state.samples_seen
        length = batch_length(self._settings, samples_seen, self._m)
        if self._settings.batch_size is None:
            return self._of_length(length).gradient(*self._reader.full())
        if length == 1 and self._problem.loss.measure_one is not None:
            return self._single.gradient(*self._reader.one(samples_seen))
        return self._of_length(length).gradient(*self._reader.columns(samples_seen, length))

    def tally(self, loss: float) -> float:
        """The score's tally of a full batch whose loss was just computed."""
        return self._of_length(self._m).tally(loss, self._problem.train.targets)

    def change(self) -> None:
        """Make and count the change of the current gradient; set `rate`, and `clipped_norm` under a bound."""
        state, gradient = self._state, self.gradient
        if self._settings.clipped:
            gradient = clip(gradient, self._settings, self._clipped)
            self.clipped_norm = float(np.sqrt((gradient * gradient).sum()))
        self.rate = self._rate(state.step)
        self._row.update(state.parameters, gradient, state.slots, self.rate * self._factors, self._own)
        state.samples_seen += batch_length(self._settings, state.samples_seen, self._m)
        state.step += 1

    @cached_property
    def _single(self) -> SinglePass:
        """Buffers for single samples."""
        return SinglePass(self._problem, self._state.parameters, self.gradient)

    def _of_length(self, length: int) -> ColumnPass:
        """Buffers for batches of that length: a slice has two or three lengths."""
        if length not in self._passes:
            self._passes[length] = ColumnPass(self._problem, self._state.parameters, self.gradient, length)
        return self._passes[length]


class _SliceRun:
    """One slice in progress: writes steps to the tape and blocks to the records."""

    def __init__(self, problem: Problem, state: TrainingState, request: Slice) -> None:
        self._problem, self._state, self._request = problem, state, request
        self._m = problem.train.count
        self._descent = Descent(problem, state, request)
        self._evaluator = Evaluator(problem, state.parameters)
        self._tape = Tape(problem.layout, request.steps)
        self._limit = min(DIVERGED * problem.initial_loss, LARGEST)

    def run(self) -> int:
        """Make all blocks; return the number of steps."""
        done = 0
        self._measure(0)
        while done < self._request.steps:
            count = min(self._tape.capacity, self._request.steps - done)
            valid = self._block(done, count)
            done += valid
            if valid < count:
                break
        return done

    def _block(self, column: int, count: int) -> int:
        """Make `count` steps, recorded from `column` on; return the number of valid ones."""
        start, samples_seen = self._state.copy(), self._request.samples_seen
        self._descent.adopt_optimizer()
        for row in range(1, count + 1):
            self._descent.change()
            self._tape.rate[row - 1] = self._descent.rate
            self._tape.clipped_norm[row - 1] = self._descent.clipped_norm
            samples_seen[column + row - 1] = self._state.samples_seen
            self._measure(row)
        bad = self._tape.first_bad(count, self._limit)
        valid = count if bad is None else max(bad - 1, 0)
        if valid:
            self._write(column, valid)
        if bad is None:
            self._tape.rewind(count)
        else:
            self._return_to(start, valid)
        return valid

    def _measure(self, row: int) -> None:
        """Write the measurements of the current step into a row of the tape."""
        tape, state, settings = self._tape, self._state, self._request.settings
        loss = tape.batch_loss[row] = self._descent.compute_gradient()
        tape.gradients[row] = self._descent.gradient
        tape.parameters[row] = state.parameters
        if is_evaluation_point(state.step, state.samples_seen, settings, self._m):
            if settings.batch_size is None:
                train, tape.train_tally[row] = loss, self._descent.tally(loss)
            else:
                train, tape.train_tally[row] = self._evaluator.train()
            # NaN on the tape means "not evaluated"; an evaluated loss that is NaN exceeds every limit.
            tape.train_loss[row] = np.inf if np.isnan(train) else train
            tape.test_loss[row], tape.test_tally[row] = self._evaluator.test()
        else:
            tape.train_loss[row] = tape.test_loss[row] = np.nan
            tape.train_tally[row] = tape.test_tally[row] = np.nan

    def _write(self, column: int, count: int) -> None:
        tape, problem, columns = self._tape, self._problem, slice(column, column + count)
        values = self._request.values
        if len(self._request.path):
            self._request.path[columns] = tape.parameters[:count]
        evaluated = len(evaluated_series(problem))
        whole = len(values) - evaluated - len(WHOLE)
        block = np.empty((whole - 1, count))
        norms = tape.write(block, count)
        values[0, columns] = tape.batch_loss[:count]
        values[1:whole, columns] = block
        values[whole, columns] = tape.rate[:count]
        values[whole + 1, columns] = norms
        values[whole + 2, columns] = tape.clipped_norm[:count]
        values[whole + 3, columns] = self._objective(count)
        splits = [(problem.train, tape.train_loss, tape.train_tally)]
        if problem.test is not None:
            splits.append((problem.test, tape.test_loss, tape.test_tally))
        for place, (split, loss, tally) in enumerate(splits):
            values[place - evaluated, columns] = loss[:count]
            values[place - len(splits), columns] = problem.score.of(tally[:count], split.variance)

    def _objective(self, count: int) -> Array:
        """Objective at rows 0 .. count - 1; NaN without penalties."""
        settings, tape = self._request.settings, self._tape
        if not settings.penalised:
            return np.full(count, np.nan)
        objective = self._problem.loss.objective_share * tape.batch_loss[:count]
        return np.asarray(objective + penalty(*tape.weight_sums(count), settings))

    def _return_to(self, start: TrainingState, steps: int) -> None:
        """Return to `steps` after the block's start, by the same arithmetic.

        With 0 steps the state is restored completely, including its optimizer.
        """
        self._state.restore(start)
        if steps:
            self._descent.adopt_optimizer()
        for _ in range(steps):
            self._descent.compute_gradient()
            self._descent.change()
        self._state.diverged_at = self._state.step


class NumpyKernel:
    """Steps in NumPy: a few dozen microseconds each, without a compiler."""

    name = "numpy"

    def supports(self, problem: Problem) -> bool:
        """See `Kernel`: everything."""
        return True

    def run(self, problem: Problem, state: TrainingState, request: Slice) -> int:
        """See `Kernel`."""
        with np.errstate(all="ignore"):
            done = _SliceRun(problem, state, request).run()
            values = request.values[:, :done]
            values[~np.isfinite(values)] = np.nan
        return done

    def losses(self, problem: Problem, start: Array, directions: Array, s: Array, t: Array) -> Array:
        """See `interface.Kernel`."""
        losses, flat = np.empty((len(t), len(s))), np.empty_like(start)
        evaluator = Evaluator(problem, flat)
        with np.errstate(all="ignore"):
            for row, up in enumerate(t):
                for column, across in enumerate(s):
                    np.copyto(flat, start + across * directions[0] + up * directions[1])
                    losses[row, column], _ = evaluator.train()
        return losses


NUMPY: Kernel = NumpyKernel()


class Kernels:
    """The kernel for runs that begin now; a run keeps its kernel until a reset.

    `why` is the reason for not using the compiled kernel, or None. Training threads read it while another thread
    changes it, so each change is one assignment. The `builds` are the library builds of this process, reported with
    a run's numbers.
    """

    def __init__(
        self, kernel: Kernel = NUMPY, why: str | None = None, builds: Mapping[str, str] | None = None
    ) -> None:
        self._serving: tuple[Kernel, str | None] = (kernel, why)
        self.builds: Mapping[str, str] = builds or {}

    @property
    def current(self) -> Kernel:
        return self._serving[0]

    @property
    def why(self) -> str | None:
        return self._serving[1]

    def of(self, problem: Problem) -> Kernel:
        """The current kernel, or NumPy if it does not support this problem."""
        current = self.current
        return current if current.supports(problem) else NUMPY

    def named(self, name: str) -> Kernel:
        """The kernel of that name if it is available, else the current one."""
        current = self.current
        return NUMPY if name == NUMPY.name else current

    def use(self, kernel: Kernel) -> None:
        """Use this kernel for runs that begin from now on."""
        self._serving = (kernel, None)

    def stay(self, why: str) -> None:
        """Stay with NumPy, temporarily or permanently."""
        self._serving = (NUMPY, why)
