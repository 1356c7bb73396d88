"""The compiled kernel: arrays and codes for the compiled loops, and their results.

It needs Numba (the extra `fast`), so only `execution.compiling` imports this module.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fallline.engine.batches import order_of_pass
from fallline.engine.kernels.compiled_activations import ACTIVATION_CODES
from fallline.engine.kernels.compiled_batches import batch_steps, losses_over
from fallline.engine.kernels.compiled_changes import OPTIMIZER_CODES
from fallline.engine.kernels.compiled_descent import terms_of
from fallline.engine.kernels.compiled_losses import LOSS_CODES, ROOM, criterion_of
from fallline.engine.kernels.compiled_orders import same_as_numpy, shuffled_passes
from fallline.engine.kernels.compiled_records import BLOCK, CLIPPED, LOSSES, SUMS
from fallline.engine.kernels.compiled_schedules import SCHEDULE_CODES, rates_of
from fallline.engine.kernels.compiled_single import single_steps
from fallline.engine.kernels.compiled_vectors import LANES
from fallline.engine.kernels.compiled_work import (
    Ahead,
    Data,
    Memory,
    Method,
    Net,
    Plane,
    Recorder,
    Span,
    Split,
    Tiles,
)
from fallline.engine.kernels.interface import DIVERGED, NO_PATH, Kernel, Slice, series_names
from fallline.engine.kernels.numpy_kernels import NUMPY, entry_decays
from fallline.engine.methods.optimizers import OPTIMIZERS, PAIRS, Optimizer
from fallline.engine.problem import Problem, Samples, build_problem
from fallline.engine.state import TrainingState, begin
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.recipe import DataSettings, LayerSettings, NetworkSettings
from fallline.vocabulary.run_settings import RunSettings, schedule_of

Whole = NDArray[np.int64]

LARGEST = float(np.finfo(np.float64).max)

SAMPLES_AHEAD = 65_536
"""Row numbers per call: about ten milliseconds of single-sample steps."""

FEWEST_STEPS = 32
"""Minimum steps per call, so that the extra gradient at the end costs little."""


TILE_BYTES = 64_000
"""Memory for the buffers of a tile: the nearest cache and part of the next.

