"""Curvature along the gradients of mini-batches: the quantity that settles where SGD becomes unstable.

Andreyev and Beneventano 2024, arXiv:2412.20553: over batches B, the mean of g_B H_B g_B / |g_B|**2. With plain SGD it
settles around 2 / rate, while the sharpness over all samples stays below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fallline.engine.batches import batch_length, batch_rows
from fallline.engine.measures.curvature import HessianProducts, affordable_products
from fallline.engine.measures.probes import batch_gradient
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.arrays import Array, Rows
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings

MOST_BATCHES, FEWEST_BATCHES = 200, 8
"""Maximum number of batches, and the number that is measured whatever the cost."""


@dataclass(frozen=True, slots=True)
class BatchSharpness:
    """The mean over `batches` of the `in_pass` batches of a pass, and its standard error.

    The error is 0 if all of them are measured. A batch without gradient has no direction and does not count; `mean` is
    None if none counts.
    """

    mean: float | None
    standard_error: float
    batches: int
    in_pass: int


def batch_sharpness(problem: Problem, state: TrainingState, run: RunRecipe) -> BatchSharpness:
    """Batch sharpness of the descended loss, over the batches of the pass in which the state is."""
    settings = run.settings_at(state.step)
    places = _places(problem, settings, state.samples_seen)
    affordable = affordable_products(problem, settings.batch_size or problem.train.count)
    count = min(len(places), max(min(affordable, MOST_BATCHES), FEWEST_BATCHES))
    chosen = [places[place * len(places) // count] for place in range(count)]
    with np.errstate(all="ignore"):
        along = [
            _along(problem, state.parameters, batch_rows(problem, settings, run.seed, place), settings)
            for place in chosen
        ]
        values = np.array([each for each in along if each is not None])
        spread = values.std(ddof=1) / np.sqrt(len(values)) if count < len(places) and len(values) > 1 else 0.0
    return BatchSharpness(float(values.mean()) if len(values) else None, float(spread), count, len(places))


def _places(problem: Problem, settings: RunSettings, samples_seen: int) -> list[int]:
    """The samples seen before each batch of this pass, if all batches have the size in force."""
    m = problem.train.count
    start = samples_seen - samples_seen % m
    return list(range(start, start + m, batch_length(settings, start, m)))


def _along(problem: Problem, parameters: Array, rows: Rows, settings: RunSettings) -> float | None:
    """g H g / |g|**2 of one batch; None without a gradient."""
    by_name = batch_gradient(problem, parameters, rows, settings)
    gradient = np.concatenate([each.ravel() for each in by_name.values()])
    length = np.sqrt(gradient.dot(gradient))
    if length == 0.0:
        return None
    direction = gradient / length  # the square of a long gradient may overflow
    product = HessianProducts(problem, parameters, settings.l2, rows).products(direction[np.newaxis])[0]
    return float(direction.dot(product))
