"""Readers who are told the same get one frame, and nobody gets what another should be told."""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

import pytest

from fallline.realtime.frames import Frame
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from support.columns import header, piece


def audience(*asked: dict[str, Any]) -> tuple[Hub, list[Outbox]]:
    hub, boxes = Hub(), [Outbox("e", **each) for each in asked]
    for box in boxes:
        hub.join("e", box)
    return hub, boxes


def publish(hub: Hub, first: int, stop: int, **more: Any) -> None:
    hub.frames("e", {"gd": (header(stop) | more, piece(first, stop))})


def taken(boxes: list[Outbox]) -> list[Frame]:
    return [box.take_frame(now=0) for box in boxes]


def firsts(frame: Frame) -> list[int]:
    told: list[int] = frame.message()["runs"]["gd"]["columns"]["first"]
    return told


def test_readers_who_ask_alike_are_told_by_one_frame() -> None:
    hub, boxes = audience(*[{"series": ["train_loss"], "buckets": 50, "encoding": "bdata"}] * 3)
    for at in (0, 4, 8):
        publish(hub, at, at + 4)
        one, *others = taken(boxes)
        assert all(other is one for other in others)


@pytest.mark.parametrize("other", [{"buckets": 2}, {"encoding": "bdata"}, {"series": ["train_loss"]}])
def test_a_reader_who_asks_for_something_else_is_told_something_else(other: dict[str, Any]) -> None:
    hub, boxes = audience({}, other)
    publish(hub, 0, 8)
    usual, special = taken(boxes)
    assert usual.message() == piecemeal({})
    assert special.message() == piecemeal(other)
    assert usual.message() != special.message()


def piecemeal(asked: dict[str, Any]) -> dict[str, Any]:
    """What a reader alone is told of steps 0 to 7."""
    alone = Outbox("e", **asked)
    alone.add_history("gd", header(8), piece(0, 8))
    return alone.take_frame(now=0).message()


def test_a_reader_who_fell_behind_is_told_all_that_it_lacks_and_is_together_with_the_others_from_then_on() -> (
    None
):
    hub, (prompt, slow) = audience({}, {})
    publish(hub, 0, 4)
    assert firsts(prompt.take_frame(now=0)) == [0, 1, 2, 3]
    publish(hub, 4, 6)
    assert firsts(prompt.take_frame(now=0)) == [4, 5]
    assert firsts(slow.take_frame(now=0)) == [0, 1, 2, 3, 4, 5]
    publish(hub, 6, 8)
    assert prompt.take_frame(now=0) is slow.take_frame(now=0)


def test_a_reader_who_has_not_had_the_findings_gets_them_though_others_are_told_nothing_new_of_them() -> None:
    hub, (early, late) = audience({}, {})
    found = [{"id": "dead_layer-2@196"}]
    publish(hub, 0, 4, findings=found)
    early.take_frame(now=0)
    hub.leave("e", late)
    late = Outbox("e")
    late.add_history("gd", header(4), piece(0, 4))
    late.take_frame(now=0)
    hub.join("e", late)
    publish(hub, 4, 6, findings=found)
    told = [frame.message()["runs"]["gd"] for frame in taken([early, late])]
    assert [run.get("findings") for run in told] == [None, found]
    assert [run["columns"]["first"] for run in told] == [[4, 5], [4, 5]]


def test_a_frame_that_nobody_else_will_come_for_is_not_kept() -> None:
    for many in (1, 3):
        hub, boxes = audience(*[{}] * many)
        publish(hub, 0, 4)
        frames = taken(boxes)
        kept = ref(frames[0])
        del frames
        gc.collect()
        assert kept() is None


def test_nor_one_that_news_has_overtaken_while_a_stalled_reader_was_to_come_for_it() -> None:
    hub, (prompt, _) = audience({}, {})
    publish(hub, 0, 4)
    kept = ref(prompt.take_frame(now=0))
    assert kept() is not None
    publish(hub, 4, 6)
    gc.collect()
    assert kept() is None
