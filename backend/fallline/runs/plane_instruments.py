"""The loss over a plane through the run's way, with the way on it.

Must not step a network or keep anything.
"""

from __future__ import annotations

import math
from typing import Any, Literal

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
from fallline.vocabulary.recipe import RunRecipe

Json = dict[str, Any]
Which = Literal["pca", "eigenvectors"]
Normalize = Literal["none", "filter"]


def slice_of(
    problem: Problem,
    states: list[TrainingState],
    recipe: RunRecipe,
    plane: Which = "pca",
    normalize: Normalize = "none",
) -> Json:
    """The plane goes through the last of the states: along the main components of the way to it, or along the two
    eigenvectors of the Hessian there that belong to the largest eigenvalues.
    """
    path = np.array([state.parameters for state in states])
    told = {"plane": plane, "normalize": normalize, "of": problem.loss.name}
    try:
        through = _plane(problem, path, recipe.settings_at(states[-1].step).l2, plane)
    except FloatingPointError:
        return {**told, "s": [], "t": [], "losses": [], "heights": [], "path": None, "outside": None}
    if normalize == "filter":
        through = filter_normalised(through, problem.layout)
    places = through.places(path)
    grid = loss_over(problem, through, places)
    return {
        **told,
        "s": grid.s.tolist(),
        "t": grid.t.tolist(),
        "losses": [[_finite(loss) for loss in row] for row in grid.losses.tolist()],
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
    found = spectrum(problem, path[-1], l2)
    return along_directions(path[-1], np.array([found.top, found.second]))


def _height(loss: float) -> float | None:
    """Its power of ten."""
    return math.log10(loss) if 0.0 < loss < math.inf else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
