"""Attack 9: connections that loop over histories, figures, reports and exports slow down training."""

from __future__ import annotations

import asyncio
from collections import Counter

from siege.force import force, say
from siege.report import at_least, at_most
from siege.wire import API, Http
from siege.world import World
from support.aliases import Json

TITLE = "loops over everything that can be read"
CONNECTIONS = (1, 6)
SHARE = 45.0
"""Minimum training speed in percent of quiet. Reads may take half; the rest is for requests."""

RUN = "/runs/gd"
PATHS = (
    f"{RUN}/history?buckets=10000",
    "/figures/loss",
    "/export/report.html",
    "/figures/gradients",
    "/export/history.csv",
    f"{RUN}/history?buckets=10000&encoding=bdata",
    "/export/notebook.ipynb",
    f"{RUN}/inspect",
    f"{RUN}/instruments/curvature",
    "/export/parameters.npz",
    f"{RUN}/snapshot",
    f"{RUN}/instruments/noise",
    f"{RUN}/instruments/predictions",
    "/data",
    "/export/script.py",
)
RECIPE: Json = {
    "data": {"samples": 5_000},
    "network": {"layers": [{"units": 64, "activation": "tanh"}] * 2},
    "runs": [{"name": "gd", "learning_rate": 1e-4}],
}
"""A step costs milliseconds, so reads cost training time, too: files wait for the examinations of all its steps."""

STEPS = 1_000


async def siege(world: World) -> None:
    seconds = 4.0 if world.quick else 8.0
    with world.server() as server:
        http = Http(server.port)
        other = (await http.ask("POST", f"{API}/experiments", RECIPE)).json()
        path = f"{API}/experiments/{other['id']}/step"
        await http.ask("POST", path, {"steps": STEPS}, token=other["token"], seconds=60)
        http.close()
        async with world.person(server) as person:
            await person.phase(2)
            for many in CONNECTIONS:
                quiet = await person.phase(seconds)
                ids = [other["id"], person.id]
                async with force(strike, server.port, 60, experiments=ids, connections=many) as loops:
                    await loops.until_said(1, 10)
                    await person.phase(1)
                    attacked = await person.phase(seconds)
                    responses = loops.said[-1]
                await person.phase(2)
                share = 100 * attacked.rate / max(quiet.rate, 1.0)
                beside = f"beside {many} connection{'s' if many > 1 else ''}"
                world.note(at_least(f"training at full speed {beside}", share, SHARE, "%"))
                world.note(at_most(f"errors of the person {beside}", len(attacked.errors), 0, ""))
                print(f"  (quiet: {quiet}; attacked: {attacked}; responses: {responses})", flush=True)


async def strike(port: int, experiments: list[str], connections: int) -> None:
    """Read everything of the experiments in turn, without a pause."""

    tally: Counter[int] = Counter()

    async def one(first: int) -> None:
        http, place = Http(port), first
        while True:
            experiment = experiments[place % len(experiments)]
            path = f"{API}/experiments/{experiment}{PATHS[place % len(PATHS)]}"
            place += 1
            try:
                reply = await http.ask("GET", path, seconds=30)
                tally[reply.status] += 1
                if reply.status in (429, 503):
                    await asyncio.sleep(0.05)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                tally[0] += 1
                await asyncio.sleep(0.05)

    async def tell() -> None:
        while True:
            say(tally)
            await asyncio.sleep(1)

    await asyncio.gather(tell(), *(one(2 * number) for number in range(connections)))
