"""What readers have not had yet: one copy for all of them, bounded, and each still gets all of it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.realtime import backlog as backlogs
from fallline.realtime import hub as hubs
from fallline.realtime.backlog import MOST_BYTES, Backlog, Cursor, RunBacklog
from fallline.realtime.frames import Frame
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import CATCH_UP_BYTES, FRAME_BYTES, Outbox
from fallline.vocabulary.columns import Buckets, Records, bucket_bytes, from_records
from fallline.web.answers import text_of
from support.columns import header, piece


def audience(many: int, **asked: Any) -> tuple[Hub, list[Outbox]]:
    hub, boxes = Hub(), [Outbox("e", **asked) for _ in range(many)]
    for box in boxes:
        hub.join("e", box)
    return hub, boxes


def wide(first: int, stop: int, series: int = 75) -> Buckets:
    """A piece of many series of numbers that take all their digits."""
    steps = np.arange(first, stop)
    values = np.random.default_rng(first).random((series, len(steps)))
    names = tuple(f"grad_l1/W{number}" for number in range(series))
    return from_records(Records(first, steps + 1, np.zeros(len(steps)), names, values))


def publish(
    hub: Hub, first: int, stop: int, make: Callable[[int, int], Buckets] = piece, runs: int = 1
) -> None:
    hub.frames("e", {f"run-{run}": (header(stop), make(first, stop)) for run in range(runs)})


def told(frame: Frame, run: str = "run-0") -> dict[str, Any]:
    columns: dict[str, Any] = frame.message()["runs"][run]["columns"]
    return columns


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 7)), min_size=1, max_size=40),
    st.integers(1, 12),
    st.sampled_from([2_000, 10_000, MOST_BYTES]),
)
def test_every_reader_gets_every_step_in_order_whenever_it_comes_and_however_little_is_held(
    publications: list[tuple[int, int]], at_most: int, limit: int
) -> None:
    shared, boxes = Backlog(), [Outbox("e", buckets=at_most) for _ in range(3)]
    for box in boxes:
        box.join(shared, hubs.FrameCache())
    at, ends, highest = 0, [0, 0, 0], [-1.0, -1.0, -1.0]
    for steps, takers in [*publications, (1, 7)]:
        shared.publish({"run-0": (header(at + steps), piece(at, at + steps))}, limit)
        at += steps
        for place, box in enumerate(boxes):
            if takers >> place & 1:
                columns = told(box.take_frame(now=0))
                assert len(columns["first"]) <= at_most
                for first, last in zip(columns["first"], columns["last"], strict=True):
                    assert first == ends[place]
                    ends[place] = last + 1
                highest[place] = max(highest[place], *columns["series"]["batch_loss"]["max"])
        assert shared.bytes <= max(limit, 4 * piece(0, 1).first.nbytes * 14)
    assert ends == [at] * 3
    assert highest == [at - 1.0] * 3
    assert shared.bytes == 0, "everybody has had everything"


@pytest.mark.parametrize("late", [0, 3])
def test_readers_who_are_stuck_share_what_they_lack_and_its_merging(
    late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many merges and so many bytes as with one of them, whether or not they got stuck at one time."""
    merges: list[int] = []
    coarsen = backlogs.coarsen
    monkeypatch.setattr(backlogs, "coarsen", lambda *given: merges.append(1) or coarsen(*given))

    def cost(stuck: int) -> tuple[int, int]:
        merges.clear()
        hub, boxes = audience(stuck)
        for start in range(0, 128 * 300, 128):
            publish(hub, start, start + 128, lambda a, b: wide(a, b, 27), runs=8)
            if start < 128 * late:
                boxes[start // 128].take_frame(now=0)
        assert not any(box.must_resume for box in boxes)
        return len(merges), hub.bytes

    merged, held = cost(late + 1)
    many_merged, many_held = cost(40)
    assert many_merged <= merged + 8
    assert many_held <= 1.1 * held + 8 * 27 * 44
    assert 0 < many_held <= MOST_BYTES


def test_nothing_is_merged_for_readers_who_take_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlogs, "coarsen", None)
    hub, boxes = audience(5)
    for start in range(0, 128 * 50, 128):
        publish(hub, start, start + 128, runs=8)
        for box in boxes:
            box.take_frame(now=0)
    assert hub.bytes == 0


def test_what_everybody_has_had_is_dropped_and_what_a_reader_lacks_goes_when_it_leaves() -> None:
    hub, (prompt, stuck) = audience(2)
    first = piece(0, 8)
    kept = ref(first.minimum)
    hub.frames("e", {"gd": (header(8), first)})
    del first
    prompt.take_frame(now=0)
    publish(hub, 8, 16)
    gc.collect()
    assert kept() is not None
    hub.leave("e", stuck)
    gc.collect()
    assert kept() is None


