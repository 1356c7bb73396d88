"""One reader's outbox: what it asks for, and the frames that it gets, in order and never with a gap."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from fallline.realtime import outbox as outboxes
from fallline.realtime.frames import Frame
from fallline.realtime.outbox import CATCH_UP_BYTES, CATCH_UP_SECONDS, FRAME_BYTES, MOST_EVENTS, Outbox
from fallline.runs.run import Run
from fallline.vocabulary.frame_requests import FrameRequest, Held, RunUpdate
from support.columns import NAMES, header, piece
from support.pulling import Source, columns, tiny
from support.readers import Reader, assert_equal


class Asked:
    """An outbox, and its requests with the seconds until each is due."""

    def __init__(self, **more: Any) -> None:
        self.box = Outbox("e", **more)
        self.requests: list[tuple[FrameRequest, float]] = []
        self.box.join(NAMES, lambda request, seconds: self.requests.append((request, seconds)))

    def ask(self, now: float, **line: int) -> FrameRequest:
        """Ask, and return the newest request."""
        self.box.ask(now, **line)
        return self.requests[-1][0]

    def answer(self, step: int, left: int = 0) -> None:
        """Deliver a frame up to this step, and take it."""
        update = RunUpdate(header(step), piece(0, step), Held("gd", 0, step, 0, left))
        self.box.put(Frame("e", {"gd": update}, "json", 0.0))
        self.box.take_frame()


def test_an_outbox_asks_once_and_again_when_its_frame_is_taken() -> None:
    asked = Asked()
    for now in (0.0, 1.0):
        asked.ask(now)
    assert len(asked.requests) == 1, "a request is on its way"
    asked.box.put(Frame("e", {}, "json", 0.0))
    asked.ask(2.0)
    assert len(asked.requests) == 1, "a frame is here"
    asked.box.take_frame()
    asked.ask(3.0)
    assert len(asked.requests) == 2
    asked.answer(3)
    asked.box.leave()
    asked.ask(4.0)
    assert len(asked.requests) == 2, "it has left"


def test_a_request_names_what_the_reader_has() -> None:
    asked = Asked(since={"sgd": {"generation": 2, "step": 7}}, buckets=50, series=("train_loss",))
    request = asked.ask(0.0)
    assert (request.held, request.after) == ((Held("sgd", 2, 7, left=50),), None)
    assert (request.names, request.buckets) == (("train_loss",), 50)
    asked.answer(3)
    request = asked.ask(1.0)
    assert request.held == (Held("sgd", 2, 7, left=50), Held("gd", 0, 3, 0))
    assert request.after == "gd"


def test_frames_of_the_past_are_large_and_frequent_and_the_others_fit_the_line() -> None:
    asked = Asked(fps=2)
    assert (asked.ask(0.0).most_bytes, asked.ask(0.0).interval) == (CATCH_UP_BYTES, CATCH_UP_SECONDS)
    asked.answer(3, left=5)
    assert asked.ask(1.0, line_bytes=1_024).most_bytes == CATCH_UP_BYTES, "some of the past is left"
    asked.answer(6)
    request = asked.ask(2.0, line_bytes=1_024)
    assert (request.most_bytes, request.interval) == (1_024, 0.5)
    asked.answer(9)
    assert asked.ask(3.0, line_bytes=1 << 20).most_bytes == FRAME_BYTES
    assert Asked(most_bytes=2_000).ask(0.0).most_bytes == 2_000


def test_a_late_answer_does_not_lower_the_rate_and_a_long_pause_does_not_raise_it() -> None:
    asked = Asked(fps=10)
    asked.answer(3)
    for now in (0.0, 0.11, 0.19, 5.0, 5.1, 5.2):
        asked.ask(now)
        asked.answer(3)
    assert [seconds for _, seconds in asked.requests] == pytest.approx([0, 0, 0.01, 0, 0, 0])


def test_a_frame_has_all_steps_since_the_last_one() -> None:
    source = Source()
    box = source.watch()
    for steps in (range(3), range(3, 8), range(8, 9)):
        source.advance(len(steps))
        frame = source.frame(box)
        assert columns(frame)["first"] == columns(frame)["last"] == [*steps]
        assert frame.message()["runs"]["gd"]["step"] == steps.stop
        assert source.frames(box) == [None]


def test_a_slow_reader_gets_wider_buckets_that_hold_every_spike() -> None:
    source = Source()
    box, reader = source.watch(buckets=8), Reader()
    for steps in (5, 700, 3, 4_096):
        source.advance(steps)
        message = source.frame(box).message()
        assert len(message["runs"]["gd"]["columns"]["first"]) <= 8
        reader.take(message, resumed=True)
    assert_equal(reader.buckets["gd"], source.stored("gd"))


@pytest.mark.parametrize("limit", ["of the past", "of the reader"])
def test_a_long_past_comes_in_small_frames_and_loses_no_resolution(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if limit == "of the past":
        monkeypatch.setattr(outboxes, "CATCH_UP_BYTES", 16 * 1024)
    source, lasts = Source(recipe=tiny("gd")), []
    source.advance(700)
    box = source.watch(
        buckets=1000, series=("batch_loss",), most_bytes=None if limit == "of the past" else 16 * 1024
    )
    for _ in range(700):
        if (frame := source.frames(box)[0]) is None:
            break
        result = columns(frame)
        assert len(json.dumps(result)) < 18 * 1024
        lasts += result["last"]
        if len(lasts) < 400:
            source.advance(1)
    assert lasts == list(range(source.one.run("gd").state.step))
    source.advance(640)
    live = len(columns(source.frame(box))["first"])
    assert (live == 640) == (limit == "of the past"), "one frame holds everything"


def test_a_new_generation_begins_at_step_0() -> None:
    source = Source()
    box = source.watch()
    source.advance(9)
    source.frame(box)
    source.one.reset("gd", source.now)
    source.advance(2)
    assert columns(source.frame(box))["last"] == [0, 1]
    assert (box._held["gd"].generation, box._held["gd"].step) == (1, 2)
    assert box._held["sgd"].generation == 0


def test_a_change_of_status_is_sent_without_measurements_and_only_once() -> None:
    source = Source()
    box = source.watch()
    source.advance(3)
    source.frame(box)
    source.playing = True
    run = source.frame(box).message()["runs"]["gd"]
    assert run["status"] == "playing"
    assert run["columns"]["first"] == []
    assert run["columns"]["series"]["batch_loss"]["min"] == []
    assert source.frames(box) == [None]


def test_findings_are_sent_when_they_change_and_to_each_reader_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source, real = Source(), Run.header
    findings: list[str] = []

    def with_findings(run: Run, *, playing: bool) -> dict[str, Any]:
        return {**real(run, playing=playing), **({"findings": findings} if findings else {})}

    def sent(box: Outbox) -> Any:
        source.advance(1)
        return source.frame(box).message()["runs"]["gd"].get("findings")

    monkeypatch.setattr(Run, "header", with_findings)
    box = source.watch()
    steps = [([], None), (["at 2"], ["at 2"]), (["at 2"], None), (["at 4"], ["at 4"]), ([], None)]
    for findings, expected in [*steps, (["at 4"], ["at 4"])]:  # noqa: B007  `with_findings` reads it
        assert sent(box) == expected
    late = source.watch()
    assert [sent(late), sent(late), sent(box)] == [["at 4"], None, None]
    source.one.reset("gd", source.now)
    assert sent(late) == ["at 4"], "a new generation"


def test_runs_without_news_are_left_out_of_a_frame() -> None:
    source = Source()
    box = source.watch()
    source.advance(3)
    assert list(source.frame(box).runs) == ["gd", "sgd"]
    source.advance(1, "sgd")
    assert list(source.frame(box).runs) == ["sgd"]


def test_frames_follow_the_readers_fps() -> None:
    source, times = Source(), []
    box = source.watch(fps=10)
    source.advance(1)
    source.frame(box)
    for millisecond in range(0, 1000, 3):
        source.advance(1, "gd")
        source.publish(50 + millisecond / 1000)
        if box.frame is not None:
            box.take_frame()
            times.append(source.now)
        box.ask(source.now)
    assert len(times) in (10, 11)
    assert min(after - before for before, after in pairwise(times)) > 0.04


def test_only_requested_series_are_sent_and_unknown_ones_are_listed() -> None:
    source = Source()
    assert source.watch(series=["train_loss", "spin"]).unknown_series == ("spin",)
    box = source.watch(series=["train_loss"])
    source.advance(3)
    assert list(columns(source.frame(box))["series"]) == ["train_loss"]


@pytest.mark.parametrize(
    ("since", "first"),
    [({"generation": 0, "step": 3}, 3), ({"generation": 1, "step": 3}, 0), ({"generation": 0, "step": 9}, 0)],
    ids=["what it lacks", "another generation", "steps that are lost"],
)
def test_a_reader_that_resumes_gets_what_it_lacks(since: dict[str, int], first: int) -> None:
    source = Source()
    source.advance(8)
    assert columns(source.frame(source.watch(since={"gd": since})))["first"] == list(range(first, 8))


def test_events_come_in_order_and_too_many_unread_ones_make_the_reader_resume() -> None:
    box = Outbox("e")
    for number in range(MOST_EVENTS):
        box.event({"event": "edit", "run": "gd", "step": number})
    assert not box.must_resume
    assert [(box.take_event() or {})["step"] for _ in range(3)] == [0, 1, 2]
    for number in range(4):
        box.event({"event": "edit", "run": "gd", "step": number})
    assert box.must_resume


def test_a_run_that_is_removed_is_in_no_frame_after_its_event() -> None:
    source = Source()
    boxes = [source.watch(), source.watch()]
    source.frames(*boxes)
    source.advance(3)
    for box in boxes:
        box.ask(source.now)
    source.publish(source.now + 1.0)
    source.one.remove_run("sgd", source.now)
    source.publish()
    one, other = source.frames(*boxes)
    assert one is other
    assert one is not None
    assert list(one.runs) == ["gd"]
    assert columns(one)["first"] == [0, 1, 2], "nothing is lost with the frame that had both"


def test_only_changes_wake_the_sender() -> None:
    wakes: list[int] = []
    source = Source()
    box = source.watch(wake=lambda: wakes.append(1))
    source.frames(box)
    source.frames(box)
    assert len(wakes) == 1
    box.event({"event": "edit", "run": "gd"})
    box.close()
    assert len(wakes) == 3
    assert box.is_closed


def test_a_reader_that_has_left_holds_nothing() -> None:
    source = Source()
    box = source.watch()
    box.ask(0.0)
    source.publish(1.0)
    box.event({"event": "edit", "run": "gd"})
    source.hub.leave("e", box)
    assert (box.frame, box.events_bytes, source.hub.bytes) == (None, 0, 0)


@pytest.mark.parametrize("encoding", ["json", "bdata", "packed"])
def test_with_few_bytes_runs_take_turns_and_miss_nothing(encoding: str) -> None:
    names = [f"run-{number}" for number in range(8)]
    source = Source(recipe=tiny(*names))
    source.advance(300)
    box = source.watch(
        most_bytes=2_000, buckets=1_000, encoding=encoding, series=("batch_loss", "train_loss")
    )
    ends, longest, in_frames = dict.fromkeys(names, 0), 0, []
    for at in range(2_000):
        if at % 8 == 0 and at < 200:
            source.advance(1)
        if (frame := source.frames(box)[0]) is None:
            break
        longest = max(longest, len(json.dumps(frame.message())))
        in_frames.append(set(frame.runs))
        for name, update in frame.runs.items():
            if len(update.buckets):
                assert int(update.buckets.first[0]) == ends[name]
                ends[name] = int(update.buckets.last[-1]) + 1
    assert set(ends.values()) == {325}
    assert longest < 2_000 * 1.4
    assert max(map(len, in_frames)) < 8
    for name in names:
        turns = [k for k, runs in enumerate(in_frames[:50]) if name in runs]
        assert max(after - before for before, after in pairwise(turns)) <= 8, "no run waits for two turns"
