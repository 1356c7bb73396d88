"""Bytes of the frames that the page gets while the notebook's experiment plays."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator

from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Frames
from fallline.vocabulary.recipe import Recipe
from fallline.web.answers import text_of
from support.clocks import Clock
from support.watching import LIVE_BUCKETS, SERIES, unpacked

FPS, SPEED, SECONDS = 10.0, 60.0, 30.0
FRAME_BYTES = 2_500


def frames_of_a_page() -> Iterator[str]:
    """Play both runs, and yield the text of each frame, by a clock that only moves between turns."""
    one, clock = Experiment("0" * 32, Recipe.model_validate({})), Clock()
    hub, box = Hub(), Outbox(one.id, fps=FPS, series=SERIES, buckets=LIVE_BUCKETS, encoding="packed")
    for run, (header, piece) in one.join({}, LIVE_BUCKETS, clock.now).items():
        box.add_history(run, header, piece)
    hub.join(one.id, box)
    one.play(SPEED, "steps", clock.now)
    took = Clock(tick=1e-5)
    number, end = 0, clock.now + SECONDS
    while clock.now < end:
        one.work(0.005, clock.now, took)
        for item in one.take_outgoing():
            if isinstance(item, Frames):
                hub.frames(item.experiment, item.runs, clock.now)
        due = box.frame_due()
        if due is not None and due <= clock.now:
            number += 1
            text = text_of(box.take_frame(clock.now).message())
            yield f'{{"type":"frame","frame":{number},{text[1:]}'
        wake = one.wake_at(clock.now)
        clock.now = max(clock.now + 0.001, end if wake is None else wake)


def test_ten_frames_a_second_of_two_runs_at_60_steps_have_at_most_2500_bytes_and_every_step() -> None:
    texts = list(frames_of_a_page())
    assert 0.9 * FPS * SECONDS < len(texts) <= FPS * SECONDS + 2
    assert statistics.fmean(map(len, texts)) <= FRAME_BYTES
    steps: dict[str, list[int]] = {"gd": [], "sgd": []}
    for text in texts:
        for run, update in json.loads(text)["runs"].items():
            columns = unpacked(update["columns"], SERIES)
            steps[run] += columns["first"]
            assert not any(value is None for value in columns["series"]["grad_l1/W1"]["mean"])
    assert steps["gd"] == steps["sgd"] == list(range(len(steps["gd"])))
    assert len(steps["gd"]) > 0.98 * SPEED * SECONDS - SPEED / FPS
