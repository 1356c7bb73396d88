"""Attack 10: bits of the stored file are flipped, its log is lost, or it is emptied."""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
from pathlib import Path

from siege.report import at_most, holds
from siege.server import Server, TheServerEnded
from siege.wire import API, Http
from siege.world import World
from support.aliases import Json

TITLE = "a damaged file"
NAME = "fallline.sqlite3"
EXPERIMENTS, STEPS = 6, 300
IMAGES, FLIPS = 6, 3
SEED = 12
LOG_LINES = 30
"""Limit for the log of one server; each damaged experiment may appear once."""

DAMAGED = ("damaged", "damage")


async def siege(world: World) -> None:
    with tempfile.TemporaryDirectory() as place:
        origin = Path(place) / "origin"
        origin.mkdir()
        with world.server(folder=origin) as server:
            ids = await _made(server)
            before = await _told(server, ids)
            server.end()
        await _flipped(world, Path(place), origin, ids, before)
        await _emptied(world, Path(place), origin)
        await _without_log(world, Path(place))


async def _made(server: Server) -> list[str]:
    http = Http(server.port)
    ids = []
    for number in range(EXPERIMENTS):
        recipe = {"data": {"samples": 60, "seed": number}}
        state = (await http.ask("POST", f"{API}/experiments", recipe)).json()
        path = f"{API}/experiments/{state['id']}"
        assert (
            await http.ask("POST", f"{path}/step", {"steps": STEPS}, token=state["token"], seconds=30)
        ).status == 200
        for rate in (0.01, 0.02):
            change = {"learning_rate": rate}
            reply = await http.ask(
                "PATCH", f"{path}/runs/gd", change, token=state["token"], Idempotency_Key=f"{number}-{rate}"
            )
            assert reply.status == 200, reply
        ids.append(state["id"])
    http.close()
    return ids


async def _told(server: Server, ids: list[str]) -> dict[str, Json]:
    """For each experiment: status and problem type, or its runs."""
    http = Http(server.port)
    states = {}
    for id in ids:
        reply = await http.ask("GET", f"{API}/experiments/{id}", seconds=20)
        body = reply.json()
        states[id] = {"status": reply.status, "type": body.get("type", "")}
        if reply.status == 200:
            states[id]["runs"] = [
                (run["name"], run["step"], run["latest"]["train_loss"]["value"]) for run in body["runs"]
            ]
            path = f"{API}/experiments/{id}/runs/gd/history?series=batch_loss&buckets=20"
            reply = await http.ask("GET", path, seconds=20)
            if reply.status >= 500:
                states[id] |= {"status": reply.status, "type": reply.json().get("type", "")}
    http.close()
    return states


async def _flipped(world: World, place: Path, origin: Path, ids: list[str], before: dict[str, Json]) -> None:
    """Flip a few bits in each of some copies."""
    rng = random.Random(SEED)
    unforeseen: list[str] = []
    changed = refused = most_lines = 0
    images = IMAGES // 2 if world.quick else IMAGES
    for number in range(images):
        copy = place / f"flipped-{number}"
        shutil.copytree(origin, copy)
        data = bytearray((copy / "data" / NAME).read_bytes())
        for _ in range(FLIPS):
            # After the header of 100 bytes: with a damaged header the server refuses to start.
            data[rng.randrange(100, len(data))] ^= 1 << rng.randrange(8)
        (copy / "data" / NAME).write_bytes(data)
        try:
            with world.server(folder=copy) as server:
                after = await _told(server, ids)
                again = await _told(server, ids)
                lines = server.output.count("\n")
        except TheServerEnded as ended:
            if not any(word in ended.output for word in DAMAGED):
                unforeseen.append(f"image {number}: {ended.output[-200:]}")
            refused += 1
            continue
        most_lines = max(most_lines, lines)
        for id in ids:
            for state in (after[id], again[id]):
                if state["status"] >= 500 and not any(word in state["type"] for word in DAMAGED):
                    unforeseen.append(f"image {number}: {state}")
                elif state["status"] == 200 and state["runs"] != before[id]["runs"]:
                    changed += 1
    world.note(
        holds(
            f"answers of {images} damaged files that name no damage",
            not unforeseen,
            f"{len(unforeseen)}, {refused} refused",
            "none",
        )
    )
    if unforeseen:
        print(f"  ({unforeseen[0]})", flush=True)
    world.note(at_most("answers that are wrong, and do not say so", changed, 0, ""))
    world.note(at_most("lines in the log of a damaged file", most_lines, LOG_LINES, ""))


async def _emptied(world: World, place: Path, origin: Path) -> None:
    """An empty file beside traces of use is not a fresh start."""
    copy = place / "emptied"
    shutil.copytree(origin, copy)
    (copy / "data" / NAME).write_bytes(b"")
    warned = _warned(_output(world, copy))
    world.note(
        holds("an empty file where one was used", warned, "reported" if warned else "silence", "reported")
    )


async def _without_log(world: World, place: Path) -> None:
    """A lost log loses acknowledged commands."""
    folder = place / "without-log"
    folder.mkdir()
    with world.server(folder=folder) as server:
        await _made(server)
        server.end(signal.SIGKILL)
    log = folder / "data" / f"{NAME}-wal"
    there = log.exists() and log.stat().st_size > 0
    log.unlink(missing_ok=True)
    warned = _warned(_output(world, folder))
    figure = ("reported" if warned else "silence") if there else "no log was left by the kill"
    world.note(holds("a log that is lost", there and warned, figure, "reported"))


def _output(world: World, folder: Path) -> str:
    """A server's output for the folder, whether it starts or not."""
    try:
        with world.server(folder=folder) as server:
            return server.output
    except TheServerEnded as ended:
        return ended.output


def _warned(output: str) -> bool:
    lines = output.splitlines()
    return any(
        line.startswith(("WARNING", "ERROR", "fallline:")) and "listens on" not in line for line in lines
    )
