"""Subscribers by experiment."""

from __future__ import annotations

import pytest

from fallline.realtime.hub import ALL_FRAMES, LEAST_RATE, Hub
from fallline.realtime.outbox import Outbox
from support.columns import NAMES
from support.pulling import Source


def test_all_watchers_of_an_experiment_get_its_messages_and_no_others() -> None:
    source, other = Source(), Outbox("b")
    boxes = [source.watch(), source.watch()]
    source.hub.join(source.hub.number(), other, NAMES, lambda *_: None)
    for box in (*boxes, other):
        box.ask(0.0)
    source.publish(1.0)
    source.hub.event("e", {"event": "edit", "run": "gd"})
    assert source.hub.watchers("e") == 2
    assert [box.frame is not None for box in (*boxes, other)] == [True, True, False]
    assert [box.take_event() is not None for box in (*boxes, other)] == [True, True, False]
    source.hub.broadcast({"event": "storage"})
    assert [(box.take_event() or {})["experiment"] for box in (*boxes, other)] == ["e", "e", "b"]


def test_one_reader_taking_a_frame_takes_nothing_from_another() -> None:
    source = Source()
    fast, slow = source.watch(), source.watch()
    for box in (fast, slow):
        box.ask(0.0)
    source.advance(2)
    source.publish(1.0)
    shared = fast.take_frame()
    source.advance(2)
    source.frames(fast)
    assert slow.take_frame() is shared


def test_a_watcher_that_left_gets_no_messages_and_may_leave_twice() -> None:
    source = Source()
    box = source.watch()
    box.ask(0.0)
    assert [source.hub.leave("e", box), source.hub.leave("e", box)] == [1, None]
    source.publish(1.0)
    source.hub.event("e", {"event": "edit"})
    assert source.hub.watchers("e") == source.hub.watched == 0
    assert (box.frame, box.take_event()) == (None, None)


@pytest.mark.parametrize("ends", ["closed", "interrupted"])
def test_the_watchers_of_a_deleted_or_unsaved_experiment_are_let_go(ends: str) -> None:
    source = Source()
    box = source.watch()
    getattr(source.hub, ends)("e")
    assert (box.is_closed, box.must_resume) == (ends == "closed", ends == "interrupted")
    assert source.hub.watchers("e") == 0


def test_bytes_of_a_shared_frame_count_once() -> None:
    source = Source()
    boxes = [source.watch() for _ in range(3)]
    source.advance(100)
    for box in boxes:
        box.ask(0.0)
    source.publish(1.0)
    assert boxes[0].frame is not None
    assert source.hub.bytes == boxes[0].frame.nbytes > 0
    source.hub.event("e", {"event": "edit", "run": "gd"})
    assert source.hub.bytes == boxes[0].frame.nbytes + sum(box.events_bytes for box in boxes)
    for box in boxes:
        box.take_frame()
        box.drop_events()
    assert source.hub.bytes == 0


@pytest.mark.parametrize(("watched", "rate"), [(1, 60.0), (100, 30.0), (200, 15.0), (900, LEAST_RATE)])
def test_the_more_experiments_are_watched_the_fewer_frames_each_gets(watched: int, rate: float) -> None:
    hub, waits, boxes = Hub(), list[float](), []
    for number in range(watched):
        boxes.append(Outbox(f"e{number}", fps=60, since={"gd": {"generation": 0, "step": 1}}, buckets=0))
        hub.join(hub.number(), boxes[-1], NAMES, lambda _, seconds: waits.append(seconds))
    now, frames = 10.0, 200
    for _ in range(frames):
        boxes[0].ask(now)
        now += waits[-1] + 0.002  # until the answer is there
        boxes[0]._is_waiting = False
    assert frames / (now - 10.0) == pytest.approx(rate, rel=0.02)
    assert ALL_FRAMES / LEAST_RATE == 300
