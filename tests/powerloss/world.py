"""Those who use a lab over a store whose every write is recorded, and the store opened again as a power loss at any
moment would have left its files.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, select

from chaos.server import hasty
from fallline.execution.delivery import DeliveryQueue
from fallline.runs import books
from fallline.services.lab import Lab
from fallline.storage.sqlite import SqliteStore
from fallline.storage.tables import ANSWER, DATASET, EXPERIMENT, METADATA
from fallline.vocabulary.recipe import Recipe
from powerloss.disk import Disk, Files
from powerloss.recording import Call, Recording
from support.labs import open_lab

Json = dict[str, Any]

MUTANTS = ("off", "normal", "hasty")
"""Without any sync, without those at commits, and with answers that do not wait for the commit."""

LIVES = 3
"""Times that the lab is opened, one after the other, over one store."""

SAVE_SECONDS, AUTOCHECKPOINT = 0.02, 200
"""Less than in life, so that states are stored often, and what is in the log often goes into the file itself."""

RECIPE: Json = {
    "data": {"samples": 60},
    "runs": [{"name": "gd", "learning_rate": 0.01}, {"name": "sgd", "learning_rate": 0.01, "batch_size": 4}],
}


@dataclass(frozen=True)
class Acknowledged:
    """What was answered when so many calls had been made: an answer to a key, a table, or that something is gone.

    Noted besides is that a deletion is asked for: from then on it may be there and may be gone.
    """

    calls: int
    kind: str
    id: str
    token: str = ""
    key: str = ""
    asked: tuple[str, str | None, Json] = ("", None, {})
    answer: Json = field(default_factory=dict)


@dataclass
class Story:
    """The calls, what was acknowledged in between, and everything that the store held after any commit."""

    recording: Recording
    acknowledged: list[Acknowledged] = field(default_factory=list)
    contents: set[bytes] = field(default_factory=set)

    @property
    def calls(self) -> list[Call]:
        return self.recording.calls


@dataclass
class Report:
    """What was tried, and what went wrong."""

    commands: int
    calls: int
    images: int
    seconds: float
    wrong: list[str]

    def __str__(self) -> str:
        told = (
            f"{self.images} images, {self.calls} calls, {self.commands} acknowledged, {self.seconds:.0f} s: "
        )
        return told + (f"{len(self.wrong)} WRONG, {self.wrong[0]}" if self.wrong else "0 lost, 0 half there")


class Watched(SqliteStore):
    """The store, which tells its contents after each commit; with some mutants it is set up in another way."""

    def __init__(self, folder: Path, contents: set[bytes], mutant: str = "none") -> None:
        super().__init__(folder)
        self._contents = contents
        self._mutant = mutant
        self._changes = -1

    def open(self) -> None:
        super().open()
        self._driver.execute(f"PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT}")
        if self._mutant in ("off", "normal"):
            self._driver.execute(f"PRAGMA synchronous = {self._mutant}")
        with self._transaction():
            pass

    @property
    def _driver(self) -> Any:
        assert self._open is not None
        return self._open.connection.driver_connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with super()._transaction() as connection:
            yield connection
        if self._driver.total_changes != self._changes:
            self._changes = self._driver.total_changes
            self._contents.add(content(self))


def content(store: SqliteStore) -> bytes:
    """The digest of everything that is stored."""
    assert store._open is not None
    digest = hashlib.sha256()
    with store._open.begin():
        for table in METADATA.sorted_tables:
            for row in store._open.execute(select(table).order_by(*table.primary_key.columns)):
                digest.update(repr(tuple(row)).encode())
    return digest.digest()


# ---------------------------------------------------------------------- living


class _User:
    """Gives commands, one after the other, to experiments and tables of its own."""

    def __init__(self, story: Story, rng: random.Random, name: int) -> None:
        self._story, self._rng, self._name = story, rng, name
        self._number = 0
        self._mine: list[tuple[str, str]] = []

    async def live(self, lab: Lab, commands: int) -> None:
        for _ in range(commands):
            if not self._mine or (len(self._mine) < 3 and self._rng.random() < 0.1):
                await self._begin(lab)
            else:
                await self._do_something(lab, *self._rng.choice(self._mine))

    async def _begin(self, lab: Lab) -> None:
        state, token = await lab.create(Recipe.model_validate(RECIPE))
        self._mine.append((state["id"], token))
        self._note("created", state["id"])

    async def _do_something(self, lab: Lab, id: str, token: str) -> None:
        self._number += 1
        run, change = self._rng.choice(("gd", "sgd")), {"learning_rate": 0.01 + self._number * 1e-6}
        kinds, shares = ("step", "edit", "reset", "play", "fork", "table", "delete"), (8, 6, 1, 2, 1, 1, 0.5)
        match self._rng.choices(kinds, shares)[0]:
            case "step":
                await self._command(lab, id, token, "step", None, {"steps": self._rng.choice((1, 40, 200))})
            case "edit":
                await self._command(lab, id, token, "edit", run, change)
            case "reset":
                await self._command(lab, id, token, "reset", None, {"run": run})
            case "play":
                await self._command(lab, id, token, "play", None, {"speed": 2000})
                await asyncio.sleep(self._rng.random() / 10)
                await self._command(lab, id, token, "pause", None, {})
            case "fork" if len((await lab.views.state(id))["runs"]) < 5:
                await self._command(lab, id, token, "add_run", None, {"fork_of": run, **change})
            case "table":
                rows = "\n".join(f"{k},{self._rng.random()}" for k in range(4000))
                self._note("table", (await lab.add_table(rows.encode()))["id"])
            case "delete":
                self._mine.remove((id, token))
                self._note("deleting", id)
                await lab.delete(id, token)
                self._note("deleted", id)

    async def _command(self, lab: Lab, id: str, token: str, *asked: Any) -> None:
        key, (do, run, body) = f"{self._name} {self._number} {asked[0]}", asked
        answer = await lab.command(id, token, do, body, run, key)
        self._note("answer", id, token, key, (do, run, body), answer)

    def _note(self, kind: str, id: str, *more: Any) -> None:
        self._story.acknowledged.append(Acknowledged(len(self._story.calls), kind, id, *more))


async def lived(seed: int, commands: int, folder: Path, mutant: str = "none", users: int = 3) -> Story:
    """So many commands of each user, in lives with a clean end after each."""
    recording = Recording(folder)
    story = Story(recording)
    people = [_User(story, random.Random(f"{seed} {name}"), name) for name in range(users)]
    with ExitStack() as stack:
        stack.enter_context(patch.object(books, "SAVE_SECONDS", SAVE_SECONDS))
        stack.enter_context(patch.object(DeliveryQueue, "add", DeliveryQueue.add))
        if mutant == "hasty":
            hasty()
        for _ in range(LIVES):
            async with AsyncExitStack() as life:
                with recording.of_what_is_opened():
                    lab = await life.enter_async_context(open_lab(Watched(folder, story.contents, mutant)))
                await asyncio.gather(*(each.live(lab, commands // LIVES) for each in people))
    return story


# ---------------------------------------------------------------------- losing power


def moments(story: Story, images: int, rng: random.Random) -> list[int]:
    """So many numbers of calls at which the power goes, rising: around syncs, and anywhere."""
    syncs = [number for number, call in enumerate(story.calls) if call.what == "sync"]
    around = [number + after for number in syncs for after in (0, 1)]
    anywhere = range(len(story.calls) + 1)
    return sorted(rng.choice(around if rng.random() < 0.7 else anywhere) for _ in range(images))


async def powerloss(seed: int, commands: int, images: int, mutant: str = "none") -> Report:
    """Live once, lose power at so many moments, and compare what is found with what was acknowledged by then."""
    began, rng, wrong = time.monotonic(), random.Random(seed), []
    with tempfile.TemporaryDirectory() as place:
        story = await lived(seed, commands, Path(place) / "lived", mutant)
        disk, done = Disk(), 0
        for number, moment in enumerate(moments(story, images, rng)):
            disk.take(story.calls[done:moment])
            done, how = moment, Disk.LOSSES[number % len(Disk.LOSSES)]
            found = Path(place) / "found"
            _write(found, disk.lose(how, rng))
            try:
                await check(found, story, moment)
            except Exception as error:
                words = str(error) or type(error).__name__
                wrong.append(f"{how} that was not synced is lost after call {moment}: {words}")
            shutil.rmtree(found)
    return Report(len(story.acknowledged), len(story.calls), images, time.monotonic() - began, wrong)


def _write(folder: Path, files: Files) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.mkdir(exist_ok=True)


async def check(folder: Path, story: Story, moment: int) -> None:
    """It opens, holds what it held after one commit or another, and among that everything acknowledged by then."""
    held = [each for each in story.acknowledged if each.calls <= moment]
    store = SqliteStore(folder)
    store.open()
    try:
        assert content(store) in story.contents, "it holds what was never stored together"
        lost = _lost(held, store)
    finally:
        store.close()
    assert not lost, (
        f"{len(lost)} of {len(held)} acknowledged are lost, the first: {lost[0].kind} {lost[0].key}"
    )
    gone = _deleted(held)
    await _check_a_lab(folder, [each for each in held if each.kind == "answer" and each.id not in gone])


def _deleted(held: list[Acknowledged]) -> set[str]:
    return {each.id for each in held if each.kind == "deleting"}


def _lost(held: list[Acknowledged], store: SqliteStore) -> list[Acknowledged]:
    assert store._open is not None
    with store._open.begin():
        rows = store._open.execute(select(ANSWER.c.experiment, ANSWER.c.key))
        answers = {(row.experiment, row.key) for row in rows}
        experiments = set(store._open.scalars(select(EXPERIMENT.c.id)))
        tables = set(store._open.scalars(select(DATASET.c.id)))
    gone = _deleted(held)
    there: dict[str, Callable[[Acknowledged], bool]] = {
        "created": lambda each: each.id in experiments | gone,
        "answer": lambda each: (each.id, each.key) in answers or each.id in gone,
        "table": lambda each: each.id in tables,
        "deleting": lambda each: True,
        "deleted": lambda each: each.id not in experiments,
    }
    return [each for each in held if not there[each.kind](each)]


async def _check_a_lab(folder: Path, answered: list[Acknowledged]) -> None:
    """A lab starts on it; every experiment can be opened, and the newest answers are given again."""
    store = SqliteStore(folder)
    async with open_lab(store) as lab:
        for known in await lab._keeper.known():
            assert (await lab.views.state(known.id))["runs"]
        for each in answered[-5:]:
            do, run, body = each.asked
            assert await lab.command(each.id, each.token, do, body, run, each.key) == each.answer
