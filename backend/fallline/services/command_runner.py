"""Runs each command on its experiment: once for a key, and to its end with or without callers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from fallline.execution.interface import Executor, Later
from fallline.runs.experiment import Experiment
from fallline.runs.undoing import UndoKey
from fallline.services.background import Background
from fallline.vocabulary.commands import AddRun, Command, EditRun, Pause, Play, RemoveRun, Reset, Step, Undo
from fallline.vocabulary.errors import FalllineError, KeyReused, Unattended, invalid
from fallline.vocabulary.journal import Json, Receipt
from fallline.vocabulary.recipe import RunRecipe


class CommandRunner:
    """Runs commands between two slices."""

    def __init__(self, executor: Executor, background: Background, age: Callable[[], float]) -> None:
        """`age` gives seconds, on a clock that goes on after a restart."""
        self._executor = executor
        self._background = background
        self._age = age

    def do(self, id: str, command: Command, run: str | None, receipt: Receipt | None) -> SharedTask[Json]:
        """Run the command for its REST answer. A `receipt` is stored with its effects."""
        caller = object()
        return SharedTask(
            self._do(id, command, run, receipt, caller),
            left=lambda: self._report(id, lambda one, now: one.note_caller(caller, now)),
            back=lambda: self._report(id, lambda one, _: one.note_caller(caller, None)),
        )

    def _report(self, id: str, call: Callable[[Experiment, float], None]) -> None:
        async def report() -> None:
            with contextlib.suppress(FalllineError):  # deleted meanwhile
                await self._executor.ask(id, call)

        self._background.begin(report())

    async def _do(
        self, id: str, command: Command, run: str | None, receipt: Receipt | None, caller: object
    ) -> Json:
        ask = partial(self._executor.ask, receipt=receipt)
        match command:
            case Play(speed=speed, pace=pace, until=until):
                limit = None if speed == "max" else float(speed)
                return await ask(id, lambda one, now: one.play(limit, pace, now, until))
            case Pause():
                return await self._later(id, _pause, receipt)
            case Step():
                return await self._step(id, command, receipt, caller)
            case Reset(run=only):
                undo = self._undo_key(id)
                return await ask(id, lambda one, now: one.reset(only, now, undo))
            case EditRun():
                return await ask(id, lambda one, now: one.edit(_required(run), command, now))
            case RemoveRun():
                undo = self._undo_key(id)
                return await ask(id, lambda one, now: one.remove_run(_required(run), now, undo))
            case Undo(undo=change):
                key = UndoKey(f"{id}.{change}", self._age())
                return await self._later(id, lambda one, now, done: one.undo(key, now, done), receipt)
            case AddRun():
                return await self._add_run(id, command, receipt)

    def _undo_key(self, id: str) -> UndoKey:
        """Return a new id, after the experiment's id, and the time."""
        return UndoKey(f"{id}.{secrets.token_hex(8)}", self._age())

    async def _step(self, id: str, step: Step, receipt: Receipt | None, caller: object) -> Json:
        def begin(experiment: Experiment, now: float, done: Later) -> None:
            experiment.step(
                now, done, steps=step.steps, epochs=step.epochs, run=step.run, receipt=receipt, caller=caller
            )

        return await self._later(id, begin, receipt)

    async def _add_run(self, id: str, command: AddRun, receipt: Receipt | None) -> Json:
        if command.fork_of is not None:
            return await self._later(id, lambda one, now, done: one.fork(command, now, done), receipt)
        has_name = "name" in command.model_fields_set
        recipe = RunRecipe.model_validate(
            command.model_dump(mode="json", include=set(RunRecipe.model_fields))
        )
        return await self._executor.ask(
            id, lambda one, now: one.add_run(recipe, has_name, now), receipt=receipt
        )

    async def _later(
        self, id: str, begin: Callable[[Experiment, float, Later], None], receipt: Receipt | None
    ) -> Json:
        answer: Json = await self._executor.ask_later(id, begin, receipt)
        return answer


def _pause(experiment: Experiment, now: float, done: Later) -> None:
    experiment.pause(now)
    experiment.when_evaluated(experiment.state, done)


