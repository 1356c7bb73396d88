"""The WebSocket protocol with a real server."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from fallline.realtime import session
from fallline.realtime.session import MOST_REFUSED
from fallline.settings import Settings
from fallline.vocabulary import answers
from support import watching
from support.serving import NUMPY, SMALL, Experiment, Server, created, open_server

Message = dict[str, Any]

PATIENCE = 90.0
"""Seconds, for a machine that has other things to do."""

RUNS = ("gd", "sgd")
COMMAND_BURST, MESSAGE_BURST = int(session.COMMAND_BURST), int(session.MESSAGE_BURST)
COMMANDS_PER_SECOND = Settings().commands_per_second


@pytest.fixture
async def one(shared_server: Server) -> AsyncIterator[Experiment]:
    async with httpx.AsyncClient(base_url=shared_server.url, timeout=PATIENCE) as client:
        yield await created(client)


@asynccontextmanager
async def line_to(server: Server) -> AsyncIterator[Line]:
    async with connect(server.socket_url, max_size=None, ping_interval=None) as connection:
        yield Line(connection)


class Line:
    """A client of the protocol that stores messages which it does not await."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.received: list[Message] = []

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def next(self, seconds: float = PATIENCE) -> Message:
        received = await asyncio.wait_for(self.connection.recv(), seconds)
        message: Message = (
            json.loads(received) if isinstance(received, str) else watching.read_binary(received)
        )
        assert isinstance(received, str) or message["type"] == "frame"
        self.received.append(message)
        return message

    async def until(self, kind: str, seconds: float = PATIENCE, **fields: Any) -> Message:
        async with asyncio.timeout(seconds):
            while True:
                message = await self.next(seconds)
                if message["type"] == kind and fields.items() <= message.items():
                    return message

    async def watch(self, experiment: Experiment, **more: Any) -> Message:
        fields = {"token": experiment.token, **more}
        await self.send(type="watch", experiment=experiment.id, **fields)
        return await self.until("experiment", experiment=experiment.id)

    async def command(self, experiment: Experiment, do: str, id: str | None = None, **body: Any) -> Message:
        id = id or str(uuid.uuid4())
        await self.send(type="command", id=id, experiment=experiment.id, do=do, **body)
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.next()
                if message["type"] in ("ack", "error") and message["id"] == id:
                    return message

    @property
    def frames(self) -> list[Message]:
        """All frames so far."""
        return [message for message in self.received if message["type"] == "frame"]

    async def read_until(self, holds: Callable[[], bool], *, acknowledging: bool = False) -> None:
        """Read messages until the condition holds."""
        if acknowledging and self.frames:  # frames that came while it waited for another message
            await self.send(type="got", frame=self.frames[-1]["frame"])
        async with asyncio.timeout(PATIENCE):
            while not holds():
                message = await self.next()
                if acknowledging and message["type"] == "frame":
                    await self.send(type="got", frame=message["frame"])

    async def listen(self, seconds: float) -> list[Message]:
        """Return what else arrives in this time: for messages that must not arrive."""
        began, heard = asyncio.get_running_loop().time(), []
        while (left := began + seconds - asyncio.get_running_loop().time()) > 0:
            try:
                heard.append(await self.next(left))
            except TimeoutError:
                break
        return heard

    async def close_code(self, seconds: float = PATIENCE) -> int | None:
        with pytest.raises(ConnectionClosed):
            await self.until("the end", seconds)
        return self.connection.close_code


def columns(frames: list[Message], run: str) -> list[Message]:
    columns_of = [
        frame["runs"][run]["columns"] for frame in frames if frame["type"] == "frame" and run in frame["runs"]
    ]
    return [each for each in columns_of if len(each["first"])]


def steps(line: Line, run: str) -> int:
    """Return how many steps of a run the line has received."""
    pieces = columns(line.received, run)
    return pieces[-1]["last"][-1] + 1 if pieces else 0


def newest(line: Line) -> dict[str, Message]:
    """Return the newest part of each run in the frames so far."""
    return {run: part for frame in line.frames for run, part in frame["runs"].items()}


