"""Attack 5: a client with a new owner key per request takes shares and slots from others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import time
from collections.abc import Awaitable

from siege.force import force, say
from siege.person import Person
from siege.report import all_of, at_least, at_most, holds
from siege.wire import API, Http, Reply, Socket
from siege.world import World
from support.aliases import Json

TITLE = "one client that makes a crowd"
CLASS = 300
"""Legitimate users behind the attacker's address, each with a key and an acknowledging socket."""

LOST = (OSError, TimeoutError, asyncio.IncompleteReadError)
PLACES = 700
NOISE = 0.7
"""Minimum share of the fair speed."""

AFTERWARDS_SECONDS = 30.0
"""Longest time to delete the crowd and measure again. A crowd with many shares would not let it come to an end."""

TINY: Json = {
    "data": {"samples": 10, "features": 1},
    "network": {"layers": [{"units": 1, "activation": "relu"}]},
    "runs": [{"name": "a", "learning_rate": 0.001, "batch_size": 1}],
}


async def siege(world: World) -> None:
    many = CLASS // 5 if world.quick else CLASS
    places = PLACES // 5 if world.quick else PLACES
    with world.server(FALLLINE_EXPERIMENTS=str(places)) as server:
        mine = Person(server)
        await mine.create()
        await mine.ask("POST", "/step", {"steps": 100}, seconds=20)
        async with (
            world.person(server) as person,
            force(attend, server.port, 300, people=many) as others,
        ):
            await others.until_said(many, 60)
            async with world.trainer(server):
                await person.phase(2)
                before = await person.phase(5)
            async with force(crowd, server.port, 300, many=places, within=30.0) as attack:
                await attack.until_said(1, 45)
                attacked = await person.fastest_phase(6, NOISE * before.rate)
                created = (attack.said or [{"made": [], "refused": 0}])[0]
                newcomer = Person(server)
                came = await status_of(newcomer.create())
                stored = await status_of(mine.ask("GET", seconds=10))
                stepped = 0  # where it cannot be watched
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(20), mine.watching():
                        stepped = await status_of(mine.ask("POST", "/step", {"steps": 1}, seconds=10))
                served = others.said[many:][-1:]
            # All experiments of the crowd have one owner's share. A class takes its part before that, and how much
            # differs between machines, so the speed beside one owner is measured.
            usual = [before]
            if attacked.rate < NOISE * before.rate:  # because of the crowd, or is the machine slower now?
                with contextlib.suppress(*LOST):
                    async with asyncio.timeout(AFTERWARDS_SECONDS):
                        await delete(server.port, created["made"])
                        async with world.trainer(server):
                            await person.phase(2)
                            usual.append(await person.phase(5))
        beside = f"beside {len(created['made'])} experiments and {many} people"
        goal = NOISE * statistics.fmean(figures.rate for figures in usual)
        world.note(at_least(f"training {beside}", attacked.rate, goal, "steps/s"))
        world.note(at_most(f"errors of the person {beside}", len(attacked.errors), 0, ""))
        world.note(holds("a new person's experiment", came == 201, str(came), "201"))
        world.note(holds("one's own stored, paused experiment", stored == 200, str(stored), "200"))
        world.note(holds("a step of it", stepped == 200, str(stepped), "200"))
        slow = served[0]["slow"] if served else many
        world.note(all_of("people of the class who keep their speed", many - slow, many))
        print(f"  (beside one owner: {'; '.join(map(str, usual))}; attacked: {attacked})", flush=True)


async def status_of(asking: Awaitable[Reply]) -> int:
    """The status of a response; 0 without one."""
    try:
        return (await asking).status
    except LOST:
        return 0


def new_key() -> str:
    return os.urandom(16).hex()


async def crowd(port: int, many: int, within: float) -> None:
    """Make many tiny experiments at full speed, each under a new key, for a limited time."""
    refused = 0
    experiments: list[tuple[str, str]] = []
    give_up = time.monotonic() + within

    async def one() -> None:
        nonlocal refused
        http = Http(port)
        while len(experiments) + refused < many and time.monotonic() < give_up:
            try:
                reply = await http.ask(
                    "POST", f"{API}/experiments", TINY, seconds=20, Fallline_Owner=new_key()
                )
                if reply.status != 201:
                    refused += 1
                    continue
                state = reply.json()
                experiments.append((state["id"], state["token"]))
                path = f"{API}/experiments/{state['id']}/play"
                await http.ask("POST", path, {"speed": "max"}, token=state["token"], Fallline_Owner=new_key())
            except LOST:
                refused += 1

    await asyncio.gather(one(), one())
    say({"made": experiments, "refused": refused})
    await asyncio.sleep(3600)


async def delete(port: int, experiments: list[list[str]]) -> None:
    """Delete the experiments of the crowd."""
    http = Http(port)
    for id, token in experiments:
        await http.ask("DELETE", f"{API}/experiments/{id}", token=token, seconds=20)
    http.close()


SLOW_SPEED, ENOUGH = 1.0, 0.8
WATCHED_SECONDS = 6.0


async def attend(port: int, people: int) -> None:
    """Act as a class: each person makes an experiment, plays it slowly and watches it.

    Reports who is too slow, now and then.
    """
    steps: dict[int, int] = {}

    async def one(number: int) -> None:
        owner, http = new_key(), Http(port)
        state = (await http.ask("POST", f"{API}/experiments", TINY, seconds=60, Fallline_Owner=owner)).json()
        socket = await Socket.open(port, seconds=30)
        watch = {"type": "watch", "experiment": state["id"], "token": state["token"], "fps": 1}
        socket.send({**watch, "buckets": 10, "series": ["batch_loss"], "encoding": "bdata"})
        path = f"{API}/experiments/{state['id']}/play"
        await http.ask("POST", path, {"speed": SLOW_SPEED}, token=state["token"], seconds=30)
        http.close()
        say(number)
        while True:
            message = json.loads(await socket.read())
            if message["type"] == "frame":
                socket.send({"type": "got", "frame": message["frame"]})
                steps[number] = message["runs"]["a"]["step"]

    async def arrive(numbers: range) -> list[asyncio.Task[None]]:
        tasks = []
        for number in numbers:
            tasks.append(asyncio.create_task(one(number)))
            while number not in steps and not tasks[-1].done():
                await asyncio.sleep(0.005)
        return tasks

    await asyncio.gather(*(arrive(range(first, people, 4)) for first in range(4)))
    while True:
        before = dict(steps)
        await asyncio.sleep(WATCHED_SECONDS)
        least = ENOUGH * SLOW_SPEED * WATCHED_SECONDS - 1
        slow = sum(steps.get(number, 0) - before.get(number, 0) < least for number in range(people))
        say({"slow": slow})
