"""The size of an experiment's publications."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.runs.experiment import Experiment
from fallline.runs.publishing import FEWEST, PUBLISHED_A_SECOND, PUBLISHED_BYTES, Frames, Publisher
from fallline.runs.stepping import WAKE_SECONDS
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock

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
    publisher.join(one.runs, {}, 100, 1e9, playing=True, watchers=1)
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
    publisher.join(one.runs, {}, 100, 1e9, playing=True, watchers=1)

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