`NARROWEST` takes precedence.
"""

MOST_TILES = 8
"""Most tiles that are kept for later slices."""

MOST_DESCENTS, MOST_PARAMETERS = 64, 4_096
"""Most settings of a problem whose preparation is kept: those of the runs of an experiment, and of trials. In networks
with more parameters each slice prepares its own: that costs little beside its steps.
"""

NARROWEST, WIDEST = 96, 480
"""Samples per tile: fewer make calls and lane sums noticeable, more gain nothing."""

LINE = 8
"""Numbers in a cache line."""

NOTHING: Array = np.empty(0)
NO_ORDER: Whole = np.empty(0, dtype=np.int64)


class CompiledKernel:
    """Steps in machine code, without the GIL: under 1 us each in small networks."""

    name = "compiled"

    def supports(self, problem: Problem) -> bool:
        """See `interface.Kernel`; true if all rows have compiled code."""
        has_rows = all(name in ACTIVATION_CODES for name in problem.activations)
        return has_rows and problem.loss.name in LOSS_CODES

    def run(self, problem: Problem, state: TrainingState, request: Slice) -> int:
        """See `interface.Kernel`. NumPy makes the steps if a row has no compiled code."""
        settings = request.settings
        has_method = settings.optimizer in OPTIMIZER_CODES and all(
            stage.name in SCHEDULE_CODES for stage in settings.schedule.stages
        )
        if not (has_method and self.supports(problem)):
            return NUMPY.run(problem, state, request)
        return _Slices(problem, state, request).run()

    def losses(self, problem: Problem, start: Array, directions: Array, s: Array, t: Array) -> Array:
        """See `interface.Kernel`. NumPy measures them if a row has no compiled code."""
        if not self.supports(problem):
            return NUMPY.losses(problem, start, directions, s, t)
        losses, sizes = np.empty((len(t), len(s))), problem.layout.sizes
        plane = Plane(*map(np.array, (start, directions, s, t)))  # copies: writable, in C order
        prepared, tiles = _prepared(problem), _take_tiles(sizes)
        losses_over(prepared.net, prepared.data.train, tiles, plane, np.empty_like(plane.start), losses)
        _return_tiles(sizes, tiles)
        return losses


def _net(problem: Problem) -> Net:
    layout = problem.layout
    return Net(
        sizes=np.array(layout.sizes),
        codes=np.array([ACTIVATION_CODES[name] for name in problem.activations]),
        offsets=np.array([*layout.offsets, layout.count]),
        criterion=criterion_of(problem),
    )


def _arrays(row: Optimizer) -> tuple[str, ...]:
    """The slots that have an entry for each parameter, or rows of them."""
    return (*row.vectors, *row.tables)


@dataclass(frozen=True, slots=True)
class _Descent:
    """What every slice with these settings needs. `hyper` is copied for each slice, since compiled code changes it."""

    settings: RunSettings
    code: int
    row: Optimizer
    hyper: Array
    terms: Array
    factors: Array
    decays: Array


def _descent(problem: Problem, settings: RunSettings) -> _Descent:
    row, layout = OPTIMIZERS[settings.optimizer], problem.layout
    own = row.filled(settings.own)
    room = np.zeros(PAIRS if row.tables else 0)
    decays = entry_decays(own, layout)
    return _Descent(
        settings,
        OPTIMIZER_CODES[settings.optimizer],
        row,
        np.array([settings.learning_rate, *own.values(), *room]),
        terms_of(settings, problem.loss.objective_share),
        layout.per_layer(settings.layer_rates) if settings.layer_rates else NOTHING,
        NOTHING if decays is None else decays,
    )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What every slice of a problem needs, so that a short one costs little beside its steps."""

    net: Net
    data: Data
    splits: Array
    """Number of samples and variance of the targets of each split, (splits, 2)."""
    rate_row: int
    """The row of the learning rate in the records."""
    columns: int
    """Columns of a raw record."""
    limit: float
    """The training loss from which on a run has diverged."""
    descents: dict[int, _Descent] = field(default_factory=dict)
    """The last settings, by their identity: a run keeps one object until an edit."""

    def descent(self, problem: Problem, settings: RunSettings) -> _Descent:
        """Return what slices with these settings need."""
        known = self.descents.get(id(settings))
        if known is not None and known.settings is settings:
            return known
        descent = _descent(problem, settings)
        if problem.layout.count <= MOST_PARAMETERS:
            if len(self.descents) >= MOST_DESCENTS:
                self.descents.clear()
            self.descents[id(settings)] = descent
        return descent


_PREPARED: WeakKeyDictionary[Problem, _Prepared] = WeakKeyDictionary()


def _prepared(problem: Problem) -> _Prepared:
    known = _PREPARED.get(problem)
    if known is None:
        splits = [problem.train] if problem.test is None else [problem.train, problem.test]
        parameters = len(problem.layout.names)
        known = _PREPARED[problem] = _Prepared(
            _net(problem),
            Data(train=_split(splits[0]), test=_split(splits[-1], len(splits) > 1)),
            np.array([[split.count, split.variance] for split in splits]),
            1 + 4 * parameters,
            LOSSES + SUMS * parameters,
            min(DIVERGED * problem.initial_loss, LARGEST),
        )
    return known


_FREE: deque[tuple[tuple[int, ...], Tiles]] = deque(maxlen=MOST_TILES)
"""Tiles that no slice uses, with the sizes of their layers. Compiled loops leave the rows of ones as they are."""


def _take_tiles(sizes: tuple[int, ...]) -> Tiles:
    """Return tiles for these layers, for one thread at a time: any number may ask at once."""
    for _ in range(len(_FREE)):
        try:
            free = _FREE.popleft()
        except IndexError:  # another thread was faster
            break
        if free[0] == sizes:
            return free[1]
        _FREE.append(free)
    return _tiles(sizes)


def _return_tiles(sizes: tuple[int, ...], tiles: Tiles) -> None:
    _FREE.append((sizes, tiles))


