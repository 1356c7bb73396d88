"""The fall line against losses and projections by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.probes import evaluate
from fallline.engine.problem import Problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.instruments import fall_line
from fallline.runs.instruments.fall_line import FEW_PAGES, MOST_TERRAINS, FallLine, Terrains, View
from fallline.runs.past.sampled_path import Course
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.recipe import RunRecipe
from support.aliases import Json
from support.problems import small_problem

PROBLEM = small_problem((4, "tanh"), samples=20)
STEPS = 40


def course(name: str, steps: int, problem: Problem = PROBLEM, **fields: Any) -> Course:
    """Return a run at that step; its seed and rate follow from its name."""
    number = sum(map(ord, name))
    settings: Json = {"batch_size": 1, "learning_rate": 0.02 + number % 7 / 100, "seed": number, **fields}
    recipe, state = RunRecipe(name=name, **settings), begin(problem)
    advance(problem, state, recipe, steps)
    return Course(name, 0, recipe, NUMPY, state, steps, (), diverged=False)


def view(*courses: Course, **options: Any) -> View:
    return View(PROBLEM, NUMPY, courses, **{"moving": False, **options})


def runs(*names: str, steps: int = STEPS) -> tuple[Course, ...]:
    return tuple(course(name, steps) for name in names)


def parameters_at(line: FallLine, s: float, t: float) -> Array:
    current = line._current
    assert current is not None
    return np.asarray(PROBLEM.initial_parameters + np.array([s, t]) @ current.plane.directions)


def train_loss(parameters: Array) -> float:
    return evaluate(PROBLEM, parameters)["train_loss"]


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "c"), tuple("abcdefgh")])
def test_the_terrain_has_the_losses_at_its_points(names: tuple[str, ...]) -> None:
    line = FallLine()
    answer = line.measure(view(*runs(*names)))
    losses = np.array(answer["losses"])
    assert losses.shape == (152, 180) == (len(answer["t"]), len(answer["s"]))
    rng = np.random.default_rng(0)
    for row, column in zip(rng.integers(0, 152, 30), rng.integers(0, 180, 30), strict=True):
        expected = train_loss(parameters_at(line, answer["s"][column], answer["t"][row]))
        assert losses[row, column] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(np.array(answer["heights"]), np.log10(losses))
    west, east, south, north = answer["region"]
    assert (east - west) / (north - south) == pytest.approx(180 / 152)
    assert (answer["s"][0], answer["s"][-1], answer["t"][0], answer["t"][-1]) == (west, east, south, north)


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_the_losses_at_the_start_and_at_the_points_of_one_or_two_runs_are_exact(
    names: tuple[str, ...],
) -> None:
    line, courses = FallLine(), runs(*names)
    answer = line.measure(view(*courses))
    assert answer["start_loss"] == PROBLEM.initial_loss
    for one, point in zip(courses, answer["points"], strict=True):
        assert point["loss"] == train_loss(one.state.parameters)
        # the point lies in the plane: its place there has the same parameters
        np.testing.assert_allclose(
            parameters_at(line, point["s"], point["t"]), one.state.parameters, atol=1e-12
        )
        assert point["distance"] == pytest.approx(np.hypot(point["s"], point["t"]))


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "c")])
def test_paths_are_projected_and_their_shares_outside_are_those_by_hand(names: tuple[str, ...]) -> None:
    line, courses = FallLine(), runs(*names)
    answer = line.measure(view(*courses))
    assert line._current is not None
    directions = line._current.plane.directions
    for one, point in zip(courses, answer["points"], strict=True):
        state, away = begin(PROBLEM), [np.zeros(PROBLEM.layout.count)]
        for _ in range(STEPS):
            advance(PROBLEM, state, one.recipe, 1)
            away.append(state.parameters - PROBLEM.initial_parameters)
        path = point["path"]
        assert path["steps"] == [*range(STEPS + 1)]
        places = np.array(away) @ directions.T
        np.testing.assert_allclose(path["s"], places[:, 0], atol=1e-12)
        np.testing.assert_allclose(path["t"], places[:, 1], atol=1e-12)
        whole = (np.array(away) ** 2).sum(axis=1)
        share = 1.0 - (places**2).sum(axis=1)[1:] / whole[1:]
        np.testing.assert_allclose(path["outside"], [0.0, *share], atol=1e-9)
        assert 0.0 <= point["outside"] <= 1.0
        assert (point["s"], point["t"]) == (path["s"][-1], path["t"][-1])


def test_before_the_first_step_it_is_the_plane_of_the_gradient_and_a_direction_drawn_from_the_seed() -> None:
    line, start = FallLine(), runs("a", "b", steps=0)
    answer = line.measure(view(*start))
    assert answer["plane"] == "gradient"
    assert line._current is not None
    directions = line._current.plane.directions
    west, east, south, north = answer["region"]
    assert west < 0.0 < east
    assert south < 0.0 < north
    slope = (train_loss(parameters_at(line, 1e-6, 0.0)) - train_loss(parameters_at(line, -1e-6, 0.0))) / 2e-6
    across = (train_loss(parameters_at(line, 0.0, 1e-6)) - train_loss(parameters_at(line, 0.0, -1e-6))) / 2e-6
    assert slope > 0.0
    assert abs(across) < 1e-6 * slope
    again = FallLine()
    again.measure(view(*start))
    assert again._current is not None
    np.testing.assert_array_equal(again._current.plane.directions, directions)
    other = FallLine()
    other.measure(view(course("a", 0, seed=5), course("b", 0)))
    assert other._current is not None
    assert abs(other._current.plane.directions[1] @ directions[1]) < 0.99


def test_the_same_state_gives_the_same_numbers_whatever_was_asked_before() -> None:
    fresh, used = FallLine(), FallLine()
    for steps in (3, 17, 18, 33):
        used.measure(view(*runs("a", "b", "c", steps=steps), moving=True))
        used.measure(view(*runs("a", "b", "c", steps=steps), moving=True, terrain=False))
    answer = used.measure(view(*runs("a", "b", "c")))
    assert answer == fresh.measure(view(*runs("a", "b", "c")))
    assert answer == used.measure(view(*runs("a", "b", "c")))


def test_a_plane_is_kept_while_steps_are_made_until_their_number_has_doubled() -> None:
    line, plane_steps = FallLine(), []
    for steps in (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32):
        answer = line.measure(view(*runs("a", "b", steps=steps), moving=True))
        plane_steps.append(answer["plane_steps"]["a"])
        assert [point["step"] for point in answer["points"]] == [steps, steps]
    assert plane_steps == [0, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32]
    assert line.measure(view(*runs("a", "b", steps=33)))["plane_steps"] == {"a": 33, "b": 33}
    assert line.measure(view(*runs("a", "b", steps=34), moving=True))["plane_steps"] == {"a": 33, "b": 33}
    past = line.measure(view(*runs("a", "b", steps=20), moving=True, past=True))
    assert past["plane_steps"] == {"a": 20, "b": 20}


def test_points_alone_are_on_the_plane_of_the_last_terrain() -> None:
    line = FallLine()
    none = line.measure(view(*runs("a", "b"), terrain=False))
    assert (none["plane_steps"], none["points"]) == (None, [])
    line.measure(view(*runs("a", "b", steps=20)))
    later = runs("a", "b", steps=25)
    answer = line.measure(view(*later, terrain=False))
    assert answer["plane_steps"] == {"a": 20, "b": 20}
    assert "losses" not in answer
    assert line._current is not None
    for one, point in zip(later, answer["points"], strict=True):
        place = line._current.plane.directions @ (one.state.parameters - PROBLEM.initial_parameters)
        np.testing.assert_allclose([point["s"], point["t"]], place, atol=1e-12)
        assert point["path"]["steps"] == [*range(26)]
    # another choice of runs, or another generation, has another plane
    assert line.measure(view(later[0], terrain=False))["points"] == []
    reset = tuple(replace(one, generation=1) for one in later)
    assert line.measure(view(*reset, terrain=False))["points"] == []


def test_a_terrain_is_measured_once_for_a_plane_and_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    line, measured = FallLine(), []
    losses = type(NUMPY).losses

    def count(self: Any, *arguments: Any) -> Array:
        measured.append(len(arguments[-1]))
        return losses(self, *arguments)

    monkeypatch.setattr(type(NUMPY), "losses", count)
    courses = runs("a", "b")
    for options in (
        {},
        {},
        {"moving": True},
        {"aspect": 2.0},
        {"aspect": 2.0},
        {"aspect": 2.0, "region": (-9.0, 9.0, -1.0, 1.0)},
    ):
        answer = line.measure(view(*courses, **options))
    assert len(measured) == 3
    # one measured during play is coarser, so rest measures it again
    for moving in (True, True, False, True):
        line.measure(view(*courses, aspect=3.0, moving=moving))
    assert len(measured) == 5
    west, east, south, north = answer["region"]
    assert (west, east) <= (-9.0, 9.0) or (west <= -9.0 and east >= 9.0)
    assert (east - west) / (north - south) == pytest.approx(2.0)


def test_a_class_that_opens_one_recipe_shares_a_terrain(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []
    losses = type(NUMPY).losses

    def count(self: Any, *arguments: Any) -> Array:
        measured.append(len(arguments[-1]))
        return losses(self, *arguments)

    monkeypatch.setattr(type(NUMPY), "losses", count)
    shared = Terrains()

    def opened(problem: Problem, steps: int = 0, **options: Any) -> Json:
        """The terrain of another person, whose problem is built anew."""
        courses = tuple(course(name, steps, problem) for name in ("a", "b"))
        return FallLine(shared).measure(
            View(problem, NUMPY, courses, moving=False, encoding="bdata", **options)
        )

    first = opened(PROBLEM)
    second = opened(small_problem((4, "tanh"), samples=20))
    assert second == first
    assert len(measured) == 1
    for problem, options in (
        (small_problem((4, "relu"), samples=20), {}),
        (small_problem((4, "tanh"), samples=21), {}),
        (small_problem((4, "tanh"), samples=20, seed=5), {}),
        (PROBLEM, {"steps": 3}),
        (PROBLEM, {"aspect": 2.0}),
    ):
        before = len(measured)
        assert opened(problem, **options)["heights"] != first["heights"]
        assert len(measured) == before + 1
    for number in range(MOST_TERRAINS):
        opened(PROBLEM, aspect=1.0 + number / 100)
    assert len(shared._known) == MOST_TERRAINS
    opened(PROBLEM)
    assert len(measured) == 7 + MOST_TERRAINS


def test_a_diverged_run_decides_on_nothing_while_others_have_not(monkeypatch: pytest.MonkeyPatch) -> None:
    alive, far = runs("a", "b")
    state = far.state.copy()
    state.parameters += 1e6
    lost = replace(far, state=state, diverged=True)
    line, alone = FallLine(), FallLine()
    answer, other = line.measure(view(alive, lost)), alone.measure(view(alive))
    assert answer["region"] == other["region"]
    assert answer["losses"] == other["losses"]
    assert answer["points"][1]["outside"] > 0.0
    assert FallLine().measure(view(lost))["plane"] == "path"


def test_losses_that_are_not_finite_are_null() -> None:
    state = begin(PROBLEM)
    state.step = 1
    state.parameters += 1e200
    huge = replace(course("a", 0), state=state, to=1, diverged=True)
    answer = FallLine().measure(view(huge))
    assert any(loss is None for row in answer["losses"] for loss in row)
    assert any(height is None for row in answer["heights"] for height in row)
    packed = FallLine().measure(view(huge, encoding="bdata"))
    assert packed["heights"]["shape"] == "152, 180"


def test_runs_that_did_not_move_or_are_equal_have_a_plane_too() -> None:
    one = course("a", STEPS)
    twin = replace(one, name="b", state=one.state.copy())
    for courses in ((one, twin), (one, course("b", 0)), (one, twin, course("c", 0))):
        answer = FallLine().measure(view(*courses))
        assert np.isfinite(np.array(answer["losses"], dtype=float)).all()
        assert all(np.isfinite(point["outside"]) for point in answer["points"])


def test_a_grid_that_is_too_dear_has_fewer_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fall_line, "RESTING_WORK", fall_line.SLOWER * 2 * 20 * PROBLEM.layout.count * 180 * 152 / 25
    )
    answer = FallLine().measure(view(*runs("a", "b")))
    assert (len(answer["s"]), len(answer["t"])) == (36, 30)
    monkeypatch.setattr(fall_line, "RESTING_WORK", 1.0)
    answer = FallLine().measure(view(*runs("a", "b")))
    assert (len(answer["s"]), len(answer["t"])) == (12, 12)


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole terrain is four times what it may cost while steps are made, and that is no short look."""
    full = fall_line.SLOWER * 2.0 * PROBLEM.train.count * PROBLEM.layout.count * 180 * 152
    monkeypatch.setattr(fall_line, "MOVING_WORK", full / 4)
    monkeypatch.setattr(fall_line, "SHORT_WORK", full / 20)


