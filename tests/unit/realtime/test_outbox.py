"""One reader's outbox: merged, in order, never with a gap."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.realtime import outbox as outboxes
from fallline.realtime.backlog import Backlog
from fallline.realtime.frames import Frame, FrameCache
from fallline.realtime.outbox import MOST_EVENTS, PAST_BYTES, Outbox
from support.columns import NAMES, header, piece


def outbox(**more: Any) -> Outbox:
    return Outbox("e", **more)


def columns(frame: Frame, run: str = "gd") -> dict[str, Any]:
    result: dict[str, Any] = frame.message()["runs"][run]["columns"]
    return result


def test_pending_pieces_are_joined_in_one_frame() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    box.add_history("gd", header(5), piece(3, 5))
    frame = box.take_frame(now=0)
    assert columns(frame)["first"] == [0, 1, 2, 3, 4]
    assert frame.message()["runs"]["gd"]["step"] == 5
    assert box.frame_due() is None


def test_a_slow_reader_gets_wider_buckets_that_still_hold_every_spike() -> None:
    box = outbox(buckets=8)
    for start in range(0, 4096, 64):
        box.add_history(
            "gd", header(start + 64), piece(start, start + 64, spike=1111 if start == 1088 else None)
        )
    result = columns(box.take_frame(now=0))
    assert len(result["first"]) <= 8
    assert (result["first"][0], result["last"][-1]) == (0, 4095)
    assert max(result["series"]["batch_loss"]["max"]) == 1e9


def test_pending_steps_stay_bounded_however_long_they_wait() -> None:
    box = outbox(buckets=10)
    for start in range(0, 100_000, 100):
        box.add_history("gd", header(start + 100), piece(start, start + 100))
        assert box.past_bytes <= PAST_BYTES
    assert len(columns(box.take_frame(now=0))["first"]) <= 10


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=30), st.integers(1, 12))
def test_frames_follow_one_another_without_a_gap_whenever_they_are_taken(
    offers: list[tuple[int, bool]], at_most: int
) -> None:
    box, at, firsts, lasts = outbox(buckets=at_most), 0, [], []
    for steps, is_taken in offers:
        box.add_history("gd", header(at + steps), piece(at, at + steps))
        at += steps
        if is_taken:
            result = columns(box.take_frame(now=0))
            firsts += result["first"]
            lasts += result["last"]
            assert len(result["first"]) <= at_most
    assert all(after == before + 1 for before, after in zip(lasts, firsts[1:], strict=False))
    assert not box.must_resume


def test_a_long_past_comes_in_small_frames_and_loses_no_resolution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outboxes, "CATCH_UP_BYTES", 16 * 1024)
    box, lasts = outbox(buckets=1000), []
    box.add_history("gd", header(700), piece(0, 700))
    box.add_history("gd", header(710), piece(700, 710))
    while box.frame_due() is not None:
        result = columns(box.take_frame(now=0))
        assert len(json.dumps(result)) < 32 * 1024
        lasts += result["last"]
    assert lasts == list(range(710))
    box.add_history("gd", header(1350), piece(710, 1350))  # live from here on: one frame holds everything
    assert len(columns(box.take_frame(now=1))["first"]) == 640


def test_a_new_generation_replaces_what_was_pending() -> None:
    box = outbox()
    box.add_history("gd", header(9), piece(0, 9))
    box.add_history("gd", header(0, generation=1), None)
    box.add_history("gd", header(2, generation=1), piece(0, 2))
    result = columns(box.take_frame(now=0))
    assert (result["generation"], result["last"]) == (1, [0, 1])


def test_a_piece_that_does_not_follow_makes_the_reader_resume() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    box.take_frame(now=0)
    box.add_history("gd", header(9), piece(5, 9))
    assert box.must_resume


def test_a_change_of_status_is_sent_without_measurements_and_only_once() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    box.take_frame(now=0)
    box.add_history("gd", header(3), None)
    assert box.frame_due() is None
    box.add_history("gd", header(3, status="paused"), None)
    run = box.take_frame(now=1).message()["runs"]["gd"]
    assert run["status"] == "paused"
    assert run["columns"]["first"] == []
    assert run["columns"]["series"]["batch_loss"]["min"] == []


def test_findings_are_sent_when_they_change_and_to_each_reader_once() -> None:
    def findings_at(step: int) -> list[dict[str, Any]]:
        return [{"id": "dead_layer-2@196", "seen_at": step, "evidence": "..."}]

    box, sent_findings = outbox(), []
    for step, findings in enumerate(([], findings_at(2), findings_at(2), findings_at(4), []), start=1):
        box.add_history(
            "gd", header(step) | ({"findings": findings} if findings else {}), piece(step - 1, step)
        )
        sent_findings.append(box.take_frame(step).message()["runs"]["gd"].get("findings"))
    assert sent_findings == [None, findings_at(2), None, findings_at(4), None]
    late = outbox()
    late.add_history("gd", header(5) | {"findings": findings_at(4)}, piece(0, 5))
    assert late.take_frame(0).message()["runs"]["gd"]["findings"] == findings_at(4)
    late.add_history("gd", header(2, generation=1) | {"findings": findings_at(4)}, piece(0, 2))
    assert late.take_frame(1).message()["runs"]["gd"]["findings"] == findings_at(4), "a new generation"


def test_runs_without_news_are_left_out_of_a_frame() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    box.add_history("sgd", header(3), piece(0, 3))
    box.take_frame(now=0)
    box.add_history("sgd", header(4), piece(3, 4))
    assert list(box.take_frame(now=1).runs) == ["sgd"]


def test_frames_follow_the_readers_fps() -> None:
    box = outbox(fps=10)
    times = []
    for millisecond in range(0, 1000, 3):
        now = 50 + millisecond / 1000
        box.add_history("gd", header(millisecond + 3), piece(millisecond, millisecond + 3))
        if (due := box.frame_due()) is not None and due <= now:
            box.take_frame(now)
            times.append(now)
    assert len(times) in (10, 11)
    assert min(after - before for before, after in pairwise(times)) > 0.04


def test_only_requested_series_are_sent_and_unknown_ones_are_listed() -> None:
    box = outbox(series=["train_loss", "spin"])
    box.add_history("gd", header(3), piece(0, 3))
    assert list(columns(box.take_frame(now=0))["series"]) == ["train_loss"]
    assert box.unknown_series == ("spin",)


def test_bdata_frames_hold_the_same_numbers() -> None:
    box = outbox(encoding="bdata")
    box.add_history("gd", header(3), piece(0, 3))
    result = columns(box.take_frame(now=0))
    assert result["encoding"] == "bdata"
    assert result["series"]["train_loss"]["min"]["dtype"] == "f8"


def test_missing_values_are_null_and_never_nan_in_a_frame() -> None:
    box = outbox()
    one = piece(0, 3)
    one.minimum[1, 1] = np.nan
    box.add_history("gd", header(3), one)
    text = json.dumps(box.take_frame(now=0).message(), allow_nan=False)
    assert "null" in text


def test_events_come_in_order_and_too_many_unread_ones_make_the_reader_resume() -> None:
    box = outbox()
    for number in range(MOST_EVENTS):
        box.event({"event": "edit", "run": "gd", "step": number})
    assert not box.must_resume
    assert [(box.take_event() or {})["step"] for _ in range(3)] == [0, 1, 2]
    for number in range(4):
        box.event({"event": "edit", "run": "gd", "step": number})
    assert box.must_resume


def test_a_removed_run_has_nothing_pending() -> None:
    box = outbox()
    box.add_history("sgd", header(3), piece(0, 3))
    box.event({"event": "run_removed", "run": "sgd"})
    assert box.frame_due() is None


def test_only_changes_wake_the_sender() -> None:
    wakes: list[int] = []
    box = outbox(wake=lambda: wakes.append(1))
    box.add_history("gd", header(3), piece(0, 3))
    box.take_frame(now=0)
    assert len(wakes) == 1
    box.add_history("gd", header(3), None)
    assert len(wakes) == 1
    box.event({"event": "edit", "run": "gd"})
    box.close()
    assert len(wakes) == 3
    assert box.is_closed


def test_names_are_those_of_the_history() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    with pytest.raises(KeyError):
        box.take_frame(now=0).runs["gd"].merged(100).select(("none",))
    assert piece(0, 1).names == NAMES


def test_who_has_left_holds_no_history_and_others_keep_what_they_share() -> None:
    box, other = outbox(), outbox()
    box.add_history("gd", header(64), piece(0, 64))
    box.join(Backlog(), FrameCache())
    other.share(box)
    box.leave()
    assert box.past_bytes == 0
    assert columns(other.take_frame(now=0))["last"][-1] == 63


@pytest.mark.parametrize("encoding", ["json", "bdata"])
def test_with_few_bytes_runs_take_turns_and_miss_nothing(encoding: str) -> None:
    names = [f"run-{number}" for number in range(8)]
    box, ends, longest = (
        outbox(most_bytes=2_000, buckets=1_000, encoding=encoding),
        dict.fromkeys(names, 0),
        0,
    )
    for name in names:
        box.add_history(name, header(500), piece(0, 500))
    in_frames = []
    for at in range(4_000):
        if at % 8 == 0 and at < 200:
            for name in names:
                step = 500 + at // 8
                box.add_history(name, header(step + 1), piece(step, step + 1))
        if box.frame_due() is None:
            continue
        frame = box.take_frame(now=at)
        message = frame.message()
        longest = max(longest, len(json.dumps(message)))
        in_frames.append(set(message["runs"]))
        for name, update in frame.runs.items():
            buckets = update.merged(frame.at_most)
            if len(buckets):
                assert int(buckets.first[0]) == ends[name]
                ends[name] = int(buckets.last[-1]) + 1
    assert not box.must_resume
    assert set(ends.values()) == {525}
    assert box.frame_due() is None
    assert longest < 2_000 * 1.4
    assert max(map(len, in_frames)) < 8
    # nobody waits for more than one round of the others
    for name in names:
        turns = [k for k, runs in enumerate(in_frames[:50]) if name in runs]
        assert max(after - before for before, after in pairwise(turns)) <= 8
