"""How many steps so many samples are: the arithmetic of passes, batches and a pass's smaller last batch.

Follows CONTRACT "Batches": a step takes the next `batch_size` places of its pass, fewer at the pass's end, never across
it; a full batch (`None`) is all m training samples. Knows nothing of what is trained.
"""

from __future__ import annotations


def next_batch(samples_seen: int, batch_size: int | None, train_samples: int) -> int:
    """How many samples the next step takes."""
    if batch_size is None:
        return train_samples
    return min(batch_size, train_samples - samples_seen % train_samples)


def steps_within(allowance: int, samples_seen: int, batch_size: int | None, train_samples: int) -> int:
    """How many steps can be made without paying for more than `allowance` samples."""
    if batch_size is None:
        return max(allowance, 0) // train_samples
    rest = train_samples - samples_seen % train_samples
    if allowance < rest:
        return max(allowance, 0) // batch_size
    passes, over = divmod(allowance - rest, train_samples)
    return _steps(rest, batch_size) + passes * _steps(train_samples, batch_size) + over // batch_size


def steps_until(samples: int, samples_seen: int, batch_size: int | None, train_samples: int) -> int:
    """How many steps it takes until at least `samples` more samples are seen."""
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
