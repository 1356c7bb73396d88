"""Longest block of the event loop by one body, message or address of up to 64 KiB.

python benchmarks/bench_bodies.py [--quick]

All requests of `hostile_bodies` go through the whole application, in this process. The measurement is the longest
turn of the event loop for each; nothing trains meanwhile. The slowest are repeated, and the shortest time of each
counts, since other programs only add to it. Prints one line for each of the slowest, and fails above the goal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from fallline.bootstrap import create_app
from fallline.execution.memory import settle
from fallline.settings import Settings
from hostile_bodies import Line, Request, ask, requests, texts

GOAL_MS = 20.0
SLOWEST = 20
AGAIN = 10
EVERY_QUICK = 7
"""With --quick, one of so many requests is sent."""


@dataclass(slots=True)
class Turns:
    """The longest turn of the event loop so far, in milliseconds.

    By the clock, and by its thread's processor time.
    """

    wall: float = 0.0
    processor: float = 0.0

    def shorter(self, other: Turns) -> Turns:
        """The shorter of both, by each of the two."""
        return Turns(min(self.wall, other.wall), min(self.processor, other.processor))


@contextmanager
def timed_turns() -> Iterator[Turns]:
    """Time every turn of asyncio's event loop."""
    turns, run = Turns(), asyncio.events.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began, used = time.perf_counter(), time.thread_time()
        run(handle)
        turns.processor = max(turns.processor, 1e3 * (time.thread_time() - used))
        turns.wall = max(turns.wall, 1e3 * (time.perf_counter() - began))

    with patch.object(asyncio.events.Handle, "_run", timed):
        yield turns


class Asker:
    """Sends requests one after the other, each with a fresh small experiment."""

    def __init__(self, app: Any, turns: Turns) -> None:
        self._app = app
        self._turns = turns

    async def measure(self, request: Request) -> Turns:
        """The longest turn that the request caused."""
        state = await self._made()
        id, token = state["id"], state["token"]
        if request.method:
            asking = asyncio.create_task(ask(self._app, request, id, token))  # a task starts in its own turn
            self._begin()
            status, answer = await asking
            longest = replace(self._turns)
            assert status < 500, (request.what, status, answer)
            if request.path == "/api/v1/experiments" and status == 201:
                created = self._parsed(answer)
                await self._delete(created["id"], created["token"])
        else:
            line = Line(self._app, id, token)
            await line.watches()
            self._begin()
            await line.ask(request.body)
            longest = replace(self._turns)
        await self._delete(id, token)
        return longest

    def _begin(self) -> None:
        self._turns.wall = self._turns.processor = 0.0

    async def _made(self) -> dict[str, Any]:
        small = Request("", "POST", "/api/v1/experiments", '{"data":{"samples":20}}')
        return self._parsed((await ask(self._app, small, "", ""))[1])

    async def _delete(self, id: str, token: str) -> None:
        await ask(self._app, Request("", "DELETE", "/api/v1/experiments/{id}"), id, token)

    @staticmethod
    def _parsed(answer: bytes) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(answer)
        return document


async def measured(quick: bool) -> bool:
    chosen = [request for request, _ in (*requests(), *texts())][:: EVERY_QUICK if quick else 1]
    settings = Settings(
        data=None, requests_per_second=1e6, commands_per_second=1e6, unused_creations=1_000_000
    )
    app = create_app(settings)
    with timed_turns() as turns:
        async with app.router.lifespan_context(app):
            settle()
            asker = Asker(app, turns)
            results = [(await asker.measure(request), request) for request in chosen]
            results.sort(key=lambda each: each[0].wall, reverse=True)
            for place, (longest, request) in enumerate(results[:SLOWEST]):
                for _ in range(AGAIN):
                    longest = longest.shorter(await asker.measure(request))
                results[place] = (longest, request)
    slowest = sorted(results[:SLOWEST], key=lambda each: each[0].wall, reverse=True)
    for longest, request in slowest:
        size = f"{len(request.body or request.query):,} bytes"
        print(
            f"{request.what:<72} {size:>13} {longest.wall:>6.1f} ms, {longest.processor:.1f} of a processor",
            flush=True,
        )
    worst = slowest[0][0].wall
    print(f"the longest turn that one of {len(chosen):,} takes: {worst:.1f} ms, goal {GOAL_MS:g} ms")
    return worst <= GOAL_MS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="some of them only")
    if not asyncio.run(measured(parser.parse_args().quick)):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
