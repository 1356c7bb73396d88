"""Frames over lines of any speed, simulated: fresh on a slow one, and whole on a fast or far one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from fallline.realtime.pace import LEAST_BYTES, USUAL_BYTES, LinePace
from fallline.realtime.session import NumberedFrame, Session
from fallline.vocabulary.messages import Got, Watch
from support.pulling import Source

STEPS_A_SECOND, PUBLICATIONS_A_SECOND = 60, 30


@dataclass
class Seen:
    """The frames that arrived: how old each was in seconds, its bytes, and the widest bucket of all."""

    ages: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    widest: int = 0

    def late(self, share: float = 0.95) -> float:
        return float(np.quantile(self.ages, share))


def watched(
    seconds: float,
    bytes_a_second: float,
    delay: float,
    publications_a_second: float = PUBLICATIONS_A_SECOND,
    slow_from: float = 0.0,
) -> Seen:
    """Play two runs before one reader, whose line takes so many bytes and has this delay each way.

    Before `slow_from` the line takes everything, and nothing is measured.
    """
    session, source = Session(now=0), Source(recipe={"data": {"samples": 20}})
    watch = Watch(type="watch", experiment="e")
    assert session.receive(watch, 0) is watch
    box = source.watch(fps=10, encoding="packed", series=source.one.series[:17])
    session.start_watch(box, "token", {"id": "e"})
    session.receive(Got(type="got", frame=0), 0)
    measures, acknowledgements, free = Seen(), list[tuple[float, int]](), 0.0
    a_publication = round(STEPS_A_SECOND / publications_a_second)
    ticks = round(PUBLICATIONS_A_SECOND / publications_a_second)
    for tick in range(round(seconds * PUBLICATIONS_A_SECOND)):
        now = tick / PUBLICATIONS_A_SECOND
        if tick % ticks == 0:
            source.advance(a_publication)
            source.publish(now)
        while acknowledgements and acknowledgements[0][0] <= now:
            session.receive(Got(type="got", frame=acknowledgements.pop(0)[1]), now)
        while (message := session.take(now)) is not None:
            if not isinstance(message, NumberedFrame):
                continue
            size = len(json.dumps(message.frame.message()))
            free = max(free, now) + (size / bytes_a_second if now >= slow_from else 0.0)
            acknowledgements.append((free + 2 * delay, message.number))
            if now < slow_from:
                continue
            measures.ages.append(free + delay - now)
            measures.sizes.append(size)
            for update in message.frame.runs.values():
                widths = update.buckets.last - update.buckets.first + 1
                measures.widest = max(measures.widest, *widths.tolist(), 1)
    return measures


def test_on_a_slow_line_frames_are_small_and_fresh() -> None:
    measures = watched(60, bytes_a_second=5_000, delay=0.05)
    assert measures.late() < 1.0
    assert max(measures.ages) < 2.5, "also while it learns how slow the line is"
    assert len(measures.ages) > 60, "more than one a second"


def test_where_frames_are_large_one_late_frame_makes_the_next_ones_small() -> None:
    """With 300 people a frame has the steps of a second and more: several in a row took three seconds each."""
    measures = watched(60, bytes_a_second=5_000, delay=0.01, publications_a_second=0.6, slow_from=20)
    assert sum(age > 1.0 for age in measures.ages) == 1
    assert np.median(measures.ages) < 0.8
    assert len(measures.ages) > 14


@pytest.mark.parametrize(("bytes_a_second", "delay"), [(1e6, 0.0), (1e6, 0.15), (1e6, 0.6)])
def test_on_a_fast_line_however_far_each_step_arrives(bytes_a_second: float, delay: float) -> None:
    measures = watched(60, bytes_a_second, delay)
    assert measures.widest == 1
    assert measures.late() < delay + 0.1


def test_a_line_that_was_slow_for_a_while_gets_whole_frames_again() -> None:
    pace = LinePace()

    def take(number: int, seconds: float) -> None:
        pace.sent(number, 2_000, now=number)
        pace.acknowledged(number, now=number + seconds)

    take(1, 0.05)
    for number in range(2, 10):
        take(number, 2.0)
    assert (pace.is_slow, pace.most_bytes) == (True, LEAST_BYTES)
    for number in range(10, 40):
        take(number, 0.06)
    assert not pace.is_slow
    assert pace.most_bytes > 128 * 1024


SIZE = 10_000
"""An ordinary frame, by its upper bound."""


def after_a_quick_frame() -> LinePace:
    pace = LinePace()
    pace.sent(1, SIZE, now=0.0)
    pace.acknowledged(1, now=0.01)
    return pace


def test_a_frame_after_a_late_one_is_no_larger() -> None:
    """It has the steps of the time in which the line was full: whole, it would take seconds."""
    pace = after_a_quick_frame()
    pace.sent(2, SIZE, now=1.0)
    pace.sent(3, SIZE, now=1.1)
    pace.acknowledged(2, now=1.5)
    assert pace.most_bytes == SIZE
    pace.acknowledged(3, now=2.0)
    assert pace.most_bytes == SIZE
    pace.sent(4, SIZE, now=2.0)
    pace.acknowledged(4, now=2.5)
    assert pace.most_bytes == SIZE // 2, "three late ones in a row"


def test_a_late_header_does_not_make_the_next_frames_tiny() -> None:
    pace = after_a_quick_frame()
    pace.sent(2, 300, now=1.0)
    pace.acknowledged(2, now=1.5)
    assert pace.most_bytes == USUAL_BYTES


def test_single_late_frames_do_not_add_up() -> None:
    pace = after_a_quick_frame()
    for number in range(2, 100):
        pace.sent(number, SIZE, now=number)
        pace.acknowledged(number, now=number + (0.5 if number % 10 == 0 else 0.05))
    assert pace.most_bytes >= SIZE


@pytest.mark.parametrize("acknowledged", [(2, 3), (3,)], ids=["two", "one for both"])
@pytest.mark.parametrize("seconds", [0.45, 0.6, 1.0])
def test_a_reader_that_was_busy_for_a_moment_gets_whole_frames(
    seconds: float, acknowledged: tuple[int, ...]
) -> None:
    pace = after_a_quick_frame()
    whole = pace.most_bytes
    pace.sent(2, SIZE, now=5.0)
    pace.sent(3, SIZE, now=5.1)
    for number in acknowledged:
        pace.acknowledged(number, now=5.0 + seconds)
    assert pace.most_bytes == whole
    pace.sent(4, SIZE, now=6.1)
    pace.acknowledged(4, now=6.15)
    assert not pace.is_slow
    assert pace.most_bytes == whole


def test_an_acknowledgement_of_several_frames_tells_the_time_of_the_newest() -> None:
    pace = LinePace()
    pace.sent(1, 2_000, now=0.0)
    pace.sent(2, 2_000, now=5.0)
    pace.acknowledged(2, now=5.1)
    pace.sent(3, 2_000, now=6.0)
    pace.acknowledged(3, now=6.1)
    assert not pace.is_slow
