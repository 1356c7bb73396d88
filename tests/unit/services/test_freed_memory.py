"""Closed experiments are freed at once: garbage of cycles stays until a pass that stops everything.

With it, eight of the largest experiments that were made and put away one after another took 200 MB beyond the limit.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import ref

import pytest

from fallline.runs.experiment import Experiment
from fallline.runs.run import Run
from fallline.services.lab import Lab
from support.labs import Lasting, created, examined, open_lab

SECONDS = 60.0


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ref[Any]]]:
    """All experiments and runs made from now on. The garbage collector is off."""
    references: list[ref[Any]] = []
    for kind in (Experiment, Run):
        monkeypatch.setattr(kind, "__init__", noting(kind.__init__, references))
    gc.collect()
    gc.disable()
    yield references
    gc.enable()


def noting(init: Any, references: list[ref[Any]]) -> Any:
    def noted(self: object, *arguments: Any, **named: Any) -> None:
        references.append(ref(self))
        init(self, *arguments, **named)

    return noted


async def until_freed(parts: list[ref[Any]]) -> None:
    """Wait until all are freed. The threads may still be dropping their last references."""
    async with asyncio.timeout(SECONDS):
        while any(part() is not None for part in parts):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def lived(parts: list[ref[Any]]) -> AsyncIterator[tuple[Lab, str, str]]:
    """An experiment that has played, was edited and was examined."""
    async with open_lab(Lasting()) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        await asyncio.sleep(0.1)
        await lab.command(id, token, "pause", {})
        await lab.command(id, token, "edit", {"learning_rate": 0.001}, run="gd")
        await lab.command(id, token, "step", {"steps": 100})
        await examined(lab, id)
        assert sum(part() is not None for part in parts) == 3
        yield lab, id, token


async def test_of_an_evicted_experiment_nothing_is_left(parts: list[ref[Any]]) -> None:
    async with lived(parts) as (lab, id, _):
        await evict(lab, id)
        await until_freed(parts)


async def test_of_an_experiment_that_was_reopened_nothing_is_left(parts: list[ref[Any]]) -> None:
    async with lived(parts) as (lab, id, _):
        await evict(lab, id)
        await lab.views.state(id)
        await evict(lab, id)
        await until_freed(parts)


async def test_of_a_deleted_experiment_nothing_is_left(parts: list[ref[Any]]) -> None:
    async with lived(parts) as (lab, id, token):
        await lab.delete(id, token)
        await until_freed(parts)


async def evict(lab: Lab, id: str) -> None:
    entry = lab._registry.entries[id]
    lab._loader._evict(id, entry)
    assert entry.closing is not None
    await entry.closing
