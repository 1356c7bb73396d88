"""`make fulldisk`: a server on a real disk that fills up.

    python tests/chaos/full_disk.py [--acknowledged 400] [--seeds 1 2 3]

The disk is a file system in memory, mounted in a namespace of this process. It needs Linux with user namespaces
(`unshare --user`), but not root. No other process sees the disk, and it ends with the process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

import httpx  # noqa: E402

from chaos.world import Disk, Troubles, chaos  # noqa: E402
from support.serving import created, open_server  # noqa: E402

INSIDE = "--inside"
NEEDS = "it needs Linux with `unshare`, `mount` and user namespaces"


def enter() -> None:
    """Restart this program in a namespace where it may mount."""
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        sys.exit(f"cannot mount a disk: {NEEDS}")
    os.execvp(command[0], [*command, sys.executable, __file__, INSIDE, *sys.argv[1:]])


@contextmanager
def mounted(size: str) -> Iterator[Path]:
    """Mount a file system of this size."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


STEPS = 10
"""Steps of one command: few, since a disk holds 1,500 experiments of 1.3 kB, and each step at first is examined."""


async def filled_by_itself() -> str:
    """Fill a disk of 2 MB, enlarge it, fill it again, and delete until there is room.

    Acknowledged steps are there at each point, also after a restart. Returns a report.
    """
    with mounted("2m") as folder:
        data: dict[str, Any] = {"FALLLINE_DATA": str(folder / "data"), "FALLLINE_STORED_MB": "1000"}
        steps: dict[str, int] = {}
        with open_server(**data) as server:
            async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=60) as client:
                await _until_full(client, steps)
                await _compare(client, steps)
                subprocess.run(["mount", "-o", "remount,size=4m", str(folder)], check=True)
                while (await client.get("/readyz")).status_code == 503:
                    await asyncio.sleep(0.1)
                one = await created(client)
                assert (await one.ask("POST", "/step", {"steps": 5})).is_success
                steps[one.id] = 5
                tokens = await _until_full(client, steps)
                deleted = await _delete_until_there_is_room(client, tokens)
                for id in deleted:
                    del steps[id]
                one = await created(client)
                assert (await one.ask("POST", "/step", {"steps": 5})).is_success
                steps[one.id] = 5
            server.end()
        with open_server(**data) as server:
            async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=60) as client:
                await _compare(client, steps)
    return f"{len(steps)} experiments, none lost, with a larger disk and after {len(deleted)} deletions"


async def _delete_until_there_is_room(client: httpx.AsyncClient, tokens: dict[str, str]) -> list[str]:
    """Return the ids of the deleted experiments."""
    deleted = []
    for id, token in tokens.items():
        answer = await client.delete(
            f"/api/v1/experiments/{id}", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 204, answer.text
        deleted.append(id)
        if (await client.get("/readyz")).status_code == 200:
            return deleted
    raise AssertionError("all experiments are deleted and there is still no room")


async def _until_full(client: httpx.AsyncClient, steps: dict[str, int]) -> dict[str, str]:
    """Create experiments until one is refused.

    Adds their acknowledged steps; returns their tokens.
    """
    tokens: dict[str, str] = {}
    while True:
        answer = await client.post("/api/v1/experiments", json={"data": {"samples": 60}})
        if answer.status_code == 503:
            break
        state = answer.raise_for_status().json()
        steps[state["id"]], tokens[state["id"]] = 0, state["token"]
        headers = {"Authorization": f"Bearer {state['token']}"}
        path = f"/api/v1/experiments/{state['id']}/step"
        answer = await client.post(path, json={"steps": STEPS}, headers=headers)
        if answer.status_code == 503:
            break  # on a slow machine some of these steps are stored already
        steps[state["id"]] = answer.raise_for_status().json()["runs"][0]["step"]
    assert answer.json()["type"] == "/problems/read-only", answer.text
    assert (await client.get("/healthz")).json()["read_only"] is True
    assert (await client.get("/readyz")).status_code == 503
    return tokens


async def _compare(client: httpx.AsyncClient, steps: dict[str, int]) -> None:
    """Check that each experiment is at its acknowledged step."""
    for id, step in steps.items():
        state = (await client.get(f"/api/v1/experiments/{id}")).raise_for_status().json()
        actual = [run["step"] for run in state["runs"]]
        assert all(step <= one <= (step or STEPS) for one in actual), (id, step, actual)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acknowledged", type=int, default=400, help="commands for each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args([each for each in sys.argv[1:] if each != INSIDE])
    print(f"a disk of 2 MB: {asyncio.run(filled_by_itself())}", flush=True)
    failed = False
    troubles = Troubles(kill=6.0, cut=3.0, silence=6.0, full=1.0)
    for mutant, seeds in (("none", options.seeds), ("hasty", options.seeds[:1])):
        for seed in seeds:
            with mounted("64m") as folder:
                disk = Disk(folder)
                report = asyncio.run(
                    chaos(seed, options.acknowledged, clients=3, mutant=mutant, troubles=troubles, disk=disk)
                )
            is_right = not report.wrong and report.refused > 0 if mutant == "none" else bool(report.wrong)
            print(f"seed {seed}, mutant {mutant}: {'' if is_right else 'FAILED: '}{report}", flush=True)
            failed = failed or not is_right
    return 1 if failed else 0


if __name__ == "__main__":
    if INSIDE not in sys.argv:
        enter()
    sys.exit(main())