async def test_a_command_runs_although_the_experiment_is_watched_again_at_once(
    shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one)
        for number in range(5):
            command = {"type": "command", "id": str(number), "experiment": one.id, "do": "step", "steps": 1}
            await line.send(**command)
            await line.send(type="watch", experiment=one.id, token=one.token)
            assert (await line.until("ack", id=str(number)))["answer"]["runs"][0]["step"] == number + 1


async def test_a_watch_is_answered_with_the_state_and_then_frames_that_leave_no_gap(
    shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        answer = await line.watch(one, fps=30)
        assert answer["state"] == (await one.get()).json()
        await line.command(one, "play", speed="max")
        await line.read_until(lambda: len(line.frames) > 20 and min(steps(line, run) for run in RUNS) > 100)
        paused = (await line.command(one, "pause"))["answer"]
        ends = {run["name"]: run["step"] for run in paused["runs"]}
        await line.read_until(
            lambda: (
                {run: steps(line, run) for run in ends} == ends
                and all(part["status"] == "paused" for part in newest(line).values())
            )
        )
        await line.listen(0.3)
    for frame in line.frames:
        for columns_ in frame["runs"].values():
            answers.Columns.model_validate(columns_["columns"])
    for run in paused["runs"]:
        at = 0
        for piece in columns(line.received, run["name"]):
            for first, last in zip(piece["first"], piece["last"], strict=True):
                assert first == at
                at = last + 1
        assert at == run["step"] > 100
    # A frame has only runs with news: after the pause, one run is examined once more, and another is not.
    last = newest(line)
    assert {run: answer["status"] for run, answer in last.items()} == {"gd": "paused", "sgd": "paused"}
    numbers = [frame["frame"] for frame in line.frames]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_the_columns_of_a_reader_equal_the_history(shared_server: Server, one: Experiment) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one, fps=10, buckets=20, series=["batch_loss", "train_loss"])
        await line.command(one, "play", speed="max")
        await line.read_until(
            lambda: len(columns(line.received, "sgd")) >= 8 and steps(line, "sgd") > 1_000, acknowledging=True
        )
        paused = (await line.command(one, "pause"))["answer"]
        (end,) = [run["step"] for run in paused["runs"] if run["name"] == "sgd"]
        await line.read_until(lambda: steps(line, "sgd") >= end, acknowledging=True)
    history = (await one.get("/runs/sgd/history", buckets=10_000)).json()
    pieces = columns(line.received, "sgd")
    assert pieces[-1]["last"][-1] == history["last"][-1]
    assert all(len(piece["first"]) <= 20 for piece in pieces)
    assert list(pieces[0]["series"]) == ["batch_loss", "train_loss"]
    for statistic, reduce in (("min", min), ("max", max)):
        whole = reduce(value for piece in pieces for value in piece["series"]["batch_loss"][statistic])
        assert whole == reduce(history["series"]["batch_loss"][statistic])


async def test_bdata_holds_the_same_numbers_as_lists(shared_server: Server, one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 40})
    pieces = []
    for encoding in ("json", "bdata"):
        async with line_to(shared_server) as line:
            await line.watch(one, encoding=encoding)
            pieces.append(columns([await line.until("frame")], "gd")[0])
    plain, packed = pieces
    column = packed["series"]["batch_loss"]["mean"]
    assert (
        np.frombuffer(base64.b64decode(column["bdata"]), column["dtype"]).tolist()
        == plain["series"]["batch_loss"]["mean"]
    )


async def test_packed_columns_name_places_in_the_series_of_the_answer(
    shared_server: Server, one: Experiment
) -> None:
    await one.ask("POST", "/step", {"steps": 4})
    async with line_to(shared_server) as line:
        for series in (["train_loss", "grad_norm"], ["learning_rate"]):
            answer = await line.watch(one, encoding="packed", series=series)
            assert answer["series"] == series
            packed = (await line.until("frame"))["runs"]["gd"]["columns"]
            plain = (await one.get("/runs/gd/history", series=series)).json()["series"]
            for name, statistics in watching.unpacked(packed, answer["series"])["series"].items():
                assert statistics["last"] == pytest.approx(plain[name]["last"], rel=1e-6)
        assert "series" not in await line.watch(one, encoding="json", series=["train_loss"])


