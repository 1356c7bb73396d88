"""Bytes of the frames that the page gets while the notebook's experiment plays."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import numpy as np

from fallline.vocabulary.binary import opening
from fallline.web.answers import encode_frame
from support.clocks import Clock
from support.pulling import Source
from support.watching import LIVE_BUCKETS, SERIES, read_binary

FPS, SPEED, SECONDS = 10.0, 60.0, 30.0
FRAME_BYTES = 2_500


def frames_of_a_page() -> Iterator[bytes]:
    """Play both runs, and yield each frame, by a clock that only moves between turns."""
    source = Source("0" * 32, {})
    box = source.watch(fps=FPS, series=SERIES, buckets=LIVE_BUCKETS, encoding="brief")
    one, took, number = source.one, Clock(tick=1e-5), 0
    one.play(SPEED, "steps", source.now)
    while source.now < SECONDS:
        box.ask(source.now)
        one.work(0.005, source.now, took)
        source.deliver()
        if box.frame is not None:
            number += 1
            rest, data = encode_frame(box.take_frame())
            yield opening(f'{{"type":"frame","frame":{number},{rest}') + (data or b"")
        wake = one.wake_at(source.now)
        source.now = max(source.now + 0.001, SECONDS if wake is None else wake)


def test_ten_frames_a_second_of_two_runs_at_60_steps_have_at_most_2500_bytes_and_every_step() -> None:
    frames = list(frames_of_a_page())
    assert 0.9 * FPS * SECONDS < len(frames) <= FPS * SECONDS + 2
    assert statistics.fmean(map(len, frames)) <= FRAME_BYTES
    steps: dict[str, list[int]] = {"gd": [], "sgd": []}
    for frame in frames:
        for run, update in read_binary(frame)["runs"].items():
            if len(first := update["columns"]["first"]):
                steps[run] += first.tolist()
                assert np.isfinite(update["columns"]["series"]["grad_l1/W1"]["last"]).all()
    assert steps["gd"] == steps["sgd"] == list(range(len(steps["gd"])))
    assert len(steps["gd"]) > 0.98 * SPEED * SECONDS - SPEED / FPS
