"""Preparation of samples before the training, and samples that a program contains."""

import base64
import io
import zlib

import numpy as np

from fallline.exports.program.parts.randomness import generator


def mislabelled(y, share, classes, seed):
    """Replace this share of the labels by another class, each equally likely."""
    wrong = round(len(y) * share)
    rng = generator(seed, "labels")
    rows = rng.permutation(len(y))[:wrong]
    y[rows] = (y[rows] + rng.integers(1, classes, (wrong, 1))) % classes
    return y


def training_rows(samples, test_fraction, seed):
    """Return the rows of the training split in data order."""
    tests = round(samples * test_fraction)
    return np.setdiff1d(np.arange(samples), generator(seed, "split").permutation(samples)[:tests])


def standardized(values, rows):
    """Scale to mean 0 and standard deviation 1 over these rows."""
    spread = values[rows].std(axis=0)
    return (values - values[rows].mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)


def unpacked(text, columns):
    """Return a table of compressed 8-byte numbers."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<f8").reshape(-1, columns)


def written_out(text):
    """Return a table from text with one line per row."""
    return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)
