"""The loss over a plane through the run's path. Changes nothing."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fallline.engine.measures.curvature import spectrum
from fallline.engine.measures.plane import (
    Plane,
    along_directions,
    along_path,
    filter_normalised,
    loss_over,
)
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.encoding import finite_or_none
from fallline.vocabulary.journal import Json
from fallline.vocabulary.recipe import RunRecipe

Which = Literal["pca", "eigenvectors"]
Normalize = Literal["none", "filter"]


def slice_of(
    problem: Problem,
    states: list[TrainingState],
    recipe: RunRecipe,
    plane: Which = "pca",
    normalize: Normalize = "none",
) -> Json:
    """Return the loss over a plane through the last of the states, and the path on it.

    The plane is along the main components of the path, or along the two eigenvectors of the Hessian with the largest
    eigenvalues.
    """
    path = np.array([state.parameters for state in states])
    fields = {"plane": plane, "normalize": normalize, "of": problem.loss.name}
    try:
        through = _plane(problem, path, recipe.settings_at(states[-1].step).l2, plane)
    except FloatingPointError:
        return {**fields, "s": [], "t": [], "losses": [], "heights": [], "path": None, "outside": None}
    if normalize == "filter":
        through = filter_normalised(through, problem.layout)
    places = through.places(path)
    grid = loss_over(problem, through, places)
    return {
        **fields,
        "s": grid.s.tolist(),
        "t": grid.t.tolist(),
        "losses": [[finite_or_none(loss) for loss in row] for row in grid.losses.tolist()],
        "heights": [[_height(loss) for loss in row] for row in grid.losses.tolist()],
        "path": {
            "steps": [state.step for state in states],
            "s": places[:, 0].tolist(),
            "t": places[:, 1].tolist(),
        },
        "outside": through.outside(path),
    }


def _plane(problem: Problem, path: NDArray[np.float64], l2: float, which: Which) -> Plane:
    if which == "pca":
        return along_path(path)
    curvature = spectrum(problem, path[-1], l2)
    return along_directions(path[-1], np.array([curvature.top, curvature.second]))


def _height(loss: float) -> float | None:
    """Return its power of ten."""
    return math.log10(loss) if 0.0 < loss < math.inf else None