def _aligned(*shape: int) -> Array:
    """An array aligned to a cache line, so that no register spans two lines."""
    count = prod(shape)
    room = np.empty(count + LINE)
    first = -(room.ctypes.data // 8) % LINE
    return room[first : first + count].reshape(shape)


def _split(samples: Samples, has_targets: bool = True) -> Split:
    targets = samples.targets if has_targets else samples.targets[:, :0]
    return Split(samples.rows, samples.columns, targets)


def _tiles(sizes: Sequence[int]) -> Tiles:
    height = sum(sizes) + len(sizes) + ROOM
    width = tile_width(height - ROOM + 1)
    A, D = _aligned(height, width), _aligned(height, width)
    A.fill(1.0)
    # Some extra width: rows a power of two apart would evict each other from the cache.
    upright = _aligned(width, -(-max(sizes) // LANES) * LANES + LANES)
    return Tiles(A, D, upright, a=np.ones(height), d=np.empty(height))


def tile_width(units: int) -> int:
    """Samples per tile for that many units, in multiples of three vectors."""
    triple = 3 * LANES
    return min(max(TILE_BYTES // (16 * units), NARROWEST), WIDEST) // triple * triple


class _Slices:
    """One slice, in calls of the compiled loops."""

    def __init__(self, problem: Problem, state: TrainingState, request: Slice) -> None:
        self._problem, self._state, self._request = problem, state, request
        self._prepared = prepared = _prepared(problem)
        self._descent = prepared.descent(problem, request.settings)
        self._hyper = self._descent.hyper.copy()
        self._samples, self._count = problem.train.count, problem.layout.count
        self._tiles = _take_tiles(problem.layout.sizes)
        # The code is compiled for C order: a slice with other strides is filled elsewhere and copied.
        self._values = (
            request.values if request.values.flags.c_contiguous else np.empty_like(request.values, order="C")
        )
        self._record = np.empty((min(BLOCK, request.steps + 1), prepared.columns))
        self._record[:, CLIPPED] = np.nan
        self._change, self._ahead = np.empty(self._count), np.empty(self._count + 3)

    def run(self) -> int:
        """Make all calls; return the number of steps."""
        request, done = self._request, 0
        steps = request.steps
        while done < steps:
            count = min(steps - done, self._most_steps())
            valid, bad = self._call(done, count)
            done += valid
            if bad:
                self._state.diverged_at = self._state.step
                break
        _return_tiles(self._problem.layout.sizes, self._tiles)
        if self._values is not request.values:
            request.values[:, :done] = self._values[:, :done]
        return done

    def _most_steps(self) -> int:
        """Maximum steps per call, which limits the row numbers in memory."""
        size = self._request.settings.batch_size
        if size is None:
            return self._request.steps
        return max(SAMPLES_AHEAD // size, FEWEST_STEPS)

    def _call(self, column: int, count: int) -> tuple[int, bool]:
        """Make `count` steps with records from column `column` on.

        Returns the number of valid steps, and whether the next one is bad.
        """
        request, state = self._request, self._state
        memory = self._memory()
        valid, bad = self._loop(memory, column, count)
        if valid:
            self._store_state(memory, valid)
            request.samples_seen[column : column + valid] = self._seen(valid)
            state.samples_seen = int(request.samples_seen[column + valid - 1])
            state.step += valid
        if self._request.settings.batch_size != 1 and not bad:
            state.keep_ahead(self._problem, self._gradient_key(), self._ahead)
        return valid, bad

    def _loop(self, memory: Memory, column: int, count: int) -> tuple[int, bool]:
        state, settings = self._state, self._request.settings
        rates = rates_of(settings, state.step, count + 1)
        descent, prepared = self._descent, self._prepared
        self._values[prepared.rate_row, column : column + count] = (
            rates[:count] if len(rates) else settings.learning_rate
        )
        method = Method(descent.code, self._hyper, rates, descent.terms, descent.factors, descent.decays)
        span = Span(
            order=NO_ORDER if settings.batch_size is None else self._order((count + 1) * settings.batch_size),
            size=settings.batch_size or 0,
            place=state.samples_seen % self._samples,
            covers=settings.order != "replacement",
            step=state.step,
            steps=count,
            limit=prepared.limit,
        )
        recorder = Recorder(self._record, self._values, column, self._request.path, prepared.splits)
        if span.size == 1:
            return single_steps(prepared.net, prepared.data, method, memory, span, self._tiles, recorder)
        recalled = state.recall_ahead(self._problem, self._gradient_key())
        if recalled is not None:
            np.copyto(self._ahead, recalled)
        ahead = Ahead(self._ahead, recalled is not None)
        return batch_steps(prepared.net, prepared.data, method, memory, span, self._tiles, ahead, recorder)

    def _gradient_key(self) -> tuple[object, ...]:
        """Key of a gradient: what it depends on besides the problem and the parameters."""
        state, request, settings = self._state, self._request, self._request.settings
        return (
            COMPILED.name,
            state.step,
            state.samples_seen,
            request.seed,
            settings.batch_size,
            settings.order,
        )

    def _order(self, samples: int) -> Whole:
        """The training rows of the next samples, pass after pass."""
        settings, seed, m = self._request.settings, self._request.seed, self._samples
        number, place = divmod(self._state.samples_seen, m)
        passes = (place + samples - 1) // m + 1
        if settings.order == "shuffle" and m < 2**32:
            return shuffled_passes(seed, number, m, passes)[place:]
        orders = [order_of_pass(settings.order, seed, number + each, m) for each in range(passes)]
        return np.concatenate(orders)[place:]

    def _memory(self) -> Memory:
        """Three copies of parameters and slots, the current first; a new optimizer gets fresh slots."""
        state, row, part = self._state, self._descent.row, self._count
        slots = state.slots if state.optimizer == row.name else row.start(part)
        gradient = np.empty(part)
        vectors = [vector for name in _arrays(row) for vector in np.atleast_2d(slots[name])]
        P, S = np.empty((3, part)), np.empty((len(vectors), 3 * part))
        P[:] = state.parameters
        for memory, vector in zip(S, vectors, strict=True):
            memory.reshape(3, part)[:] = vector
        return Memory(
            P=P.reshape(-1),
            S=S,
            N=np.array(3 * [float(slots[name][0]) for name in row.numbers], dtype=np.float64),
            G=gradient,
            C=np.empty(part) if self._request.settings.clipped else gradient,
            M=self._change,
        )

    def _store_state(self, memory: Memory, valid: int) -> None:
        """Copy the state after `valid` steps from its part of the memory."""
        state, row, part = self._state, self._descent.row, self._count
        if state.optimizer != row.name:
            state.optimizer, state.slots = row.name, row.start(part)
        copy = valid % 3
        state.parameters[:] = memory.P[copy * part : (copy + 1) * part]
        if not state.slots:
            return
        vectors = iter(memory.S.reshape(-1, 3, part)[:, copy])
        for name in _arrays(row):
            for vector in np.atleast_2d(state.slots[name]):
                np.copyto(vector, next(vectors))
        for name, number in zip(row.numbers, memory.N.reshape(3, -1)[copy], strict=True):
            state.slots[name][0] = number

    def _seen(self, steps: int) -> Whole:
        """Samples seen at the end of each of the next `steps` steps."""
        samples_seen, m, size = self._state.samples_seen, self._samples, self._request.settings.batch_size
        if size is None or size == 1:
            each = m if size is None else 1
            return np.arange(samples_seen + each, samples_seen + each * (steps + 1), each)
        # Each pass ends with a shorter batch, so count batches within passes.
        number, place = divmod(samples_seen, m)
        first = min(-(-(m - place) // size), steps)
        ends = np.minimum(place + size * np.arange(1, first + 1), m) + number * m
        a_pass = np.minimum(size * np.arange(1, -(-m // size) + 1), m)
        passes = -(-(steps - first) // len(a_pass))
        later = (number + 1 + np.arange(passes))[:, np.newaxis] * m + a_pass
        return np.concatenate([ends, later.reshape(-1)[: steps - first]])


COMPILED: Kernel = CompiledKernel()


def load() -> None:
    """Load or compile every function. Raises ImportError if NumPy draws differently."""
    if not same_as_numpy():
        raise ImportError("this NumPy shuffles samples differently than the compiled code")
    network = NetworkSettings(layers=[LayerSettings(units=2)])
    problem = build_problem(DataSettings(name="linear", samples=8, features=2), network, "mse")
    names = series_names(problem)
    for batch_size in (None, 1):
        settings = RunSettings("sgd", 0.01, batch_size, "shuffle", schedule=schedule_of("warmup"))
        request = Slice(settings, 0, 2, np.empty((len(names), 2)), np.empty(2, dtype=np.int64), NO_PATH)
        COMPILED.run(problem, begin(problem), request)
    parameters = problem.initial_parameters
    COMPILED.losses(problem, parameters, np.tile(parameters, (2, 1)), np.zeros(1), np.zeros(1))
