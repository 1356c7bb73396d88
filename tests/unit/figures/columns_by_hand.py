"""Columns for figures, from simple formulas."""

from __future__ import annotations

import numpy as np

from fallline.figures.view import FigureView, RunLine
from fallline.vocabulary.columns import Buckets, Records, coarsen, from_records

NAMES = ("train_loss", "test_loss", "grad_l1/W1", "grad_l1/W2")
SHAPES = ((5, 4), (4, 1))


def buckets(
    steps: int, per_step: int, at_most: int, *, dies_at: int | None = None, perfect_at: int | None = None
) -> Buckets:
    """A falling loss and gradients; both may become 0.

    The loss is evaluated at every step below 64 and at even ones beyond.
    """
    step = np.arange(steps)
    loss = 12.3 / (1 + step) + 0.04
    if perfect_at is not None:
        loss = np.where(step >= perfect_at, 0.0, loss)
    evaluated = (step < 64) | (step % 2 == 0)
    gradient = 3.0 / (1 + step / 7)
    if dies_at is not None:
        gradient = np.where((step >= dies_at) | (step % 5 == 1), 0.0, gradient)
    values = np.stack(
        [
            np.where(evaluated, loss, np.nan),
            np.where(evaluated, loss * 1.1, np.nan),
            gradient,
            gradient * 1e-6,
        ]
    )
    samples_seen = (step + 1) * per_step
    seconds = ((step + 1) * 1e-4).astype(float)
    return coarsen(from_records(Records(0, samples_seen, seconds, NAMES, values)), at_most)


def view(at_most: int = 24) -> FigureView:
    """Two runs: a full batch that learns, and single samples with dying layers."""
    return FigureView(
        runs=(
            RunLine("gd", "GD", buckets(90, 900, at_most), "a"),
            RunLine("sgd", "SGD", buckets(150, 1, at_most, dies_at=60, perfect_at=128), "b"),
        ),
        shapes=SHAPES,
        train_samples=900,
        has_test=True,
        baseline=0.0436,
    )
