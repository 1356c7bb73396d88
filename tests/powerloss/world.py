"""Users of a lab with a recorded store, and the store after a power loss."""

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
from fallline.execution.in_process import DeliveryQueue
from fallline.runs.persistence import journal_writer
from fallline.services.lab import Lab
from fallline.storage.sqlite import SqliteStore
from fallline.storage.tables import ANSWER, DATASET, EXPERIMENT, METADATA
from fallline.vocabulary.recipe import Recipe
from powerloss.disk import Disk, Files
from powerloss.recording import Call, Recording
from support.aliases import Json
from support.labs import open_lab

MUTANTS = ("off", "normal", "hasty")
"""Without syncs, without syncs at commits, and with answers before the commit."""

LIVES = 3
"""Number of times that the lab is opened on the store."""

SAVE_SECONDS, AUTOCHECKPOINT = 0.02, 200
"""Smaller than usual, so that states are stored often and checkpoints of the log are frequent."""

RECIPE: Json = {
    "data": {"samples": 60},
    "runs": [{"name": "gd", "learning_rate": 0.01}, {"name": "sgd", "learning_rate": 0.01, "batch_size": 4}],
}


@dataclass(frozen=True)
class Acknowledged:
    """An acknowledgement after this many calls: an answer, a table, or a deletion.

    The start of a deletion is recorded too: from then on, the experiment may exist or not.
    """

    calls: int
    kind: str
    id: str
    token: str = ""
    key: str = ""
    command: tuple[str, str | None, Json] = ("", None, {})
    answer: Json = field(default_factory=dict)


@dataclass
class Story:
    """The calls, the acknowledgements, and the digests of the store after each commit."""

    recording: Recording
    acknowledged: list[Acknowledged] = field(default_factory=list)
    contents: set[bytes] = field(default_factory=set)

    @property
    def calls(self) -> list[Call]:
        return self.recording.calls


@dataclass
class Report:
    """Counts and errors."""

    commands: int
    calls: int
    images: int
    seconds: float
    wrong: list[str]

    def __str__(self) -> str:
        text = (
            f"{self.images} images, {self.calls} calls, {self.commands} acknowledged, {self.seconds:.0f} s: "
        )
        return text + (f"{len(self.wrong)} WRONG, {self.wrong[0]}" if self.wrong else "0 lost, 0 half there")


class Watched(SqliteStore):
    """The store, which adds a digest to `contents` after each commit.

    Some mutants change its settings.
    """

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
    """Return the digest of all stored rows."""
    assert store._open is not None
    digest = hashlib.sha256()
    with store._open.begin():
        for table in METADATA.sorted_tables:
            for row in store._open.execute(select(table).order_by(*table.primary_key.columns)):
                digest.update(repr(tuple(row)).encode())
    return digest.digest()


# ---------------------------------------------------------------------- living


class _User:
    """Sends commands, one after the other, to its own experiments and tables."""

    def __init__(self, story: Story, rng: random.Random, name: int) -> None:
        self._story, self._rng, self._name = story, rng, name
        self._number = 0
        self._experiments: list[tuple[str, str]] = []

    async def live(self, lab: Lab, commands: int) -> None:
        for _ in range(commands):
            if not self._experiments or (len(self._experiments) < 3 and self._rng.random() < 0.1):
                await self._begin(lab)
            else:
                await self._do_something(lab, *self._rng.choice(self._experiments))

    async def _begin(self, lab: Lab) -> None:
        state, token = await lab.create(Recipe.model_validate(RECIPE))
        self._experiments.append((state["id"], token))
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
                self._experiments.remove((id, token))
                self._note("deleting", id)
                await lab.delete(id, token)
                self._note("deleted", id)

    async def _command(self, lab: Lab, id: str, token: str, *command: Any) -> None:
        key, (do, run, body) = f"{self._name} {self._number} {command[0]}", command
        answer = await lab.command(id, token, do, body, run, key)
        self._note("answer", id, token, key, (do, run, body), answer)

    def _note(self, kind: str, id: str, *more: Any) -> None:
        self._story.acknowledged.append(Acknowledged(len(self._story.calls), kind, id, *more))