def test_where_places_are_too_many_whoever_is_furthest_behind_has_to_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hubs, "MOST_BYTES", 20_000)
    hub, boxes = audience(40)
    for number in range(40):
        publish(hub, 4 * number, 4 * number + 4, wide)
        assert hub.bytes <= 20_000
        for box in boxes[number:]:
            box.take_frame(now=0)
    assert boxes[0].must_resume
    assert not boxes[-1].must_resume
    assert 1 <= hub.watchers("e") < 40


def test_all_experiments_together_hold_no_more_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "ALL_BYTES", 2_000_000)
    hub = Hub()
    for number in range(20):
        hub.join(f"e{number}", Outbox(f"e{number}"))
    for start in range(0, 128 * 20, 128):
        for number in range(20):
            hub.frames(f"e{number}", {"gd": (header(start + 128), wide(start, start + 128, 27))})
    assert 200_000 < hub.bytes <= 2_000_000


@pytest.mark.parametrize("encoding", ["json", "bdata"])
@pytest.mark.parametrize("series", [2, 27, 75])
def test_a_frame_weighs_no_more_than_it_may_however_much_there_is_to_tell(encoding: str, series: int) -> None:
    hub, (stuck,) = audience(1, buckets=10_000, encoding=encoding)
    for start in range(0, 128 * 20, 128):
        publish(hub, start, start + 128, lambda a, b: wide(a, b, series), runs=8)
    frame = stuck.take_frame(now=0)
    assert len(told(frame, "run-7")["series"]) == series
    text = text_of(frame.message())
    assert series == 2 or len(text) > FRAME_BYTES / 5
    assert len(text) <= (1.1 if series < 75 else 1.6) * FRAME_BYTES


def test_the_past_of_a_reader_weighs_no_more_in_a_frame_and_is_none_the_coarser() -> None:
    box, lasts = Outbox("e", buckets=10_000), []
    box.add_history("run-0", header(2000), wide(0, 2000))
    while box.frame_due() is not None:
        frame = box.take_frame(now=0)
        assert len(text_of(frame.message())) <= 1.1 * CATCH_UP_BYTES
        lasts += told(frame)["last"]
    assert lasts == list(range(2000))
    assert box.past_bytes == 0


def test_the_past_comes_as_fast_as_it_can_be_had_also_at_one_frame_a_second() -> None:
    box = Outbox("e", buckets=10_000, fps=1)
    box.add_history("run-0", header(2000), wide(0, 2000))
    box.take_frame(now=10)
    assert (box.frame_due() or 0) <= 10.05


def test_a_run_of_another_past_begins_anew_for_readers_wherever_they_stood() -> None:
    hub, (prompt, stuck) = audience(2)
    publish(hub, 0, 8)
    prompt.take_frame(now=0)
    hub.frames("e", {"run-0": (header(0, generation=1), None)})
    hub.frames("e", {"run-0": (header(3, generation=1), piece(0, 3))})
    for box in (prompt, stuck):
        columns = told(box.take_frame(now=1))
        assert (columns["generation"], columns["last"]) == (1, [0, 1, 2])
    assert hub.bytes == 0


def test_a_reader_whose_past_does_not_meet_what_follows_has_to_resume() -> None:
    hub, box = Hub(), Outbox("e")
    box.add_history("run-0", header(3), piece(0, 3))
    hub.join("e", box)
    publish(hub, 5, 8)
    box.take_frame(now=0)
    assert box.must_resume


def test_a_piece_that_does_not_follow_sends_all_readers_back() -> None:
    hub, boxes = audience(3)
    publish(hub, 0, 3)
    publish(hub, 5, 8)
    assert all(box.must_resume for box in boxes)
    assert hub.watchers("e") == 0


def test_the_hub_counts_pasts_and_events_with_what_is_shared() -> None:
    hub, box = Hub(), Outbox("e")
    box.add_history("run-0", header(3), piece(0, 3))
    hub.join("e", box)
    past = hub.bytes
    assert past == 3 * 8 * (5 * 2 + 4)
    hub.event("e", {"event": "edit", "run": "run-0", "text": "x" * 1000})
    assert past + 1000 < hub.bytes < past + 1200
    box.take_event()
    box.take_frame(now=0)
    assert hub.bytes == 0


def test_a_cursor_stands_at_the_end_of_what_there_is_when_it_comes() -> None:
    shared = Backlog()
    early = Cursor(shared)
    shared.publish({"gd": (header(4), piece(0, 4))})
    late = Cursor(shared)
    assert early.lacks("gd")
    assert not late.lacks("gd")
    shared.publish({"gd": (header(6), piece(4, 6))})
    assert [len(one) for one in late.pieces("gd")] == [2]
    early.close()
    assert shared.bytes == 2 * 8 * (5 * 2 + 4)


