"""Losses at critical inputs, compared with formulas in another form."""

from __future__ import annotations

import warnings
from decimal import Decimal, localcontext

import numpy as np
import pytest

from fallline.engine.kernels.interface import evaluated_series
from fallline.engine.measures.probes import evaluate
from fallline.engine.methods.losses import LOSSES, Loss, default_loss
from fallline.vocabulary.recipe import LossSettings
from support.aliases import Array
from support.problems import classes_problem, small_problem

HUBER, BINARY, SOFTMAX = (LOSSES[name] for name in ("huber", "binary_cross_entropy", "softmax_cross_entropy"))


def probabilities(row: Loss, y_pred: Array) -> Array:
    assert row.probabilities is not None
    return row.probabilities(y_pred)


def column(*values: float) -> Array:
    return np.array(values, dtype=float)[:, np.newaxis]


def shares_to_many_digits(logits: Array) -> list[Decimal]:
    """The textbook softmax in decimal arithmetic, which needs no care."""
    with localcontext() as context:
        context.prec = 250
        exponentials = [Decimal(float(logit)).exp() for logit in logits]
        return [each / sum(exponentials) for each in exponentials]


@pytest.mark.parametrize("scale", [0.01, 1.0, 10.0, 50.0])
def test_softmax_cross_entropy_is_the_textbooks_to_the_last_digits(scale: float) -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        logits, true = rng.normal(size=5) * scale, int(rng.integers(5))
        shares = shares_to_many_digits(logits)
        with localcontext() as context:
            context.prec = 250
            expected, missing = float(-shares[true].ln()), float(shares[true] - 1)
        slope = SOFTMAX.gradient(logits[np.newaxis], column(true))[0]
        assert SOFTMAX(logits[np.newaxis], column(true)) == pytest.approx(expected, rel=1e-13, abs=1e-300)
        for k, share in enumerate(shares):
            expected = missing if k == true else float(share)
            assert slope[k] == pytest.approx(expected, rel=1e-13, abs=1e-300)


def test_two_outputs_of_a_softmax_are_one_logit_and_none() -> None:
    rng = np.random.default_rng(6)
    logits, y = rng.normal(size=(50, 1)) * 20, column(*rng.integers(0, 2, 50))
    both = np.hstack([np.zeros_like(logits), logits])
    assert SOFTMAX(both, y) == pytest.approx(BINARY(logits, y), rel=1e-15)
    assert np.allclose(SOFTMAX.gradient(both, y)[:, 1:], BINARY.gradient(logits, y), rtol=1e-13, atol=0)
    assert np.allclose(probabilities(SOFTMAX, both.T), probabilities(BINARY, logits.T), rtol=1e-13, atol=0)