async def test_binary_frames_hold_the_numbers_of_the_history_and_all_else_is_text(
    shared_server: Server, one: Experiment
) -> None:
    series = ["train_loss", "grad_norm", "batch_loss"]
    async with line_to(shared_server) as line:
        answer = await line.watch(one, encoding="binary", series=series, buckets=50)
        assert answer["series"] == series
        await line.command(one, "play", speed="max")
        await line.read_until(lambda: len(columns(line.received, "gd")) >= 8, acknowledging=True)
        paused = (await line.command(one, "pause"))["answer"]
        (end,) = [run["step"] for run in paused["runs"] if run["name"] == "gd"]
        await line.read_until(lambda: steps(line, "gd") >= end, acknowledging=True)
        pieces = [piece for piece in columns(line.received, "gd") if len(piece["first"])]
        assert isinstance(pieces[0]["first"], np.ndarray), "bytes"
        await line.watch(one, encoding="json")
        assert isinstance((await line.until("frame"))["runs"]["gd"]["columns"]["first"], list)
    ends = [(piece["first"][0], piece["last"][-1]) for piece in pieces]
    assert [first for first, _ in ends] == [0, *(last + 1 for _, last in ends[:-1])]
    assert ends[-1][1] == end - 1
    whole = (await one.get("/runs/gd/history", buckets=10_000, series=series)).json()["series"]
    for name in series:
        for statistic, reduce in (("min", min), ("max", max)):
            present = [value for value in whole[name][statistic] if value is not None]
            mine = reduce(reduce(piece["series"][name][statistic]) for piece in pieces)
            assert mine == pytest.approx(reduce(present), rel=1e-7 if name == "grad_norm" else 0)


async def test_since_leaves_out_earlier_steps(shared_server: Server, one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 100})
    since = {"gd": {"generation": 0, "step": 90}, "sgd": {"generation": 7, "step": 90}}
    async with line_to(shared_server) as line:
        await line.watch(one, since=since, buckets=1000)
        frame = await line.until("frame")
    assert columns([frame], "gd")[0]["first"] == list(range(90, 100))
    assert columns([frame], "sgd")[0]["first"] == list(
        range(100)
    )  # columns of another generation do not count


async def test_a_reset_raises_the_generation_and_starts_afresh(
    shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one)
        await line.command(one, "step", steps=20)
        await line.command(one, "reset")
        event = next(
            message for message in line.received if message["type"] == "event" and message["run"] == "gd"
        )
        assert (event["event"], event["generation"], event["step"]) == ("reset", 1, 0)
        await line.command(one, "step", steps=3)

        def anew() -> list[Message]:
            return [piece for piece in columns(line.received, "gd") if piece["generation"] == 1]

        await line.read_until(lambda: any(2 in piece["last"] for piece in anew()))
        await line.listen(0.3)
    pieces = anew()
    assert pieces[0]["first"][0] == 0
    assert pieces[-1]["last"][-1] == 2


async def test_an_edit_is_acknowledged_and_sent_to_all_watchers(
    shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as author, line_to(shared_server) as reader:
        await author.watch(one)
        await reader.watch(one, token=None)
        ack = await author.command(one, "edit", run="gd", batch_size=1)
        assert ack["answer"] == {"run": "gd", "at_step": 0, "batch_size": 1}
        event = await reader.until("event")
        assert (event["event"], event["run"], event["step"]) == ("edit", "gd", 0)
        assert event["experiment"] == one.id


async def test_all_commands_have_the_answers_of_rest(shared_server: Server, one: Experiment) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one)
        assert (await line.command(one, "play", speed=5.5, pace="samples"))["answer"]["runs"][0][
            "status"
        ] == "playing"
        assert (await line.command(one, "pause"))["answer"]["runs"][0]["status"] == "paused"
        added = (await line.command(one, "add_run", name="third", optimizer="adam"))["answer"]
        answers.RunState.model_validate(added)
        assert (await line.command(one, "step", steps=2, run="third"))["answer"]["runs"][2]["step"] == 2
        assert (await line.command(one, "reset", run="third"))["answer"]["runs"][2]["step"] == 0
        assert (await line.command(one, "remove_run", run="third"))["type"] == "ack"
        state = (await one.get()).json()
    assert [run["name"] for run in state["runs"]] == ["gd", "sgd"]
    kinds = [message["event"] for message in line.received if message["type"] == "event"]
    assert {"run_added", "reset", "run_removed"} <= set(kinds)


