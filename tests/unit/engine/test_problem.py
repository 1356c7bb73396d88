"""Data, split, standardizing and initial parameters."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fallline.engine.batches import order_of_pass
from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.row import Dataset, Raw
from fallline.engine.problem import Problem, build_problem, shared_problem
from fallline.engine.randomness import rng_for
from fallline.vocabulary.errors import InvalidRequest
from fallline.vocabulary.recipe import DataSettings, Initializer, NetworkSettings
from support.aliases import Json
from support.problems import default_problem, network


def problem(**data: Any) -> Problem:
    return build_problem(DataSettings(**data), NetworkSettings(), "mse")


def test_the_default_data_are_the_notebooks() -> None:
    problem_shown = default_problem()
    assert problem_shown.X.shape == (900, 5)
    assert problem_shown.y.shape == (900, 1)
    beta = rng_for(0, "coefficients").standard_normal((5, 1))
    assert np.array_equal(problem_shown.y, np.log(problem_shown.X @ beta + 20))
    assert len(problem_shown.test_rows) == 0
    assert np.array_equal(problem_shown.train_rows, np.arange(900))


def test_experiments_of_one_recipe_share_their_arrays_but_not_the_problem() -> None:
    recipe = DataSettings(seed=71), NetworkSettings(seed=72), "mse"
    one, other = shared_problem(*recipe), shared_problem(*recipe)
    assert one is not other
    assert one.train is other.train
    assert one.initial_parameters is other.initial_parameters
    assert one.fingerprint() == build_problem(*recipe).fingerprint()
    for changed in ((DataSettings(seed=73), *recipe[1:]), (recipe[0], NetworkSettings(seed=73), "mse")):
        assert shared_problem(*changed).fingerprint() == build_problem(*changed).fingerprint()
        assert shared_problem(*changed).fingerprint() != one.fingerprint()


def test_parameters_have_the_notebooks_names_and_shapes() -> None:
    named = default_problem().named(default_problem().initial_parameters)
    shapes = {name: values.shape for name, values in named.items()}
    assert shapes == {"W1": (5, 4), "b1": (1, 4), "W2": (4, 4), "b2": (1, 4), "W3": (4, 1), "b3": (1, 1)}


def test_data_with_an_undefined_logarithm_are_rejected_with_advice() -> None:
    """Trap T6: with many features X @ beta reaches -20, which gives NaN."""
    with pytest.raises(InvalidRequest) as refused:
        problem(features=64, samples=5000)
    (error,) = refused.value.errors
    assert error.pointer == "/data/seed"
    assert "choose another seed, fewer samples, or fewer features" in error.detail


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.333, 0.5])
def test_the_split_holds_out_the_rounded_share_and_loses_nobody(fraction: float) -> None:
    split = problem(samples=101, test_fraction=fraction)
    assert len(split.test_rows) == round(101 * fraction)
    assert sorted([*split.train_rows, *split.test_rows]) == list(range(101))
    assert np.array_equal(split.X_train, split.X[split.train_rows])
    assert split.test is not None
    assert np.array_equal(split.test.y, split.y[split.test_rows])


def test_the_split_is_drawn_by_the_data_seed() -> None:
    first, again, other = (problem(test_fraction=0.5, seed=seed).test_rows for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_seeds_of_data_parameters_and_batches_move_nothing_of_each_other() -> None:
    def built_with(data: int = 0, net: int = 0, run: int = 0) -> tuple[NDArray[Any], ...]:
        data_settings = DataSettings(samples=60, noise=0.1, test_fraction=0.25, seed=data)
        built = build_problem(data_settings, NetworkSettings(seed=net), "mse")
        places = order_of_pass("shuffle", run, 0, len(built.train_rows))
        return built.X, built.y, built.test_rows, built.initial_parameters, places

    first = built_with()
    for changed, moved in (("data", {0, 1, 2}), ("net", {3}), ("run", {4})):
        other = built_with(**{changed: 1})
        assert {k for k in range(5) if not np.array_equal(first[k], other[k])} == moved


@pytest.mark.parametrize("switched", [{"noise": 0.1}, {"test_fraction": 0.3}, {"standardize": "inputs"}])
def test_switching_one_thing_on_draws_nothing_else_anew(switched: Json) -> None:
    plain, other = problem(samples=50), problem(samples=50, **switched)
    if "standardize" in switched:
        assert np.allclose(other.X * plain.X.std(axis=0) + plain.X.mean(axis=0), plain.X)
        assert np.array_equal(plain.y, other.y)
    else:
        assert np.array_equal(plain.X, other.X)
        assert np.array_equal(plain.y, other.y) == ("noise" not in switched)
    assert np.array_equal(plain.initial_parameters, other.initial_parameters)


def test_a_split_without_training_samples_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="/data/test_fraction"):
        problem(samples=1, test_fraction=0.9)


def test_more_samples_of_one_seed_keep_the_law() -> None:
    few, many = problem(samples=100, features=2), problem(samples=200, features=2)
    assert np.array_equal(few.X, many.X[:100])
    assert np.array_equal(few.y, many.y[:100])


def test_noise_is_added_to_the_targets_only() -> None:
    clean, noisy = problem(seed=5), problem(seed=5, noise=0.3)
    assert np.array_equal(clean.X, noisy.X)
    assert np.std(noisy.y - clean.y) == pytest.approx(0.3, rel=0.1)


THREE_CLASSES = Dataset(
    name="three",
    help="a set of three classes",
    source="this test",
    task="classification",
    make=lambda data_settings: Raw(
        np.ones((data_settings.samples, 2)),
        (np.arange(data_settings.samples).reshape(-1, 1) % 3.0).astype(float),
        ("a", "b"),
        ("0", "1", "2"),
    ),
    features=2,
    classes=("0", "1", "2"),
)


@pytest.fixture
def three_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "three", THREE_CLASSES)


@pytest.mark.usefixtures("three_classes")
def test_noise_moves_the_inputs_of_a_classification() -> None:
    clean, noisy = problem(name="three"), problem(name="three", noise=0.3)
    assert np.array_equal(clean.y, noisy.y)
    assert np.std(noisy.X - clean.X) == pytest.approx(0.3, rel=0.1)


@pytest.mark.usefixtures("three_classes")
@pytest.mark.parametrize("share", [0.1, 0.25, 1.0])
def test_label_noise_replaces_that_share_of_labels_by_other_classes(share: float) -> None:
    clean, noisy = problem(name="three"), problem(name="three", label_noise=share)
    shifts = ((noisy.y - clean.y) % 3).ravel()
    assert np.count_nonzero(shifts) == round(900 * share)
    ones, twos = (np.count_nonzero(shifts == shift) for shift in (1, 2))
    assert ones == pytest.approx(twos, rel=0.3)
    assert np.array_equal(clean.X, noisy.X)


@pytest.mark.usefixtures("three_classes")
@pytest.mark.parametrize("which", ["targets", "both"])
def test_the_index_of_a_class_is_never_standardized(which: str) -> None:
    problem_shown = problem(name="three", standardize=which)
    assert set(problem_shown.y.ravel()) == {0.0, 1.0, 2.0}
    assert problem_shown.classes == ("0", "1", "2")
    assert problem_shown.features == ("a", "b")


@pytest.mark.parametrize(
    ("which", "scaled"), [("none", ()), ("inputs", "X"), ("targets", "y"), ("both", "Xy")]
)
def test_standardizing_counts_training_rows_only(which: str, scaled: str) -> None:
    split = problem(standardize=which, test_fraction=0.5, samples=200)
    for name, values in (("X", split.X_train), ("y", split.y_train)):
        standard = np.allclose(values.mean(axis=0), 0, atol=1e-12) and np.allclose(values.std(axis=0), 1)
        assert standard == (name in scaled)
    assert not np.allclose(split.X[split.test_rows].mean(axis=0), 0, atol=1e-6)


def test_a_constant_target_can_be_standardized() -> None:
    one = problem(samples=1, standardize="both")
    assert one.X.tolist() == [[0.0] * 5]
    assert one.y.tolist() == [[0.0]]


def test_the_baseline_predicts_the_mean_of_the_training_targets() -> None:
    split = problem(samples=400, test_fraction=0.25)
    mean = split.y_train.mean()
    assert split.baseline["train"] == pytest.approx(np.var(split.y_train), rel=1e-12)
    assert split.baseline["test"] == pytest.approx(np.mean((split.y[split.test_rows] - mean) ** 2), rel=1e-12)


def test_a_layers_start_does_not_depend_on_the_other_layers() -> None:
    wide = build_problem(DataSettings(), network((4, "relu"), (4, "relu"), seed=9), "mse")
    deep = build_problem(DataSettings(), network((4, "tanh"), (4, "relu"), (6, "relu"), seed=9), "mse")
    for name in ("W1", "b1", "W2", "b2"):
        one, other = (built.named(built.initial_parameters)[name] for built in (wide, deep))
        assert np.array_equal(one, other)


def test_weights_and_biases_are_drawn_apart() -> None:
    drawn = []
    for biases in ("zeros", Initializer(name="uniform", scale=0.5)):
        settings = network((100, "relu")).model_copy(update={"weights": "he_uniform", "biases": biases})
        built = build_problem(DataSettings(name="linear", features=64), settings, "mse")
        drawn.append(built.named(built.initial_parameters))
    assert np.array_equal(drawn[0]["W1"], drawn[1]["W1"])
    assert np.abs(drawn[0]["W1"]).max() == pytest.approx(np.sqrt(6 / 64), rel=0.01)
    assert not drawn[0]["b1"].any()
    assert 0.4 < np.abs(drawn[1]["b1"]).max() <= 0.5


def test_zero_biases_are_the_notebooks_other_choice() -> None:
    built = build_problem(DataSettings(), network((4, "relu"), biases="zeros"), "mse")
    assert not built.named(built.initial_parameters)["b1"].any()


def test_a_problem_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        default_problem().X[0, 0] = 1.0
