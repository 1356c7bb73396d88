"""Arithmetic of dyadic buckets: [k w, (k + 1) w) with w a power of two. Knows no values."""

from __future__ import annotations


def floor(step: int, width: int) -> int:
    """The last multiple of width that is not after step."""
    return step // width * width


def ceil(step: int, width: int) -> int:
    """The first multiple of width that is not before step."""
    return -(-step // width) * width


def pieces(start: int, stop: int, width: int) -> int:
    """How many dyadic buckets of at most this width it takes to make up start <= k < stop."""
    begin, end = ceil(start, width), floor(stop, width)
    if begin > end:
        return pieces(start, stop, width // 2)
    return (begin - start).bit_count() + (end - begin) // width + (stop - end).bit_count()
