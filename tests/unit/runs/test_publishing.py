"""The size of an experiment's publications."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.runs.experiment import Experiment
from fallline.runs.publishing import FEWEST, PUBLISHED_A_SECOND, PUBLISHED_BYTES, Frames, Publisher
from fallline.runs.stepping import WAKE_SECONDS
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock
from support.readers import Reader

DEEP: dict[str, Any] = {
    "data": {"samples": 20},
    "network": {"layers": [{"units": 2, "activation": "tanh"}] * 8},
    "runs": [{"name": f"run-{number}", "learning_rate": 1e-4} for number in range(8)],
}


@pytest.mark.parametrize("recipe", [{"data": {"samples": 20}}, DEEP])
def test_a_publication_is_as_large_as_two_frames_at_most_and_covers_every_step(
    recipe: dict[str, Any],
) -> None:
    one = Experiment("x", Recipe.model_validate(recipe))
    publisher, clock = Publisher("x"), Clock(tick=0.01)
    publisher.join(one.runs, {}, 100, 1e9, playing=True, rates=[30.0])
    for run in one.runs.values():
        run.advance(60, clock, publish=True)
    publisher.publish(one.runs, clock(), playing=True)
    (frames,) = publisher.take()
    assert isinstance(frames, Frames)
    pieces = [piece for _, piece in frames.runs.values() if piece is not None]
    assert [(piece.first[0], piece.last[-1]) for piece in pieces] == [(0, 59)] * len(one.runs)
    fewest = sum(piece.nbytes / len(piece) * FEWEST for piece in pieces)
    assert sum(piece.nbytes for piece in pieces) <= max(PUBLISHED_BYTES, fewest)


def test_fast_training_publishes_smaller_pieces_and_a_full_one_after_a_pause() -> None:
    one = Experiment("x", Recipe.model_validate({"data": {"samples": 20}}))
    publisher, clock = Publisher("x"), Clock(tick=0.0)
    publisher.join(one.runs, {}, 100, 1e9, playing=True, rates=[30.0])

    def published() -> tuple[int, list[int]]:
        for run in one.runs.values():
            run.advance(200, clock, publish=True)
        publisher.publish(one.runs, clock.now, playing=True)
        (frames,) = publisher.take()
        assert isinstance(frames, Frames)
        pieces = [piece for _, piece in frames.runs.values() if piece is not None]
        return sum(piece.nbytes for piece in pieces), [len(piece) for piece in pieces]

    first, buckets = published()
    assert min(buckets) > 64, "as many per run as the page requests"
    weighed = []
    for _ in range(60):
        clock.now += WAKE_SECONDS
        weighed.append(published()[0])
    assert sum(weighed[-30:]) <= PUBLISHED_A_SECOND + first / 2
    clock.now += 1.0
    assert published()[0] > 0.9 * first


@pytest.mark.parametrize(
    ("steps", "more", "buckets"), [(2747, 1804, 4), (4649, 2738, 1), (3495, 1179, 6), (2303, 1500, 60)]
)
def test_a_watcher_that_resumes_in_coarse_history_gets_no_gap(steps: int, more: int, buckets: int) -> None:
    """With few buckets the newest one ends early, inside a bucket that the history stores."""
    one = Experiment("x", Recipe.model_validate({"data": {"samples": 20}}))
    (run, *_), reader, clock = one.runs.values(), Reader(), Clock(tick=0.0)
    for count in (steps, more):
        run.advance(count, clock, publish=False)
        header, missed = one.join(reader.since(), buckets, 0.0)[run.name]
        assert missed is not None
        columns = missed.as_json(run.generation)
        assert len(columns["first"]) <= buckets
        reader.take({"runs": {run.name: {**header, "columns": columns}}}, resumed=True)
        assert reader.ends()[run.name] == run.state.step - 1
