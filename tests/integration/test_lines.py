"""The protocol by server-sent events and long polling, with a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from support.lines import PATIENCE, Kind, Line, open_line
from support.readers import Reader, as_buckets, assert_equal
from support.serving import NUMPY, Experiment, Server, created, open_server, raw

KINDS: list[Kind] = ["events", "polling"]
both = pytest.mark.parametrize("kind", KINDS)
WIDE = {
    "data": {"samples": 60},
    "network": {"layers": [{"units": 3, "activation": "tanh"}] * 8},
    "runs": [{"name": f"run-{number}", "learning_rate": 0.001} for number in range(8)],
}


@pytest.fixture
async def client(shared_server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=shared_server.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
async def one(client: httpx.AsyncClient) -> Experiment:
    return await created(client)


async def caught_up(line: Line, reader: Reader, ends: dict[str, int]) -> None:
    """Read frames until these steps are there."""
    async with asyncio.timeout(PATIENCE):
        while any(reader.ends().get(run, -1) < end for run, end in ends.items()):
            await line.next()


@both
async def test_a_line_has_the_socket_s_messages_and_the_server_s_numbers(
    client: httpx.AsyncClient, one: Experiment, kind: Kind
) -> None:
    async with open_line(client, kind) as line:
        reader = line.reader = Reader()
        state = (await line.watch(one, fps=30, buckets=50))["state"]
        assert state["id"] == one.id
        await line.send(
            {"type": "command", "id": f"play {one.id}", "experiment": one.id, "do": "play", "speed": 2000}
        )
        await caught_up(line, reader, {"gd": 1500, "sgd": 1500})
        answer = (await one.ask("POST", "/pause")).json()
        ends = {run["name"]: run["step"] - 1 for run in answer["runs"]}
        await caught_up(line, reader, ends)
        for run in ends:
            columns = (await one.get(f"/runs/{run}/history", buckets=10_000)).json()
            assert assert_equal(reader.buckets[run], as_buckets(columns)) > 0
        edit = await line.command(one, "edit", run="gd", learning_rate=0.05)
        assert edit["answer"]["learning_rate"] == 0.05


@both
async def test_a_cut_reader_resumes_without_a_gap(
    client: httpx.AsyncClient, one: Experiment, kind: Kind
) -> None:
    async with open_line(client, kind) as line:
        reader, events = Reader(), 0
        line.reader = reader
        await line.watch(one, fps=30)
        await line.command(one, "play", speed=500)
        for number in range(5):
            for _ in range(6):
                message = await line.next()
                events += message["type"] == "event" and message["event"] == "edit"
            await line.stop()
            await line.send({"type": "command", "id": f"{one.id} {number}", "experiment": one.id, "do": "edit",
                             "run": "gd", "learning_rate": 0.01 * (number + 1)})  # fmt: skip
            await asyncio.sleep(0.2)
            line.start()
        await one.ask("POST", "/pause")
        ends = {run["name"]: run["step"] - 1 for run in (await one.get()).json()["runs"]}
        while events < 5 or any(reader.ends().get(run, -1) < end for run, end in ends.items()):
            message = await line.next()
            events += message["type"] == "event" and message["event"] == "edit"


@both
async def test_a_lost_line_is_resumed_on_another_by_since(
    client: httpx.AsyncClient, one: Experiment, kind: Kind
) -> None:
    reader = Reader()
    async with open_line(client, kind) as line:
        line.reader = reader
        await line.watch(one, fps=30)
        await line.command(one, "play", speed=500)
        await caught_up(line, reader, {"gd": 100, "sgd": 100})
        await line.stop()
        await client.delete(line.here, headers=line.authorized)
        assert (await line.get(0)).status_code == 404
    async with open_line(client, kind) as line:
        line.reader, line.resumes = reader, True
        await line.watch(one, since=reader.since())
        await one.ask("POST", "/pause")
        ends = {run["name"]: run["step"] - 1 for run in (await one.get()).json()["runs"]}
        await caught_up(line, reader, ends)


async def test_events_resume_by_their_last_id(client: httpx.AsyncClient, one: Experiment) -> None:
    async with open_line(client, "polling") as line:
        await line.stop()
        await line.send(
            {"type": "watch", "experiment": one.id}, *[{"type": "ping", "id": k} for k in range(4)]
        )
        async with line.stream(last_id="3") as events:
            numbered = [await anext(events) for _ in range(2)]
        assert [number for number, _ in numbered] == [4, 5]
        assert (await line.get(0, last_id="three")).status_code == 422
        assert (await line.get(-1)).status_code == 422
        assert (await line.get(5, wait=26)).status_code == 422
        assert (await line.get(50)).status_code == 422


@both
async def test_a_repeated_request_makes_its_steps_once(
    client: httpx.AsyncClient, one: Experiment, kind: Kind
) -> None:
    async with open_line(client, kind) as line:
        await line.watch(one)
        for id in ("first", "second"):
            command = {"type": "command", "id": id, "experiment": one.id, "do": "step", "steps": 3}
            assert (await line.send(command, seq=50)).status_code == 202
        await line.until("ack", id="first")
        await line.send({"type": "ping", "id": 1}, seq=51)
        await line.until("pong")
        assert [run["step"] for run in (await one.get()).json()["runs"]] == [3, 3]


async def test_only_the_key_reads_writes_and_ends_a_line(client: httpx.AsyncClient, one: Experiment) -> None:
    async with open_line(client, "polling") as line:
        await line.watch(one)
        await line.until("frame")  # from here on the poll waits
        right = line.authorized
        for authorized, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 401)):
            line.authorized = authorized
            refused = await line.get(0)
            assert refused.status_code == status
            assert refused.json()["title"] == "The token or key is missing or wrong"
            assert (await line.send({"type": "ping", "id": 1})).status_code == status
            assert (await client.delete(line.here, headers=authorized)).status_code == status
        line.authorized = right
        assert (await line.send({"type": "ping", "id": 1})).status_code == 202
        unknown = await client.get("/api/v1/lines/unknown/messages", headers=right)
        assert unknown.status_code == 404
        assert unknown.json()["type"] == "/problems/not-found"
        # a line gives no rights that its messages do not bring
        await line.send({"type": "command", "id": "x", "experiment": one.id, "do": "reset"})
        await line.until("ack", id="x")


@pytest.mark.parametrize("name", ["Authorization", "Last-Event-ID"])
async def test_a_header_of_a_line_that_comes_twice_is_refused_by_its_name(
    client: httpx.AsyncClient, name: str
) -> None:
    async with open_line(client, "polling") as line:
        once = [*line.authorized.items(), ("Last-Event-ID", "0")]
        twice = [*once, *((key, value) for key, value in once if key == name)]
        answer = await client.get(f"{line.here}/messages", headers=twice)
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == f"/{name}"
        assert "appear only once" in error["detail"]


async def test_foreign_pages_and_names_open_no_line(shared_server: Server) -> None:
    request = (
        "POST /api/v1/lines HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n{more}\r\n"
    )
    own = f"127.0.0.1:{shared_server.port}"
    for host, more, status in (
        (own, "", b" 201 "),
        (own, f"Origin: http://{own}\r\n", b" 201 "),
        (own, "Origin: http://evil.example\r\n", b" 403 "),
        (own, "Origin: null\r\n", b" 403 "),
        ("evil.example", "", b" 421 "),
    ):
        answer = raw(shared_server.port, request.format(host=host, more=more).encode())
        assert status in answer.partition(b"\r\n")[0]


@both
@pytest.mark.parametrize("encoding", ["json", "bdata"])
async def test_no_frame_is_larger_than_64_kb_and_every_run_gets_its_turn(
    client: httpx.AsyncClient, kind: Kind, encoding: str
) -> None:
    one = await created(client, WIDE)
    await one.ask("POST", "/step", {"steps": 300})
    async with open_line(client, kind) as line:
        line.reader = Reader() if encoding == "json" else None
        await line.watch(one, fps=30, buckets=1000, encoding=encoding)
        await line.command(one, "play", speed="max")
        steps: dict[str, int] = {}
        frames = 0
        async with asyncio.timeout(PATIENCE):
            while len(steps) < 8 or min(steps.values()) < 600 or frames <= 10:
                message = await line.next()
                frames += message["type"] == "frame"
                if message["type"] == "frame":
                    steps |= {run: update["step"] for run, update in message["runs"].items()}
        await one.ask("POST", "/pause")
    assert max(size for type, size in line.sizes if type == "frame") <= 64 * 1024


@both
async def test_binary_frames_are_refused_and_the_line_stays(client: httpx.AsyncClient, kind: Kind) -> None:
    one = await created(client)
    async with open_line(client, kind) as line:
        await line.send({"type": "watch", "experiment": one.id, "encoding": "binary"})
        problem = (await line.until("error"))["problem"]
        assert problem["status"] == 422
        (error,) = problem["errors"]
        assert error["pointer"] == "/encoding"
        assert error["detail"] == "must be json, bdata or packed without a WebSocket"
        await line.watch(one, encoding="bdata")


async def test_a_stopping_server_says_so_on_every_line_and_exits() -> None:
    """How soon is measured by benchmarks/bench_live.py."""
    with open_server(**NUMPY) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            one = await created(client)
            async with open_line(client, "events") as events, open_line(client, "polling") as polling:
                for line in (events, polling):
                    await line.watch(one)
                await events.command(one, "play")
                # an acknowledgement that comes too late finds no server
                events.acknowledges = polling.acknowledges = False
                ending = asyncio.create_task(asyncio.to_thread(server.end))
                for line in (events, polling):
                    assert (await line.until("close"))["code"] == 1012
                status, _ = await ending
                assert status == 0
        assert "unexpected" not in server.output
