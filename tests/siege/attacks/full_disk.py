"""Attack 11: a full disk. Deletions must succeed, and free space.

The disk is a small memory file system in the server's own namespace, so root is not needed.
"""

from __future__ import annotations

import asyncio
import subprocess
import time

from siege.report import all_of, holds
from siege.server import DISK, Server
from siege.wire import API, Http, Reply
from siege.world import World

TITLE = "a full disk"
SIZE = "2m"
FILL_SECONDS, ROOM_SECONDS = 40.0, 10.0
EDITS = [{"at_step": 100_000 + step, "learning_rate": 0.01} for step in range(500)]
RECIPE = {"data": {"samples": 60}, "runs": [{"edits": EDITS}]}
"""Some 20 KB to store, and quick to make and to step."""

NEEDS = "Linux whose users may have a namespace of their own (unshare --user --mount)"


async def siege(world: World) -> None:
    if subprocess.run([*DISK, "true"], check=False, capture_output=True).returncode:
        world.note(holds("a disk of one's own", True, "not measured", f"needs {NEEDS}"))
        return
    with world.server(disk=SIZE, FALLLINE_STORED_MB="1000") as server:
        created = await _filled(server)
        world.note(
            holds(
                "the disk fills up and changes get 503", bool(created), f"{len(created)} made", "at least one"
            )
        )
        if not created:
            return
        deleted = [
            (await _ask(server, "DELETE", f"{API}/experiments/{id}", token=token)).status
            for id, token in created[: 3 * len(created) // 4]
        ]
        successes = deleted.count(204)
        world.note(all_of("DELETE on the full disk", successes, len(deleted)))
        status, began = 0, time.monotonic()
        while status != 201 and time.monotonic() - began < ROOM_SECONDS:
            await asyncio.sleep(0.2)
            status = (await _ask(server, "POST", f"{API}/experiments", RECIPE)).status
        world.note(holds("a new experiment once most are deleted", status == 201, str(status), "201"))
        remaining = [(await _ask(server, "GET", f"{API}/experiments/{id}")).status for id, _ in created[-2:]]
        world.note(holds("what was not deleted", set(remaining) == {200}, str(remaining), "200"))


async def _filled(server: Server) -> list[tuple[str, str]]:
    """The experiments that fit on the disk."""
    created: list[tuple[str, str]] = []
    began = time.monotonic()
    while time.monotonic() - began < FILL_SECONDS:
        reply = await _ask(server, "POST", f"{API}/experiments", RECIPE)
        if reply.status == 503:
            return created
        state = reply.json()
        created.append((state["id"], state["token"]))
        path = f"{API}/experiments/{state['id']}/step"
        reply = await _ask(server, "POST", path, {"steps": 10}, token=state["token"])
        if reply.status == 503:
            return created
    return []


async def _ask(
    server: Server, method: str, path: str, body: object = None, token: str | None = None
) -> Reply:
    http = Http(server.port)
    try:
        return await http.ask(method, path, body, token=token, seconds=20)
    finally:
        http.close()
