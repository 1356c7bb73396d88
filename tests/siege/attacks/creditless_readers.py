"""Attack 4: readers that read everything, acknowledge nothing, and watch as much as one socket may."""

from __future__ import annotations

import asyncio
import time

from siege.force import force, say
from siege.report import all_of, at_most
from siege.server import Server
from siege.wire import API, Closed, Http, Socket
from siege.world import World
from support.aliases import Json

TITLE = "readers without credit"
READERS, WATCHED = 4, 16
RECIPE: Json = {
    "runs": [{"name": f"run-{number}", "learning_rate": 0.01, "batch_size": 4} for number in range(4)]
}
GROWN_STEPS = 5_000
SETTLED_SECONDS = 10.0
CLOSED_SECONDS = 90.0
"""A reader has a minute to acknowledge once it watches; the rest is for the turns of sixteen busy experiments."""

MEGABYTES = 128.0
"""Limit for the server's growth: 64 MB of backlog for all readers, plus growing histories."""

TOO_SLOW = 4001
NO_PONG = 1011
"""A reader that the machine keeps from answering a ping for 5 s is closed with this code. It begins again."""

AGAIN = "again"
MOST_RESTARTS = 2 * READERS


async def siege(world: World) -> None:
    with world.server(FALLLINE_EXPERIMENTS="100") as server:
        async with world.person(server, speed=60) as person:
            ids = await _playing(server)
            await asyncio.sleep(SETTLED_SECONDS)
            began, memory = time.perf_counter(), server.memory
            async with force(strike, server.port, 200, experiments=ids) as readers:
                peak = memory
                codes: list[int | None] = []
                restarts, started = 0, began
                while time.perf_counter() - started < CLOSED_SECONDS and len(codes) < READERS:
                    await asyncio.sleep(0.25)
                    peak = max(peak, server.memory)
                    codes = [code for code in readers.said if code != AGAIN]
                    if restarts < len(readers.said) - len(codes) <= MOST_RESTARTS:
                        restarts, started = len(readers.said) - len(codes), time.perf_counter()
                    if peak - memory > 8 * MEGABYTES * 2**20:  # the goal is missed; stop using this machine
                        break
            attacked = person.since(began)
    world.note(at_most(f"memory that {READERS} such readers cost", (peak - memory) / 2**20, MEGABYTES, "MB"))
    closed = sum(code == TOO_SLOW for code in codes)
    world.note(all_of(f"closed with {TOO_SLOW} within {CLOSED_SECONDS:.0f} s", closed, READERS))
    world.note(at_most("errors of the person", len(attacked.errors), 0, ""))


async def _playing(server: Server) -> list[str]:
    """The ids of experiments that play at full speed."""
    http = Http(server.port)
    states: list[Json] = []
    for _ in range(WATCHED):
        state = (await http.ask("POST", f"{API}/experiments", RECIPE, seconds=30)).json()
        # Histories grow for some thousand steps, with or without readers: wait before measuring memory.
        path = f"{API}/experiments/{state['id']}/step"
        await http.ask("POST", path, {"steps": GROWN_STEPS}, token=state["token"], seconds=60)
        states.append(state)
    for state in states:  # only now, since each that plays would slow down the steps of the next
        path = f"{API}/experiments/{state['id']}/play"
        await http.ask("POST", path, {"speed": "max"}, token=state["token"], seconds=30)
    http.close()
    return [state["id"] for state in states]


async def strike(port: int, experiments: list[str]) -> None:
    """Watch all of them on each socket, promise credit once, and never give any.

    Reports each close code.
    """

    async def one() -> None:
        while (code := await until_closed()) == NO_PONG:
            say(AGAIN)
        say(code)

    async def until_closed() -> int | None:
        socket = await Socket.open(port)
        try:
            for id in experiments:
                watch = {"type": "watch", "experiment": id, "fps": 30, "buckets": 10_000}
                socket.send(watch)
            socket.send({"type": "got", "frame": 0})
            while True:
                await socket.read()
        except Closed as closed:
            return closed.code

    await asyncio.gather(*(one() for _ in range(READERS)))
    await asyncio.sleep(3600)
