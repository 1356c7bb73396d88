"""The protocol of one socket, without a network or a clock."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.realtime.limits import MOST_BYTES
from fallline.realtime.outbox import Outbox
from fallline.realtime.session import (
    COMMAND_BURST,
    IDLE_SECONDS,
    MOST_REFUSED,
    MOST_REPLIES,
    MOST_RUNNING_COMMANDS,
    MOST_WATCHED,
    UNACKNOWLEDGED_SECONDS,
    Closing,
    NumberedFrame,
    Session,
)
from fallline.vocabulary.errors import Conflict, TooManyRequests
from fallline.vocabulary.messages import CloseCode, Command, Got, Ping, Unwatch, Watch
from support.pulling import Source, columns

WATCH = Watch(type="watch", experiment="e")


def command(number: int = 0) -> Command:
    return Command(f"c{number}", "e", "pause", None, {})


def watching(needs_credit: bool = False, **more: Any) -> tuple[Session, Source, Outbox]:
    session, source = Session(now=0, needs_credit=needs_credit), Source()
    box = source.watch(**more)
    assert session.receive(WATCH, 0) is WATCH
    session.start_watch(box, "token", {"id": "e"})
    session.answered_watch(0)
    assert session.take(0) == {"type": "experiment", "experiment": "e", "state": {"id": "e"}}
    return session, source, box


def test_a_socket_whose_watch_waits_for_a_stored_experiment_stays_open() -> None:
    """After a restart, a class waits for longer than the deadline of a silent socket."""
    session = Session(now=0)
    session.receive(WATCH, 1)
    assert session.wake_at(2) is None
    assert session.take(60) is None
    session.answered_watch(60)  # it failed, or was ended
    assert session.take(60) is None
    assert session.wake_at(60) == 60 + IDLE_SECONDS
    assert session.take(60 + IDLE_SECONDS) == Closing(CloseCode.PROTOCOL, "nothing is being watched")


def numbers(session: Session, now: float, *sources: Source) -> list[int]:
    """Return the numbers of the frames that are sent, before and after requests are answered."""
    frames = []
    for _ in range(2):
        while isinstance(outgoing := session.take(now), NumberedFrame):
            frames.append(outgoing.number)
        for source in sources:
            source.publish(now)
    while isinstance(outgoing := session.take(now), NumberedFrame):
        frames.append(outgoing.number)
    return frames


def played(session: Session, source: Source, *times: float) -> list[int]:
    """Make a step before each of these times, and return the numbers of the frames that are sent."""
    frames = []
    for now in times:
        source.advance(1)
        frames += numbers(session, now, source)
    return frames


def test_the_answer_to_a_watch_comes_before_its_frames() -> None:
    session, source = Session(now=0), Source()
    box = source.watch()
    box.ask(0.0)
    source.publish(0.0)
    assert session.take(0) is None
    session.start_watch(box, None, {"id": "e"})
    first, second = session.take(0), session.take(0)
    assert isinstance(first, dict)
    assert first["type"] == "experiment"
    assert isinstance(second, NumberedFrame)


def test_a_client_that_never_acknowledges_gets_frames_at_its_fps() -> None:
    session, source, _ = watching(fps=10)
    assert played(session, source, *(1 + tenth / 10 for tenth in range(20))) == list(range(1, 21))


def test_after_the_first_acknowledgement_at_most_two_frames_are_on_their_way() -> None:
    session, source, _ = watching(fps=30)
    session.receive(Got(type="got", frame=0), 0)
    assert played(session, source, *range(6)) == [1, 2]
    assert session.wake_at(6) == 1 + UNACKNOWLEDGED_SECONDS / 2
    session.receive(Got(type="got", frame=1), 6)
    assert session.wake_at(6) is not None
    assert numbers(session, 6, source) == [3]
    session.receive(Got(type="got", frame=3), 7)
    assert played(session, source, 7) == [4]


def test_without_credit_no_frame_is_asked_for() -> None:
    """Else the reader would get what the run did up to the request, and not what it did since."""
    session, source, box = watching(fps=30)
    session.receive(Got(type="got", frame=0), 0)
    assert played(session, source, *range(9)) == [1, 2]
    assert (box.frame, box._is_waiting) == (None, False)
    session.receive(Got(type="got", frame=2), 9)
    assert session.take(9) is None
    source.publish(9)
    message = session.take(9)
    assert isinstance(message, NumberedFrame)
    assert columns(message.frame)["first"] == [2, 3, 4, 5, 6, 7, 8]


def test_with_needed_credit_the_first_frames_wait_for_it_too() -> None:
    session, source, _ = watching(fps=30, needs_credit=True)
    assert played(session, source, *range(1, 6)) == [1, 2]
    assert session.acknowledged == 0
    session.receive(Got(type="got", frame=1), 6)
    assert numbers(session, 6, source) == [3]
    assert session.acknowledged == 1


def test_acknowledging_an_unsent_frame_gains_no_credit() -> None:
    session, source, _ = watching(fps=30)
    session.receive(Got(type="got", frame=999), 0)
    assert played(session, source, *range(6)) == [1, 2]


def test_an_acknowledgement_counts_for_the_experiments_that_the_socket_may_change() -> None:
    session, *_ = watching()
    session.start_watch(Outbox("only-looked-at"), None, {})
    got = Got(type="got", frame=0)
    assert session.receive(got, 0) is got
    assert session.commanded == ("e",)


def test_only_the_acknowledgement_of_a_newer_frame_counts_while_frames_are_unacknowledged() -> None:
    session, source, _ = watching()
    assert numbers(session, 1, source) == [1]
    assert session.receive(Got(type="got", frame=0), 1) is None
    assert session.receive(Ping(type="ping", id="a"), 1) is None
    assert session.receive(Got(type="got", frame=1), 1) is not None


def test_a_ping_counts_once_all_frames_are_acknowledged() -> None:
    session, source, _ = watching()
    assert session.receive(Ping(type="ping", id="a"), 0) is None
    session.take(0)
    assert numbers(session, 1, source) == [1]
    session.receive(Got(type="got", frame=1), 1)
    assert session.receive(Ping(type="ping", id="b"), 2) == Got(type="got", frame=1)


def test_experiments_on_one_socket_take_turns() -> None:
    session, one, _ = watching(fps=30)
    other = Source("f")
    session.start_watch(other.watch(fps=30), None, {"id": "f"})
    session.take(0)
    order = []
    for tick in range(40):
        for source in (one, other):
            source.advance(1)
            source.publish(1 + tick / 60)
        while isinstance(outgoing := session.take(source.now), NumberedFrame):
            order.append(outgoing.frame.experiment)
    assert order.count("e") == pytest.approx(order.count("f"), abs=1)
    assert len(order) > 30


def test_frames_go_out_in_the_order_in_which_they_were_made() -> None:
    session, one, _ = watching(fps=30)
    other = Source("f")
    session.start_watch(other.watch(fps=30), None, {"id": "f"})
    session.take(0)
    session.take(0)
    other.publish(1.0)
    one.publish(2.0)
    first, second = session.take(2), session.take(2)
    assert isinstance(first, NumberedFrame)
    assert isinstance(second, NumberedFrame)
    assert (first.frame.experiment, second.frame.experiment) == ("f", "e")


def test_the_events_of_a_command_come_before_its_acknowledgement() -> None:
    session, _, box = watching()
    session.receive(command(), 0)
    session.finish_command({"type": "ack"})
    box.event({"type": "event"})
    assert [session.take(0), session.take(0)] == [{"type": "event"}, {"type": "ack"}]


def test_events_that_happen_while_joining_come_after_the_answer() -> None:
    session, box = Session(now=0), Outbox("e")
    box.event({"type": "event"})
    session.start_watch(box, None, {"id": "e"})
    first, second = session.take(0), session.take(0)
    assert isinstance(first, dict)
    assert first["type"] == "experiment"
    assert second == {"type": "event"}


def test_events_overtake_frames_and_need_no_credit() -> None:
    session, source, box = watching()
    session.receive(Got(type="got", frame=0), 0)
    session.take(0)
    source.publish(1)
    assert box.frame is not None
    box.event({"type": "event", "event": "edit", "run": "gd"})
    first = session.take(1)
    assert isinstance(first, dict)
    assert first["type"] == "event"


def test_a_ping_is_answered_by_the_session_itself() -> None:
    session, *_ = watching()
    assert session.receive(Ping(type="ping", id="p"), 0) is None
    assert session.take(0) == {"type": "pong", "id": "p"}


def test_commands_above_the_burst_are_refused_and_many_refusals_close_the_socket() -> None:
    session, *_ = watching()
    for number in range(int(COMMAND_BURST)):
        assert session.receive(command(number), 0) is not None
        session.finish_command({"type": "ack"})
        session.take(0)
    for number in range(MOST_REFUSED):
        with pytest.raises(TooManyRequests):
            session.receive(command(number), 0)
    assert not isinstance(session.take(0), Closing)
    with pytest.raises(TooManyRequests):
        session.receive(command(), 0)
    assert session.take(0) == Closing(CloseCode.TOO_MANY_MESSAGES, "too many commands")


def test_commands_come_back_at_five_a_second() -> None:
    session, *_ = watching()
    done = 0
    for millisecond in range(0, 4000, 100):
        try:
            session.receive(command(), millisecond / 1000)
        except TooManyRequests:
            continue
        done += 1
        session.finish_command({"type": "ack"})
        session.take(millisecond / 1000)
    assert done == COMMAND_BURST + 19


def test_the_number_of_running_commands_is_limited() -> None:
    session = Session(now=0, commands_per_second=1e6)
    for number in range(MOST_RUNNING_COMMANDS):
        session.receive(command(number), number)
    with pytest.raises(TooManyRequests):
        session.receive(command(), MOST_RUNNING_COMMANDS)
    session.finish_command({"type": "ack"})
    assert session.receive(command(), MOST_RUNNING_COMMANDS + 1) is not None


def test_the_rate_of_watches_is_limited() -> None:
    session = Session(now=0)
    for _ in range(32):
        session.receive(WATCH, 0)
    with pytest.raises(TooManyRequests):
        session.receive(WATCH, 0)
    assert session.receive(WATCH, 0.21) is WATCH


@pytest.mark.parametrize(("size", "many"), [(40, 2_001), (64 * 1024, 32)])
def test_too_many_messages_close_the_socket_and_long_ones_count_more(size: int, many: int) -> None:
    session, *_ = watching()
    admitted = [session.admit(size, 0) for _ in range(many)]
    assert admitted == [True] * (many - 1) + [False]
    assert session.take(0) == Closing(CloseCode.TOO_MANY_MESSAGES, "too many messages")


def test_invalid_messages_count_as_commands() -> None:
    session, *_ = watching()
    for _ in range(int(COMMAND_BURST)):
        session.count_invalid_message(0)
    for _ in range(MOST_REFUSED):
        with pytest.raises(TooManyRequests):
            session.count_invalid_message(0)
    assert session.take(0) is None
    with pytest.raises(TooManyRequests):
        session.count_invalid_message(0)
    assert session.take(0) == Closing(CloseCode.TOO_MANY_MESSAGES, "too many commands")
    assert session.receive(command(), 0) is None


def test_a_reader_has_to_resume_if_a_frame_is_due_after_a_minute_without_credit() -> None:
    session, source, box = watching(fps=30)
    session.receive(Got(type="got", frame=0), 0)
    played(session, source, *range(4))
    assert session.wake_at(3) == 1 + UNACKNOWLEDGED_SECONDS / 2
    assert numbers(session, 30.9, source) == []
    assert session.take(31) is None, "it asks whether a frame is due"
    source.publish(31)
    assert session.take(31) is None
    assert session.wake_at(31) == 61
    assert session.take(60.9) is None
    assert session.take(61) == Closing(CloseCode.TOO_SLOW, "frames are not being acknowledged: resume")
    assert box.take_event() is None


def test_frames_may_stay_unacknowledged_while_no_other_frame_is_due() -> None:
    session, source, _ = watching(fps=30)
    session.receive(Got(type="got", frame=0), 0)
    assert played(session, source, 0, 1) == [1, 2]
    for now in (61, 1e3, 1e6):
        assert numbers(session, now, source) == [], "nothing more is due"
        assert session.wake_at(now) is None
    session.receive(Got(type="got", frame=2), 1e6)
    assert played(session, source, 1e6 + 1, 1e6 + 2, 1e6 + 3) == [3, 4]
    assert session.take(1e6 + 60) is None, "a new minute"
    assert not session.is_closing


def test_after_a_long_rest_a_reader_has_time_to_acknowledge_and_gets_a_new_frame() -> None:
    session, source, box = watching(fps=30)
    session.receive(Got(type="got", frame=0), 0)
    assert played(session, source, 0, 1) == [1, 2]
    assert numbers(session, 300, source) == []
    source.advance(3)
    source.publish(301)
    assert session.take(301) is None
    assert (stale := box.frame) is not None
    session.receive(Got(type="got", frame=2), 302)
    assert session.take(302) is None
    source.publish(303)
    assert box.frame not in (None, stale)
    assert numbers(session, 303, source) == [3]


def test_unsent_bytes_are_limited_over_all_experiments_of_a_socket() -> None:
    session = Session(now=0)
    boxes = [Outbox(f"e{number}", unsent=session.unsent) for number in range(MOST_WATCHED)]
    for box in boxes:
        session.start_watch(box, None, {})
    for number in range(MOST_WATCHED * 4):
        boxes[number % MOST_WATCHED].event({"event": "finding", "evidence": "x" * 4_000})
        assert session.unsent.bytes <= MOST_BYTES + 5_000
    session.reply({"type": "ack", "answer": "x" * 4_000})
    closing = session.take(0)
    assert isinstance(closing, Closing)
    assert closing.code == CloseCode.TOO_SLOW
    assert session.unsent.bytes == 0


def test_a_single_message_may_exceed_the_limit() -> None:
    session, *_ = watching()
    large = {"type": "ack", "answer": "x" * (2 * MOST_BYTES)}
    session.reply(large)
    assert session.take(0) == large
    session.reply(large)
    session.reply({"type": "pong", "id": 1})
    assert isinstance(session.take(0), Closing)


def test_a_reader_with_too_many_unread_replies_is_too_slow() -> None:
    session, *_ = watching()
    for number in range(MOST_REPLIES + 1):
        session.reply({"type": "pong", "id": number})
    closing = session.take(0)
    assert isinstance(closing, Closing)
    assert closing.code == CloseCode.TOO_SLOW


def test_a_socket_holds_sixteen_experiments() -> None:
    session = Session(now=0)
    for number in range(MOST_WATCHED):
        session.start_watch(Outbox(f"e{number}"), None, {})
    with pytest.raises(Conflict):
        session.receive(Watch(type="watch", experiment="one-more"), 0)
    again = Watch(type="watch", experiment="e3")
    assert session.receive(again, 0) is again


def test_a_silent_socket_is_closed_after_five_seconds() -> None:
    session = Session(now=0)
    assert session.wake_at(0) == 5
    assert session.take(4.9) is None
    assert session.take(5) == Closing(CloseCode.PROTOCOL, "nothing is being watched")


def test_a_socket_without_a_watch_is_closed_after_five_seconds_whatever_it_sends() -> None:
    session = Session(now=0)
    session.receive(Ping(type="ping", id="p"), 3)
    session.count_invalid_message(3)
    session.take(3)
    assert session.take(4.9) is None
    assert isinstance(session.take(5), Closing)


def test_a_socket_whose_watch_failed_has_ten_seconds_for_another() -> None:
    session = Session(now=0)
    session.receive(WATCH, 2)
    session.answered_watch(3)
    assert session.take(12.9) is None
    assert isinstance(session.take(13), Closing)


def test_a_socket_with_a_watch_may_stay_silent() -> None:
    session, *_ = watching()
    assert session.wake_at(1e6) is None
    assert session.take(1e6) is None
    assert session.end_watch("e", 1e6) is not None
    assert session.take(1e6 + 9) is None
    assert isinstance(session.take(1e6 + 10), Closing)


def test_replies_are_sent_before_the_socket_closes() -> None:
    session, *_ = watching()
    session.reply({"type": "error"})
    session.close(CloseCode.TOKEN, "first")
    session.close(CloseCode.PROTOCOL, "second")
    assert session.take(0) == {"type": "error"}
    assert session.take(0) == Closing(CloseCode.TOKEN, "first")


def test_the_token_of_a_watch_serves_only_commands_of_that_experiment() -> None:
    session, *_ = watching()
    assert session.token_for("e") == "token"
    assert session.token_for("another") is None
    unwatch = Unwatch(type="unwatch", experiment="e")
    assert session.receive(unwatch, 0) is unwatch
    session.end_watch("e", 0)
    assert session.token_for("e") is None


def test_events_of_an_unwatched_experiment_count_no_bytes() -> None:
    session = Session(now=0)
    for _ in range(3):
        box = Outbox("e", unsent=session.unsent)
        session.start_watch(box, "token", {"id": "e"})
        box.event({"type": "event", "event": "diverged", "run": "gd"})
        left = session.end_watch("e", 0)
        assert left is box
        box.leave()
    assert session.unsent.bytes == 0


def test_a_command_after_a_close_waits_for_the_next_socket() -> None:
    session, _, box = watching()
    box.interrupt()
    assert session.take(1) == Closing(CloseCode.TOO_SLOW, "too far behind: resume")
    assert session.token_for("e") is None
    assert session.receive(command(), 1) is None  # an answer without the token would be 401, and final
    assert session.receive(WATCH, 1) is None
    assert isinstance(session.take(1), Closing)
