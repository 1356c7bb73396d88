"""Every exhibit does what it claims."""

import numpy as np
import pytest

from fallline.engine.evaluation import evaluate
from fallline.engine.probes import units
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.exhibits import EXHIBITS
from support.problems import problem_of, series

NOTEBOOK = EXHIBITS["notebook"].recipe


@pytest.fixture(scope="module")
def problem():
    return problem_of(NOTEBOOK)


def test_the_notebook_has_900_samples_to_train_on_and_one_rate(problem):
    assert problem.train.count == 900
    assert [(run.name, run.learning_rate, run.batch_size) for run in NOTEBOOK.runs] == [
        ("gd", 0.1, None),
        ("sgd", 0.1, 1),
    ]


def test_in_the_notebook_gd_learns_downhill_all_the_way(problem):
    state = begin(problem)
    records = advance(problem, state, NOTEBOOK.runs[0], 1500)
    scores = evaluate(problem, state.parameters)
    assert scores["train_r2"] > 0.9
    assert scores["test_r2"] > 0.9
    assert (np.diff(series(records, "train_loss")) < 0).all()
    assert not any(any(layer.dead) for layer in units(problem, state.parameters)[:2])


def test_in_the_notebook_the_second_layer_of_sgd_dies_within_a_few_hundred_steps(problem):
    state, run = begin(problem), NOTEBOOK.runs[1]
    advance(problem, state, run, 100)
    assert not all(units(problem, state.parameters)[1].dead)
    advance(problem, state, run, 200)
    assert all(units(problem, state.parameters)[1].dead)
    records = advance(problem, state, run, 1200)
    assert state.diverged_at is None
    assert not series(records, "grad_l1/W2").any()
    assert evaluate(problem, state.parameters)["train_r2"] < 0.01
