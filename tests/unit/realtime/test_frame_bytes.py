"""Bytes of the frames that the page gets while the notebook's experiment plays."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import numpy as np

from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Frames
from fallline.vocabulary.binary import opening
from fallline.vocabulary.recipe import Recipe
from fallline.web.answers import encode_frame
from support.clocks import Clock
from support.watching import LIVE_BUCKETS, SERIES, read_binary

FPS, SPEED, SECONDS = 10.0, 60.0, 30.0
FRAME_BYTES = 2_700


def frames_of_a_page() -> Iterator[bytes]:
    """Play both runs, and yield each frame, by a clock that only moves between turns."""
    one, clock = Experiment("0" * 32, Recipe.model_validate({})), Clock()
    hub, box = Hub(), Outbox(one.id, fps=FPS, series=SERIES, buckets=LIVE_BUCKETS, encoding="binary")
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
            rest, data = encode_frame(box.take_frame(clock.now))
            yield opening(f'{{"type":"frame","frame":{number},{rest}') + (data or b"")
        wake = one.wake_at(clock.now)
        clock.now = max(clock.now + 0.001, end if wake is None else wake)


def test_ten_frames_a_second_of_two_runs_at_60_steps_have_at_most_2700_bytes_and_every_step() -> None:
    frames = list(frames_of_a_page())
    assert 0.9 * FPS * SECONDS < len(frames) <= FPS * SECONDS + 2
    assert statistics.fmean(map(len, frames)) <= FRAME_BYTES
    steps: dict[str, list[int]] = {"gd": [], "sgd": []}
    for frame in frames:
        for run, update in read_binary(frame)["runs"].items():
            if len(first := update["columns"]["first"]):
                steps[run] += first.tolist()
                assert np.isfinite(update["columns"]["series"]["grad_l1/W1"]["mean"]).all()
    assert steps["gd"] == steps["sgd"] == list(range(len(steps["gd"])))
    assert len(steps["gd"]) > 0.98 * SPEED * SECONDS - SPEED / FPS
