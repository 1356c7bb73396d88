"""The track of a run depends on its records, not on the slices in which they arrive."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.diagnosis.track import KEPT, NOTABLE, Series, Track, is_point
from fallline.engine.kernels.interface import series_names
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records
from fallline.vocabulary.encoding import pack, unpack
from fallline.vocabulary.recipe import RunRecipe
from support.aliases import Array
from support.problems import same_bits, small_problem

NAMES = ("batch_loss", "ratio/W1", "ratio/b1", "ratio/W2", "train_loss", "test_loss")
LOSS = NAMES.index("train_loss")


def records(count: int, seed: int = 1, *, sparse: bool = False) -> Records:
    """Return random records; `sparse` ones have losses at points and at some steps between, like a mini-batch."""
    rng = np.random.default_rng(seed)
    values = np.exp(rng.normal(size=(len(NAMES), count)))
    if sparse:
        missing = np.array([not is_point(step) for step in range(count)]) & (rng.random(count) < 0.9)
        values[LOSS:, missing] = np.nan
    return of(values)


def of(values: Array, names: tuple[str, ...] = NAMES, first: int = 0) -> Records:
    count = values.shape[1]
    return Records(first, np.arange(count), np.zeros(count), names, values)


def losses(*values: float) -> Records:
    """Return records with these train losses only."""
    return of(np.array([values]), ("train_loss",))


def track_of(whole: Records, cuts: list[int] | None = None) -> Track:
    """Return the track of these records, appended in slices."""
    track = Track(whole.names)
    ends = sorted({0, *(cuts or []), len(whole)})
    for start, stop in itertools.pairwise(ends):
        track.append(whole.part(start, stop))
    return track


def content(track: Track) -> tuple[Any, dict[str, bytes]]:
    about, arrays = track.about()
    return about, {name: values.tobytes() for name, values in arrays.items()}


@pytest.mark.parametrize("sparse", [False, True])
@given(cuts=st.lists(st.integers(0, 5_000), max_size=12))
def test_the_track_does_not_depend_on_slices(cuts: list[int], *, sparse: bool) -> None:
    whole = records(5_000, sparse=sparse)
    assert content(track_of(whole, cuts)) == content(track_of(whole))


@pytest.mark.parametrize("slice", [1, 7, 300])
def test_the_track_of_regular_slices_is_that_of_one(slice: int) -> None:
    whole = records(3_000, sparse=True)
    assert content(track_of(whole, list(range(0, 3_000, slice)))) == content(track_of(whole))


@given(
    st.lists(st.sampled_from([1.0, 2.0, np.nan, np.inf]), min_size=60, max_size=60),
    st.lists(st.integers(1_000, 1_060), max_size=6),
)
def test_neither_do_losses_that_are_not_finite(values: list[float], cuts: list[int]) -> None:
    """From step 1,024 on a peak is the highest of several losses."""
    whole = losses(*[1.0] * 1_000, *values)
    assert content(track_of(whole, cuts)) == content(track_of(whole))


@pytest.mark.parametrize("batch", [1, None])
def test_the_track_of_a_run_does_not_depend_on_slices(batch: int | None) -> None:
    problem, run = (
        small_problem(samples=20, test_fraction=0.25),
        RunRecipe(name="r", batch_size=batch, learning_rate=0.05),
    )
    tracks = []
    for slice in (1_800, 97, 1):
        track, state = Track(series_names(problem)), begin(problem)
        while state.step < 1_800:
            track.append(advance(problem, state, run, min(slice, 1_800 - state.step), NUMPY))
        tracks.append(content(track))
    assert tracks[0] == tracks[1] == tracks[2]


def by_hand(whole: Records, step: int) -> Array:
    """Return the rows of a track up to this step, from their definitions."""
    rows, peak, rises, falls = [], (np.nan, 0), 0, 0
    loss, test = whole.values[LOSS], whole.values[LOSS + 1]
    for place in range(step):
        if np.isfinite(loss[place]) and not peak[0] >= loss[place]:
            peak = (loss[place], place)
        if place and loss[place] - loss[place - 1] > NOTABLE * loss[place - 1]:
            rises += 1
        if place and loss[place - 1] - loss[place] > NOTABLE * loss[place - 1]:
            falls += 1
        if is_point(place):
            moved = [whole.values[NAMES.index(name), place] for name in ("ratio/W1", "ratio/W2")]
            rows.append([place, loss[place], test[place], *peak, rises, falls, *moved])
            peak = (np.nan, place)
    return np.array(rows).T


@pytest.mark.parametrize("sparse", [False, True])
def test_points_have_their_losses_peaks_rises_falls_and_changes(sparse: bool) -> None:
    whole = records(4_500, 3, sparse=sparse)
    series = track_of(whole, [1_500]).before(4_400, 0)
    np.testing.assert_array_equal(series.values, by_hand(whole, 4_400))
    assert (series.step, series.fresh, series.offset, series.count) == (4_400, 0, 0, len(series))
    for column, row in enumerate(("steps", "loss", "test", "peak", "peak_step", "rises", "falls")):
        np.testing.assert_array_equal(getattr(series, row), series.values[column])
    assert series.moved.shape == (2, len(series))


def test_a_peak_between_two_points_is_kept_with_its_step() -> None:
    whole = records(3_000)
    whole.values[LOSS, 2_501] = 1e9  # points are 4 steps apart here
    series = track_of(whole, [2_502]).before(3_000, 0)
    place = series.steps.tolist().index(2_504)
    assert (series.peak[place], series.peak_step[place]) == (1e9, 2_501)
    assert series.peak.max() == 1e9
    assert (series.peak == 1e9).sum() == 1


def test_only_rises_and_falls_by_a_notable_share_count() -> None:
    series = track_of(
        losses(1.0, 1.0 + 0.5 * NOTABLE, 1.1, 1.0, 1.2, np.nan, 1.3, 1.5, 1.5 - NOTABLE)
    ).before(9, 0)
    assert series.rises.tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 3]
    assert series.falls.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_without_a_test_split_its_losses_are_missing() -> None:
    assert np.isnan(track_of(losses(1.0, 2.0)).before(2, 0).test).all()


def test_no_records_change_nothing() -> None:
    whole = records(50)
    track = track_of(whole)
    before = content(track)
    track.append(whole.part(50, 50))
    assert content(track) == before


@pytest.mark.parametrize(("step", "examined"), [(0, 0), (1, 0), (700, 699), (1_500, 1_400), (4_000, 3_968)])
def test_before_has_the_points_before_a_step_and_marks_the_new_ones(step: int, examined: int) -> None:
    series = track_of(records(4_500)).before(step, examined)
    points = [place for place in range(step) if is_point(place)]
    new = [place for place in points if place >= examined]
    assert series.steps.tolist() == points[max(len(points) - len(new) - KEPT, 0) :]
    assert series.steps[series.fresh :].tolist() == new
    assert series.count == len(points)


def test_forgetting_keeps_what_windows_need() -> None:
    """Forgetting changes no point that an examination gets, and memory stays bounded."""
    whole = records(60_000, sparse=True)
    patient, short = track_of(whole), Track(whole.names)
    examined = 0
    for stop in range(200, 60_000, 200):
        short.append(whole.part(stop - 200, stop))
        ours, theirs = short.before(stop, examined), patient.before(stop, examined)
        assert (ours.fresh, ours.offset, ours.count) == (theirs.fresh, theirs.offset, theirs.count)
        assert same_bits(ours.values, theirs.values)
        short.forget(stop)
        examined = stop
    assert short.nbytes < 5 * KEPT * 8 * len(ours.values)
    assert short.nbytes < patient.nbytes


def test_a_track_is_stored_and_restored_without_loss() -> None:
    whole = records(9_000, sparse=True)
    track = track_of(whole.part(0, 4_001))
    track.forget(3_900)
    again = Track(whole.names)
    again.restore(*unpack(pack(*track.about())))
    assert content(again) == content(track)
    for each in (track, again):
        each.append(whole.part(4_001, 9_000))
    assert content(again) == content(track)
    ours, theirs = again.before(9_000, 3_900), track.before(9_000, 3_900)
    assert same_bits(ours.values, theirs.values)
    assert json.dumps(track.about()[0])


def test_a_track_of_another_network_is_refused() -> None:
    with pytest.raises(ValueError, match="other series"):
        Track(("train_loss",)).restore(*track_of(records(10)).about())


def test_a_series_has_copies_of_nothing_that_changes_later() -> None:
    """A view that an examination holds stays as it is when records are added."""
    whole = records(6_000)
    track = track_of(whole.part(0, 500))
    series: Series = track.before(400, 0)
    values = series.values.copy()
    track.append(whole.part(500, 6_000))
    track.forget(5_500)
    assert same_bits(series.values, values)
