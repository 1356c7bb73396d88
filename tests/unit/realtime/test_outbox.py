"""One reader's backlog: merged, contiguous, never with a gap."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.realtime import outbox as outboxes
from fallline.realtime.frames import Frame
from fallline.realtime.outbox import MOST_EVENTS, PAST_BYTES, Outbox
from support.columns import NAMES, header, piece


def outbox(**more: Any) -> Outbox:
    return Outbox("e", **more)


def columns(frame: Frame, run: str = "gd") -> dict[str, Any]:
    told: dict[str, Any] = frame.message()["runs"][run]["columns"]
    return told


def test_pieces_that_wait_are_joined_in_one_frame() -> None:
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
    told = columns(box.take_frame(now=0))
    assert len(told["first"]) <= 8
    assert (told["first"][0], told["last"][-1]) == (0, 4095)
    assert max(told["series"]["batch_loss"]["max"]) == 1e9


def test_what_waits_stays_bounded_however_long_it_waits() -> None:
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
            told = columns(box.take_frame(now=0))
            firsts += told["first"]
            lasts += told["last"]
            assert len(told["first"]) <= at_most
    assert all(after == before + 1 for before, after in zip(lasts, firsts[1:], strict=False))
    assert not box.must_resume


def test_a_long_past_comes_in_frames_that_a_bad_line_can_bear_and_none_of_it_is_coarser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outboxes, "CATCH_UP_BYTES", 16 * 1024)
    box, lasts = outbox(buckets=1000), []
    box.add_history("gd", header(700), piece(0, 700))
    box.add_history("gd", header(710), piece(700, 710))
    while box.frame_due() is not None:
        told = columns(box.take_frame(now=0))
        assert len(json.dumps(told)) < 32 * 1024
        lasts += told["last"]
    assert lasts == list(range(710))
    box.add_history(
        "gd", header(1350), piece(710, 1350)
    )  # from here on it is live: one frame tells everything
    assert len(columns(box.take_frame(now=1))["first"]) == 640


def test_a_new_generation_replaces_what_was_pending() -> None:
    box = outbox()
    box.add_history("gd", header(9), piece(0, 9))
    box.add_history("gd", header(0, generation=1), None)
    box.add_history("gd", header(2, generation=1), piece(0, 2))
    told = columns(box.take_frame(now=0))
    assert (told["generation"], told["last"]) == (1, [0, 1])


def test_a_piece_that_does_not_follow_makes_the_reader_resume_rather_than_miss_steps() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    box.take_frame(now=0)
    box.add_history("gd", header(9), piece(5, 9))
    assert box.must_resume


def test_a_change_of_status_is_told_without_measurements_and_only_once() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    box.take_frame(now=0)
    box.add_history("gd", header(3), None)
    assert box.frame_due() is None
    box.add_history("gd", header(3, status="paused"), None)
    told = box.take_frame(now=1).message()["runs"]["gd"]
    assert told["status"] == "paused"
    assert told["columns"]["first"] == []
    assert told["columns"]["series"]["batch_loss"]["min"] == []


def test_the_numbers_behind_findings_are_told_when_they_are_others_and_to_each_reader_once() -> None:
    def seen(step: int) -> list[dict[str, Any]]:
        return [{"id": "dead_layer-2@196", "seen_at": step, "evidence": "..."}]

    box, told = outbox(), []
    for step, found in enumerate(([], seen(2), seen(2), seen(4), []), start=1):
        box.add_history("gd", header(step) | ({"findings": found} if found else {}), piece(step - 1, step))
        told.append(box.take_frame(step).message()["runs"]["gd"].get("findings"))
    assert told == [None, seen(2), None, seen(4), None]
    late = outbox()
    late.add_history("gd", header(5) | {"findings": seen(4)}, piece(0, 5))
    assert late.take_frame(0).message()["runs"]["gd"]["findings"] == seen(4)
    late.add_history("gd", header(2, generation=1) | {"findings": seen(4)}, piece(0, 2))
    assert late.take_frame(1).message()["runs"]["gd"]["findings"] == seen(4), "of another past"


def test_runs_without_news_are_left_out_of_a_frame() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    box.add_history("sgd", header(3), piece(0, 3))
    box.take_frame(now=0)
    box.add_history("sgd", header(4), piece(3, 4))
    assert list(box.take_frame(now=1).runs) == ["sgd"]


def test_frames_keep_the_readers_pace() -> None:
    box = outbox(fps=10)
    taken = []
    for millisecond in range(0, 1000, 3):
        now = 50 + millisecond / 1000
        box.add_history("gd", header(millisecond + 3), piece(millisecond, millisecond + 3))
        if (due := box.frame_due()) is not None and due <= now:
            box.take_frame(now)
            taken.append(now)
    assert len(taken) in (10, 11)
    assert min(after - before for before, after in pairwise(taken)) > 0.04


def test_only_the_series_asked_for_travel_and_unknown_ones_are_noted() -> None:
    box = outbox(series=["train_loss", "spin"])
    box.add_history("gd", header(3), piece(0, 3))
    assert list(columns(box.take_frame(now=0))["series"]) == ["train_loss"]
    assert box.unknown_series == ("spin",)


def test_bdata_frames_hold_the_same_numbers() -> None:
    box = outbox(encoding="bdata")
    box.add_history("gd", header(3), piece(0, 3))
    told = columns(box.take_frame(now=0))
    assert told["encoding"] == "bdata"
    assert told["series"]["train_loss"]["min"]["dtype"] == "f8"


def test_missing_values_are_null_and_never_nan_in_a_frame() -> None:
    box = outbox()
    one = piece(0, 3)
    one.minimum[1, 1] = np.nan
    box.add_history("gd", header(3), one)
    text = json.dumps(box.take_frame(now=0).message(), allow_nan=False)
    assert "null" in text


def test_events_come_in_order_and_too_many_left_lying_make_the_reader_resume() -> None:
    box = outbox()
    for number in range(MOST_EVENTS):
        box.event({"event": "edit", "run": "gd", "step": number})
    assert not box.must_resume
    assert [(box.take_event() or {})["step"] for _ in range(3)] == [0, 1, 2]
    for number in range(4):
        box.event({"event": "edit", "run": "gd", "step": number})
    assert box.must_resume


def test_a_run_that_is_removed_has_nothing_more_to_tell() -> None:
    box = outbox()
    box.add_history("sgd", header(3), piece(0, 3))
    box.event({"event": "run_removed", "run": "sgd"})
    assert box.frame_due() is None


def test_whoever_waits_is_woken_by_news_only() -> None:
    woken: list[int] = []
    box = outbox(wake=lambda: woken.append(1))
    box.add_history("gd", header(3), piece(0, 3))
    box.take_frame(now=0)
    assert len(woken) == 1
    box.add_history("gd", header(3), None)
    assert len(woken) == 1
    box.event({"event": "edit", "run": "gd"})
    box.close()
    assert len(woken) == 3
    assert box.is_closed


def test_names_are_those_of_the_history() -> None:
    box = outbox()
    box.add_history("gd", header(3), piece(0, 3))
    with pytest.raises(KeyError):
        box.take_frame(now=0).runs["gd"].merged(100).select(("none",))
    assert piece(0, 1).names == NAMES
