"""The data of an experiment for figures.

Plain data; must not know engine, runs or HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass

from fallline.vocabulary.columns import Buckets

PREDICTING_THE_MEAN = "predicting the mean"
PREDICTING_THE_MAJORITY = "predicting the majority"


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run: name, label, and history in at most `binding.MOST_POINTS` buckets.

    `lane` is its colour and shape. Each step in `edits` has a description of the change.
    """

    name: str
    label: str
    buckets: Buckets
    lane: str
    edits: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FigureView:
    """An experiment for figures.

    `shapes` are the shapes of W1, W2, ... The training loss of a prediction without inputs is `baseline`, described by
    `baseline_words`. `classes` are the names of the classes.
    """

    runs: tuple[RunLine, ...]
    shapes: tuple[tuple[int, int], ...]
    train_samples: int
    has_test: bool
    baseline: float
    baseline_words: str = PREDICTING_THE_MEAN
    classes: tuple[str, ...] = ()
