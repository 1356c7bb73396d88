"""Search the seeds of the exhibit "The notebook": GD learns, SGD loses its second layer.

python tests/golden/find_exhibit_seeds.py [data seeds] [network seeds]

Both use the same rate. The script prints the suitable pairs, best last. `fallline.vocabulary.exhibits` contains the
chosen pair and a test checks its claim, so the script only runs again when the engine's random draws change.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from fallline.engine.measures.probes import evaluate, units
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.errors import InvalidRequest
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, RunRecipe

GD = RunRecipe(name="gd", learning_rate=0.1)
SGD = RunRecipe(name="sgd", learning_rate=0.1, batch_size=1)
WATCHED, LATEST_DEATH = 1500, 400


@dataclass(frozen=True)
class Story:
    """Result of a pair of seeds; `worst_rise` is the largest relative rise of GD's loss in a step."""

    data_seed: int
    network_seed: int
    death: int
    train_r2: float
    test_r2: float
    worst_rise: float
    initial_loss: float
    sgd_loss: float
    baseline: float
    hidden_dead: int


def layer_is_dead(problem: Problem, state: TrainingState) -> bool:
    """Return whether every unit of the second hidden layer is off for every training sample."""
    return all(units(problem, state.parameters)[1].dead)


def step_of_death(problem: Problem, run: RunRecipe, latest: int) -> int | None:
    """The first step with a dead second layer, by bisection: dead units stay dead under SGD."""
    state = begin(problem)
    advance(problem, state, run, latest)
    if state.diverged_at is not None or not layer_is_dead(problem, state):
        return None
    alive, dead = begin(problem), latest
    while dead - alive.step > 1:
        middle = alive.copy()
        advance(problem, middle, run, (dead - alive.step) // 2)
        if layer_is_dead(problem, middle):
            dead = middle.step
        else:
            alive = middle
    return dead


def story(data_seed: int, network_seed: int) -> Story | None:
    """The story of a pair, or None if SGD survives, dies at once, or GD does not learn."""
    data = DataSettings(samples=1200, test_fraction=0.25, seed=data_seed)
    try:
        problem = build_problem(data, NetworkSettings(seed=network_seed), "mse")
    except InvalidRequest:
        return None
    death = step_of_death(problem, SGD, LATEST_DEATH)
    if death is None or death < 50:
        return None
    gd, sgd = begin(problem), begin(problem)
    losses = advance(problem, gd, GD, WATCHED).values[0]
    advance(problem, sgd, SGD, WATCHED)
    if gd.diverged_at is not None or sgd.diverged_at is not None:
        return None
    scores = evaluate(problem, gd.parameters)
    if scores["train_r2"] < 0.9 or scores["test_r2"] < 0.9:
        return None
    return Story(
        data_seed,
        network_seed,
        death,
        scores["train_r2"],
        scores["test_r2"],
        float(np.max(losses[1:] / losses[:-1])) - 1.0,
        problem.initial_loss,
        evaluate(problem, sgd.parameters)["train_loss"],
        problem.baseline["train"],
        sum(sum(layer.dead) for layer in units(problem, gd.parameters)[:2]),
    )


def main() -> None:
    data_seeds, network_seeds = (int(text) for text in (*sys.argv[1:], "20", "300")[:2])
    found = [
        told
        for data_seed in range(data_seeds)
        for network_seed in range(network_seeds)
        if (told := story(data_seed, network_seed)) is not None
    ]
    for told in sorted(found, key=lambda told: (-told.worst_rise, told.test_r2)):
        print(told)
    print(f"{len(found)} of {data_seeds * network_seeds} pairs tell the story")


if __name__ == "__main__":
    main()
