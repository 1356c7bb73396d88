"""The backlog: one bounded copy for all readers, and every step for each."""

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
from fallline.realtime.frames import Frame, FrameCache
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import CATCH_UP_BYTES, FRAME_BYTES, Outbox
from fallline.vocabulary.columns import Buckets, Records, bucket_bytes, coarsen, from_records
from fallline.web.answers import text_of
from support.columns import header, piece
from support.spies import noting


def audience(many: int, **options: Any) -> tuple[Hub, list[Outbox]]:
    hub, boxes = Hub(), [Outbox("e", **options) for _ in range(many)]
    for box in boxes:
        hub.join("e", box)
    return hub, boxes


def wide(first: int, stop: int, series: int = 75) -> Buckets:
    """A piece of many series whose numbers need all digits as JSON."""
    steps = np.arange(first, stop)
    values = np.random.default_rng(first).random((series, len(steps)))
    names = tuple(f"grad_l1/W{number}" for number in range(series))
    return from_records(Records(first, steps + 1, np.zeros(len(steps)), names, values))


def publish(
    hub: Hub, first: int, stop: int, make: Callable[[int, int], Buckets] = piece, runs: int = 1
) -> None:
    hub.frames("e", {f"run-{run}": (header(stop), make(first, stop)) for run in range(runs)})


def columns_of(frame: Frame, run: str = "run-0") -> dict[str, Any]:
    columns: dict[str, Any] = frame.message()["runs"][run]["columns"]
    return columns


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 7)), min_size=1, max_size=40),
    st.integers(1, 12),
    st.sampled_from([2_000, 10_000, MOST_BYTES]),
)
def test_every_reader_gets_every_step_in_order_whenever_it_reads_and_however_low_the_limit(
    publications: list[tuple[int, int]], at_most: int, limit: int
) -> None:
    shared, boxes = Backlog(), [Outbox("e", buckets=at_most) for _ in range(3)]
    for box in boxes:
        box.join(shared, FrameCache())
    at, ends, highest = 0, [0, 0, 0], [-1.0, -1.0, -1.0]
    for steps, takers in [*publications, (1, 7)]:
        shared.publish({"run-0": (header(at + steps), piece(at, at + steps))}, limit)
        at += steps
        for number, box in enumerate(boxes):
            if takers >> number & 1:
                columns = columns_of(box.take_frame(now=0))
                assert len(columns["first"]) <= at_most
                for first, last in zip(columns["first"], columns["last"], strict=True):
                    assert first == ends[number]
                    ends[number] = last + 1
                highest[number] = max(highest[number], *columns["series"]["batch_loss"]["max"])
        assert shared.bytes <= max(limit, 4 * piece(0, 1).first.nbytes * 14)
    assert ends == [at] * 3
    assert highest == [at - 1.0] * 3
    assert shared.bytes == 0, "all readers have received everything"


