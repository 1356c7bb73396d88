"""Attack 1: a speed whose next step is further away than a clock can count, sent and stored."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path

from siege.report import all_of, at_most, holds
from siege.server import Server
from siege.wire import API, Closed, Http, Reply, Socket
from siege.world import World
from support.aliases import Json

TITLE = "a speed that no clock can wait for"
SPEEDS = (1e-12, 1e-300, 5e-324, 0.0166, 0, -1, 1e300)
SMALL: Json = {"data": {"samples": 60}}
STORED = (1e-12, 1e-300, 0.001)
ANSWER_MS = 1000.0
PARTS = {"stuck-worker": True, "stuck-store": True, "blocked-loop": False}
"""Faults of `faults`, and whether each lasts until it is removed."""

NOTICED_SECONDS, BACK_SECONDS, GIVE_UP_SECONDS = 5.0, 10.0, 15.0


async def siege(world: World) -> None:
    await _sent(world)
    await _stored(world)
    await _readiness(world)


async def _sent(world: World) -> None:
    with world.server(FALLLINE_COMMANDS_PER_SECOND="1000") as server:
        async with world.person(server) as person:
            await person.phase(1)
            began = time.perf_counter()
            attacker = await _made(server)
            answers = [await _play(server, attacker, speed) for speed in SPEEDS]
            answers += await _play_over_the_socket(server, attacker)
            await person.phase(3)
            had = person.since(began)
        refused = sum(status == 422 for status in answers)
        world.note(all_of("plays out of bounds refused with 422", refused, len(answers)))
        slowest = max(had.longest("commands"), had.longest("looks"))
        world.note(at_most("slowest command or GET of another person", slowest, ANSWER_MS, "ms"))
        world.note(at_most("errors of another person", len(had.errors), 0, ""))


async def _made(server: Server) -> Json:
    http = Http(server.port)
    state: Json = (await http.ask("POST", f"{API}/experiments", SMALL)).json()
    http.close()
    return state


async def _play(server: Server, experiment: Json, speed: float) -> int:
    path = f"{API}/experiments/{experiment['id']}/play"
    return (await _asked(server, "POST", path, {"speed": speed}, experiment["token"])).status


async def _asked(
    server: Server,
    method: str,
    path: str,
    body: Json | None = None,
    token: str | None = None,
    seconds: float = 2 * ANSWER_MS / 1000,
) -> Reply:
    """The response, or status 0 after that many seconds."""
    http = Http(server.port)
    try:
        return await http.ask(method, path, body, token=token, seconds=seconds)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return Reply(0, {}, b"")
    finally:
        http.close()


async def _play_over_the_socket(server: Server, experiment: Json) -> list[int]:
    socket = await Socket.open(server.port)
    socket.send({"type": "watch", "experiment": experiment["id"], "token": experiment["token"]})
    command = {"type": "command", "experiment": experiment["id"], "do": "play"}
    statuses = []
    try:
        async with asyncio.timeout(5):
            for number, speed in enumerate(SPEEDS):
                socket.send({**command, "id": f"play-{number}", "speed": speed})
                while (answer := json.loads(await socket.read()))["type"] not in ("ack", "error"):
                    pass
                statuses.append(200 if answer["type"] == "ack" else answer["problem"]["status"])
    except (TimeoutError, Closed):
        pass
    socket.close()
    return statuses + [0] * (len(SPEEDS) - len(statuses))


async def _stored(world: World) -> None:
    """Older files contain such speeds. They are raised to the slowest speed, and run on."""
    with tempfile.TemporaryDirectory() as folder:
        created = []
        # A server from before speeds were bounded.
        with world.server(folder=Path(folder), plants=("any-speed",)) as server:
            for speed in STORED:
                created.append(one := await _made(server))
                assert await _play(server, one, speed) == 200
            bystander = await _made(server)
            server.end()
        with world.server(folder=Path(folder)) as server:
            await asyncio.sleep(1)
            began = time.perf_counter()
            path = f"{API}/experiments/{bystander['id']}/step"
            stepped = await _asked(server, "POST", path, {"steps": 10}, bystander["token"])
            took = 1000 * (time.perf_counter() - began)
            states = [await _asked(server, "GET", f"{API}/experiments/{one['id']}") for one in created]
    world.note(
        at_most("step of another person after a restart with such plays stored", took, ANSWER_MS, "ms")
    )
    playing = sum(
        reply.status == 200
        and reply.json()["runs"][0]["status"] == "playing"
        and reply.json()["speed"] >= 1 / 60
        for reply in states
    )
    world.note(holds("that step is answered", stepped.status == 200, str(stepped.status), "200"))
    world.note(all_of("stored plays raised to 1/60 and going on", playing, len(created)))


async def _readiness(world: World) -> None:
    """`/readyz` must report a stalled part and its recovery; an exception must not end the worker."""
    with world.server(plants=(*PARTS, "failing-experiment")) as server:
        async with world.person(server, speed=60) as person:
            await person.phase(1)
            for part, lasts in PARTS.items():
                file = server.folder / part
                file.touch()
                if not lasts:
                    # It is over when this is answered. A /readyz that waited meanwhile would be late itself.
                    await _asked(server, "GET", "/healthz", seconds=GIVE_UP_SECONDS)
                noticed = await _ready_becomes(server, 503)
                if lasts:
                    file.unlink(missing_ok=True)
                back = await _ready_becomes(server, 200)
                what = part.replace("-", " ")
                world.note(
                    at_most(f"/readyz is 503 with a {what} after", noticed, NOTICED_SECONDS, "s", digits=1)
                )
                world.note(
                    at_most(f"/readyz is 200 without the {what} after", back, BACK_SECONDS, "s", digits=1)
                )
            (server.folder / "failing-experiment").touch()
            await person.phase(2)
            # The failing experiment may be closed. The worker must respond and serve others.
            survived = await _asked(server, "POST", f"{person.here}/pause", {}, person.token)
            after = await _made_or_none(server)
        figure = f"{survived.status} and {after}"
        met = survived.status != 0 and after == 201
        world.note(holds("after an exception in its worker the server", met, figure, "an answer, and 201"))


async def _made_or_none(server: Server) -> int:
    return (await _asked(server, "POST", f"{API}/experiments", SMALL)).status


async def _ready_becomes(server: Server, status: int) -> float:
    """Seconds until `/readyz` returns that status."""
    began = time.perf_counter()
    while (seconds := time.perf_counter() - began) < GIVE_UP_SECONDS:
        http = Http(server.port)
        reply_status = 0
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            reply_status = (await http.ask("GET", "/readyz", seconds=3)).status
        http.close()
        if reply_status == status:
            return time.perf_counter() - began
        await asyncio.sleep(0.1)
    return seconds
