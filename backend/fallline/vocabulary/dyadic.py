"""Arithmetic of dyadic buckets: [k w, (k + 1) w) with w a power of two."""

from __future__ import annotations


def floor(step: int, width: int) -> int:
    """Return the last multiple of width that is not after step."""
    return step // width * width


def ceil(step: int, width: int) -> int:
    """Return the first multiple of width that is not before step."""
    return -(-step // width) * width


def pieces(start: int, stop: int, width: int) -> int:
    """Return how many dyadic buckets of at most this width cover start <= k < stop."""
    begin, end = ceil(start, width), floor(stop, width)
    if begin > end:
        return pieces(start, stop, width // 2)
    return (begin - start).bit_count() + (end - begin) // width + (stop - end).bit_count()
