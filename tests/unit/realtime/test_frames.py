"""Readers with the same pending steps and options share one frame.

Others get their own.
"""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

import pytest

from fallline.realtime.frames import Frame
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from support.columns import header, piece


def audience(*options: dict[str, Any]) -> tuple[Hub, list[Outbox]]:
    hub, boxes = Hub(), [Outbox("e", **each) for each in options]
    for box in boxes:
        hub.join("e", box)
    return hub, boxes


def publish(hub: Hub, first: int, stop: int, **more: Any) -> None:
    hub.frames("e", {"gd": (header(stop) | more, piece(first, stop))})


def frames_of(boxes: list[Outbox]) -> list[Frame]:
    return [box.take_frame(now=0) for box in boxes]


def firsts(frame: Frame) -> list[int]:
    steps: list[int] = frame.message()["runs"]["gd"]["columns"]["first"]
    return steps


def test_readers_with_equal_options_share_one_frame() -> None:
    hub, boxes = audience(*[{"series": ["train_loss"], "buckets": 50, "encoding": "bdata"}] * 3)
    for at in (0, 4, 8):
        publish(hub, at, at + 4)
        one, *others = frames_of(boxes)
        assert all(other is one for other in others)


@pytest.mark.parametrize("other", [{"buckets": 2}, {"encoding": "bdata"}, {"series": ["train_loss"]}])
def test_a_reader_with_other_options_gets_its_own_frame(other: dict[str, Any]) -> None:
    hub, boxes = audience({}, other)
    publish(hub, 0, 8)
    usual, special = frames_of(boxes)
    assert usual.message() == message_alone({})
    assert special.message() == message_alone(other)
    assert usual.message() != special.message()


def message_alone(options: dict[str, Any]) -> dict[str, Any]:
    """The frame of steps 0 to 7 for a single reader."""
    alone = Outbox("e", **options)
    alone.add_history("gd", header(8), piece(0, 8))
    return alone.take_frame(now=0).message()


def test_a_slow_reader_gets_all_it_lacks_in_one_frame_and_then_shares_frames_again() -> None:
    hub, (prompt, slow) = audience({}, {})
    publish(hub, 0, 4)
    assert firsts(prompt.take_frame(now=0)) == [0, 1, 2, 3]
    publish(hub, 4, 6)
    assert firsts(prompt.take_frame(now=0)) == [4, 5]
    assert firsts(slow.take_frame(now=0)) == [0, 1, 2, 3, 4, 5]
    publish(hub, 6, 8)
    assert prompt.take_frame(now=0) is slow.take_frame(now=0)


def test_a_new_reader_gets_findings_that_earlier_readers_already_have() -> None:
    hub, (early, late) = audience({}, {})
    findings = [{"id": "dead_layer-2@196"}]
    publish(hub, 0, 4, findings=findings)
    early.take_frame(now=0)
    hub.leave("e", late)
    late = Outbox("e")
    late.add_history("gd", header(4), piece(0, 4))
    late.take_frame(now=0)
    hub.join("e", late)
    publish(hub, 4, 6, findings=findings)
    runs = [frame.message()["runs"]["gd"] for frame in frames_of([early, late])]
    assert [run.get("findings") for run in runs] == [None, findings]
    assert [run["columns"]["first"] for run in runs] == [[4, 5], [4, 5]]


def test_a_frame_is_not_cached_once_all_readers_have_it() -> None:
    for many in (1, 3):
        hub, boxes = audience(*[{}] * many)
        publish(hub, 0, 4)
        frames = frames_of(boxes)
        frame_ref = ref(frames[0])
        del frames
        gc.collect()
        assert frame_ref() is None


def test_a_cached_frame_is_dropped_when_newer_steps_arrive() -> None:
    hub, (prompt, _) = audience({}, {})
    publish(hub, 0, 4)
    frame_ref = ref(prompt.take_frame(now=0))
    assert frame_ref() is not None
    publish(hub, 4, 6)
    gc.collect()
    assert frame_ref() is None
