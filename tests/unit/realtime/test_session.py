"""The protocol of one socket, without a network or a clock."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.realtime.limits import MOST_BYTES
from fallline.realtime.outbox import PAST_BYTES, Outbox
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
from support.columns import header, piece

WATCH = Watch(type="watch", experiment="e")


def command(number: int = 0) -> Command:
    return Command(f"c{number}", "e", "pause", None, {})


def watching(**more: Any) -> tuple[Session, Outbox]:
    session, box = Session(now=0), Outbox("e", **more)
    assert session.receive(WATCH, 0) is WATCH
    session.start_watch(box, "token", {"id": "e"})
    session.answered_watch(0)
    assert session.take(0) == {"type": "experiment", "experiment": "e", "state": {"id": "e"}}
    return session, box


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


def add_history(box: Outbox, first: int, stop: int) -> None:
    box.add_history("gd", header(stop), piece(first, stop))


def numbers(session: Session, now: float) -> list[int]:
    frames = []
    while isinstance(outgoing := session.take(now), NumberedFrame):
        frames.append(outgoing.number)
    return frames


def test_the_answer_to_a_watch_comes_before_its_frames() -> None:
    session, box = Session(now=0), Outbox("e")
    add_history(box, 0, 3)
    assert session.take(0) is None
    session.start_watch(box, None, {"id": "e"})
    first, second = session.take(0), session.take(0)
    assert isinstance(first, dict)
    assert first["type"] == "experiment"
    assert isinstance(second, NumberedFrame)


def test_a_client_that_never_acknowledges_gets_frames_at_its_fps() -> None:
    session, box = watching(fps=10)
    frames = []
    for tenth in range(20):
        add_history(box, tenth, tenth + 1)
        frames += numbers(session, 1 + tenth / 10)
    assert frames == list(range(1, 21))


def test_after_the_first_acknowledgement_at_most_two_frames_are_on_their_way() -> None:
    session, box = watching(fps=30)
    frames = []
    session.receive(Got(type="got", frame=0), 0)
    for second in range(6):
        add_history(box, second, second + 1)
        frames += numbers(session, second)
    assert frames == [1, 2]
    assert session.wake_at(6) == 2 + UNACKNOWLEDGED_SECONDS
    session.receive(Got(type="got", frame=1), 6)
    assert session.wake_at(6) is not None
    assert numbers(session, 6) == [3]
    session.receive(Got(type="got", frame=3), 7)
    add_history(box, 6, 7)
    assert numbers(session, 7) == [4]


def test_with_needed_credit_the_first_frames_wait_for_it_too() -> None:
    session, box = Session(now=0, needs_credit=True), Outbox("e", fps=30)
    session.receive(WATCH, 0)
    session.start_watch(box, None, {"id": "e"})
    session.take(0)
    frames = []
    for second in range(1, 6):
        add_history(box, second - 1, second)
        frames += numbers(session, second)
    assert frames == [1, 2]
    assert session.acknowledged == 0
    session.receive(Got(type="got", frame=1), 6)
    assert numbers(session, 6) == [3]
    assert session.acknowledged == 1


def test_acknowledging_an_unsent_frame_gains_no_credit() -> None:
    session, box = watching(fps=30)
    session.receive(Got(type="got", frame=999), 0)
    frames = []
    for second in range(6):
        add_history(box, second, second + 1)
        frames += numbers(session, second)
    assert frames == [1, 2]


def test_an_acknowledgement_counts_for_the_experiments_that_the_socket_may_change() -> None:
    session, _ = watching()
    session.start_watch(Outbox("only-looked-at"), None, {})
    got = Got(type="got", frame=0)
    assert session.receive(got, 0) is got
    assert session.commanded == ("e",)


def test_only_the_acknowledgement_of_a_newer_frame_counts_while_frames_are_unacknowledged() -> None:
    session, box = watching()
    add_history(box, 0, 1)
    assert numbers(session, 1) == [1]
    assert session.receive(Got(type="got", frame=0), 1) is None
    assert session.receive(Ping(type="ping", id="a"), 1) is None
    assert session.receive(Got(type="got", frame=1), 1) is not None


def test_a_ping_counts_once_all_frames_are_acknowledged() -> None:
    session, box = watching()
    assert session.receive(Ping(type="ping", id="a"), 0) is None
    add_history(box, 0, 1)
    session.take(0)
    assert numbers(session, 1) == [1]
    session.receive(Got(type="got", frame=1), 1)
    assert session.receive(Ping(type="ping", id="b"), 2) == Got(type="got", frame=1)


def test_experiments_on_one_socket_take_turns() -> None:
    session, one = watching(fps=30)
    other = Outbox("f", fps=30)
    session.start_watch(other, None, {"id": "f"})
    session.take(0)
    order = []
    for step in range(40):
        now = 1 + step / 60
        add_history(one, step, step + 1)
        add_history(other, step, step + 1)
        while isinstance(outgoing := session.take(now), NumberedFrame):
            order.append(outgoing.frame.experiment)
    assert order.count("e") == pytest.approx(order.count("f"), abs=1)
    assert len(order) > 30


def test_the_events_of_a_command_come_before_its_acknowledgement() -> None:
    session, box = watching()
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
    session, box = watching()
    session.receive(Got(type="got", frame=0), 0)
    add_history(box, 0, 3)
    box.event({"type": "event", "event": "edit", "run": "gd"})
    first = session.take(1)
    assert isinstance(first, dict)
    assert first["type"] == "event"


def test_a_ping_is_answered_by_the_session_itself() -> None:
    session, _ = watching()
    assert session.receive(Ping(type="ping", id="p"), 0) is None
    assert session.take(0) == {"type": "pong", "id": "p"}


def test_commands_above_the_burst_are_refused_and_many_refusals_close_the_socket() -> None:
    session, _ = watching()
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
    session, _ = watching()
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
    session, _ = watching()
    admitted = [session.admit(size, 0) for _ in range(many)]
    assert admitted == [True] * (many - 1) + [False]
    assert session.take(0) == Closing(CloseCode.TOO_MANY_MESSAGES, "too many messages")


def test_invalid_messages_count_as_commands() -> None:
    session, _ = watching()
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


def test_a_reader_has_to_resume_once_frames_have_waited_a_minute_for_credit() -> None:
    session, box = watching(fps=30)
    session.receive(Got(type="got", frame=0), 0)
    for second in range(4):
        add_history(box, second, second + 1)
        numbers(session, second)
    assert session.wake_at(3) == 2 + UNACKNOWLEDGED_SECONDS
    assert session.take(61.9) is None
    closing = session.take(62)
    assert isinstance(closing, Closing)
    assert closing.code == CloseCode.TOO_SLOW


def test_frames_may_stay_unacknowledged_while_no_other_frame_waits() -> None:
    session, box = watching(fps=30)
    session.receive(Got(type="got", frame=0), 0)
    for second in range(2):
        add_history(box, second, second + 1)
        assert numbers(session, second) == [second + 1]
    assert session.take(1e6) is None, "nothing more is due"
    add_history(box, 2, 3)
    assert session.take(1e6) is None
    session.receive(Got(type="got", frame=1), 1e6 + 59)
    assert numbers(session, 1e6 + 59) == [3]
    add_history(box, 3, 4)
    assert session.take(1e6 + 100) is None, "a new minute"


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
    session, _ = watching()
    large = {"type": "ack", "answer": "x" * (2 * MOST_BYTES)}
    session.reply(large)
    assert session.take(0) == large
    session.reply(large)
    session.reply({"type": "pong", "id": 1})
    assert isinstance(session.take(0), Closing)


def test_history_bytes_are_limited_over_all_experiments_of_a_socket() -> None:
    session, box = watching()
    assert session.past_limit == PAST_BYTES
    add_history(box, 0, 1000)
    assert session.past_limit == PAST_BYTES - box.past_bytes < PAST_BYTES
    numbers(session, 1)
    assert session.past_limit == PAST_BYTES


def test_a_reader_with_too_many_unread_replies_is_too_slow() -> None:
    session, _ = watching()
    for number in range(MOST_REPLIES + 1):
        session.reply({"type": "pong", "id": number})
    closing = session.take(0)
    assert isinstance(closing, Closing)
    assert closing.code == CloseCode.TOO_SLOW


def test_a_reader_with_a_gap_is_closed_with_resume() -> None:
    session, box = watching()
    add_history(box, 0, 3)
    add_history(box, 7, 9)
    closing = session.take(1)
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
    session, _ = watching()
    assert session.wake_at(1e6) is None
    assert session.take(1e6) is None
    assert session.end_watch("e", 1e6) is not None
    assert session.take(1e6 + 9) is None
    assert isinstance(session.take(1e6 + 10), Closing)


def test_replies_are_sent_before_the_socket_closes() -> None:
    session, _ = watching()
    session.reply({"type": "error"})
    session.close(CloseCode.TOKEN, "first")
    session.close(CloseCode.PROTOCOL, "second")
    assert session.take(0) == {"type": "error"}
    assert session.take(0) == Closing(CloseCode.TOKEN, "first")


def test_the_token_of_a_watch_serves_only_commands_of_that_experiment() -> None:
    session, _ = watching()
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
    session, box = watching()
    box.interrupt()
    assert session.take(1) == Closing(CloseCode.TOO_SLOW, "too far behind: resume")
    assert session.token_for("e") is None
    assert session.receive(command(), 1) is None  # an answer without the token would be 401, and final
    assert session.receive(WATCH, 1) is None
    assert isinstance(session.take(1), Closing)