@pytest.mark.parametrize("late", [0, 3])
def test_stuck_readers_share_one_backlog_and_its_merges(late: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many stuck readers cost as many merges and bytes as one."""
    merges: list[int] = []
    monkeypatch.setattr(backlogs, "coarsen", noting(lambda *pieces: merges.append(1), coarsen))

    def cost(stuck: int) -> tuple[int, int]:
        merges.clear()
        hub, boxes = audience(stuck)
        for start in range(0, 128 * 300, 128):
            publish(hub, start, start + 128, lambda a, b: wide(a, b, 27), runs=8)
            if start < 128 * late:
                boxes[start // 128].take_frame(now=0)
        assert not any(box.must_resume for box in boxes)
        return len(merges), hub.bytes

    merged, size = cost(late + 1)
    many_merged, many_size = cost(40)
    assert many_merged <= merged + 8
    assert many_size <= 1.1 * size + 8 * 27 * 44
    assert 0 < many_size <= MOST_BYTES


def test_nothing_is_merged_for_readers_who_keep_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlogs, "coarsen", None)
    hub, boxes = audience(5)
    for start in range(0, 128 * 50, 128):
        publish(hub, start, start + 128, runs=8)
        for box in boxes:
            box.take_frame(now=0)
    assert hub.bytes == 0


def test_pieces_that_no_reader_lacks_are_dropped_also_when_a_reader_leaves() -> None:
    hub, (prompt, stuck) = audience(2)
    first = piece(0, 8)
    piece_ref = ref(first.minimum)
    hub.frames("e", {"gd": (header(8), first)})
    del first
    prompt.take_frame(now=0)
    publish(hub, 8, 16)
    gc.collect()
    assert piece_ref() is not None
    hub.leave("e", stuck)
    gc.collect()
    assert piece_ref() is None


def test_with_too_many_positions_the_slowest_reader_has_to_resume(
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


def test_all_experiments_together_respect_the_common_limit(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_frame_respects_its_byte_limit_however_much_is_pending(encoding: str, series: int) -> None:
    hub, (stuck,) = audience(1, buckets=10_000, encoding=encoding)
    for start in range(0, 128 * 20, 128):
        publish(hub, start, start + 128, lambda a, b: wide(a, b, series), runs=8)
    frame = stuck.take_frame(now=0)
    assert len(columns_of(frame, "run-7")["series"]) == series
    text = text_of(frame.message())
    assert series == 2 or len(text) > FRAME_BYTES / 5
    assert len(text) <= (1.1 if series < 75 else 1.6) * FRAME_BYTES


def test_frames_of_the_past_respect_their_byte_limit_and_lose_no_resolution() -> None:
    box, lasts = Outbox("e", buckets=10_000), []
    box.add_history("run-0", header(2000), wide(0, 2000))
    while box.frame_due() is not None:
        frame = box.take_frame(now=0)
        assert len(text_of(frame.message())) <= 1.1 * CATCH_UP_BYTES
        lasts += columns_of(frame)["last"]
    assert lasts == list(range(2000))
    assert box.past_bytes == 0


def test_the_past_comes_at_full_rate_even_at_one_frame_a_second() -> None:
    box = Outbox("e", buckets=10_000, fps=1)
    box.add_history("run-0", header(2000), wide(0, 2000))
    box.take_frame(now=10)
    assert (box.frame_due() or 0) <= 10.05


def test_a_new_generation_starts_afresh_for_readers_at_any_position() -> None:
    hub, (prompt, stuck) = audience(2)
    publish(hub, 0, 8)
    prompt.take_frame(now=0)
    hub.frames("e", {"run-0": (header(0, generation=1), None)})
    hub.frames("e", {"run-0": (header(3, generation=1), piece(0, 3))})
    for box in (prompt, stuck):
        columns = columns_of(box.take_frame(now=1))
        assert (columns["generation"], columns["last"]) == (1, [0, 1, 2])
    assert hub.bytes == 0


def test_a_reader_with_a_gap_after_its_history_has_to_resume() -> None:
    hub, box = Hub(), Outbox("e")
    box.add_history("run-0", header(3), piece(0, 3))
    hub.join("e", box)
    publish(hub, 5, 8)
    box.take_frame(now=0)
    assert box.must_resume


def test_a_piece_that_does_not_follow_makes_all_readers_resume() -> None:
    hub, boxes = audience(3)
    publish(hub, 0, 3)
    publish(hub, 5, 8)
    assert all(box.must_resume for box in boxes)
    assert hub.watchers("e") == 0


def test_the_hub_counts_histories_and_events_with_the_backlog() -> None:
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


def test_a_new_cursor_starts_at_the_end_of_the_backlog() -> None:
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


def join(hub: Hub, box: Outbox, steps: int, history_key: str = "all") -> bool:
    """Join as `services.subscriptions` does.

    Return whether the reader shares another one's history.
    """
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
        lasts += columns_of(box.take_frame(now=0))["last"]
    return lasts


def test_readers_with_the_same_history_share_one_copy_and_the_first_frame() -> None:
    hub, boxes = Hub(), [Outbox("e", buckets=10_000) for _ in range(40)]
    shares = []
    for number, box in enumerate(boxes):
        at = 600 + 4 * number
        shares.append(join(hub, box, at))
        publish(hub, at, at + 4, wide)
    assert shares == [False] + [True] * 39
    assert hub.past_bytes == boxes[0].past_bytes
    first, *others = [box.take_frame(now=0) for box in boxes]
    assert all(other is first for other in others)
    assert all(all_of(box)[-1] == 759 for box in boxes[1:])
    assert all_of(boxes[0])[-1] == 759
    assert hub.bytes == 0
    assert not any(box.must_resume for box in boxes)


@pytest.mark.parametrize("alone", ["another key", "long ago", "reads live steps"])
def test_a_history_is_not_shared_where_the_next_steps_would_not_follow(alone: str) -> None:
    hub, early, late = Hub(), Outbox("e", buckets=10_000), Outbox("e", buckets=10_000)
    join(hub, early, 600)
    publish(hub, 600, 604, wide)
    if alone == "reads live steps":
        all_of(early)
    at = 604
    for _ in range(100 if alone == "long ago" else 1):
        publish(hub, at, at + 1, wide)
        at += 1
    assert not join(hub, late, at, "another" if alone == "another key" else "all")
    publish(hub, at, at + 2, wide)
    assert all_of(late) == list(range(at + 2))


def test_a_shared_history_outlives_the_first_reader_and_a_reset() -> None:
    hub, (early, late) = Hub(), [Outbox("e", buckets=10_000) for _ in range(2)]
    join(hub, early, 600)
    publish(hub, 600, 604, wide)
    assert join(hub, late, 604)
    early.take_frame(now=0)
    hub.leave("e", early)
    lasts = columns_of(late.take_frame(now=0))["last"]
    assert lasts[0] == 0
    hub.frames("e", {"run-0": (header(3, generation=1), wide(0, 3))})
    columns = columns_of(late.take_frame(now=0))
    assert (columns["generation"], columns["last"]) == (1, [0, 1, 2])
    assert late.frame_due() is None
    assert hub.bytes == 0
    assert not late.must_resume


@pytest.mark.parametrize("end", ["received", "left"])
def test_a_history_is_freed_with_its_last_reader(end: str) -> None:
    """At once: readers that come and go held 64 MB of them until Python looked for cycles."""
    hub, boxes = Hub(), [Outbox("e", buckets=10_000) for _ in range(2)]
    for box in boxes:
        join(hub, box, 600)
    past = ref(boxes[0].past)
    gc.collect()
    gc.disable()
    try:
        for box in boxes:
            assert past() is not None
            all_of(box) if end == "received" else hub.leave("e", box)
        assert past() is None
    finally:
        gc.enable()


def test_a_reader_with_a_position_in_a_dropped_backlog_has_to_resume() -> None:
    hub, (early, late) = Hub(), [Outbox("e", buckets=10_000) for _ in range(2)]
    join(hub, early, 600)
    late.share(early)
    hub.leave("e", early)
    hub.join("e", late)
    assert late.must_resume


def test_a_history_is_not_shared_with_a_reader_who_already_reads_one_run_live() -> None:
    hub, early = Hub(), Outbox("e", buckets=10_000)
    early.history_key = "all"
    early.add_history("short", header(8), wide(0, 8))
    early.add_history("long", header(600), wide(0, 600))
    hub.join("e", early)
    assert hub.peer("e", "all") is early
    early.take_frame(now=0)
    assert early.frame_due() is not None
    assert hub.peer("e", "all") is None


def test_runs_are_merged_one_by_one_as_bytes_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merging all at once would block the event loop."""
    shared = Backlog()
    merged: list[RunBacklog] = []
    compact = noting(lambda one, most: merged.append(one), RunBacklog.compact)
    monkeypatch.setattr(RunBacklog, "compact", compact)
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
    assert set(merged) == set(shared.runs.values())
    for run in runs:
        assert int(stuck.pieces(run)[0].first[0]) == 0
        assert int(stuck.pieces(run)[-1].last[-1]) == 8 * publications - 1
