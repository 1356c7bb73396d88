"""Attack 9: loops over all that can be read, histories as CSV, refused tables and QR codes slow down training."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import count

from siege.force import force, say
from siege.report import at_least, at_most
from siege.wire import API, Http, Reply
from siege.world import World
from support.aliases import Json

TITLE = "loops over everything that can be read, histories as CSV, refused tables and QR codes"
LOOPS = (("reads", 1, 1.0), ("reads", 6, 1.0), ("histories", 4, 0.5), ("tables", 4, 0.5), ("codes", 40, 0.5))
"""What is sent, over how many connections, and the length of its phases, as a part of the usual one.

Reads go over many kinds in turn, which takes longer than one kind."""

SHARE = 45.0
"""Minimum training speed in percent of quiet. Reads may take half; the rest is for requests."""

CODE_SECONDS = 2.0
"""Most seconds that the person waits for a short QR code."""

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
TABLE = "\n".join(f"{row},{row / 7:.6f},a" for row in range(60_000)).encode()[: 1 << 20]
"""Refused after parsing: it has more rows than a table may have."""

HISTORY = f"{RUN}/history?buckets=10000"
"""Read as CSV, whose text takes longer to make than JSON."""

CODES = f"{API}/qr"
LONG_TEXT = "x" * 2_900


async def siege(world: World) -> None:
    seconds = 4.0 if world.quick else 8.0
    with world.server() as server:
        http = Http(server.port)
        other = (await http.ask("POST", f"{API}/experiments", RECIPE)).json()
        path = f"{API}/experiments/{other['id']}/step"
        await http.ask("POST", path, {"steps": STEPS}, token=other["token"], seconds=60)
        http.close()
        async with world.person(server) as person:
            for what, many, part in LOOPS:
                await person.phase(2)
                quiet = await person.phase(part * seconds)
                # Files of an experiment are paid by its owner, whose codes would wait for these long ones.
                ids = [other["id"]] if what == "histories" else [other["id"], person.id]
                async with force(
                    strike, server.port, 60, what=what, experiments=ids, connections=many
                ) as loops:
                    await loops.until_said(1, 10)
                    await person.phase(1)
                    attacked = await person.phase(part * seconds)
                    waited = await code_of(person.owner, server.port)
                    responses = loops.said[-1]
                share = 100 * attacked.rate / max(quiet.rate, 1.0)
                beside = f"beside {many} connection{'s' if many > 1 else ''} of {what}"
                world.note(at_least(f"training at full speed {beside}", share, SHARE, "%"))
                world.note(at_most(f"errors of the person {beside}", len(attacked.errors), 0, ""))
                world.note(at_most(f"a QR code {beside}", waited, CODE_SECONDS, "s", digits=1))
                print(f"  (quiet: {quiet}; attacked: {attacked}; responses: {responses})", flush=True)


async def code_of(owner: str, port: int) -> float:
    """Return the seconds until this owner has a short QR code."""
    began, http = time.perf_counter(), Http(port)
    reply = await http.ask("POST", CODES, {"text": "a link"}, seconds=30, Fallline_Owner=owner)
    http.close()
    assert reply.status == 200, reply
    return time.perf_counter() - began


async def strike(port: int, what: str, experiments: list[str], connections: int) -> None:
    """Send requests of this kind without a pause; reads go over everything of the experiments in turn."""

    tally: Counter[int] = Counter()

    async def send(http: Http, place: int) -> Reply:
        if what == "tables":
            return await http.ask("POST", f"{API}/datasets", TABLE, seconds=30, Content_Type="text/csv")
        if what == "codes":
            return await http.ask("POST", CODES, {"text": LONG_TEXT}, seconds=30)
        experiment = experiments[place % len(experiments)]
        if what == "histories":
            path = f"{API}/experiments/{experiment}{HISTORY}"
            return await http.ask("GET", path, seconds=30, Accept="text/csv")
        path = f"{API}/experiments/{experiment}{PATHS[place % len(PATHS)]}"
        return await http.ask("GET", path, seconds=30)

    async def one(first: int) -> None:
        http = Http(port)
        for place in count(first):
            try:
                reply = await send(http, place)
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
