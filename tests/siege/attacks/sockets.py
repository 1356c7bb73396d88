"""Attack 11: one address takes all sockets, and floods of meaningless messages."""

from __future__ import annotations

import asyncio
import json
import time

from siege.force import Force, force, say
from siege.report import all_of, at_most, holds
from siege.server import Server
from siege.wire import Closed, Socket
from siege.world import World
from support.aliases import Json

TITLE = "all sockets from one address"
SOCKETS, AT_ONCE = 1_000, 8
OCCUPY_SECONDS = 40.0
REFUSALS = 10
"""Consecutive refusals after which no more sockets are tried."""

FLOODS = 4
FLOOD_SECONDS = 10.0
TOO_MANY = 4008
STALL_MS = 100.0
MESSAGES = (
    b'{"type":"watch"}',
    b'{"type":"got","frame":"one"}',
    b'{"type":"ping"}',
    b'{"type":"unwatch","experiment":1}',
)


async def siege(world: World) -> None:
    with world.server() as server:
        async with world.person(server, speed=60) as person:
            await person.phase(1)
            quiet = await person.phase(3)
            async with force(occupy, server.port, 120, sockets=SOCKETS, experiment=person.id) as attack:
                opened = await _occupied(attack)
                state = await _watched(server, person.id, person.token)
                figures = await person.phase(2)
            world.note(
                holds(
                    f"the person's own line beside {opened} sockets",
                    state == "experiment",
                    state,
                    "an answer",
                )
            )
            world.note(at_most("errors of the person beside them", len(figures.errors), 0, ""))
            await person.phase(1)
            async with force(flood, server.port, 60) as attack:
                began = time.perf_counter()
                codes = await attack.until_said(FLOODS, FLOOD_SECONDS)
                flooded = person.since(began)
        closed = sum(code == TOO_MANY for code in codes)
        world.note(all_of(f"floods of invalid messages closed with {TOO_MANY}", closed, FLOODS))
        stall = flooded.longest("health") - quiet.longest("health")
        world.note(at_most("longest stall of the loop meanwhile, above that in quiet", stall, STALL_MS, "ms"))


async def _occupied(attack: Force) -> int:
    """Number of open sockets after the refusals or the timeout."""
    began = time.perf_counter()
    while time.perf_counter() - began < OCCUPY_SECONDS:
        await asyncio.sleep(0.2)
        if (reports := attack.said) and reports[-1][1]:
            break
    return int(attack.said[-1][0]) if attack.said else 0


async def _watched(server: Server, id: str, token: str) -> str:
    """Response to a new socket of the experiment's own person."""
    try:
        socket = await Socket.open(server.port)
        socket.send({"type": "watch", "experiment": id, "token": token})
        async with asyncio.timeout(5):
            answer: Json = json.loads(await socket.read())
        socket.close()
        return str(answer["type"])
    except (OSError, TimeoutError, Closed, asyncio.IncompleteReadError) as error:
        return repr(error)


async def occupy(port: int, sockets: int, experiment: str) -> None:
    """Hold as many sockets as the server gives; each watches slowly and pongs."""
    tasks: list[asyncio.Task[None]] = []

    async def hold(socket: Socket) -> None:
        while True:
            await socket.read()

    watch = {"type": "watch", "experiment": experiment, "fps": 1, "series": ["batch_loss"], "buckets": 1}

    async def take(many: int) -> None:
        refused = 0
        while many and refused < REFUSALS:
            try:
                socket = await Socket.open(port)
            except (OSError, Closed, TimeoutError, asyncio.IncompleteReadError):
                refused += 1
                await asyncio.sleep(0.2)
                continue
            many, refused = many - 1, 0
            socket.send({**watch, "encoding": "bdata"})
            tasks.append(asyncio.create_task(hold(socket)))
            if len(tasks) % 50 == 0:
                say([len(tasks), False])

    await asyncio.gather(*(take(sockets // AT_ONCE) for _ in range(AT_ONCE)))
    say([sum(not task.done() for task in tasks), True])
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(3600)


async def flood(port: int) -> None:
    """Send 400 meaningless messages a second, below the limit for valid ones.

    Reports each close code.
    """

    async def one() -> None:
        socket = await Socket.open(port)

        async def pour() -> None:
            while True:
                for message in MESSAGES:
                    socket.send(message)
                await asyncio.sleep(0.01)

        pouring = asyncio.create_task(pour())
        try:
            while True:
                await socket.read()
        except Closed as closed:
            say(closed.code)
        finally:
            pouring.cancel()

    await asyncio.gather(*(one() for _ in range(FLOODS)))
    await asyncio.sleep(3600)
