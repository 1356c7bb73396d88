"""What the compiled loops are given, in groups that belong together. Must not know what is done with it.

A group costs compiled code nothing: it is taken apart when a loop is called, once a slice.
"""

from __future__ import annotations

from typing import NamedTuple

from fallline.engine.kernels.compiled_code import Array, Whole
from fallline.engine.kernels.compiled_losses import Judge


class Net(NamedTuple):
    """The network: sizes of all layers, inputs first; codes of activations, one a layer; the parameters' places in the
    flat vector, and its end; how its predictions are judged.
    """

    sizes: Whole
    codes: Whole
    offsets: Whole
    judge: Judge


class Split(NamedTuple):
    """Samples as rows (m, features + 1) and as columns (features + 1, m), and their targets (1, m)."""

    rows: Array
    columns: Array
    targets: Array


class Data(NamedTuple):
    """The training samples, and those of the test, which have no targets where there is no test."""

    train: Split
    test: Split


class Method(NamedTuple):
    """How a gradient becomes a change: the optimizer's code; the rate and its own parameters; how many steps it has
    counted; the rates of the steps, or none where all go by the first of `hyper`; penalties and bounds.
    """

    optimizer: int
    hyper: Array
    counted: float
    rates: Array
    terms: Array


class Memory(NamedTuple):
    """P holds the parameters three times: those of step s in part s % 3, so that the change of a step that turns out to
    be bad leaves the one before it. S and R are the optimizer's memory likewise. G takes the gradient; C the same
    within its bounds, and is G itself where there are none; M the change.
    """

    P: Array
    S: Array
    R: Array
    G: Array
    C: Array
    M: Array


class Walk(NamedTuple):
    """Which steps are made: the training rows from the present place in the data on (none for full batches), `size` a
    batch (0 for a full one), `place` in the pass; `steps` from `step` on, below a training loss of `limit`.
    """

    order: Whole
    size: int
    place: int
    step: int
    steps: int
    limit: float


class Tiles(NamedTuple):
    """Room for a tile of samples, a row a unit and a column a sample: A for outputs and D for deltas; in A every
    layer's rows are followed by a row of ones, which meets the bias, and the targets come last. `upright` takes deltas
    with a row a sample; `a` and `d` are A and D of one sample.
    """

    A: Array
    D: Array
    upright: Array
    a: Array
    d: Array


class Ahead(NamedTuple):
    """What is seen at the end of a slice, for the next one: the gradient before penalties, the batch's loss, the
    training loss and its tally. Where `looked`, it holds what a slice before has seen here.
    """

    seen: Array
    looked: bool


class Book(NamedTuple):
    """Where steps are recorded: raw rows of a block, and the columns of `values` from `to` on, those of steps that do
    not stand among them.
    """

    record: Array
    values: Array
    to: int