@pytest.mark.parametrize("big", [40.0, 710.0, 1e3, 1e15, 1e300])
def test_a_large_logit_gives_no_nan(big: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for row, logits in ((BINARY, column(big, -big)), (SOFTMAX, np.array([[0, big], [0, -big]]))):
            right, wrong = column(1, 0), column(0, 1)
            assert row(logits, right) == pytest.approx(np.exp(-big), rel=1e-14)
            assert row(logits, wrong) == pytest.approx(big, rel=1e-15)
            assert np.abs(row.gradient(logits, right)).max() == pytest.approx(np.exp(-big) / 2, rel=1e-14)
            assert np.abs(row.gradient(logits, wrong)).max() == 0.5
            shares = probabilities(row, logits.T)
            assert np.array_equal(shares.sum(axis=0), [1.0, 1.0])
            assert np.array_equal(row.decide(logits.T), [1, 0])


def test_logits_as_large_as_numbers_go_have_an_infinite_loss_and_a_finite_gradient() -> None:
    logits = np.array([[1.7e308, -1.7e308, 0.0]])
    with np.errstate(over="ignore"):
        assert SOFTMAX(logits, column(0)) == 0.0
        assert SOFTMAX(logits, column(1)) == np.inf
        assert SOFTMAX(logits, column(2)) == 1.7e308
        assert SOFTMAX.gradient(logits, column(1)).tolist() == [[1.0, -1.0, 0.0]]


def test_nan_stays_visible() -> None:
    for row, classes in ((HUBER, 0), (BINARY, 2), (SOFTMAX, 3)):
        y_pred = np.zeros((3, row.outputs(classes)))
        y_pred[1, 0] = np.nan
        assert np.isnan(row(y_pred, column(0, 1, 1)))
        assert np.isnan(row.gradient(y_pred, column(0, 1, 1))[1]).all()
    for measure_one in (HUBER.measure_one, BINARY.measure_one):
        assert measure_one is not None
        assert np.isnan(measure_one(np.nan, 1.0)).all()


def test_huber_is_half_the_square_within_delta_and_a_line_beyond() -> None:
    y = column(0, 0, 0, 0)
    assert HUBER(column(0.5, -0.5, 1.0, -1.0), y) == pytest.approx(np.mean([0.125, 0.125, 0.5, 0.5]))
    assert HUBER(column(3, -3, 3, -3), y) == 2.5
    wide = HUBER.with_parameters({"delta": 2.0})
    assert wide(column(3, -3, 3, -3), y) == 2.0 * (3.0 - 1.0)
    assert (wide.gradient(column(3, -3, 1, 0), y) * 4).ravel().tolist() == [2.0, -2.0, 1.0, 0.0]
    assert wide.measure_one is not None
    assert wide.measure_one(-3.0, 0.0) == (4.0, -2.0)
    assert HUBER(column(1e300), column(0)) == 1e300


def test_huber_within_delta_descends_what_mse_descends() -> None:
    rng = np.random.default_rng(7)
    y_pred, y = rng.normal(size=(30, 1)), rng.normal(size=(30, 1))
    far = HUBER.with_parameters({"delta": 1e6})
    assert far(y_pred, y) == pytest.approx(0.5 * LOSSES["mse"](y_pred, y), rel=1e-14)
    assert np.allclose(far.gradient(y_pred, y), LOSSES["mse"].gradient(y_pred, y), rtol=1e-14)


def test_a_tie_goes_to_the_class_that_comes_first() -> None:
    assert SOFTMAX.decide(np.array([[1.0, 0.0, 2.0], [1.0, 3.0, 2.0], [0.0, 3.0, 2.0]])).tolist() == [0, 1, 0]
    assert BINARY.decide(np.array([[0.0, 1e-300, -1e-300]])).tolist() == [0, 1, 0]
    assert LOSSES["mse"].decide(np.array([[0.5, 0.5000001, 0.4]])).tolist() == [0, 1, 0]


def test_the_default_loss_depends_on_the_data() -> None:
    assert [default_loss(classes) for classes in (0, 2, 3, 10)] == [
        "mse", "binary_cross_entropy", "softmax_cross_entropy", "softmax_cross_entropy",
    ]  # fmt: skip
    for classes in (0, 2, 3, 10):
        assert LOSSES[default_loss(classes)].fits(classes)
    assert [name for name, row in LOSSES.items() if row.fits(0)] == ["mse", "huber"]
    assert [name for name, row in LOSSES.items() if row.fits(2)] == list(LOSSES)
    assert [name for name, row in LOSSES.items() if row.fits(3)] == ["softmax_cross_entropy"]


@pytest.mark.parametrize(("loss", "classes"), [("softmax_cross_entropy", 3), ("binary_cross_entropy", 2)])
def test_the_baseline_of_classes_is_their_entropy_and_the_share_of_the_largest(
    loss: str, classes: int
) -> None:
    problem = classes_problem(loss, classes, samples=120, test_fraction=0.25)
    trained = np.bincount(problem.y_train.ravel().astype(int)) / len(problem.y_train)
    tested = np.bincount(problem.y[problem.test_rows].ravel().astype(int)) / len(problem.y[problem.test_rows])
    assert problem.baseline["train"] == pytest.approx(-(trained * np.log(trained)).sum(), rel=1e-14)
    assert problem.baseline["test"] == pytest.approx(-(tested * np.log(trained)).sum(), rel=1e-14)
    largest = int(np.argmax(trained))
    assert problem.baseline_score == {"train": trained[largest], "test": tested[largest]}


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_the_baseline_of_numbers_predicts_their_mean(loss: str) -> None:
    problem = small_problem(test_fraction=0.25, loss=loss)
    mean = problem.y_train.mean()
    for split, y in (("train", problem.y_train), ("test", problem.y[problem.test_rows])):
        assert problem.baseline[split] == problem.loss(np.full_like(y, mean), y)
    assert problem.baseline_score["train"] == pytest.approx(0.0, abs=1e-15)
    assert problem.baseline_score["test"] < 0.0


def test_a_class_that_training_never_saw_has_an_infinite_baseline() -> None:
    problem = classes_problem("softmax_cross_entropy", 3, samples=5, test_fraction=0.6)
    assert len(set(problem.y_train.ravel())) < 3
    assert problem.baseline["test"] == np.inf
    assert np.isfinite(problem.baseline["train"])


@pytest.mark.parametrize("loss", LOSSES)
def test_accuracy_is_the_share_of_samples_whose_class_is_predicted(loss: str) -> None:
    problem = classes_problem(loss, 2, test_fraction=0.25)
    scores = evaluate(problem, problem.initial_parameters)
    assert tuple(scores) == ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    assert set(scores) == set(evaluated_series(problem))
    p = problem.named(problem.initial_parameters)
    for split, X, y in (
        ("train", problem.X_train, problem.y_train),
        ("test", problem.X[problem.test_rows], problem.y[problem.test_rows]),
    ):
        z = np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
        threshold = 0.0 if loss == "binary_cross_entropy" else 0.5
        guess = z.argmax(axis=1) if z.shape[1] > 1 else (z[:, 0] > threshold)
        assert scores[f"{split}_accuracy"] == np.mean(guess == y[:, 0])


def test_r2_uses_squares_for_every_loss() -> None:
    huber = small_problem(test_fraction=0.25, loss=LossSettings(name="huber", delta=0.1))
    mse = small_problem(test_fraction=0.25)
    by_huber, by_mse = (evaluate(problem, problem.initial_parameters) for problem in (huber, mse))
    assert by_huber["test_r2"] == pytest.approx(by_mse["test_r2"], rel=1e-13)
    assert by_huber["test_loss"] != by_mse["test_loss"]
