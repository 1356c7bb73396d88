"""Attack 6: a few experiments of maximum size exhaust the machine's memory."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from siege.force import force, say
from siege.report import all_of, at_most, holds
from siege.server import Server
from siege.wire import API, Http
from siege.world import World
from support.aliases import Json

TITLE = "memory by the experiment"
BUDGET_MB = 256
SLACK = 1.1
"""The server's count agrees with the process's memory within a tenth."""

EXPERIMENTS = 60
RECIPE: Json = {
    "data": {"samples": 8, "features": 1},
    "network": {"layers": [{"units": 1, "activation": "tanh"}] * 8},
    "runs": [
        {"name": f"run-{number}", "learning_rate": 0.001, "batch_size": 1, "seed": number}
        for number in range(8)
    ],
}
PLAY_SECONDS, AGAIN_SECONDS = 20.0, 10.0


async def siege(world: World) -> None:
    most = BUDGET_MB * SLACK
    with tempfile.TemporaryDirectory() as folder:
        setting: dict[str, Any] = {"FALLLINE_MEMORY_MB": str(BUDGET_MB)}
        with world.server(folder=Path(folder), **setting) as server:
            base = server.memory
            async with world.person(server, speed=60) as person:
                began = time.perf_counter()
                async with force(strike, server.port, 120, experiments=EXPERIMENTS) as attack:
                    peak = await _peak(server, PLAY_SECONDS)
                    responses = attack.said
                attacked = person.since(began)
            server.end()
        world.note(at_most("errors of the person", len(attacked.errors), 0, ""))
        refused = [retry for status, retry in responses if status != 201]
        proper = sum(status == 503 and bool(retry) for status, retry in responses if status != 201)
        world.note(
            at_most(
                f"memory of {len(responses)} requests for large experiments", _mb(peak - base), most, "MB"
            )
        )
        world.note(all_of("refusals that are 503 with Retry-After", proper, len(refused)))
        answered = len(responses) >= EXPERIMENTS
        world.note(
            holds("all requests are answered", answered, str(len(responses)), f"at least {EXPERIMENTS}")
        )
        with world.server(folder=Path(folder), **setting) as server:
            again = await _peak(server, AGAIN_SECONDS)
        world.note(at_most("memory after a restart that plays on", _mb(again - base), most, "MB"))


def _mb(amount: int) -> float:
    return amount / 2**20


async def _peak(server: Server, seconds: float) -> int:
    """The maximum memory within that time."""
    peak = 0
    async with asyncio.timeout(seconds + 5):
        for _ in range(int(seconds / 0.1)):
            peak = max(peak, server.memory)
            await asyncio.sleep(0.1)
            if peak > 4 * BUDGET_MB << 20:  # the goal is missed; stop using this machine
                break
    return peak


async def strike(port: int, experiments: int) -> None:
    """Request that many of the largest experiments and play each.

    Reports the status and Retry-After of each request.
    """

    async def some(many: int) -> None:
        http = Http(port)
        for _ in range(many):
            reply = await http.ask("POST", f"{API}/experiments", RECIPE, seconds=60)
            if reply.status == 201:
                state = reply.json()
                path = f"{API}/experiments/{state['id']}/play"
                played = await http.ask("POST", path, {"speed": "max"}, token=state["token"], seconds=60)
                if played.status != 200:
                    say([played.status, played.headers.get("retry-after", "")])
            say([reply.status, reply.headers.get("retry-after", "")])

    await asyncio.gather(some(experiments // 2), some(experiments - experiments // 2))
    await asyncio.sleep(3600)
