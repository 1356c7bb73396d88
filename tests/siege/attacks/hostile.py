"""Attack 12: one owner does at once everything costly that the server allows.

The most expensive recipes play, and steps are requested by the million. Loops read reports, exports, instruments and
self-checks. Another loop creates experiments and leaves them. Two owners share the computing time equally, so the
person's speed is compared with that beside an ordinary neighbour who trains at full speed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections import Counter
from collections.abc import Awaitable, Callable

from siege.attacks.crowd import new_key
from siege.force import Force, force, say
from siege.person import Figures
from siege.report import Row, at_most, holds
from siege.wire import API, Closed, Http, Socket
from siege.world import World
from support.aliases import Json

TITLE = "one owner who does everything costly at once"
SPEED = 80.0
"""Minimum speed in percent of that beside an ordinary neighbour."""

WAITS = 1.25
"""Maximum of a wait, in times of that beside an ordinary neighbour, once it is above `SHORT_MS`."""

SHORT_MS = 150.0
"""A command that takes no longer is as good as one beside a neighbour."""

WIDTHS = (220, 180, 140, 110, 90, 70, 50, 40, 30, 20, 10)
"""Units of two layers, the largest first: the first that the server takes is the most expensive one."""

PLAYING, JOBS, READERS = 3, 3, 4
"""Experiments that play, experiments with step jobs, and connections that read in a loop."""

BEGIN_SECONDS = 60.0

LOST = (OSError, TimeoutError, asyncio.IncompleteReadError)
KINDS = ("plays", "jobs", "exports", "instruments", "checks", "creations")


async def siege(world: World) -> None:
    seconds = 5.0 if world.quick else 15.0
    with world.server() as server:
        async with force(neighbour, server.port, 120, lasts=4 + seconds) as ordinary:
            await ordinary.until_said(1, 20)
            async with world.person(server) as person:
                await person.phase(2)
                beside = await person.phase(seconds)
            await person.ask("POST", "/pause")
            await ordinary.until_said(2, 20)
        async with force(storm, server.port, 120) as attack:
            await _under_way(attack)
            # a new person: a hundred edits later, each step of the first one costs more
            async with world.person(server) as person:
                await person.phase(2)
                attacked = await person.fastest_phase(seconds, SPEED / 100 * beside.rate)
                tally: dict[str, int] = (attack.said or [{}])[-1]
        world.note(speed_of("training beside a hostile owner", attacked, beside))
        # The slowest hundredth of a hundred commands is one, so both figures are taken within their error.
        most = max(WAITS * beside.p99_range("commands")[1], SHORT_MS)
        world.note(at_most("p99 of a command beside them", attacked.p99_range("commands")[0], most, "ms"))
        world.note(at_most("errors of the person beside them", len(attacked.errors), 0, ""))
        missing = [kind for kind in KINDS if not tally.get(kind)]
        world.note(
            holds("every kind of attack was answered", not missing, ", ".join(missing) or "all", "all")
        )
        print(f"  (beside a neighbour: {beside}; attacked: {attacked}; answers: {tally})", flush=True)


def speed_of(what: str, attacked: Figures, beside: Figures) -> Row:
    """The speed in percent of that beside a neighbour. It is taken within its standard error."""
    share = 100 * attacked.rate / max(beside.rate, 1.0)
    errors = (figures.rate_error / max(figures.rate, 1.0) for figures in (attacked, beside))
    error = share * math.hypot(*errors)
    goal = f"at least {SPEED:.0f} % of that beside another"
    return Row(what, f"{share:.0f} ± {error:.0f} %", goal, share + error >= SPEED)


async def _under_way(attack: Force) -> None:
    """Wait until every kind of attack was answered once, but not for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BEGIN_SECONDS):
            while not (reports := attack.said) or any(kind not in reports[-1] for kind in KINDS):
                await asyncio.sleep(0.2)


# ---------------------------------------------------------------------- in the attackers' process


async def neighbour(port: int, lasts: float) -> None:
    """Train the default recipe at full speed for so long, and watch it. Then pause: a play would go on alone."""
    state = await _created(port, {}, new_key())
    line = asyncio.create_task(_attend(port, state))
    await _play(port, state)
    say("plays")
    await asyncio.sleep(lasts)
    http = Http(port)
    path = f"{API}/experiments/{state['id']}/pause"
    say((await http.ask("POST", path, {}, token=state["token"], seconds=30)).status)
    await line