async def test_a_pause_gets_through_while_a_long_step_is_at_work(
    shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one)
        await line.send(type="command", id="long", experiment=one.id, do="step", steps=1_000_000)
        while not (await line.until("frame"))["runs"].get("gd", {}).get("step"):
            pass
        paused = await line.command(one, "pause")
        assert paused["type"] == "ack"
        assert 0 < paused["answer"]["runs"][0]["step"] < 1_000_000
        while not any(message.get("id") == "long" for message in line.received):
            await line.next()


async def test_a_command_that_comes_twice_is_done_once_even_on_another_line(
    shared_server: Server, one: Experiment
) -> None:
    for _ in range(2):
        async with line_to(shared_server) as line:
            await line.watch(one)
            ack = await line.command(one, "step", id="same", steps=5)
            assert ack["answer"]["runs"][0]["step"] == 5
    async with line_to(shared_server) as line:
        await line.watch(one)
        again = await line.command(one, "step", id="same", steps=6)
        assert again["problem"]["type"] == "/problems/key-reused"
    assert (await one.get()).json()["runs"][0]["step"] == 5


async def test_a_command_continues_when_its_socket_is_cut(shared_server: Server, one: Experiment) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one)
        await line.send(type="command", id="cut", experiment=one.id, do="step", steps=20_000)
        await asyncio.sleep(0.1)
        line.connection.transport.abort()
    async with line_to(shared_server) as line:
        await line.watch(one)
        ack = await line.command(one, "step", id="cut", steps=20_000)
        assert ack["answer"]["runs"][0]["step"] == 20_000


async def test_without_its_token_an_experiment_can_only_be_watched(
    shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one, token=None)
        refused = await line.command(one, "pause")
        assert (refused["problem"]["status"], refused["problem"]["type"]) == (401, "/problems/not-authorized")
        await line.send(type="ping", id="still here")
        assert (await line.until("pong"))["id"] == "still here"


async def test_the_token_of_one_experiment_does_nothing_to_another(
    shared_server: Server, one: Experiment
) -> None:
    other = await created(one.client)
    async with line_to(shared_server) as line:
        await line.watch(one)
        await line.watch(other, token=None)
        for do, body in (
            ("play", {}),
            ("pause", {}),
            ("step", {}),
            ("reset", {}),
            ("edit", {"run": "gd", "batch_size": 1}),
            ("add_run", {}),
            ("remove_run", {"run": "gd"}),
        ):
            assert (await line.command(other, do, **body))["problem"]["status"] == 401
    assert (await other.get()).json()["recipe"] == other.state["recipe"]


@pytest.mark.parametrize(
    ("do", "body", "pointer"),
    [
        ("play", {"speed": -1}, "/speed"),
        ("step", {"steps": "5"}, "/steps"),
        ("edit", {"batch_size": 1}, "/run"),
        ("edit", {"run": "gd", "momentum": 0.5}, "/momentum"),
        ("pause", {"run": "gd"}, "/run"),
        ("fly", {}, "/do"),
        ("add_run", {"name": "G D"}, "/name"),
    ],
)
async def test_a_wrong_command_is_an_error_with_its_id_and_field(
    do: str, body: Message, pointer: str, shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one)
        refused = await line.command(one, do, **body)
        assert refused["type"] == "error"
        answers.Problem.model_validate(refused["problem"])
        assert refused["problem"]["status"] == 422
        assert [error["pointer"] for error in refused["problem"]["errors"]] == [pointer]
        await line.send(type="ping", id="still here")
        await line.until("pong")


