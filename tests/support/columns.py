"""Small histories to send around."""

from __future__ import annotations

import numpy as np

from fallline.vocabulary.columns import Buckets, Records, from_records

NAMES = ("batch_loss", "train_loss")


def header(step: int, *, generation: int = 0, status: str = "playing") -> dict[str, object]:
    return {
        "status": status,
        "step": step,
        "epoch": step / 10,
        "samples_seen": step,
        "generation": generation,
    }


def piece(first: int, stop: int, spike: int | None = None) -> Buckets:
    """One bucket for each step first <= k < stop.

    The loss of step k is k, or 1e9 at the spike.
    """
    steps = np.arange(first, stop)
    values = np.array([steps, steps], dtype=np.float64)
    if spike is not None:
        values[0, spike - first] = 1e9
    return from_records(Records(first, steps + 1, np.zeros(len(steps)), NAMES, values))
