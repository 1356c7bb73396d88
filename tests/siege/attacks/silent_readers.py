"""Attack 3: forty sockets watch eight runs at full speed and never read, like sleeping laptops."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from siege.force import force, say
from siege.person import Figures, Person
from siege.report import at_most
from siege.server import Server
from siege.wire import Socket
from siege.world import World
from support.aliases import Json

TITLE = "forty readers that never read"
READERS = 40
WAVES = 2
"""Readers who slow down others do so in each wave, a slow moment of the machine in one."""

CUT_SECONDS = 12.0
KILOBYTES = 256.0
"""Memory per reader."""

GROWTH, FLOOR_MS = 1.2, 5.0
"""The 99th percentile may grow by a fifth; less than 5 ms is noise."""

RECIPE: Json = {
    "runs": [{"name": f"run-{number}", "learning_rate": 0.01, "batch_size": 2**number} for number in range(8)]
}


async def siege(world: World) -> None:
    with world.server() as server:
        async with world.person(server, RECIPE) as person:
            await person.phase(3)
            before = server.memory
            quiet = await person.phase(6 if world.quick else 12)
            # Histories grow meanwhile, readers or not.
            grows = server.memory - before
            waves = [await _wave(world, server, person, grows) for _ in range(1 if world.quick else WAVES)]
            await person.phase(1)
            after = await person.phase(6 if world.quick else 12)
        _note(world, (quiet, after), waves)
        attacked = "; ".join(str(wave.person) for wave in waves)
        print(f"  (quiet: {quiet}; attacked: {attacked}; after: {after})", flush=True)


@dataclass(frozen=True, slots=True)
class Wave:
    """The measurements of one wave of readers."""

    cut: float
    """Seconds until all of them are cut."""

    kilobytes: float
    """Memory of each."""

    person: Figures


async def _wave(world: World, server: Server, person: Person, grows: int) -> Wave:
    sockets, memory, began = server.sockets, server.memory, time.perf_counter()
    async with force(strike, server.port, 60, experiment=person.id, readers=READERS) as readers:
        await readers.until_said(1, 20)
        cut, peak = await _until_cut(server, sockets, time.perf_counter(), world.quick)
    return Wave(cut, (peak - memory - grows) / 1024 / READERS, person.since(began))


async def _until_cut(server: Server, sockets: int, began: float, quick: bool) -> tuple[float, int]:
    """Seconds until the server holds no more sockets than before, and the most memory that it used meanwhile.

    Watches at least as long as the server may take.
    """
    cut: float | None = None
    peak = 0
    while (seconds := time.perf_counter() - began) < 2 * CUT_SECONDS:
        peak = max(peak, server.memory)
        if cut is None and server.sockets <= sockets + 2:
            cut = seconds
        if cut is not None and seconds >= (CUT_SECONDS / 2 if quick else CUT_SECONDS):
            break
        await asyncio.sleep(0.1)
    return (2 * CUT_SECONDS if cut is None else cut), peak


def _note(world: World, quiet: tuple[Figures, ...], waves: list[Wave]) -> None:
    world.note(at_most("all of them are cut", max(wave.cut for wave in waves), CUT_SECONDS, "s", digits=1))
    world.note(at_most("memory for each", max(wave.kilobytes for wave in waves), KILOBYTES, "KB"))
    for which, what in (("commands", "command"), ("looks", "GET"), ("gaps", "time between frames")):
        # Shared machines are slow at times: the slower of two quiet phases counts, and the faster wave. The slowest
        # hundredth of some hundred values is a handful, so both figures are taken within their error.
        usual = max(each.p99_range(which)[1] for each in quiet)
        most = max(GROWTH * usual, usual + FLOOR_MS)
        attacked = min(wave.person.p99_range(which)[0] for wave in waves)
        world.note(at_most(f"99th percentile of a person's {what}", attacked, most, "ms"))
    errors = sum(len(wave.person.errors) for wave in waves)
    world.note(at_most("errors of the person", errors, 0, ""))


async def strike(port: int, experiment: str, readers: int) -> None:
    """Watch and never read, like the page of a sleeping laptop."""
    sockets = []
    for number in range(readers):
        socket = await Socket.open(port, receive_buffer=4096)
        socket.stop_reading()
        socket.send({"type": "watch", "experiment": experiment, "fps": 10 + number % 20})
        sockets.append(socket)
    say("begun")
    await asyncio.sleep(3600)