def _required(run: str | None) -> str:
    if run is None:
        raise invalid("/run", "is required: the name of the run")
    return run


KEY_BYTES = 300
"""Memory of a key and its digest, in bytes."""


class KeyedCommands:
    """The keyed commands of one experiment.

    `answered` holds the stored ones and `unfinished` the interrupted ones, each with the digest of its content. `read`
    returns the stored answer to a key.
    """

    def __init__(
        self,
        answered: Mapping[str, bytes],
        unfinished: Mapping[str, bytes],
        read: Callable[[str], Awaitable[Json]],
    ) -> None:
        self._answered = dict(answered)
        self._unfinished = dict(unfinished)
        self._read = read
        self._running: dict[str, tuple[bytes, SharedTask[Json]]] = {}

    @property
    def nbytes(self) -> int:
        """Memory of the keys in bytes, estimated."""
        return KEY_BYTES * (len(self._answered) + len(self._unfinished) + len(self._running))

    def knows(self, key: str | None) -> bool:
        """Return whether a command with this key has begun."""
        return key in self._answered or key in self._unfinished or key in self._running

    async def once(
        self,
        key: str,
        content: object,
        do: Callable[[Receipt], SharedTask[Json]],
        disconnected: Disconnected | None,
    ) -> Json:
        """Return the answer of `do(receipt)`, which runs once for a key.

        `content` is the command as plain JSON. Raises KeyReused for the same key with other content. A failed
        command changed nothing, so its key stays free. The function `do` must store the receipt with the command's
        effects. The future `disconnected` is done when the caller's connection has ended.
        """
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
        before = self._answered.get(key) or self._unfinished.get(key)
        if key in self._running:
            before, task = self._running[key]
        if before is not None and before != digest:
            raise KeyReused("this key was used for a command with other content: send a new key")
        if key in self._running:
            return await task.wait(disconnected)
        if key in self._answered:
            return await self._read(key)
        receipt = Receipt(key, digest)
        task = do(receipt)
        self._running[key] = (digest, task)
        task.result.add_done_callback(partial(self._done, receipt))
        return await task.wait(disconnected)

    def _done(self, receipt: Receipt, result: asyncio.Future[Json]) -> None:
        del self._running[receipt.key]
        # Always retrieved, so that asyncio does not report an error without a caller.
        error = None if result.cancelled() else result.exception()
        if isinstance(error, Unattended):
            self._unfinished[receipt.key] = receipt.digest
        elif error is None and not result.cancelled():
            self._unfinished.pop(receipt.key, None)
            self._answered[receipt.key] = receipt.digest


T = TypeVar("T")

Disconnected = asyncio.Future[None]
"""Done when the connection of a caller has ended."""


class SharedTask(Generic[T]):
    """Runs `work` to its end, with or without callers.

    `left` is called when the last caller leaves, `back` when one comes after that.
    """

    def __init__(
        self,
        work: Coroutine[Any, Any, T],
        left: Callable[[], None] = lambda: None,
        back: Callable[[], None] = lambda: None,
    ) -> None:
        self.result: asyncio.Future[T] = asyncio.ensure_future(work)
        self._left = left
        self._back = back
        self._callers = 0
        self._is_left = False

    async def wait(self, disconnected: Disconnected | None = None) -> T:
        """Wait for the result as one more caller, who counts until `disconnected` is done."""
        self._callers += 1
        if self._is_left:
            self._is_left = False
            self._back()
        counts = True

        def leave(_: object = None) -> None:
            nonlocal counts
            if counts:
                counts = False
                self._leave()

        if disconnected is not None:
            disconnected.add_done_callback(leave)
        try:
            # Shielded: the work goes on when this caller is cancelled, and a repeat gets its result.
            return await asyncio.shield(self.result)
        finally:
            if disconnected is not None:
                disconnected.remove_done_callback(leave)
            leave()

    def _leave(self) -> None:
        self._callers -= 1
        if not self._callers and not self.result.done():
            self._is_left = True
            self._left()
