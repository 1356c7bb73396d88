"""Attack 5: long step jobs whose callers hang up."""

from __future__ import annotations

import asyncio
import contextlib
import time

from siege.attacks.crowd import NOISE, TINY, new_key
from siege.force import force, say
from siege.report import at_least, at_most, holds
from siege.server import Server
from siege.wire import API, Http
from siege.world import World

TITLE = "a hundred jobs whose callers have left"
JOBS = 100
FAIR = 1 / 2
"""The jobs share one owner's share."""

ABANDONED_SECONDS = 30.0
CONTINUED_STEPS = 400_000


async def siege(world: World) -> None:
    with world.server() as server:
        async with world.person(server) as person:
            await person.phase(2)
            quiet = await person.phase(5)
            async with force(abandon, server.port, 120, jobs=JOBS) as attack:
                jobs = (await attack.until_said(JOBS + 1, 40))[:JOBS]
                left = time.perf_counter()
                attacked = await person.phase(6)
            await asyncio.sleep(max(0.0, left + ABANDONED_SECONDS + 3 - time.perf_counter()))
            before = [await _steps(server, id) for id, *_ in jobs]
            after = await person.fastest_phase(4, NOISE * quiet.rate)
            moving = sum(
                [await _steps(server, id) != then for (id, *_), then in zip(jobs, before, strict=True)]
            )
            answer = await _continued(server, jobs[-1]) if jobs else 0
        # A machine's own speed changes within a minute: it is taken before the attack and after it.
        usual = (quiet.rate + after.rate) / 2
        world.note(
            at_least(f"training beside {len(jobs)} jobs", attacked.rate, NOISE * FAIR * usual, "steps/s")
        )
        world.note(at_most("jobs that go on 33 s after their callers left", moving, 0, ""))
        world.note(at_least("training then", after.rate, NOISE * quiet.rate, "steps/s"))
        what, goal = "the same key brings a job to its target", f"{CONTINUED_STEPS:,}"
        world.note(holds(what, answer == CONTINUED_STEPS, f"{answer:,}", goal))
        print(f"  (quiet: {quiet}; attacked: {attacked}; after: {after})", flush=True)


async def _steps(server: Server, id: str) -> int:
    http = Http(server.port)
    try:
        state = (await http.ask("GET", f"{API}/experiments/{id}", seconds=10)).json()
        return sum(run["step"] for run in state["runs"])
    except (OSError, TimeoutError, asyncio.IncompleteReadError, KeyError):
        return -1
    finally:
        http.close()


async def _continued(server: Server, job: list[str]) -> int:
    """The step that a repeat of the job reaches."""
    id, token, key = job
    http = Http(server.port)
    body, path = {"steps": CONTINUED_STEPS}, f"{API}/experiments/{id}/step"
    try:
        reply = await http.ask("POST", path, body, token=token, seconds=25, Idempotency_Key=key)
        return int(reply.json()["runs"][0]["step"]) if reply.status == 200 else -reply.status
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return 0
    finally:
        http.close()


async def abandon(port: int, jobs: int) -> None:
    """Request that many long jobs and hang up. The last is short enough to be continued."""
    for number in range(jobs):
        http, key, is_last = Http(port), new_key(), number == jobs - 1
        recipe = TINY if is_last else {}
        state = (
            await http.ask("POST", f"{API}/experiments", recipe, seconds=30, Fallline_Owner=new_key())
        ).json()
        path, steps = f"{API}/experiments/{state['id']}/step", CONTINUED_STEPS if is_last else 1_000_000
        with contextlib.suppress(TimeoutError, OSError):
            await http.ask(
                "POST", path, {"steps": steps}, token=state["token"], seconds=0.05, Idempotency_Key=key
            )
        say([state["id"], state["token"], key])
    say("begun")