@pytest.mark.usefixtures("dear")
def test_a_class_gets_fewer_points_each_while_it_plays_and_all_at_rest() -> None:
    """Its terrains together cost no more than those of a few pages."""

    def points(pages: int, *, moving: bool) -> tuple[int, int]:
        answer = FallLine().measure(view(*runs("a", "b"), pages=pages, moving=moving))
        return len(answer["s"]), len(answer["t"])

    assert points(1, moving=True) == points(FEW_PAGES, moving=True) == (90, 76)
    assert points(4 * FEW_PAGES, moving=True) == (45, 38)
    assert points(4 * FEW_PAGES, moving=False) == (180, 152)


@pytest.mark.usefixtures("dear")
def test_a_terrain_is_short_only_in_a_class() -> None:
    both = runs("a", "b")
    assert not view(*both, moving=True).is_short
    assert view(*both, moving=True, pages=5 * FEW_PAGES).is_short
    assert not view(*both, pages=5 * FEW_PAGES).is_short  # exact at rest
    assert view(*both, terrain=False).is_short


def test_no_terrain_is_short_at_rest_since_all_of_its_paths_is_replayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fall_line, "SHORT_WORK", np.inf)
    both = runs("a", "b")
    assert view(*both, moving=True).is_short
    assert not view(*both).is_short