@pytest.mark.parametrize(
    "more",
    [
        {"fps": 0},
        {"fps": 31},
        {"fps": "10"},
        {"buckets": 0},
        {"buckets": 10_001},
        {"encoding": "xml"},
        {"series": ["spin"]},
        {"since": {"gd": 5}},
        {"since": {"gd": {"generation": 0}}},
        {"since": {"gd": {"generation": 0, "step": -1}}},
        {"x": 1},
    ],
)
async def test_a_wrong_watch_is_an_error_and_the_line_stays(
    more: Message, shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        await line.send(type="watch", experiment=one.id, **more)
        refused = await line.until("error")
        assert refused["id"] is None
        assert refused["problem"]["status"] == 422
        await line.watch(one)


GIBBERISH = [
    "",
    "hello",
    "[]",
    "null",
    '{"type":"watch"',
    '{"type":5}',
    "{}",
    '{"type":"command","type":"ping"}',
    '{"type":"hello"}',
    '{"type":"ping","id":NaN}',
    "[" * 60_000,
    '{"type":"ping","id":"\\ud83d"}',
]


@pytest.mark.parametrize("text", GIBBERISH)
async def test_an_invalid_message_closes_the_socket_with_4400(text: str, shared_server: Server) -> None:
    async with line_to(shared_server) as line:
        await line.connection.send(text)
        refused = await line.next()
        assert (refused["type"], refused["id"], refused["problem"]["status"]) == ("error", None, 422)
        assert await line.close_code() == 4400


async def test_bytes_are_no_message(shared_server: Server) -> None:
    async with line_to(shared_server) as line:
        await line.connection.send(b"{}")
        assert await line.close_code() == 4400


async def test_an_unknown_experiment_ends_the_line_with_4404_and_a_wrong_token_with_4401(
    shared_server: Server, one: Experiment
) -> None:
    for experiment, token, status, code in (("unknown", None, 404, 4404), (one.id, "wrong", 401, 4401)):
        async with line_to(shared_server) as line:
            await line.send(type="watch", experiment=experiment, token=token)
            assert (await line.until("error"))["problem"]["status"] == status
            assert await line.close_code() == code


async def test_a_line_that_has_something_else_to_serve_stays(shared_server: Server, one: Experiment) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one)
        await line.send(type="watch", experiment="unknown")
        assert (await line.until("error"))["problem"]["status"] == 404
        assert (await line.command(one, "pause"))["type"] == "ack"


async def test_deleting_an_experiment_ends_the_lines_that_watch_it(
    shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one)
        await one.ask("DELETE", "")
        assert await line.close_code() == 4404


async def test_one_line_serves_several_experiments_and_leaves_them_one_by_one(
    shared_server: Server, one: Experiment
) -> None:
    other = await created(one.client)
    async with line_to(shared_server) as line:
        await line.watch(one)
        await line.watch(other)
        for each in (one, other):
            await line.command(each, "play", speed=100)
        for each in (one, other, one, other):
            await line.until("frame", experiment=each.id)
        await line.send(type="unwatch", experiment=one.id)
        await line.send(type="ping", id="p")
        await line.until("pong")
        heard = [await line.next() for _ in range(5)]
        assert {message["experiment"] for message in heard} == {other.id}
        assert (await line.command(one, "pause"))["problem"]["status"] == 401
        # A second watch starts from `since` of the message, and its frames come once, not twice.
        await line.watch(other, since={"gd": {"generation": 0, "step": 10}})
        frame = await line.until("frame")
        assert columns([frame], "gd")[0]["first"][0] <= 10
        for each in (one, other):
            await each.ask("POST", "/pause")


async def test_a_reader_with_credit_has_at_most_two_frames_on_their_way(
    shared_server: Server, one: Experiment
) -> None:
    async with line_to(shared_server) as line:
        await line.watch(one, fps=30)
        await line.command(one, "play", speed=500)
        frame = (await line.until("frame"))["frame"]
        await line.send(type="got", frame=frame)
        await line.send(type="ping", id="has got it")
        await line.until("pong")
        # On a busy machine several may be on their way when the first acknowledgement leaves; no more follow.
        most = max(frame + 2, line.frames[-1]["frame"])
        await line.read_until(lambda: line.frames[-1]["frame"] >= most)
        assert [each for each in await line.listen(0.5) if each["type"] == "frame"] == []
        assert line.frames[-1]["frame"] == most
        last = columns(line.received, "gd")[-1]["last"][-1]
        await line.send(type="got", frame=most - 1)
        late = await line.until("frame")
        piece = columns([late], "gd")[0]
        assert piece["first"][0] == last + 1  # everything since, in one frame
        assert len(piece["first"]) <= 100
        await one.ask("POST", "/pause")


