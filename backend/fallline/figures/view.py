"""All that a figure may see of an experiment. Plain data; must not know engine, runs or HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from fallline.vocabulary.columns import Buckets

PREDICTING_THE_MEAN = "predicting the mean"
PREDICTING_THE_MAJORITY = "predicting the majority"


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run: its name, what people read, and its history (not more than `binding.MOST_POINTS` buckets).

    `place` is its place in its experiment, where that is not the one in the figure; `edits` are steps, rising, and what
    was changed there, for figures that show them.
    """

    name: str
    label: str
    buckets: Buckets
    place: int | None = None
    edits: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FigureView:
    """An experiment as figures see it.

    `shapes` are those of W1, W2, ... in order; `has_test` says whether there is a test split; `baseline` is the
    training loss of somebody who knows no inputs, `baseline_words` says what that one does; `classes` are what is
    told apart.
    """

    runs: tuple[RunLine, ...]
    shapes: tuple[tuple[int, int], ...]
    train_samples: int
    has_test: bool
    baseline: float
    baseline_words: str = PREDICTING_THE_MEAN
    classes: tuple[str, ...] = ()