async def record_lives(seed: int, commands: int, folder: Path, mutant: str = "none", users: int = 3) -> Story:
    """Run the commands of each user, in several lives that end cleanly."""
    recording = Recording(folder)
    story = Story(recording)
    people = [_User(story, random.Random(f"{seed} {name}"), name) for name in range(users)]
    with ExitStack() as stack:
        stack.enter_context(patch.object(journal_writer, "SAVE_SECONDS", SAVE_SECONDS))
        stack.enter_context(patch.object(DeliveryQueue, "add", DeliveryQueue.add))
        if mutant == "hasty":
            hasty()
        for _ in range(LIVES):
            async with AsyncExitStack() as life:
                with recording.recorded():
                    lab = await life.enter_async_context(open_lab(Watched(folder, story.contents, mutant)))
                await asyncio.gather(*(each.live(lab, commands // LIVES) for each in people))
    return story


# ---------------------------------------------------------------------- losing power


def moments(story: Story, images: int, rng: random.Random) -> list[int]:
    """Return sorted call numbers for power losses: around syncs, and anywhere."""
    syncs = [number for number, call in enumerate(story.calls) if call.what == "sync"]
    around = [number + after for number in syncs for after in (0, 1)]
    anywhere = range(len(story.calls) + 1)
    return sorted(rng.choice(around if rng.random() < 0.7 else anywhere) for _ in range(images))


async def powerloss(seed: int, commands: int, images: int, mutant: str = "none") -> Report:
    """Record once, lose power at many calls, and compare with the acknowledgements."""
    began, rng, wrong = time.monotonic(), random.Random(seed), []
    with tempfile.TemporaryDirectory() as place:
        story = await record_lives(seed, commands, Path(place) / "lived", mutant)
        disk, done = Disk(), 0
        for number, moment in enumerate(moments(story, images, rng)):
            disk.apply(story.calls[done:moment])
            done, how = moment, Disk.LOSSES[number % len(Disk.LOSSES)]
            folder = Path(place) / "after"
            _write(folder, disk.lose(how, rng))
            try:
                await check(folder, story, moment)
            except Exception as error:
                text = str(error) or type(error).__name__
                wrong.append(f"{how} of the unsynced calls lost after call {moment}: {text}")
            shutil.rmtree(folder)
    return Report(len(story.acknowledged), len(story.calls), images, time.monotonic() - began, wrong)


def _write(folder: Path, files: Files) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.mkdir(exist_ok=True)


async def check(folder: Path, story: Story, moment: int) -> None:
    """Check that the store opens at a commit with everything acknowledged by then."""
    acknowledged = [each for each in story.acknowledged if each.calls <= moment]
    store = SqliteStore(folder)
    store.open()
    try:
        assert content(store) in story.contents, "its content is not that of any commit"
        lost = _lost(acknowledged, store)
    finally:
        store.close()
    assert not lost, (
        f"{len(lost)} of {len(acknowledged)} acknowledged are lost, the first: {lost[0].kind} {lost[0].key}"
    )
    deleted = _deleted(acknowledged)
    await _check_a_lab(
        folder, [each for each in acknowledged if each.kind == "answer" and each.id not in deleted]
    )


def _deleted(acknowledged: list[Acknowledged]) -> set[str]:
    return {each.id for each in acknowledged if each.kind == "deleting"}


def _lost(acknowledged: list[Acknowledged], store: SqliteStore) -> list[Acknowledged]:
    assert store._open is not None
    with store._open.begin():
        rows = store._open.execute(select(ANSWER.c.experiment, ANSWER.c.key))
        answers = {(row.experiment, row.key) for row in rows}
        experiments = set(store._open.scalars(select(EXPERIMENT.c.id)))
        tables = set(store._open.scalars(select(DATASET.c.id)))
    marked = {each.id for each in store.experiments() if each.deletion is not None}  # can be undone
    deleted = _deleted(acknowledged)
    there: dict[str, Callable[[Acknowledged], bool]] = {
        "created": lambda each: each.id in experiments | deleted,
        "answer": lambda each: (each.id, each.key) in answers or each.id in deleted,
        "table": lambda each: each.id in tables,
        "deleting": lambda each: True,
        "deleted": lambda each: each.id not in experiments - marked,
    }
    return [each for each in acknowledged if not there[each.kind](each)]


async def _check_a_lab(folder: Path, answered: list[Acknowledged]) -> None:
    """Check that a lab starts, opens every experiment, and repeats the newest answers."""
    store = SqliteStore(folder)
    async with open_lab(store) as lab:
        for each in await lab._store.experiments():
            if each.deletion is not None:
                assert each.id not in lab._registry.entries
                continue
            assert (await lab.views.state(each.id))["runs"]
        for past in answered[-5:]:
            do, run, body = past.command
            assert await lab.command(past.id, past.token, do, body, run, past.key) == past.answer
