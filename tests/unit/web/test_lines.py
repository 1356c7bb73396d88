"""One line: what it keeps, for how long, and who reads it, with a fake lab."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from fallline.realtime.outbox import Outbox
from fallline.realtime.session import COMMAND_BURST
from fallline.services.lab import Lab
from fallline.vocabulary.errors import Conflict, InvalidRequest, NotAuthorized, NotFound, Unavailable
from fallline.vocabulary.frame_requests import FrameRequest
from fallline.web import connection, lines
from fallline.web.lines import KEPT_BYTES, Line, Lines
from fallline.web.open_sockets import EVENTS, MOST_OF_OWNER, POLLING, OpenSockets
from support.listed_lab import ListedLab
from support.pulling import Source, tiny

Message = dict[str, Any]
WATCH = {"type": "watch", "experiment": "e", "token": "right"}


class PlayingLab(ListedLab):
    """Its experiment has a step more whenever `play` is called. From then on it answers requests for frames at once."""

    def __init__(self) -> None:
        super().__init__()
        self.source = Source(recipe=tiny("gd"))
        self.watchers: list[Outbox] = []

    async def watch(self, id: str, token: str | None, watcher: Outbox, *_: Any, **__: Any) -> Message:
        self.watchers.append(watcher)
        number = self.source.hub.number()

        def ask(request: FrameRequest, _: float) -> None:
            self.source.one.ask(number, request, 0.0)
            if self.source.one.run("gd").state.step:
                self.source.publish()

        self.source.hub.join(number, watcher, self.source.one.series, ask)
        return {"id": id}

    def unwatch(self, id: str, watcher: Outbox) -> None:
        self.watchers.remove(watcher)
        self.source.hub.leave(id, watcher)

    def play(self) -> None:
        self.source.advance(1)
        self.source.publish()


class World:
    """The lines of a lab."""

    def __init__(self, lab: ListedLab | None = None) -> None:
        self.lab = PlayingLab() if lab is None else lab
        self.sockets = OpenSockets(100)
        self.lines = Lines(
            lambda address: Line(cast(Lab, self.lab), 5.0, self.sockets, address), self.sockets
        )

    def open(self) -> Client:
        return Client(self, *self.lines.open("198.51.100.1"))


class Client:
    """Polls its line and posts to it."""

    def __init__(self, world: World, id: str, key: str) -> None:
        self.world, self.id, self.key = world, id, key
        self.seq = 0

    @property
    def line(self) -> Line:
        return self.world.lines.find(self.id, self.key)

    async def post(self, *messages: Any, after: int | None = None) -> None:
        self.seq += 1
        await self.line.write(self.seq, messages, after)

    async def poll(self, after: int = 0, wait: float = 0.0) -> tuple[list[Message], int]:
        for _ in range(20):
            await asyncio.sleep(0)
        line = self.line
        reader = line.read(after, POLLING)
        answer = json.loads(await line.poll(reader, wait))
        line.leave(reader)
        return answer["messages"], answer["next"]


@asynccontextmanager
async def opened(lab: ListedLab | None = None) -> AsyncIterator[Client]:
    world = World(lab)
    yield world.open()
    await world.lines.stop()
    assert len(world.lines) == len(world.sockets) == 0


async def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.005)


def kinds(messages: list[Message]) -> list[str]:
    return [message["type"] for message in messages]


async def test_messages_are_numbered_and_kept_until_the_client_has_them() -> None:
    async with opened() as client:
        await client.post(WATCH, {"type": "ping", "id": 1}, {"type": "ping", "id": 2})
        messages, newest = await client.poll()
        assert kinds(messages) == ["experiment", "pong", "pong"]
        assert newest == 3
        assert (await client.poll())[0] == messages
        assert (await client.poll(1))[0] == messages[1:]
        assert await client.poll(3) == ([], 3)
        with pytest.raises(Conflict):
            await client.poll(2)
        with pytest.raises(InvalidRequest):
            await client.poll(4)


async def test_a_poll_waits_for_a_message_and_not_longer() -> None:
    async with opened() as client:
        await client.post(WATCH)
        _, newest = await client.poll()
        waiting = asyncio.create_task(client.poll(newest, wait=25))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await client.post({"type": "ping", "id": 7})
        assert (await asyncio.wait_for(waiting, 60))[0] == [{"type": "pong", "id": 7}]
        assert await asyncio.wait_for(client.poll(newest + 1, wait=0.05), 60) == ([], newest + 1)


async def test_the_newest_reader_replaces_the_one_before_it() -> None:
    async with opened() as client:
        await client.post(WATCH)
        _, newest = await client.poll()
        first = asyncio.create_task(client.poll(newest, wait=25))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(client.poll(newest, wait=25))
        assert await asyncio.wait_for(first, 60) == ([], newest)
        await client.post({"type": "ping", "id": 1})
        assert kinds((await asyncio.wait_for(second, 60))[0]) == ["pong"]


async def test_a_stream_has_a_comment_at_first_and_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "COMMENT_SECONDS", 0.02)
    async with opened() as client:
        await client.post(WATCH)
        await client.poll()
        line = client.line
        events = line.events(line.read(0, EVENTS))
        assert await anext(events) == ":\n\n"
        parts = [await anext(events) for _ in range(3)]
        assert parts[0] == "id: 1\ndata: "
        assert json.loads(parts[1])["type"] == "experiment"
        assert parts[2] == "\n\n"
        assert [await anext(events), await anext(events)] == [":\n\n"] * 2
        await client.post({"type": "ping", "id": 1})
        parts = [await anext(events) for _ in range(3)]
        assert "".join(parts) == 'id: 2\ndata: {"type":"pong","id":1}\n\n'
        assert line.open_socket.kind == EVENTS
        await events.aclose()


async def test_two_frames_at_most_are_on_their_way_from_the_first_on() -> None:
    lab = PlayingLab()
    async with opened(lab) as client:
        await client.post({**WATCH, "fps": 30})
        for _ in range(6):
            lab.play()
            await asyncio.sleep(0.05)
        messages, newest = await client.poll()
        assert kinds(messages) == ["experiment", "frame", "frame"]
        await client.post({"type": "got", "frame": 1})
        more, newest = await client.poll(newest, wait=20)
        assert kinds(more) == ["frame"]
        # the frame holds all steps since the one before it
        columns = [message["runs"]["gd"]["columns"] for message in [*messages, *more] if "runs" in message]
        assert [first for each in columns for first in each["first"]] == list(range(6))
        lab.play()
        assert await client.poll(newest, wait=0.2) == ([], newest)


async def test_an_acknowledged_frame_is_not_kept_other_messages_are() -> None:
    lab = PlayingLab()
    async with opened(lab) as client:
        await client.post(WATCH)
        lab.play()
        assert kinds((await client.poll(wait=20))[0]) == ["experiment", "frame"]
        await client.post({"type": "got", "frame": 1})
        assert kinds((await client.poll())[0]) == ["experiment"]


async def test_messages_that_nobody_fetches_close_the_line() -> None:
    class Talkative(ListedLab):
        async def watch(self, id: str, *_: Any, **__: Any) -> Message:
            return {"text": "x" * 100_000}

    async with opened(Talkative()) as client:
        for number in range(2):
            await client.post({**WATCH, "experiment": f"e{number}"})
        assert kinds((await client.poll())[0]) == ["experiment"] * 2
        await client.post({**WATCH, "experiment": "e2"})
        assert KEPT_BYTES < 3 * 100_000
        messages, newest = await client.poll()
        assert messages == [{"type": "close", "code": 4001}]
        assert client.world.lab.meters.limits["reader-too-slow"] == 1
        with pytest.raises(NotFound):
            await client.poll(newest)


async def test_posting_the_newest_number_makes_room_like_reading_on() -> None:
    class Talkative(ListedLab):
        async def watch(self, id: str, *_: Any, **__: Any) -> Message:
            return {"text": "x" * 100_000}

    async with opened(Talkative()) as client:
        newest = 0
        for number in range(6):
            await client.post({**WATCH, "experiment": f"e{number}"}, after=newest)
            messages, newest = await client.poll(newest)
            assert kinds(messages) == ["experiment"]


async def test_a_repeated_request_is_not_done_again_however_late_it_comes() -> None:
    async with opened() as client:
        line = client.line
        ping = {"type": "ping", "id": 1}
        await line.write(1, [WATCH], None)
        for seq in (2, 2, 4, 3, 3, 4, *range(5, 400), 6, 5, 1):
            await line.write(seq, [ping], None)
        messages, _ = await client.poll()
        assert kinds(messages).count("pong") == 398


async def test_wrong_messages_are_answered_among_the_messages() -> None:
    async with opened() as client:
        await client.post(WATCH, {"type": "watch", "experiment": "e", "fps": -1}, {"type": "ping", "id": 1})
        messages, newest = await client.poll()
        assert kinds(messages) == ["experiment", "error", "pong"]
        assert messages[1]["problem"]["errors"][0]["pointer"] == "/fps"
        await client.post("no object")
        messages, newest = await client.poll(newest)
        assert kinds(messages) == ["error", "close"]
        assert messages[-1]["code"] == 4400
        with pytest.raises(NotFound):
            await client.poll(newest)


async def test_a_line_has_the_rates_of_a_socket() -> None:
    async with opened() as client:
        wrong = {"type": "watch", "experiment": "e", "fps": -1}
        await client.post(*[wrong] * 200)
        messages, _ = await client.poll()
        statuses = [message["problem"]["status"] for message in messages if "problem" in message]
        assert COMMAND_BURST <= statuses.count(422) < 100
        assert messages[-1] == {"type": "close", "code": 4008}


async def test_messages_behind_the_one_that_closes_a_line_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values: list[Any] = []
    understand = connection.understand

    def noted(value: Any) -> connection.Parsed:
        values.append(value)
        return understand(value)

    monkeypatch.setattr(connection, "understand", noted)
    async with opened() as client:
        await client.post(WATCH, *[1] * 1_000)
        assert values == [WATCH, 1]
        await client.post({"type": "ping", "id": 1})
        messages, newest = await client.poll()
        assert kinds(messages) == ["experiment", "error", "close"]
        assert len(values) == 2
        with pytest.raises(NotFound):
            await client.post({"type": "ping", "id": 1}, after=newest)


async def test_a_closed_line_ends_however_often_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "UNUSED_SECONDS", 0.3)
    async with opened() as client:
        await client.post(WATCH)
        await client.post("no object")

        async def use_for_ever() -> None:
            while True:
                await client.post()
                await client.poll(1)
                await asyncio.sleep(0.01)

        with pytest.raises(NotFound):
            await asyncio.wait_for(use_for_ever(), 60)


async def test_few_closed_lines_keep_their_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_CLOSED", 3)
    world = World()
    for _ in range(9):
        client = world.open()
        await client.post("no object")
        await client.poll()
        assert client.line.has_closed
    newest = world.open()
    await until(lambda: len(world.lines) == 4)
    assert kinds((await client.poll())[0]) == ["error", "close"]
    assert (await newest.poll())[0] == []
    await world.lines.stop()


async def test_a_client_pays_for_the_making_of_its_frames() -> None:
    async with opened() as client:
        await client.post(WATCH)
        await client.poll()
        client.line.end()
        await until(lambda: not len(client.world.lines))
        (share,) = {share for share, _ in client.world.lab.charged}
        assert share == "owner of e"


async def test_a_line_that_watches_nothing_ends_like_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fallline.realtime.session.HELLO_SECONDS", 0.05)
    async with opened() as client:
        assert (await client.poll(wait=20))[0] == [{"type": "close", "code": 4400}]
        assert len(client.world.sockets) == 0


async def test_a_line_that_nobody_uses_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "UNUSED_SECONDS", 1.0)
    lab = PlayingLab()
    async with opened(lab) as client:
        await client.post(WATCH)
        _, newest = await client.poll()
        assert await client.poll(newest, wait=1.5) == ([], newest)  # somebody reads
        assert lab.watchers
        await until(lambda: not len(client.world.lines))
        assert not lab.watchers
        with pytest.raises(NotFound):
            await client.poll(newest)


async def test_an_ended_line_gives_its_place_and_its_experiments_back() -> None:
    lab = PlayingLab()
    async with opened(lab) as client:
        await client.post(WATCH)
        waiting = asyncio.create_task(client.poll(1, wait=25))
        await asyncio.sleep(0.05)
        client.line.end()
        assert await asyncio.wait_for(waiting, 60) == ([], 1)
        await until(lambda: not len(client.world.lines))
        assert not lab.watchers
        assert len(client.world.sockets) == 0


async def test_a_message_being_handled_when_the_line_ends_leaves_no_watcher() -> None:
    class Slow(PlayingLab):
        async def watch(self, *arguments: Any, **named: Any) -> Message:
            await asyncio.sleep(0.1)
            return await super().watch(*arguments, **named)

    lab = Slow()
    async with opened(lab) as client:
        posting = asyncio.create_task(client.post(WATCH))
        await asyncio.sleep(0.02)
        client.line.end()
        await posting
        await until(lambda: not len(client.world.lines))
        assert not lab.watchers


async def test_only_the_key_opens_a_line() -> None:
    async with opened() as client:
        other = client.world.open()
        for key in ("", "wrong", other.key):
            with pytest.raises(NotAuthorized):
                client.world.lines.find(client.id, key)
        with pytest.raises(NotFound):
            client.world.lines.find("unknown", client.key)


async def test_lines_count_as_sockets_of_their_owner() -> None:
    async with opened() as client:
        world = client.world
        for _ in range(MOST_OF_OWNER):
            one = world.open()
            await one.post(WATCH)
            assert kinds((await one.poll())[0]) == ["experiment"]
        await client.post(WATCH)
        messages, _ = await client.poll()
        assert kinds(messages) == ["error", "close"]
        problem = messages[0]["problem"]
        assert (problem["status"], problem["retry_after"]) == (503, 10)
        assert world.sockets.by_kind == {"websocket": 0, "server-sent-events": 0, "long-polling": 8}


async def test_lines_that_watch_nothing_make_room_and_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = "fallline.web.open_sockets.MOMENT_SECONDS"
    monkeypatch.setattr(moment, 600)
    async with opened() as client:
        world = client.world
        for _ in range(49):
            world.open()
        with pytest.raises(Unavailable):
            world.open()
        monkeypatch.setattr(moment, 0.05)
        await asyncio.sleep(0.1)
        for _ in range(30):
            world.open()
        await until(lambda: len(world.lines) == 50)
        assert len(world.sockets) == 50
        with pytest.raises(NotFound):
            await client.poll()


async def test_a_closing_server_asks_its_lines_to_come_back() -> None:
    async with opened() as client:
        await client.post(WATCH)
        waiting = asyncio.create_task(client.poll(1, wait=25))
        await asyncio.sleep(0.05)
        client.world.lines.close()
        messages, _ = await asyncio.wait_for(waiting, 60)
        assert messages == [{"type": "close", "code": 1012}]
