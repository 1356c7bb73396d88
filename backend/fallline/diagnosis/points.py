"""Which steps of a run the Doctor looks at. They depend on the recipe only.

Points are the evaluation steps that all runs share: every step below 1,024, then 512 in each doubling. Examinations
are closer together at first and after an edit, and then 64 in each doubling.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

DOUBLING, POINTS = 64, 512
"""Examinations, and points, in each doubling of the steps."""

CHEAP = 2_000_000
"""Multiplications of one pass over all samples up to which a run is examined `DOUBLING` times in each doubling."""

FEWEST = 8
"""Examinations in each doubling of the most expensive runs."""

AFTER_EDIT = 16
"""Steps after an edit that are all examined: its effect shows there first."""


def distance(step: int, in_a_doubling: int = POINTS) -> int:
    """Return the distance of points (or examinations) at this step, a power of two."""
    return max(1 << max(step.bit_length(), 1) - 1, in_a_doubling) // in_a_doubling


def is_point(step: int) -> bool:
    """Return whether every run evaluates its losses at this step."""
    return step % distance(step) == 0


def next_examination(step: int, edits: Sequence[int], in_a_doubling: int = DOUBLING) -> int:
    """Return the first examined step after `step`. `edits` are the rising steps of the run's edits."""
    before = bisect_right(edits, step)
    if before and step < edits[before - 1] + AFTER_EDIT:
        return step + 1
    apart = distance(step + 1, in_a_doubling)
    following = -(-(step + 1) // apart) * apart
    return min(following, edits[before] + 1) if before < len(edits) else following


def in_a_doubling(work: int) -> int:
    """Return the examinations in each doubling, for a pass over all samples of so many multiplications."""
    examinations = DOUBLING
    while work > CHEAP and examinations > FEWEST:
        work, examinations = work // 4, examinations // 2
    return examinations
