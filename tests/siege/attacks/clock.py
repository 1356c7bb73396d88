"""Attack 8: a clock that jumps by a month, or was wrong by a year, must not delete experiments."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from siege.report import all_of, holds
from siege.server import Server
from siege.wire import API, Http
from siege.world import World

TITLE = "a clock that jumps"
EXPERIMENTS = 5
PATIENCE = 60.0
"""Servers start in parallel, and this process waits for each."""

SWEEP_SECONDS = 8.0
"""The server looks for expired experiments every 5 s."""


async def siege(world: World) -> None:
    await asyncio.gather(_ahead(world), _behind(world))


async def _ahead(world: World) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with world.server(folder=folder) as server:
            ids = await _made(server)
            server.end()
        with world.server(folder=folder, plants=("clock+31d",)) as server:
            left = await _left(server, ids)
            logged = _says_clock(server)
            server.end()
        world.note(all_of("experiments left with the clock 31 days ahead", left, len(ids)))
        world.note(holds("the log warns of that jump", logged, "yes" if logged else "no", "yes"))
        with world.server(folder=folder) as server:
            left = await _left(server, ids)
        world.note(all_of("experiments left once the clock is right again", left, len(ids)))


async def _behind(world: World) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with world.server(folder=folder, plants=("clock-400d",)) as server:
            ids = await _made(server)
            server.end()
        with world.server(folder=folder) as server:
            left = await _left(server, ids)
        world.note(all_of("experiments left that were made with the clock 400 days behind", left, len(ids)))


async def _made(server: Server) -> list[str]:
    http = Http(server.port)
    ids = []
    for _ in range(EXPERIMENTS):
        state = (
            await http.ask("POST", f"{API}/experiments", {"data": {"samples": 60}}, seconds=PATIENCE)
        ).json()
        path = f"{API}/experiments/{state['id']}/step"
        assert (
            await http.ask("POST", path, {"steps": 5}, token=state["token"], seconds=PATIENCE)
        ).status == 200
        ids.append(state["id"])
    http.close()
    return ids


async def _left(server: Server, ids: list[str]) -> int:
    """Number of experiments after the server's sweep; nothing requests them before."""
    await asyncio.sleep(SWEEP_SECONDS)
    http = Http(server.port)
    statuses = [(await http.ask("GET", f"{API}/experiments/{id}", seconds=PATIENCE)).status for id in ids]
    http.close()
    return statuses.count(200)


def _says_clock(server: Server) -> bool:
    return re.search(r"^WARNING.*(clock|days|gap)", server.output, re.MULTILINE) is not None
