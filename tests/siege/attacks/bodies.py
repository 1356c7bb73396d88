"""Attack 2: bodies of 58 KiB without a token that cause thousands of validation errors."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial

from siege.force import force, say
from siege.report import all_of, at_most
from siege.server import Server
from siege.wire import API, Closed, Http, Socket
from siege.world import World
from support.aliases import Json

TITLE = "hostile bodies without a token"
SIZE = 58 * 1024
CONNECTIONS = 4
MOST_COMPLAINTS = 20
STALL_MS = 100.0
"""Limit for the growth of a person's longest round trip: one body per connection, and a margin."""

BODY_MS = 20.0
"""Processor time of the event loop that one body may take."""

PATIENCE = 4.0
SHOTS = 5
MOST_SECONDS = 25.0
NOWHERE = "0" * 22


def _full(start: str, item: str, end: str) -> bytes:
    """A body of SIZE bytes with as many items as fit."""
    many = (SIZE - len(start) - len(end)) // (len(item) + 1)
    return (start + ",".join([item] * many) + end).encode()


def _named(start: str, value: str, end: str) -> bytes:
    """The same with fields of different names."""
    many = (SIZE - len(start) - len(end)) // (len(value) + 10)
    return (start + ",".join(f'"f{number:05d}":{value}' for number in range(many)) + end).encode()


def _nested() -> bytes:
    runs = ",".join(['{"edits":[' + ",".join(["1"] * 3500) + "]}"] * 8)
    return ('{"runs":[' + runs + "]}").encode()


BODIES: dict[str, tuple[str, str, bytes]] = {
    "edits of a run": ("POST", "", _full('{"runs":[{"edits":[', "1", "]}]}")),
    "edits of eight runs": ("POST", "", _nested()),
    "edits that are empty": ("POST", "", _full('{"runs":[{"edits":[', "{}", "]}]}")),
    "runs": ("POST", "", _full('{"runs":[', "1", "]}")),
    "runs that are empty": ("POST", "", _full('{"runs":[', "{}", "]}")),
    "layers": ("POST", "", _full('{"network":{"layers":[', "1", "]}}")),
    "layers of nothing": ("POST", "", _full('{"network":{"layers":[', '{"units":0}', "]}}")),
    "unknown fields": ("POST", "", _named("{", "1", "}")),
    "unknown fields of a run": ("POST", "", _named('{"runs":[{', "1", "}]}")),
    "unknown fields of an initializer": (
        "POST",
        "",
        _named('{"network":{"weights":{"name":"normal",', "1", "}}}"),
    ),
    "wrong numbers": ("POST", "", _full('{"data":[', "1e999", "]}")),
    "a name a thousand times": ("POST", "", _full("{", '"runs":1', "}")),
    "lone surrogates": ("POST", "", _full('{"runs":[', '"\\ud800"', "]}")),
    "brackets": ("POST", "", b"[" * SIZE),
    "a new run": ("POST", f"/{NOWHERE}/runs", _full('{"edits":[', "1", "]}")),
    "an edit": ("PATCH", f"/{NOWHERE}/runs/gd", _named("{", "1", "}")),
    "a play": ("POST", f"/{NOWHERE}/play", _named("{", "1", "}")),
    "a step": ("POST", f"/{NOWHERE}/step", _full('{"run":[', "1", "]}")),
}
"""By name: method, path below `experiments`, body."""


def _since() -> bytes:
    many = (SIZE - 100) // 15
    entries = ",".join(f'"run-{number:05d}":1' for number in range(many))
    return f'{{"type":"watch","experiment":"{NOWHERE}","since":{{{entries}}}}}'.encode()


_COMMAND = f'{{"type":"command","id":"1","experiment":"{NOWHERE}",'
MESSAGES: dict[str, bytes] = {
    "since": _since(),
    "series": _full(f'{{"type":"watch","experiment":"{NOWHERE}","series":[', "1", "]}"),
    "add_run": _full(_COMMAND + '"do":"add_run","edits":[', "1", "]}"),
    "edit": _named(_COMMAND + '"do":"edit","run":"gd",', "1", "}"),
    "got": _named('{"type":"got","frame":1,', "1", "}"),
}
"""Messages of a socket without a subscription."""