def beginning(hub: Hub, box: Outbox, steps: int, history_key: str = "all") -> bool:
    """Have the reader begin as `services.watching` does; whether it shares the past of another."""
    box.history_key = history_key
    peer = hub.peer("e", history_key)
    if peer is not None:
        box.share(peer)
    else:
        box.add_history("run-0", header(steps), wide(0, steps))
    hub.join("e", box)
    return peer is not None


def all_of(box: Outbox) -> list[int]:
    lasts = []
    while box.frame_due() is not None:
        lasts += told(box.take_frame(now=0))["last"]
    return lasts


def test_readers_who_ask_for_the_same_past_hold_it_once_and_begin_with_the_same_frame() -> None:
    hub, boxes = Hub(), [Outbox("e", buckets=10_000) for _ in range(40)]
    shares = []
    for number, box in enumerate(boxes):
        at = 600 + 4 * number
        shares.append(beginning(hub, box, at))
        publish(hub, at, at + 4, wide)
    assert shares == [False] + [True] * 39
    assert hub.past_bytes == boxes[0].past_bytes
    first, *others = [box.take_frame(now=0) for box in boxes]
    assert all(other is first for other in others)
    assert all(all_of(box)[-1] == 759 for box in boxes[1:])
    assert all_of(boxes[0])[-1] == 759
    assert hub.bytes == 0
    assert not any(box.must_resume for box in boxes)


@pytest.mark.parametrize("alone", ["another history_key", "long ago", "has begun to read what follows"])
def test_a_past_is_not_shared_with_a_reader_who_could_not_follow(alone: str) -> None:
    hub, early, late = Hub(), Outbox("e", buckets=10_000), Outbox("e", buckets=10_000)
    beginning(hub, early, 600)
    publish(hub, 600, 604, wide)
    if alone == "has begun to read what follows":
        all_of(early)
    at = 604
    for _ in range(100 if alone == "long ago" else 1):
        publish(hub, at, at + 1, wide)
        at += 1
    assert not beginning(hub, late, at, "another" if alone == "another history_key" else "all")
    publish(hub, at, at + 2, wide)
    assert all_of(late) == list(range(at + 2))


def test_who_shares_a_past_gets_it_though_the_other_leaves_or_a_reset_comes() -> None:
    hub, (early, late) = Hub(), [Outbox("e", buckets=10_000) for _ in range(2)]
    beginning(hub, early, 600)
    publish(hub, 600, 604, wide)
    assert beginning(hub, late, 604)
    early.take_frame(now=0)
    hub.leave("e", early)
    lasts = told(late.take_frame(now=0))["last"]
    assert lasts[0] == 0
    hub.frames("e", {"run-0": (header(3, generation=1), wide(0, 3))})
    columns = told(late.take_frame(now=0))
    assert (columns["generation"], columns["last"]) == (1, [0, 1, 2])
    assert late.frame_due() is None
    assert hub.bytes == 0
    assert not late.must_resume


def test_a_reader_whose_place_belongs_to_an_audience_that_has_gone_has_to_resume() -> None:
    hub, (early, late) = Hub(), [Outbox("e", buckets=10_000) for _ in range(2)]
    beginning(hub, early, 600)
    late.share(early)
    hub.leave("e", early)
    hub.join("e", late)
    assert late.must_resume


def test_a_past_is_not_shared_with_a_reader_who_has_had_one_run_and_follows_it_already() -> None:
    hub, early = Hub(), Outbox("e", buckets=10_000)
    early.history_key = "all"
    early.add_history("short", header(8), wide(0, 8))
    early.add_history("long", header(600), wide(0, 600))
    hub.join("e", early)
    assert hub.peer("e", "all") is early
    early.take_frame(now=0)
    assert early.frame_due() is not None
    assert hub.peer("e", "all") is None


def test_runs_are_merged_one_after_the_other_as_room_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once they would hold up the event loop."""
    shared, merged = Backlog(), []
    compact = RunBacklog.compact
    monkeypatch.setattr(RunBacklog, "compact", lambda self, most: merged.append(self) or compact(self, most))
    stuck = Cursor(shared)
    runs = [f"run-{number}" for number in range(8)]
    limit = 8 * 40 * bucket_bytes(wide(0, 1).names)
    most, publications = 0, 100
    for at in range(0, 8 * publications, 8):
        before = len(merged)
        shared.publish({run: (header(at + 8), wide(at, at + 8)) for run in runs}, limit)
        most = max(most, len(merged) - before)
        assert shared.bytes <= limit
    assert most < 8
    assert set(merged) == set(shared.strands.values())
    for run in runs:
        assert int(stuck.pieces(run)[0].first[0]) == 0
        assert int(stuck.pieces(run)[-1].last[-1]) == 8 * publications - 1
