"""The plane of the paths of several runs, and the region of it that shows them.

All runs start at the same parameters. The plane goes through this start. Its axes are orthogonal and of length 1, so a
distance in the plane is one in parameter space.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from fallline.vocabulary.arrays import Array, Rows

MARGIN = 0.125
"""Border on each side of the paths, as a share of their extent: a quarter in all."""

SAME = 1e-9
"""A direction that adds less than this share of its length to the plane is in the plane already."""

ROUNDED = 1e-12
"""A main direction with less than this share of the squared distances is rounding."""


@dataclass(frozen=True, slots=True)
class Path:
    """The way of one run: rising steps (n,), and its distance from the start there (n, parameters).

    The first is step 0, with a distance of 0.
    """

    steps: Rows
    away: Array

    @property
    def weights(self) -> Array:
        """The length of the path around each of its points. Their sum is the whole length."""
        return _around(np.sqrt((np.diff(self.away, axis=0) ** 2).sum(axis=1)))

    @property
    def durations(self) -> Array:
        """The number of steps around each of its points. Their sum is the last step."""
        return _around(np.diff(self.steps).astype(np.float64))


def _around(gaps: Array) -> Array:
    """Return for each point half the gaps on its sides."""
    around = np.zeros(len(gaps) + 1)
    around[:-1] += gaps / 2.0
    around[1:] += gaps / 2.0
    return around


@dataclass(frozen=True, slots=True)
class SharedPlane:
    """The points start + s directions[0] + t directions[1]."""

    directions: Array

    def places(self, away: Array) -> Array:
        """Return the nearest points (n, 2) of the plane, for distances from the start."""
        return np.asarray(away @ self.directions.T)

    def outside(self, path: Path) -> tuple[Array, float]:
        """Return the share of the squared distance from the start that lies outside the plane.

        It is returned for each point, and over the whole path, in which all steps count alike.
        """
        whole = (path.away * path.away).sum(axis=1)
        left = path.away - self.places(path.away) @ self.directions
        beyond, weights = (left * left).sum(axis=1), path.durations
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(whole > 0.0, beyond / whole, 0.0)
        total = float(weights @ whole)
        return each, 0.0 if total == 0.0 else float(weights @ beyond) / total


def plane_of(paths: Sequence[Path], further: Iterable[Array]) -> SharedPlane:
    """Return the plane that contains or is nearest to the paths.

    - One path, or two: through their last points, and along the main direction of the rest.
    - Three and more: along the two main directions of all paths, each weighed by its length.
    - `further` directions replace missing ones of the paths. At least two must span a plane.
    """
    ends = [path.away[-1] for path in paths] if len(paths) < 3 else []
    directions: list[Array] = []
    for direction in _in_turn(ends, paths, directions, further):
        if (added := _across(direction, directions)) is not None:
            directions.append(added)
        if len(directions) == 2:
            break
    return SharedPlane(_turned(np.array(directions), paths))


def _in_turn(
    ends: list[Array], paths: Sequence[Path], directions: list[Array], further: Iterable[Array]
) -> Iterator[Array]:
    """Yield the candidates, the best first. `directions` are those chosen so far."""
    yield from ends
    yield from _main_directions(paths, directions)
    yield from further


def _across(direction: Array, directions: list[Array]) -> Array | None:
    """Return the part of a direction at right angles to others, of length 1, or None."""
    length = _length(direction)
    if not 0.0 < length < np.inf:
        return None
    left = direction / length
    for _ in range(2):  # the second time removes the rounding of the first
        for one in directions:
            left = left - left.dot(one) * one
    rest = _length(left)
    return left / rest if rest > SAME else None


def _length(vector: Array) -> float:
    """Return the Euclidean length, also of numbers whose squares would overflow."""
    largest = float(np.abs(vector).max())
    if not 0.0 < largest < np.inf:
        return largest
    scaled = vector / largest
    return largest * float(np.sqrt(scaled.dot(scaled)))


def _main_directions(paths: Sequence[Path], directions: list[Array]) -> list[Array]:
    """Return the two main directions of what the paths have beside these directions."""
    if not paths:
        return []
    rows = np.concatenate([np.sqrt(path.weights)[:, np.newaxis] * path.away for path in paths])
    largest = float(np.abs(rows).max())
    if not 0.0 < largest < np.inf:
        return []
    rows = rows / largest
    least = ROUNDED * float((rows * rows).sum())
    for one in directions:
        rows = rows - np.outer(rows @ one, one)
    if len(rows) > rows.shape[1]:
        sizes, axes = np.linalg.eigh(rows.T @ rows)
    else:  # the same directions from a smaller matrix
        sizes, axes = np.linalg.eigh(rows @ rows.T)
        axes = rows.T @ axes
    return [axes[:, place] for place in range(len(sizes))[:-3:-1] if sizes[place] > least]


def _turned(directions: Array, paths: Sequence[Path]) -> Array:
    """Turn the axes of a plane by rules that depend on the paths only.

    The first axis is the longest extent of the paths, towards their ends. Along the second, the first run is above the
    others, or above the axis.
    """
    if not paths:
        return directions
    places = [path.away @ directions.T for path in paths]
    spread = sum(at.T @ (path.weights[:, np.newaxis] * at) for path, at in zip(paths, places, strict=True))
    if not 0.0 < float(np.abs(spread).max()) < np.inf:
        return directions
    turn = np.linalg.eigh(spread)[1].T[::-1].copy()
    across = math.fsum(at[-1] @ turn[0] for at in places)
    first, *others = (float((at @ turn[1]).mean()) for at in places)
    turn *= [[_sign(across)], [_sign(first - float(np.mean(others or [0.0])))]]
    return np.asarray(turn @ directions)


def _sign(value: float) -> float:
    return -1.0 if value < 0.0 else 1.0


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the plane, in its units."""

    west: float
    east: float
    south: float
    north: float

    @classmethod
    def around(cls, places: Array, least: float) -> Self:
        """Return the region of these points (n, 2) with a margin, at least `least` wide and high."""
        (west, south), (east, north) = places.min(axis=0), places.max(axis=0)
        across, up = (
            max((high - low) * (0.5 + MARGIN), least / 2.0) for low, high in ((west, east), (south, north))
        )
        x, y = (west + east) / 2.0, (south + north) / 2.0
        return cls(x - across, x + across, y - up, y + up)

    def with_region(self, other: Region) -> Region:
        """Return the smallest region that contains both."""
        return Region(
            min(self.west, other.west),
            max(self.east, other.east),
            min(self.south, other.south),
            max(self.north, other.north),
        )

    def shaped(self, aspect: float) -> Region:
        """Return the smallest region around this one whose width is `aspect` times its height."""
        wider = max(aspect * self.height - self.width, 0.0) / 2.0
        higher = max(self.width / aspect - self.height, 0.0) / 2.0
        return Region(self.west - wider, self.east + wider, self.south - higher, self.north + higher)

    @property
    def width(self) -> float:
        return self.east - self.west

    @property
    def height(self) -> float:
        return self.north - self.south

    def grid(self, columns: int, rows: int) -> tuple[Array, Array]:
        """Return the places of a grid's columns and rows, edges included."""
        return np.linspace(self.west, self.east, columns), np.linspace(self.south, self.north, rows)
