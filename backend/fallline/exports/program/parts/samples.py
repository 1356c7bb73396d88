"""What happens to samples before anything is trained on them; and samples that come with the program."""

import base64
import io
import zlib

import numpy as np

from fallline.exports.program.parts.randomness import generator


def mislabelled(y, share, classes, seed):
    """That share of the labels replaced by one of the other classes, each as likely."""
    wrong = round(len(y) * share)
    rng = generator(seed, "labels")
    rows = rng.permutation(len(y))[:wrong]
    y[rows] = (y[rows] + rng.integers(1, classes, (wrong, 1))) % classes
    return y


def training_rows(samples, test_fraction, seed):
    """The rows that are not kept for testing, in data order."""
    held_out = round(samples * test_fraction)
    return np.setdiff1d(np.arange(samples), generator(seed, "split").permutation(samples)[:held_out])


def standardized(values, rows):
    """Mean 0 and standard deviation 1 over these rows."""
    spread = values[rows].std(axis=0)
    return (values - values[rows].mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)


def unpacked(text, columns):
    """Numbers of 8 bytes, compressed and written as text, as a table."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<f8").reshape(-1, columns)


def written_out(text):
    """A table written as text: a line a row."""
    return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)
