"""A class of people, simulated in a process of its own: each opens the page and an experiment, plays and edits.

Run by `siege.force`; it prints one JSON line for each phase. Loopback only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from siege.force import say
from soak.page import LOST, Person, start
from support.aliases import Json

AT_ONCE = 100
"""Requests for the state of people at once."""

TRIES, AGAIN_SECONDS = 10, 1.0
"""Requests for the state of one person, until there is an answer, and the time between two: a server that has ended
comes back.
"""

TROUBLES = ("silent", "slow", "cut")


async def come(
    port: int,
    people: int,
    arriving: float,
    playing: float,
    suffering: float,
    troubled: int,
    assets: list[str],
) -> None:
    """Open `people` pages within `arriving` seconds, and play for `playing` seconds.

    Then `troubled` people of each trouble suffer for `suffering` seconds. At last all stay and report who is back. The
    phases are printed as they end.
    """
    crowd = [Person(port, assets) for _ in range(people)]
    await asyncio.gather(*(_arrive(each, arriving * place / people) for place, each in enumerate(crowd)))
    opened = [each for each in crowd if each.opened]
    say(
        {
            "phase": "opened",
            "people": len(opened),
            "seconds": [each.opened for each in opened],
            "bytes": max((each.wire_bytes for each in crowd), default=0),
            "errors": _taken(crowd),
        }
    )
    await asyncio.gather(*(each.play() for each in opened))
    for each in opened:
        start(each.edit_for_ever())
    say({"phase": "playing", "errors": _taken(crowd)})
    say(await _phase("played", opened, playing))
    for place, trouble in enumerate(TROUBLES):
        for each in opened[place * troubled : (place + 1) * troubled]:
            each.suffer(trouble)
    say({"phase": "suffering", "errors": _taken(crowd)})
    say(await _phase("suffered", opened, suffering))
    for each in opened:
        if each.trouble:
            each.suffer("")
    await _stay(opened)


async def _phase(name: str, people: list[Person], seconds: float) -> Json:
    """Let it last for `seconds`, and return what people measured; steps are of those without trouble.

    A person who reads nothing counts as absent. All absent people of one address share the time of one person.
    """
    well = [each for each in people if not each.trouble]
    before = await _steps(well)
    for each in people:
        each.forget()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    report = {
        "phase": name,
        "people": len(well),
        "seconds": took,
        "bytes": _all(each.frames for each in well),
        "commands": _all(each.commands for each in well),
        "looks": sum(each.looks for each in well),
        "look_bytes": sum(each.look_bytes for each in well),
        "stale": _all(each.stale for each in people),
        "returns": _all(each.returns for each in people),
        "holes": sum(each.holes for each in people),
        "errors": _taken(people),
    }
    after = await _steps(well)
    return {**report, "steps": [later - earlier for earlier, later in zip(before, after, strict=True)]}


async def _stay(people: list[Person]) -> None:
    """The server ends twice: report who is gone, and what was lost once all are back."""
    were_gone = 0
    while True:
        await asyncio.sleep(0.25)
        absent = sum(each.is_gone for each in people)
        say({"phase": "here", "at": time.time(), "gone": absent})
        if were_gone and not absent:
            at = time.time()
            lost, acknowledged = await _lost(people)
            say(
                {
                    "phase": "back",
                    "at": at,
                    "acknowledged": acknowledged,
                    "lost": lost,
                    "errors": _taken(people),
                }
            )
        were_gone = absent


async def _lost(people: Sequence[Person]) -> tuple[int, int]:
    """How many acknowledged changes the server has forgotten, and of how many.

    People go on changing while the states come, so only those count that were acknowledged before, and still are the
    last ones: a later change at the same step takes their place.
    """
    before = [dict(each.acknowledged) for each in people]
    states = await _states(people)
    lost = sum(map(_lost_of, people, before, states))
    return lost, sum(map(len, before))


def _lost_of(person: Person, before: dict[str, float], state: Json) -> int:
    runs = {run["name"]: run for run in state["recipe"]["runs"]}
    rates = {name: {edit.get("learning_rate") for edit in run["edits"]} for name, run in runs.items()}
    return sum(rate not in rates[run] and person.acknowledged[run] == rate for run, rate in before.items())


async def _arrive(person: Person, at: float) -> None:
    await asyncio.sleep(at)
    try:
        await person.open()
    except LOST as error:
        person.errors.append(f"open: {error!r}")


async def _steps(people: Sequence[Person]) -> list[int]:
    """Steps of each person's runs, of nearly one moment."""
    return [sum(run["step"] for run in state["runs"]) for state in await _states(people)]


async def _states(people: Sequence[Person]) -> list[Json]:
    """The experiment of each person: few at once, 300 would take minutes. The server may end meanwhile."""
    few = asyncio.Semaphore(AT_ONCE)

    async def state_of(person: Person) -> Json:
        async with few:
            for _ in range(TRIES):
                try:
                    return await person.state()
                except LOST as error:
                    person.errors.append(f"state: {error!r}")
                    await asyncio.sleep(AGAIN_SECONDS)
            raise TimeoutError("no answer about one person's experiment")

    return await asyncio.gather(*map(state_of, people))


def _all(lists: Iterable[Sequence[float]]) -> list[float]:
    return [number for each in lists for number in each]


def _taken(crowd: list[Person]) -> list[str]:
    """Take the errors of all people."""
    errors = [error for each in crowd for error in each.errors]
    for each in crowd:
        each.errors.clear()
    return errors
