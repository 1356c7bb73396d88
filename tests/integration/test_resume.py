"""A connection cut during training: the reader resumes without a gap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from support.aliases import Json
from support.readers import Reader, as_buckets, assert_equal
from support.serving import Server, open_server

CUT_STEPS = 1_100
"""More than the history keeps step by step, which are 1,024."""

PATIENCE = 90.0
"""Seconds, for a machine that has other things to do."""


async def watch(line: ClientConnection, id: str, reader: Reader) -> None:
    message = {"type": "watch", "experiment": id, "fps": 20, "buckets": 60, "since": reader.since()}
    await line.send(json.dumps(message))


async def follow(line: ClientConnection, reader: Reader, holds: Callable[[], bool]) -> None:
    """Apply and acknowledge frames until the condition holds."""
    resumed = True
    while not holds():
        message = json.loads(await asyncio.wait_for(line.recv(), PATIENCE))
        if message["type"] == "frame":
            reader.take(message, resumed=resumed)
            resumed = False
            await line.send(json.dumps({"type": "got", "frame": message["frame"]}))


def over(seconds: float) -> Callable[[], bool]:
    """Return a condition that holds after so many seconds."""
    end = asyncio.get_running_loop().time() + seconds
    return lambda: asyncio.get_running_loop().time() > end


async def steps(http: httpx.AsyncClient, here: str) -> dict[str, int]:
    return {run["name"]: run["step"] for run in (await http.get(here)).json()["runs"]}


async def history(http: httpx.AsyncClient, here: str, run: str) -> list[Json]:
    answer = await http.get(f"{here}/runs/{run}/history", params={"buckets": 10_000})
    return as_buckets(answer.json())


@pytest.mark.parametrize("cut", [CUT_STEPS, pytest.param(4_000, marks=pytest.mark.long)])
async def test_a_socket_cut_in_mid_training_resumes_without_a_gap(cut: int) -> None:
    """One speed has a bucket per step, the other merged buckets; both run at once."""
    with open_server() as server:
        async with httpx.AsyncClient(
            base_url=f"{server.url.rstrip(chr(47))}/api/v1", timeout=PATIENCE
        ) as http:
            try:
                await asyncio.gather(*[cut_and_resumed(server, http, speed, cut) for speed in (200, "max")])
            finally:
                print(server.output)  # shown if the test fails


async def cut_and_resumed(server: Server, http: httpx.AsyncClient, speed: float | str, cut: int) -> None:
    created = (await http.post("/experiments", json={"data": {"test_fraction": 0.25}})).json()
    here = f"/experiments/{created['id']}"
    auth = {"Authorization": f"Bearer {created['token']}"}
    await http.post(f"{here}/play", json={"speed": speed}, headers=auth)
    reader, stream = Reader(), server.socket_url
    async with connect(stream, max_size=None) as line:
        await watch(line, created["id"], reader)
        is_over = over(2)
        await follow(line, reader, lambda: is_over() and len(reader.ends()) == 2)
        line.transport.abort()
    before = reader.ends()
    async with asyncio.timeout(PATIENCE):
        while any(step <= before[run] + cut for run, step in (await steps(http, here)).items()):
            await asyncio.sleep(0.1)
    async with connect(stream, max_size=None) as line:
        await watch(line, created["id"], reader)
        await follow(line, reader, over(2))
        paused = (await http.post(f"{here}/pause", headers=auth)).json()
        there = {run["name"]: run["step"] - 1 for run in paused["runs"]}
        await follow(line, reader, lambda: reader.ends() == there)
    for run in ("gd", "sgd"):
        assert there[run] > before[run] + cut
        stored = await history(http, here, run)
        # In a thread: a blocked event loop reads nothing, and the server would cut it as a stalled reader.
        assert await asyncio.to_thread(assert_equal, reader.buckets[run], stored) > 20
