"""How many steps so many samples take, with the smaller last batch of each pass."""

from __future__ import annotations


def steps_within(most: int, samples_seen: int, batch_size: int | None, train_samples: int) -> int:
    """Return the most steps that take at most `most` samples."""
    if batch_size is None:
        return max(most, 0) // train_samples
    rest = train_samples - samples_seen % train_samples
    if most < rest:
        return max(most, 0) // batch_size
    passes, over = divmod(most - rest, train_samples)
    return _steps(rest, batch_size) + passes * _steps(train_samples, batch_size) + over // batch_size


def steps_until(samples: int, samples_seen: int, batch_size: int | None, train_samples: int) -> int:
    """Return the fewest steps that take at least `samples` samples."""
    if samples <= 0:
        return 0
    if batch_size is None:
        return _steps(samples, train_samples)
    rest = train_samples - samples_seen % train_samples
    if samples <= rest:
        return _steps(samples, batch_size)
    passes, over = divmod(samples - rest, train_samples)
    return _steps(rest, batch_size) + passes * _steps(train_samples, batch_size) + _steps(over, batch_size)


def _steps(samples: int, batch_size: int) -> int:
    return -(-samples // batch_size)