LISTS = ("edits of a run", "edits of eight runs", "runs", "layers", "socket: add_run")
"""Too long: the only error to report."""

Shot = Callable[[], Awaitable[Json]]
"""Sends a body and returns the problem in the response; empty after a timeout."""


async def siege(world: World) -> None:
    with world.server() as server:
        await _one_by_one(world, server)
    with world.server() as server:
        async with world.person(server) as person:
            await person.phase(1)
            quiet = await person.phase(3 if world.quick else 5)
            async with force(strike, server.port, 60, connections=CONNECTIONS):
                await person.phase(1)
                attacked = await person.phase(6 if world.quick else 12)
        stall = attacked.longest("health") - quiet.longest("health")
        world.note(at_most("longest stall of the loop above that in quiet", stall, STALL_MS, "ms"))
        world.note(at_most("errors of the person", len(attacked.errors), 0, ""))
        # Any request costs processor time that training shares.
        print(f"  (quiet: {quiet}; attacked: {attacked})", flush=True)


async def _one_by_one(world: World, server: Server) -> None:
    """Processor time of the loop for each body."""
    shots: dict[str, Shot] = {name: partial(_post, server.port, *shot) for name, shot in BODIES.items()}
    shots |= {f"socket: {name}": partial(_tell, server.port, message) for name, message in MESSAGES.items()}
    took: dict[str, float] = {}
    complaints: dict[str, int] = {}
    began = time.monotonic()
    for name, shoot in shots.items():
        took[name], complaints[name] = await _measured(server, shoot)
        if time.monotonic() - began > MOST_SECONDS:  # a missed goal; the other rows still run
            break
    worst = max(took, key=lambda name: took[name])
    world.note(at_most(f"dearest of {len(took)} bodies ({worst})", took[worst], BODY_MS, "ms", digits=1))
    worded = max(complaints.values())
    world.note(at_most("most complaints in one answer", worded, MOST_COMPLAINTS, ""))
    short = sum(complaints.get(name) == 1 for name in LISTS)
    world.note(all_of("lists refused by their length, without a look at entries", short, len(LISTS)))
    world.note(at_most("bodies that take longer", sum(each > BODY_MS for each in took.values()), 0, ""))


async def _measured(server: Server, shoot: Shot) -> tuple[float, int]:
    """Median milliseconds over a few shots, and the number of errors in the response.

    A body that takes very long is sent once.
    """
    spent: list[float] = []
    problem: Json = {}
    for _ in range(SHOTS):
        before = server.loop_seconds
        problem = await shoot()
        spent.append(1000 * (server.loop_seconds - before))
        if spent[-1] > 10 * BODY_MS:
            break
    return statistics.median(spent), max(len(problem.get("errors", ())), 1)


async def _post(port: int, method: str, path: str, body: bytes) -> Json:
    http = Http(port)
    try:
        reply = await http.ask(method, f"{API}/experiments{path}", body, seconds=PATIENCE)
        assert reply.status in (401, 404, 413, 422), reply
        problem: Json = reply.json()
        return problem
    except TimeoutError:
        return {}
    finally:
        http.close()


async def _tell(port: int, message: bytes) -> Json:
    socket = await Socket.open(port)
    try:
        async with asyncio.timeout(PATIENCE):
            socket.send(message)
            answer: Json = json.loads(await socket.read())
            assert answer["type"] == "error", answer
            problem: Json = answer["problem"]
            return problem
    except (TimeoutError, Closed):
        return {}
    finally:
        socket.close()


async def strike(port: int, connections: int) -> None:
    """Send all bodies in turn, without a pause, over that many connections."""
    shots = list(BODIES.values())

    async def one(first: int) -> None:
        http = Http(port)
        place = first
        while True:
            method, path, body = shots[place % len(shots)]
            place += 1
            try:
                await http.ask(method, f"{API}/experiments{path}", body, seconds=60)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.05)

    say("begun")
    await asyncio.gather(*(one(5 * number) for number in range(connections)))
