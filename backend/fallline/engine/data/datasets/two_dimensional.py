"""Sets over two inputs, which a map can show: two classes, or a surface.

All inputs lie within about -1 and 1. Classes alternate, so every stretch of rows has equally many of each. With the
same seed, a larger set begins with the samples of the smaller one.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.data.datasets.row import Array, Dataset, Raw, numbered
from fallline.engine.randomness import rng_for
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import DataSettings

PLAYGROUND = "TensorFlow Playground, src/dataset.ts (Smilkov and others, arXiv 1708.03788)"
"""Source of most of these shapes; the formulas here are scaled to -1 ... 1."""

INNER, OUTER = 0.5, (0.7, 1.0)
"""Radius of the disc, and radii of the ring around it."""

XOR_MARGIN = 0.05
"""Minimum distance of a sample to either axis."""

GAUSSIAN_CENTRE, GAUSSIAN_SPREAD = 0.6, 0.25
"""Both coordinates of a cloud's centre, and its standard deviation.

One sample in 3,000 lies on the wrong side.
"""

HILL_WIDTH = 0.25
HILLS = (
    (-0.7, 0.45, 1),
    (0.0, 0.45, -1),
    (0.7, 0.45, 1),
    (-0.7, -0.45, -1),
    (0.0, -0.45, 1),
    (0.7, -0.45, -1),
)
"""Centre and sign: hills (1) and hollows (-1) alternate in two rows of three."""


def _uniform(settings: DataSettings) -> Array:
    return rng_for(settings.seed, "inputs").uniform(-1.0, 1.0, (settings.samples, 2))


def _alternating(settings: DataSettings) -> Array:
    """The classes 0, 1, 0, 1, ..., of shape (samples,)."""
    return np.arange(settings.samples, dtype=np.float64) % 2


def _told_apart(X: Array, labels: Array, classes: tuple[str, ...]) -> Raw:
    return Raw(X, labels.reshape(-1, 1), numbered(2), classes)


def _polar(radius: Array, angle: Array) -> Array:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _circle(settings: DataSettings) -> Raw:
    """Uniform over the radius, not the area, so that the middle is not empty."""
    labels = _alternating(settings)
    u = rng_for(settings.seed, "inputs").uniform(0.0, 1.0, (settings.samples, 2))
    radius = np.where(labels == 0.0, INNER * u[:, 0], OUTER[0] + (OUTER[1] - OUTER[0]) * u[:, 0])
    return _told_apart(_polar(radius, 2 * np.pi * u[:, 1]), labels, CIRCLE.classes)


def _xor(settings: DataSettings) -> Raw:
    """The sign of x1 is random; the class determines that of x2."""
    labels, X = _alternating(settings), _uniform(settings)
    X[:, 1] = np.abs(X[:, 1]) * np.where(X[:, 0] > 0, 1.0, -1.0) * np.where(labels == 1.0, -1.0, 1.0)
    side = np.where(X > 0, 1.0, -1.0)
    return _told_apart(side * XOR_MARGIN + (1 - XOR_MARGIN) * X, labels, XOR.classes)


def _two_gaussians(settings: DataSettings) -> Raw:
    labels = _alternating(settings)
    cloud = rng_for(settings.seed, "inputs").standard_normal((settings.samples, 2))
    centre = GAUSSIAN_CENTRE * (2 * labels - 1)
    return _told_apart(centre[:, None] + GAUSSIAN_SPREAD * cloud, labels, GAUSSIANS.classes)


def _two_spirals(settings: DataSettings) -> Raw:
    """Two arms, half a turn apart; the radius grows with the angle."""
    labels = _alternating(settings)
    along = rng_for(settings.seed, "inputs").uniform(0.05, 1.0, settings.samples)
    angle = 2 * np.pi * SPIRALS.own(settings, "turns") * along + np.pi * labels
    return _told_apart(_polar(along, angle), labels, SPIRALS.classes)


def _moons(settings: DataSettings) -> Raw:
    """Two half circles, the second upside down and shifted; centred and halved."""
    labels = _alternating(settings)
    angle = rng_for(settings.seed, "inputs").uniform(0.0, np.pi, settings.samples)
    arc = _polar(np.ones(settings.samples), angle)
    arc[labels == 1.0] = np.array([1.0, 0.5]) - arc[labels == 1.0]
    return _told_apart((arc - np.array([0.5, 0.25])) / 1.5, labels, MOONS.classes)


def _plane(settings: DataSettings) -> Raw:
    X = _uniform(settings)
    return Raw(X, X.mean(axis=1, keepdims=True), numbered(2))


def _gaussian_hills(settings: DataSettings) -> Raw:
    X = _uniform(settings)
    y = np.zeros(settings.samples)
    for first, second, sign in HILLS:
        squared = (X[:, 0] - first) ** 2 + (X[:, 1] - second) ** 2
        y += sign * np.exp(-squared / (2 * HILL_WIDTH**2))
    return Raw(X, y.reshape(-1, 1), numbered(2))


CIRCLE = Dataset(
    name="circle",
    help="a disc of radius 0.5 inside a ring from 0.7 to 1",
    source=PLAYGROUND,
    task="classification",
    make=_circle,
    features=2,
    classes=("inside", "outside"),
)

XOR = Dataset(
    name="xor",
    help="whether x1 and x2 have the same sign; both between -1 and 1, at least 0.05 from zero",
    source="Minsky and Papert, Perceptrons (1969); " + PLAYGROUND,
    task="classification",
    make=_xor,
    features=2,
    classes=("same sign", "different signs"),
)

GAUSSIANS = Dataset(
    name="two_gaussians",
    help="two round clouds around (-0.6, -0.6) and (0.6, 0.6), standard deviation 0.25",
    source=PLAYGROUND,
    task="classification",
    make=_two_gaussians,
    features=2,
    classes=("lower left", "upper right"),
)

SPIRALS = Dataset(
    name="two_spirals",
    help="two spiral arms half a turn apart, radius 0.05 to 1",
    source="Lang and Witbrock, Learning to Tell Two Spirals Apart (1988), who took three turns",
    task="classification",
    make=_two_spirals,
    parameters=(Parameter("turns", 1.5, 0.25, 4.0, unit="turns", help="turns of each arm"),),
    features=2,
    classes=("first arm", "second arm"),
)

MOONS = Dataset(
    name="moons",
    help="two interlocking half circles",
    source="scikit-learn, sklearn.datasets.make_moons, centred and scaled",
    task="classification",
    make=_moons,
    features=2,
    classes=("upper", "lower"),
)

PLANE = Dataset(
    name="plane",
    help="y = (x1 + x2) / 2, both between -1 and 1",
    source=PLAYGROUND,
    task="regression",
    make=_plane,
    features=2,
)

GAUSSIAN_HILLS = Dataset(
    name="gaussian_hills",
    help="three hills and three hollows, alternating in two rows, each a Gaussian of width 0.25",
    source=PLAYGROUND,
    task="regression",
    make=_gaussian_hills,
    features=2,
)

TWO_CLASSES = (CIRCLE, XOR, GAUSSIANS, SPIRALS, MOONS)
SURFACES = (PLANE, GAUSSIAN_HILLS)
