"""A plane through parameter space: projection of a path, loss over the plane.

A plane goes through the path's last point, along the path's principal components or along two given directions.
Filter normalisation and the PCA of a path: Li et al. 2018, arXiv:1712.09913.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fallline.engine.network import forward
from fallline.engine.problem import Layout, Problem
from fallline.vocabulary.arrays import Array

MOST_PLACES, FEWEST_PLACES = 25, 7
"""Points per side of the grid, and the minimum whatever the cost."""

MOST_WORK = 1e10
"""Maximum multiplications of the whole grid: a few seconds of a core."""

MARGIN = 0.25
"""Border around the path, as a share of its extent."""

ROUNDED = 1e-14
"""A second component below this share of the first is rounding."""


ALIKE = 1e-6
"""Directions closer than this are the same.

If only a bias has changed, normalisation leaves hardly anything else.
"""


@dataclass(frozen=True, slots=True)
class Plane:
    """The points centre + s directions[0] + t directions[1]."""

    centre: Array
    directions: Array

    def places(self, path: Array) -> Array:
        """Projections (points, 2) of a path (points, parameters) onto the plane."""
        coordinates, *_ = np.linalg.lstsq(self.directions.T, (path - self.centre).T, rcond=ALIKE)
        return np.asarray(coordinates.T)

    def outside(self, path: Array) -> float:
        """Share of squared distances from the centre outside the plane; 0 for no path."""
        away = path - self.centre
        whole = float((away * away).sum())
        left = away - self.places(path) @ self.directions
        return float((left * left).sum()) / whole if whole > 0.0 else 0.0


def along_path(path: Array) -> Plane:
    """The plane of the path's two principal components, through its last point.

    For a straight or constant path, unit vectors replace the missing components.
    """
    centre = path[-1]
    _, sizes, components = np.linalg.svd(path - centre, full_matrices=False)
    good = [
        component
        for component, size in zip(components[:2], sizes[:2], strict=True)
        if size > ROUNDED * sizes[0]
    ]
    return Plane(centre, _completed(good, path.shape[1]))


def along_directions(centre: Array, directions: Array) -> Plane:
    """The plane of two orthogonal directions."""
    return Plane(centre, _completed(list(directions), len(centre)))


def _completed(good: list[Array], count: int) -> Array:
    """Two orthogonal directions: the valid ones first, then unit vectors."""
    for place in range(count):
        if len(good) == 2:
            break
        unit = np.zeros(count)
        unit[place] = 1.0
        for one in good:
            unit -= unit.dot(one) * one
        length = float(np.sqrt(unit.dot(unit)))
        if length > 0.1 / np.sqrt(count):
            good.append(unit / length)
    return np.array(good)


def filter_normalised(plane: Plane, layout: Layout) -> Plane:
    """The plane with each unit's direction scaled to the norm of its weights.

    Biases do not change.
    """
    return Plane(plane.centre, np.array([_scaled(one, plane.centre, layout) for one in plane.directions]))


def _scaled(direction: Array, centre: Array, layout: Layout) -> Array:
    coordinates = direction.copy()
    weights = layout.named(centre)
    for name, part in layout.named(coordinates).items():
        if name.startswith("b"):
            part[:] = 0.0
        else:
            sizes = np.linalg.norm(part, axis=0)
            part *= np.linalg.norm(weights[name], axis=0) / (sizes + 1e-10)
    return coordinates


@dataclass(frozen=True, slots=True)
class Slice:
    """Losses (t, s) at the points of the grid; inf or NaN if they are not finite."""

    s: Array
    t: Array
    losses: Array


def loss_over(problem: Problem, plane: Plane, places: Array) -> Slice:
    """The reported training loss around these points (points, 2)."""
    cost = 2.0 * problem.train.count * problem.layout.count
    side = int(np.clip(np.sqrt(MOST_WORK / cost), FEWEST_PLACES, MOST_PLACES))
    s, t = (np.linspace(*_extent(places[:, axis]), side) for axis in (0, 1))
    losses = np.empty((side, side))
    with np.errstate(all="ignore"):
        for row, down in enumerate(t):
            for column, across in enumerate(s):
                flat = plane.centre + across * plane.directions[0] + down * plane.directions[1]
                passed = forward(problem.named(flat), problem.activations, problem.train.X)
                losses[row, column] = problem.loss(passed.y_pred, problem.train.y)
    return Slice(s, t, losses)


def _extent(values: Array) -> tuple[float, float]:
    """Range of the grid; a direction without movement is as wide as a unit."""
    low, high = float(values.min()), float(values.max())
    around = MARGIN * (high - low) if high > low else 0.5
    return low - around, high + around
