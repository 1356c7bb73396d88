"""Everything one can do with experiments: the single facade for web, command line and tests.

Owns who may change what, repeats, how many experiments are kept and when an unwatched one is paused. Must not know
HTTP, sockets' messages or which executor computes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from fallline.engine.datasets import CSV, DATASETS
from fallline.engine.kernels.choice import Kernels
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.tabular import Table, read_table
from fallline.execution.interface import Executor, Later, Sink
from fallline.figures import FIGURES, figure_json
from fallline.runs.experiment import Experiment, Pieces
from fallline.runs.instruments import INSTRUMENTS, instrument_of
from fallline.runs.recipe_check import catalog
from fallline.runs.run import Run
from fallline.runs.snapshot import snapshot
from fallline.services.capabilities import hash_of, new_id, new_token, opens
from fallline.services.repeats import Repeats
from fallline.services.tables import Tables
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.commands import AddRun, Command, EditRun, Pause, Play, RemoveRun, Reset, Step, parse
from fallline.vocabulary.errors import FieldError, InvalidRequest, NotAuthorized, NotFound, Unavailable
from fallline.vocabulary.recipe import Recipe, RunRecipe

T = TypeVar("T")

See = Callable[[Problem, TrainingState, RunRecipe], dict[str, Any]]
"""A view of a run at one step."""

SWEEP_SECONDS = 5.0

READ_AT_ONCE = 2
"""Tables read at the same time: each takes some 30 MB and a quarter of a second of one core."""


class Watcher(Protocol):
    """One reader of one experiment: gets its first pieces here, the later ones from the hub."""

    def offer(self, run: str, header: dict[str, Any], buckets: Buckets | None) -> None: ...


class Audience(Sink, Protocol):
    """Who listens to what; told on the event loop."""

    def join(self, experiment: str, watcher: Any) -> None: ...

    def leave(self, experiment: str, watcher: Any) -> None: ...

    def watchers(self, experiment: str) -> int: ...

    def closed(self, experiment: str) -> None: ...


@dataclass(slots=True)
class _Entry:
    token_hash: bytes
    seen: float
    table: str | None = None
    repeats: Repeats = field(default_factory=Repeats)
    swept: bool = False


class Lab:
    """Experiments, their tokens and their audience. `clock` gives seconds; all methods run on the event loop."""

    def __init__(
        self,
        executor: Executor,
        audience: Audience,
        clock: Callable[[], float],
        *,
        most: int,
        idle_seconds: float,
        kernels: Kernels | None = None,
    ) -> None:
        self._executor = executor
        self._audience = audience
        self._clock = clock
        self._most = most
        self._idle_seconds = idle_seconds
        self._kernels = Kernels() if kernels is None else kernels
        self._tables = Tables()
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._entries: dict[str, _Entry] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._executor.start(self._audience)
        self._sweeper = asyncio.create_task(self._sweep_for_ever())

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._executor.stop()

    def health(self) -> dict[str, Any]:
        told: dict[str, Any] = {"kernel": self._kernels.current.name, "experiments": len(self._entries)}
        if self._kernels.why is not None:
            told["not_compiled"] = self._kernels.why
        return told

    def catalog(self) -> dict[str, Any]:
        return catalog()

    # ------------------------------------------------------------------ experiments

    async def create(self, recipe: Recipe) -> tuple[dict[str, Any], str]:
        """A new experiment: its state, and the token that allows changes."""
        await _prepared(recipe.data.name)
        await self._make_room()
        table = self._table_of(recipe)
        id, token = new_id(), new_token()
        self._entries[id] = _Entry(hash_of(token), self._clock(), recipe.data.dataset if table else None)
        try:
            state = await self._executor.open(id, lambda: Experiment(id, recipe, self._kernels, table))
        except BaseException:
            del self._entries[id]
            raise
        return state, token

    def _table_of(self, recipe: Recipe) -> Table | None:
        if recipe.data.name != CSV or recipe.data.dataset is None:
            return None
        try:
            return self._tables.read(recipe.data.dataset)
        except NotFound as error:
            raise InvalidRequest(FieldError("/data/dataset", error.detail)) from None

    async def _make_room(self) -> None:
        """Let the oldest experiment go that nobody watches and that stands still, when the server is full."""
        if len(self._entries) < self._most:
            return
        for id, _ in sorted(self._entries.items(), key=lambda item: item[1].seen):
            if self._audience.watchers(id) == 0 and not await self._executor.ask(
                id, lambda one, _: one.moving
            ):
                self._forget(id)
                return
        raise Unavailable(f"all {self._most} experiments of this server are in use", retry_after=60)

    def _forget(self, id: str) -> None:
        self._entries.pop(id, None)
        self._executor.close(id)
        self._audience.closed(id)

    async def delete(self, id: str, token: str | None) -> None:
        self._authorized(id, token)
        self._forget(id)

    def _found(self, id: str) -> _Entry:
        entry = self._entries.get(id)
        if entry is None:
            raise NotFound("no experiment of that id: it may have been deleted, or the server restarted")
        entry.seen = self._clock()
        entry.swept = False
        return entry

    def _authorized(self, id: str, token: str | None) -> _Entry:
        entry = self._found(id)
        if not opens(token, entry.token_hash):
            raise NotAuthorized(
                "send the token that came with the experiment, as Authorization: Bearer <token>"
            )
        return entry

    def may_change(self, id: str, token: str) -> bool:
        """Whether the token is this experiment's. Raises NotFound for an unknown id."""
        return opens(token, self._found(id).token_hash)

    async def _look(self, id: str, view: Callable[[Experiment], T]) -> T:
        self._found(id)
        return await self._executor.ask(id, lambda experiment, _: view(experiment))

    async def state(self, id: str) -> dict[str, Any]:
        return await self._look(id, Experiment.state)

    async def recipe(self, id: str) -> dict[str, Any]:
        return await self._look(id, lambda experiment: experiment.recipe.as_json())

    # ------------------------------------------------------------------ tables

    async def add_table(self, body: bytes) -> dict[str, Any]:
        """A new table of a CSV, read beside the loop; with the id that a recipe names it by."""
        async with self._reading:
            table = await asyncio.to_thread(read_table, body)
        used = {entry.table for entry in self._entries.values() if entry.table is not None}
        return self.table(self._tables.keep(table, used))

    def table(self, id: str) -> dict[str, Any]:
        """The table of that id as it was told when it came."""
        return {"id": id, **self._tables.read(id).as_json()}

    # ------------------------------------------------------------------ commands

    async def command(
        self,
        id: str,
        token: str | None,
        do: str,
        body: dict[str, Any],
        run: str | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Do what is asked, and answer as REST does. With a key, a repeat is answered again and not done again."""
        entry = self._authorized(id, token)
        command = parse(do, body)
        if key is None:
            return await self._do(id, command, run)
        asked = {"do": do, "run": run, "body": body}
        return await entry.repeats.once(key, asked, lambda: self._do(id, command, run))

    async def _do(self, id: str, command: Command, run: str | None) -> dict[str, Any]:
        ask = self._executor.ask
        match command:
            case Play(speed=speed, pace=pace):
                limit = None if speed == "max" else float(speed)
                return await ask(id, lambda one, now: one.play(limit, pace, now))
            case Pause():
                return await ask(id, Experiment.pause)
            case Step():
                return await self._step(id, command)
            case Reset(run=only):
                return await ask(id, lambda one, now: one.reset(only, now))
            case EditRun():
                return await ask(id, lambda one, now: one.edit(_named(run), command, now))
            case RemoveRun():
                return await ask(id, lambda one, now: one.remove_run(_named(run), now))
            case AddRun():
                return await self._add_run(id, command)

    async def _step(self, id: str, step: Step) -> dict[str, Any]:
        def begin(experiment: Experiment, now: float, done: Later) -> None:
            experiment.step(now, done, steps=step.steps, epochs=step.epochs, run=step.run)

        return await self._later(id, begin)

    async def _later(self, id: str, begin: Callable[[Experiment, float, Later], None]) -> dict[str, Any]:
        answer: dict[str, Any] = await self._executor.ask_later(id, begin)
        return answer

    async def _add_run(self, id: str, command: AddRun) -> dict[str, Any]:
        if command.fork_of is not None:
            return await self._later(id, lambda one, now, done: one.fork(command, now, done))
        named = "name" in command.model_fields_set
        recipe = RunRecipe.model_validate(
            command.model_dump(mode="json", include=set(RunRecipe.model_fields))
        )
        return await self._executor.ask(id, lambda one, now: one.add_run(recipe, named, now))

    # ------------------------------------------------------------------ views

    async def history(
        self, id: str, run: str, series: list[str] | None, since: int | None, until: int | None, buckets: int
    ) -> tuple[int, Buckets, frozenset[str]]:
        """The run's generation, its history from step `since` to `until` (inclusive), and the series of every step."""

        self._found(id)
        every_step, names = await self._look(id, lambda one: _names_of(one.run(run)))
        if series is not None:
            _check_series(series, names)
        generation, found = await self._executor.ask_later(
            id, lambda one, _, done: one.stretch(run, since, until, buckets, done)
        )
        return generation, found if series is None else found.select(series), every_step

    async def snapshot(self, id: str, run: str, step: int | None) -> dict[str, Any]:
        """Parameters, next gradient and next batch of a run at any step, exactly."""
        return await self._look_at(id, run, step, snapshot)

    async def _look_at(self, id: str, run: str, step: int | None, see: See) -> dict[str, Any]:
        self._found(id)
        return await self._later(id, lambda one, _, done: one.look(run, step, see, done))

    async def instruments(self, id: str, run: str) -> list[dict[str, str]]:
        await self._look(id, lambda one: one.run(run).name)
        return [{"name": row.name, "help": row.help} for row in INSTRUMENTS.values()]

    async def instrument(self, id: str, run: str, name: str, step: int | None) -> dict[str, Any]:
        self._found(id)
        return await self._look_at(id, run, step, instrument_of(name).measure)

    async def data(self, id: str) -> dict[str, Any]:
        return await self._look(id, Experiment.data)

    async def figure(self, id: str, name: str) -> dict[str, Any]:
        """A Plotly figure as plain JSON, filled with the runs' histories."""
        if name not in FIGURES:
            raise NotFound(f"no figure of that name; there are {', '.join(FIGURES)}")
        view = await self._look(id, Experiment.figure_view)
        return await asyncio.to_thread(figure_json, name, view)

    # ------------------------------------------------------------------ watching

    async def watch(
        self, id: str, token: str | None, watcher: Watcher, since: dict[str, dict[str, int]], buckets: int
    ) -> dict[str, Any]:
        """Join the audience: the state now, the first pieces offered to `watcher`, and nothing lost in between.

        `since` says per run which generation and first missing step the watcher holds.
        """
        entry = self._found(id)
        if token is not None and not opens(token, entry.token_hash):
            raise NotAuthorized("the token is not this experiment's")

        def look(experiment: Experiment, now: float) -> tuple[dict[str, Any], Pieces]:
            return experiment.state(), experiment.join(since, buckets, now)

        def join(found: tuple[dict[str, Any], Pieces]) -> None:
            for run, (header, piece) in found[1].items():
                watcher.offer(run, header, piece)
            self._audience.join(id, watcher)

        joining = asyncio.ensure_future(self._executor.ask(id, look, then=join))
        try:
            state, _ = await asyncio.shield(joining)
        except asyncio.CancelledError:
            # The reader hung up while joining: let it join, then leave, so that the count of watchers stays true.
            await asyncio.wait([joining])
            await self.unwatch(id, watcher)
            raise
        return state

    async def unwatch(self, id: str, watcher: Watcher) -> None:
        """Leave the audience."""
        self._audience.leave(id, watcher)
        if id in self._entries:
            self._entries[id].seen = self._clock()
            with contextlib.suppress(NotFound, Unavailable):  # deleted meanwhile, or stopping
                await self._executor.ask(id, lambda experiment, _: experiment.leave())

    # ------------------------------------------------------------------ idling

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_SECONDS, max(self._idle_seconds / 4, 0.05)))
            await self.pause_idle()

    async def pause_idle(self) -> None:
        """Pause what nobody has watched or asked about for the idle time."""
        now = self._clock()
        for id, entry in list(self._entries.items()):
            if self._audience.watchers(id):
                entry.seen = now
            elif not entry.swept and now - entry.seen >= self._idle_seconds:
                entry.swept = True
                await self._pause_playing(id)

    async def _pause_playing(self, id: str) -> None:
        with contextlib.suppress(NotFound, Unavailable):
            await self._executor.ask(id, lambda one, now: one.pause(now) if one.playing else None)


async def _prepared(dataset: str) -> None:
    """Let what takes long the first time happen beside the loop and the worker, so that nobody waits for it."""
    row = DATASETS.get(dataset)
    if row is not None and row.prepare is not None and not row.missing:
        await asyncio.to_thread(row.prepare)


def _named(run: str | None) -> str:
    if run is None:
        raise InvalidRequest(FieldError("/run", "the name of the run"))
    return run


def _names_of(run: Run) -> tuple[frozenset[str], tuple[str, ...]]:
    return run.every_step, run.history.names


def _check_series(series: list[str], names: tuple[str, ...]) -> None:
    if any(name not in names for name in series):
        raise InvalidRequest(FieldError("/series", f"series that exist: {', '.join(names)}"))