async def storm(port: int) -> None:
    """Be one owner with a line, and do everything costly at once. Reports how often each kind was answered."""
    key, tally = new_key(), Counter[str]()
    recipe = await _most_expensive(port, key)
    answers = [await _created(port, recipe, key) for _ in range(PLAYING + JOBS)]
    every = [state for state in answers if "id" in state]  # the server may have no memory for all of them
    playing, working = every[:PLAYING], every[PLAYING:] or every[:1]
    lines = [asyncio.create_task(_attend(port, state)) for state in playing]
    for state in playing:
        tally["plays"] += await _play(port, state)
    work: list[Callable[[], Awaitable[None]]] = [
        *(lambda state=state: _again(_job, port, state, tally) for state in working),
        *(lambda at=at: _read(port, every, at, tally) for at in range(READERS)),
        lambda: _create(port, key, tally),
    ]

    async def tell() -> None:
        while True:
            say(tally)
            await asyncio.sleep(0.5)

    await asyncio.gather(tell(), *lines, *(begin() for begin in work))


async def _most_expensive(port: int, key: str) -> Json:
    for width in WIDTHS:
        recipe: Json = {
            "data": {"name": "linear", "samples": 5_000, "features": 32},
            "network": {"layers": [{"units": width, "activation": "tanh"}] * 2},
            "runs": [
                {"name": f"run-{number}", "learning_rate": 1e-4, "optimizer": "adam"} for number in range(8)
            ],
        }
        http = Http(port)
        reply = await http.ask("POST", f"{API}/experiments", recipe, seconds=30, Fallline_Owner=key)
        http.close()
        if reply.status == 201:
            return recipe
    raise AssertionError("the server takes none of the recipes")


async def _created(port: int, recipe: Json, key: str) -> Json:
    http = Http(port)
    try:
        reply = await http.ask("POST", f"{API}/experiments", recipe, seconds=30, Fallline_Owner=key)
        state: Json = reply.json()
        return state
    finally:
        http.close()


async def _attend(port: int, state: Json) -> None:
    """Watch and acknowledge, which gives the owner a share; again after each end."""
    while True:
        try:
            socket = await Socket.open(port, seconds=30)
            socket.send(
                {
                    "type": "watch",
                    "experiment": state["id"],
                    "token": state["token"],
                    "fps": 10,
                    "encoding": "bdata",
                }
            )
            while True:
                message = json.loads(await socket.read())
                if message["type"] == "frame":
                    socket.send({"type": "got", "frame": message["frame"]})
        except (*LOST, Closed):
            await asyncio.sleep(0.5)


async def _play(port: int, state: Json) -> bool:
    http = Http(port)
    try:
        path = f"{API}/experiments/{state['id']}/play"
        return (
            await http.ask("POST", path, {"speed": "max"}, token=state["token"], seconds=30)
        ).status == 200
    finally:
        http.close()


async def _again(
    do: Callable[[Http, Json], Awaitable[str]], port: int, state: Json, tally: Counter[str]
) -> None:
    """Do it again and again on one connection."""
    http = Http(port)
    while True:
        try:
            tally[await do(http, state)] += 1
        except LOST:
            await asyncio.sleep(0.05)


async def _job(http: Http, state: Json) -> str:
    """Request a million steps; a pause of another connection answers them soon, and the next ones follow."""
    path, token = f"{API}/experiments/{state['id']}", state["token"]
    task = asyncio.create_task(
        http.ask("POST", f"{path}/step", {"steps": 1_000_000}, token=token, seconds=60)
    )
    await asyncio.sleep(1)
    other = Http(http.port)
    try:
        await other.ask("POST", f"{path}/pause", {}, token=token, seconds=30)
    finally:
        other.close()
    await task
    return "jobs"


READS = (
    ("exports", "/export/report.html"),
    ("instruments", "/runs/run-0/instruments/curvature"),
    ("checks", "/runs/run-1/check"),
    ("exports", "/export/history.csv"),
    ("instruments", "/runs/run-2/instruments/noise"),
    ("exports", "/export/history.json"),
    ("instruments", "/instruments/fall_line"),
    ("exports", "/export/notebook.ipynb"),
    ("instruments", "/runs/run-3/instruments/slice"),
)


async def _read(port: int, states: list[Json], first: int, tally: Counter[str]) -> None:
    """Read everything costly of all experiments in turn, without a pause."""
    http, place = Http(port), first
    while True:
        kind, path = READS[place % len(READS)]
        id = states[place % len(states)]["id"]
        place += 1
        try:
            reply = await http.ask("GET", f"{API}/experiments/{id}{path}", seconds=60)
        except LOST:
            await asyncio.sleep(0.05)
            continue
        tally[kind if reply.status == 200 else str(reply.status)] += 1
        if reply.status != 200:
            await asyncio.sleep(0.05)


async def _create(port: int, key: str, tally: Counter[str]) -> None:
    """Create and leave, without a pause."""
    http = Http(port)
    while True:
        try:
            reply = await http.ask("POST", f"{API}/experiments", {}, seconds=60, Fallline_Owner=key)
        except LOST:
            await asyncio.sleep(0.05)
            continue
        tally["creations" if reply.status == 201 else str(reply.status)] += 1
