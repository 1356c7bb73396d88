"""Arguments of the compiled loops, in groups.

A group costs compiled code nothing: it is unpacked once per slice.
"""

from __future__ import annotations

from typing import NamedTuple

from fallline.engine.kernels.compiled_code import Array, Whole
from fallline.engine.kernels.compiled_losses import Criterion


class Net(NamedTuple):
    """The network.

    `sizes` has all layers, inputs first, and `codes` an activation per layer. `offsets` are the parameters' places in
    the flat vector, and its end. `criterion` judges the predictions.
    """

    sizes: Whole
    codes: Whole
    offsets: Whole
    criterion: Criterion


class Split(NamedTuple):
    """Samples as rows (m, features + 1) and as columns, and targets (1, m)."""

    rows: Array
    columns: Array
    targets: Array


class Data(NamedTuple):
    """Training and test samples. Without a test split, `test` has no targets."""

    train: Split
    test: Split


class Method(NamedTuple):
    """The optimizer's code and the numbers of a change.

    `hyper` is the rate, the own parameters, and for a method with tables room for a number per row. `rates` are the
    rates of the steps, empty if all use `hyper[0]`. `terms` are penalties and bounds. `factors` of the rate and weight
    `decays` have a number for every parameter; they are empty for a factor of 1 and for the decay in `hyper`.
    """

    optimizer: int
    hyper: Array
    rates: Array
    terms: Array
    factors: Array
    decays: Array


class Memory(NamedTuple):
    """Parameters and slots, three times each, and the gradient.

    P holds the parameters of step s in part s % 3, so that a bad step leaves the one before it intact. So does each row
    of S for a vector of the optimizer, or for a row of its tables, and N for its numbers. G is the gradient, C the
    clipped gradient (G itself without clipping), M the change.
    """

    P: Array
    S: Array
    N: Array
    G: Array
    C: Array
    M: Array


class Span(NamedTuple):
    """The steps of a slice.

    `order` is the training rows from the current position on (empty for full batches), `size` the batch size (0 for
    full batches), `place` the position in the pass. A pass `covers` the samples if it has each of them once. There are
    `steps` steps from `step` on, below a training loss of `limit`.
    """

    order: Whole
    size: int
    place: int
    covers: bool
    step: int
    steps: int
    limit: float


class Tiles(NamedTuple):
    """Scratch for a tile of samples, one row per unit and one column per sample.

    A is for outputs and D for deltas. In A a row of ones for the bias follows every layer's rows, and the targets
    come last. `upright` takes deltas with one row per sample; `a` and `d` are A and D for one sample.
    """

    A: Array
    D: Array
    upright: Array
    a: Array
    d: Array


class Ahead(NamedTuple):
    """The last gradient of a slice, for the next one.

    `values` is the gradient before penalties, the batch's loss, the training loss and its tally. If `valid`, it holds
    the result of the previous slice.
    """

    values: Array
    valid: bool


class Plane(NamedTuple):
    """A grid of points start + s directions[0] + t directions[1] for each of `s` and `t`."""

    start: Array
    directions: Array
    s: Array
    t: Array


class Recorder(NamedTuple):
    """Records of the steps: raw rows of a block, and `values` from column `to` on.

    `path` (steps, parameters) gets the parameters that each step begins with, from row `to` on; it is empty if nobody
    wants them. `splits` (splits, 2) has the number of samples and the variance of the targets, of each split.
    """

    record: Array
    values: Array
    to: int
    path: Array
    splits: Array