async def test_frames_keep_the_pace_that_was_asked_for(shared_server: Server, one: Experiment) -> None:
    """Late frames are no fault of the pace: so it counts all frames, and the best two seconds."""
    fps, most_at_first = 5, 3
    times: list[float] = []
    async with line_to(shared_server) as line:
        began = time.monotonic()
        await line.watch(one, fps=fps)
        await line.command(one, "play", speed=200)
        async with asyncio.timeout(PATIENCE):
            while len(times) < 12 or times[-1] - times[-7] > 2.0:
                await line.until("frame")
                times = [*times, time.monotonic()][-12:]
        lasted = time.monotonic() - began
        await one.ask("POST", "/pause")
    assert len(line.frames) <= fps * lasted + most_at_first


async def test_floods_are_refused_and_then_ended_with_4008(shared_server: Server, one: Experiment) -> None:
    began, command_count = time.monotonic(), 0
    async with line_to(shared_server) as line:
        await line.watch(one)

        async def flood(many: int) -> None:
            """Send commands, and wait for the answer to each of them."""
            nonlocal command_count
            ids = {f"flood-{number}" for number in range(command_count, command_count + many)}
            command_count += many
            for id in ids:
                await line.send(type="command", id=id, experiment=one.id, do="pause")
            await line.read_until(lambda: ids <= {message.get("id") for message in line.received})

        async def flood_for_ever() -> None:
            while True:
                await flood(80)

        await flood(40)
        with pytest.raises(ConnectionClosed):
            await flood_for_ever()
    assert line.connection.close_code == 4008
    lasted = time.monotonic() - began
    acks = sum(message["type"] == "ack" for message in line.received)
    refused = [message for message in line.received if message["type"] == "error"]
    assert COMMAND_BURST <= acks <= COMMAND_BURST + COMMANDS_PER_SECOND * lasted
    assert {message["problem"]["status"] for message in refused} == {429}
    assert len(refused) >= MOST_REFUSED
    assert command_count < MESSAGE_BURST, "another limit may have ended it"


async def test_a_flood_of_pings_and_a_slow_reader_get_different_close_codes(shared_server: Server) -> None:
    async with line_to(shared_server) as line:
        for _ in range(MESSAGE_BURST - 500):
            await line.send(type="ping", id="flood")
        ended = asyncio.create_task(line.close_code())
        # A longer message counts as several, so that a slow machine goes beyond the limit as well.
        with suppress(ConnectionClosed):
            while not ended.done():
                await line.connection.send('{"type":"ping","id":"flood"' + " " * 7_000 + "}")
                await asyncio.sleep(0)
        assert await ended == 4008


async def test_a_message_beyond_64_kib_ends_the_line_with_1009(shared_server: Server) -> None:
    async with line_to(shared_server) as line:
        await line.connection.send('{"type":"ping","id":"' + "x" * 66_000 + '"}')
        assert await line.close_code() == 1009


async def test_a_line_that_says_nothing_is_ended_but_not_before_five_seconds(shared_server: Server) -> None:
    began = time.monotonic()
    async with line_to(shared_server) as line:
        assert await line.close_code() == 4400
        assert time.monotonic() - began > 4.5


async def test_closing_a_socket_unwatches_in_the_lab() -> None:
    with open_server(FALLLINE_IDLE_SECONDS="0.5", **NUMPY) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            one = await created(client, SMALL)
            async with line_to(server) as line:
                await line.watch(one)
                await line.command(one, "play", speed=50)
                await line.listen(1.5)
                assert {run["status"] for run in (await one.get()).json()["runs"]} == {"playing"}
                line.connection.transport.abort()
            async with asyncio.timeout(
                PATIENCE
            ):  # a request is use, so there is a second between two of them
                while {run["status"] for run in (await one.get()).json()["runs"]} != {"paused"}:
                    await asyncio.sleep(1.5)