def test_a_short_path_has_a_lens_in_which_its_units_are_a_whole_number_of_times_larger() -> None:
    near, far = course("a", STEPS, learning_rate=1e-3), course("b", STEPS, learning_rate=0.1)
    line = FallLine()
    answer = line.measure(view(near, far, lens=0.25))
    lens = answer["lens"]
    assert lens["run"] == "a"
    width = answer["region"][1] - answer["region"][0]
    side = lens["region"][1] - lens["region"][0]
    assert side == pytest.approx(0.25 * width / lens["times"])
    path = answer["points"][0]["path"]
    assert lens["region"][0] < min(path["s"])
    assert max(path["s"]) < lens["region"][1]
    assert lens["region"][2] < min(path["t"])
    assert max(path["t"]) < lens["region"][3]
    row, column = 3, 50
    expected = train_loss(parameters_at(line, lens["s"][column], lens["t"][row]))
    assert lens["losses"][row][column] == pytest.approx(expected, rel=1e-12)
    assert line.measure(view(near, far))["lens"] is None
    assert line.measure(view(course("a", STEPS), far, lens=0.25))["lens"] is None
    # too long for a lens four times closer: around its end
    end = line.measure(view(near, far, lens=0.02))
    west, east, south, north = end["lens"]["region"]
    point = end["points"][0]
    assert end["lens"]["times"] == 4
    assert (point["s"], point["t"]) == (pytest.approx((west + east) / 2), pytest.approx((south + north) / 2))
