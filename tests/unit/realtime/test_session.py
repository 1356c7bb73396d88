"""One connection's protocol, without a network and without a clock."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.realtime.outbox import Outbox
from fallline.realtime.session import (
    COMMAND_BURST,
    EXCESS,
    MOST_AT_WORK,
    MOST_REPLIES,
    MOST_WATCHED,
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
    session.open(box, "token", {"id": "e"})
    assert session.take(0) == {"type": "experiment", "experiment": "e", "state": {"id": "e"}}
    return session, box


def offer(box: Outbox, first: int, stop: int) -> None:
    box.offer("gd", header(stop), piece(first, stop))


def numbers(session: Session, now: float) -> list[int]:
    taken = []
    while isinstance(outgoing := session.take(now), NumberedFrame):
        taken.append(outgoing.number)
    return taken


def test_the_answer_to_a_watch_comes_before_its_frames() -> None:
    session, box = Session(now=0), Outbox("e")
    offer(box, 0, 3)
    assert session.take(0) is None
    session.open(box, None, {"id": "e"})
    first, second = session.take(0), session.take(0)
    assert isinstance(first, dict)
    assert first["type"] == "experiment"
    assert isinstance(second, NumberedFrame)


def test_a_client_that_never_acknowledges_gets_frames_at_its_pace() -> None:
    session, box = watching(fps=10)
    sent = []
    for tenth in range(20):
        offer(box, tenth, tenth + 1)
        sent += numbers(session, 1 + tenth / 10)
    assert sent == list(range(1, 21))


def test_after_the_first_acknowledgement_at_most_two_frames_are_on_their_way() -> None:
    session, box = watching(fps=30)
    sent = []
    session.receive(Got(type="got", frame=0), 0)
    for second in range(6):
        offer(box, second, second + 1)
        sent += numbers(session, second)
    assert sent == [1, 2]
    assert session.wake_at(6) is None
    session.receive(Got(type="got", frame=1), 6)
    assert session.wake_at(6) is not None
    assert numbers(session, 6) == [3]
    session.receive(Got(type="got", frame=3), 7)
    offer(box, 6, 7)
    assert numbers(session, 7) == [4]


def test_acknowledging_what_was_never_sent_gains_no_credit() -> None:
    session, box = watching(fps=30)
    session.receive(Got(type="got", frame=999), 0)
    sent = []
    for second in range(6):
        offer(box, second, second + 1)
        sent += numbers(session, second)
    assert sent == [1, 2]


def test_an_acknowledgement_counts_for_the_experiments_that_the_socket_may_change() -> None:
    session, _ = watching()
    session.open(Outbox("only-looked-at"), None, {})
    got = Got(type="got", frame=0)
    assert session.receive(got, 0) is got
    assert session.commanded == ("e",)


def test_experiments_on_one_socket_take_turns() -> None:
    session, one = watching(fps=30)
    other = Outbox("f", fps=30)
    session.open(other, None, {"id": "f"})
    session.take(0)
    order = []
    for step in range(40):
        now = 1 + step / 60
        offer(one, step, step + 1)
        offer(other, step, step + 1)
        while isinstance(outgoing := session.take(now), NumberedFrame):
            order.append(outgoing.frame.experiment)
    assert order.count("e") == pytest.approx(order.count("f"), abs=1)
    assert len(order) > 30


def test_what_a_command_brought_about_is_told_before_it_is_acknowledged() -> None:
    session, box = watching()
    session.receive(command(), 0)
    session.done({"type": "ack"})
    box.event({"type": "event"})
    assert [session.take(0), session.take(0)] == [{"type": "event"}, {"type": "ack"}]


def test_events_that_happen_while_joining_come_after_the_answer() -> None:
    session, box = Session(now=0), Outbox("e")
    box.event({"type": "event"})
    session.open(box, None, {"id": "e"})
    first, second = session.take(0), session.take(0)
    assert isinstance(first, dict)
    assert first["type"] == "experiment"
    assert second == {"type": "event"}


def test_events_overtake_frames_and_need_no_credit() -> None:
    session, box = watching()
    session.receive(Got(type="got", frame=0), 0)
    offer(box, 0, 3)
    box.event({"type": "event", "event": "edit", "run": "gd"})
    first = session.take(1)
    assert isinstance(first, dict)
    assert first["type"] == "event"


def test_a_ping_is_answered_by_the_session_itself() -> None:
    session, _ = watching()
    assert session.receive(Ping(type="ping", id="p"), 0) is None
    assert session.take(0) == {"type": "pong", "id": "p"}


def test_commands_beyond_the_burst_are_refused_and_beyond_the_excess_end_the_socket() -> None:
    session, _ = watching()
    for number in range(int(COMMAND_BURST)):
        assert session.receive(command(number), 0) is not None
        session.done({"type": "ack"})
        session.take(0)
    for number in range(EXCESS):
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
        session.done({"type": "ack"})
        session.take(millisecond / 1000)
    assert done == COMMAND_BURST + 19


def test_commands_that_take_long_are_bounded_too() -> None:
    session = Session(now=0, commands_per_second=1e6)
    for number in range(MOST_AT_WORK):
        session.receive(command(number), number)
    with pytest.raises(TooManyRequests):
        session.receive(command(), MOST_AT_WORK)
    session.done({"type": "ack"})
    assert session.receive(command(), MOST_AT_WORK + 1) is not None


def test_a_flood_of_any_messages_ends_the_socket() -> None:
    session, _ = watching()
    for frame in range(2_100):
        session.receive(Got(type="got", frame=frame), 0)
    closing = session.take(0)
    assert isinstance(closing, Closing)
    assert closing.code == CloseCode.TOO_MANY_MESSAGES


def test_a_reader_that_leaves_its_answers_lying_is_too_slow() -> None:
    session, _ = watching()
    for number in range(MOST_REPLIES + 1):
        session.reply({"type": "pong", "id": number})
    closing = session.take(0)
    assert isinstance(closing, Closing)
    assert closing.code == CloseCode.TOO_SLOW


def test_a_reader_that_would_have_a_gap_is_told_to_resume() -> None:
    session, box = watching()
    offer(box, 0, 3)
    offer(box, 7, 9)
    closing = session.take(1)
    assert isinstance(closing, Closing)
    assert closing.code == CloseCode.TOO_SLOW


def test_a_socket_holds_sixteen_experiments() -> None:
    session = Session(now=0)
    for number in range(MOST_WATCHED):
        session.open(Outbox(f"e{number}"), None, {})
    with pytest.raises(Conflict):
        session.receive(Watch(type="watch", experiment="one-more"), 0)
    again = Watch(type="watch", experiment="e3")
    assert session.receive(again, 0) is again


def test_a_socket_that_says_nothing_is_closed_after_five_seconds() -> None:
    session = Session(now=0)
    assert session.wake_at(0) == 5
    assert session.take(4.9) is None
    assert session.take(5) == Closing(CloseCode.PROTOCOL, "nothing is being watched")


def test_a_socket_that_never_watches_is_closed_ten_seconds_after_its_last_word() -> None:
    session = Session(now=0)
    session.receive(Ping(type="ping", id="p"), 3)
    session.take(3)
    assert session.take(12.9) is None
    assert isinstance(session.take(13), Closing)


def test_a_socket_that_watches_may_be_silent_for_ever() -> None:
    session, _ = watching()
    assert session.wake_at(1e6) is None
    assert session.take(1e6) is None
    assert session.forget("e", 1e6) is not None
    assert session.take(1e6 + 9) is None
    assert isinstance(session.take(1e6 + 10), Closing)


def test_answers_still_go_out_before_the_socket_closes() -> None:
    session, _ = watching()
    session.reply({"type": "error"})
    session.close(CloseCode.TOKEN, "first")
    session.close(CloseCode.PROTOCOL, "second")
    assert session.take(0) == {"type": "error"}
    assert session.take(0) == Closing(CloseCode.TOKEN, "first")


def test_the_token_of_a_watch_serves_its_commands_only() -> None:
    session, _ = watching()
    assert session.token_for("e") == "token"
    assert session.token_for("another") is None
    unwatch = Unwatch(type="unwatch", experiment="e")
    assert session.receive(unwatch, 0) is unwatch
    session.forget("e", 0)
    assert session.token_for("e") is None
