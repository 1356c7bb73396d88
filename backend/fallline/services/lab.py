"""Everything one can do with experiments: the single facade for web, command line and tests.

Owns who may change what, repeats, which experiments are open, when an unwatched one is paused and when an unused one is
deleted. Must not know HTTP, sockets' messages, which executor computes or how anything is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from fallline.engine.datasets import CSV, DATASETS
from fallline.engine.kernels.choice import Kernels
from fallline.engine.problem import Problem
from fallline.engine.saved_parameters import SavedParameters
from fallline.engine.state import TrainingState
from fallline.engine.tabular import Table
from fallline.execution.interface import Executor, Later, Sink
from fallline.exports.table import EXPORTS
from fallline.exports.taken import taken
from fallline.figures import FIGURES, MEASURED, figure_json, measured_json
from fallline.runs.asked_past import See
from fallline.runs.checkpoints import Room
from fallline.runs.experiment import Experiment
from fallline.runs.inspection import MOST_NUMBERS, change_script, inspection
from fallline.runs.instruments import INSTRUMENTS, instrument_of
from fallline.runs.recipe_check import catalog
from fallline.runs.run import Run
from fallline.runs.self_check import self_check
from fallline.runs.snapshot import snapshot
from fallline.runs.telling import Pieces
from fallline.services.capabilities import hash_of, new_id, new_token, opens
from fallline.services.keeping import Keeper
from fallline.services.library import Library
from fallline.services.measuring import Measuring
from fallline.services.repeats import Repeats
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.commands import AddRun, Command, EditRun, Pause, Play, RemoveRun, Reset, Step, parse
from fallline.vocabulary.errors import (
    FalllineError,
    FieldError,
    InvalidRequest,
    NotAuthorized,
    NotFound,
    ReadOnly,
    Unavailable,
)
from fallline.vocabulary.journal import Json, Kept, Receipt
from fallline.vocabulary.recipe import Recipe, RunRecipe

T = TypeVar("T")

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0

NOTED_SECONDS = 3600.0
"""That an experiment is looked at, and not only changed, is stored this often."""

EXPORTED_AT_ONCE = 2
"""Files that are made at the same time."""

BATCH = 10
"""So many experiments are deleted at once, so that nobody waits long for the store."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to take away; what is large comes in pieces, each of which takes a moment to make."""

    name: str
    media_type: str
    content: bytes | Iterator[bytes]


class Watcher(Protocol):
    """One reader of one experiment: gets its first pieces here, the later ones from the hub."""

    def offer(self, run: str, header: dict[str, Any], buckets: Buckets | None) -> None: ...


class Audience(Sink, Protocol):
    """Who listens to what; told on the event loop."""

    def join(self, experiment: str, watcher: Any) -> None: ...

    def leave(self, experiment: str, watcher: Any) -> None: ...

    def watchers(self, experiment: str) -> int: ...

    def closed(self, experiment: str) -> None: ...

    def interrupted(self, experiment: str) -> None: ...

    def everybody(self, news: dict[str, Any]) -> None: ...


@dataclass(slots=True, eq=False)
class _Opening:
    """An experiment that is open, or about to be: `done` when it is. A watcher has its seat in one of them."""

    done: asyncio.Future[None]
    repeats: Repeats
    stands_still: bool = False


@dataclass(slots=True)
class _Entry:
    """An experiment that is stored. `seen` is on the lab's clock; `used` and `noted` are seconds since 1970: when it
    was used last, and what is stored of that.
    """

    token_hash: bytes
    seen: float
    used: float
    noted: float
    made_of: str | None = None
    opening: _Opening | None = None
    closing: asyncio.Future[None] | None = None
    swept: bool = False
    was_left: bool = False
    """It was playing when the server ended, and would have been paused since for want of anybody who watches."""


def _ids(table: str | None, start: str | None) -> str | None:
    """What an experiment is made of that somebody sent, as it is stored: the table's id, then a space and that of the
    parameters that its network starts from.
    """
    return f"{table or ''} {start}" if start else table


def _parted(made_of: str | None) -> tuple[str, str]:
    """The ids of table and start, empty where there is none."""
    table, _, start = (made_of or "").partition(" ")
    return table, start


class Lab:
    """Experiments, their tokens and their audience. `clock` gives seconds; all methods run on the event loop.

    At most `most` are open, in memory; the others lie in the store until somebody asks for them, and are deleted when
    nobody has for `keep_seconds`.
    """

    def __init__(
        self,
        executor: Executor,
        audience: Audience,
        clock: Callable[[], float],
        keeper: Keeper,
        *,
        most: int,
        idle_seconds: float,
        keep_seconds: float = float("inf"),
        kernels: Kernels | None = None,
        room: Room | None = None,
    ) -> None:
        self._executor = executor
        self._audience = audience
        self._clock = clock
        self._keeper = keeper
        self._most = most
        self._idle_seconds = idle_seconds
        self._keep_seconds = keep_seconds
        self._kernels = Kernels() if kernels is None else kernels
        self._room = room
        self._library = Library(keeper)
        self._entries: dict[str, _Entry] = {}
        self._seats: dict[Watcher, _Opening] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._knows_all = False
        self._exporting = asyncio.Semaphore(EXPORTED_AT_ONCE)
        self._measuring = Measuring()

    async def start(self) -> None:
        self._executor.start(self._audience)
        self._keeper.start(self._storing_changed)
        with contextlib.suppress(ReadOnly):
            await self._take_in()
        self._begin(self._sweep_for_ever())

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self._executor.stop()
        await self._keeper.stop()
        self._executor.abandon()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_in(self) -> None:
        """What is stored is there again; what was playing goes on."""
        now, today = self._clock(), self._keeper.today()
        playing = []
        await self._library.take_in()
        known_ones = await self._keeper.known()
        self._knows_all = True
        for known in known_ones:
            if known.id not in self._entries:
                self._entries[known.id] = _Entry(known.token_hash, now, known.used, known.used, known.table)
                if known.is_playing and today - known.used < self._idle_seconds:
                    playing.append(known.id)
                else:
                    self._entries[known.id].was_left = known.is_playing
        if playing:
            self._begin(self._play_on(playing))

    async def _play_on(self, ids: list[str]) -> None:
        for id in ids:
            with contextlib.suppress(FalllineError):  # whoever asks for it is told
                await self._opened(id)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be stored at present, so that no change is taken."""
        return self._keeper.trouble is not None

    def health(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "kernel": self._kernels.current.name,
            "experiments": len(self._entries),
            "storage": self._keeper.kind,
            "read_only": self.is_read_only,
        }
        if self._kernels.why is not None:
            told["not_compiled"] = self._kernels.why
        return told

    def catalog(self) -> dict[str, Any]:
        exports = [row.as_json() for row in EXPORTS.values()]
        return {**catalog(), "exports": exports, "idle_seconds": self._idle_seconds}

    # ------------------------------------------------------------------ experiments

    async def create(self, recipe: Recipe) -> tuple[dict[str, Any], str]:
        """A new experiment: its state, and the token that allows changes."""
        self._check_writable()
        await _prepared(recipe.data.name)
        await self._make_room()
        table, start = await self._table_of(recipe), await self._start_of(recipe)
        id, token = new_id(), new_token()
        now, today = self._clock(), self._keeper.today()
        made_of = _ids(recipe.data.dataset if table else None, recipe.network.start)
        entry = _Entry(hash_of(token), now, today, today, made_of)
        entry.opening = _Opening(asyncio.get_running_loop().create_future(), self._repeats(id, None))
        self._entries[id] = entry
        saves = self._keeper.is_durable
        lost = partial(self._lost, id, entry.opening)
        ledger = self._keeper.ledger(id, lost, token_hash=entry.token_hash, table=entry.made_of)
        try:
            make = partial(Experiment, id, recipe, self._kernels, table, start, saves=saves, room=self._room)
            state = await self._executor.open(id, make, ledger)
        except BaseException:
            self._entries.pop(id, None)
            self._begin(self._executor.close(id))
            raise
        entry.opening.done.set_result(None)
        return self._told(state), token

    async def _table_of(self, recipe: Recipe) -> Table | None:
        if recipe.data.name != CSV or recipe.data.dataset is None:
            return None
        try:
            return await self._library.read(recipe.data.dataset)
        except NotFound as error:
            raise InvalidRequest(FieldError("/data/dataset", error.detail)) from None

    async def _start_of(self, recipe: Recipe) -> SavedParameters | None:
        if recipe.network.start is None:
            return None
        try:
            return await self._library.parameters(recipe.network.start)
        except NotFound as error:
            raise InvalidRequest(FieldError("/network/start", error.detail)) from None

    def _repeats(self, id: str, kept: Kept | None) -> Repeats:
        begun = {} if kept is None else kept.progress["unfinished"]
        return Repeats(
            {} if kept is None else kept.digests,
            {key: bytes.fromhex(job["digest"]) for key, job in begun.items()},
            lambda key: self._keeper.answer(id, key),
        )

    async def _make_room(self) -> None:
        """Put the oldest experiment away that nobody watches and that stands still, when too many are open.

        Where nothing is stored for good, it goes for good.
        """
        open_ones = [(id, entry) for id, entry in self._entries.items() if entry.opening is not None]
        if len(open_ones) < self._most:
            return
        for id, entry in sorted(open_ones, key=lambda item: item[1].seen):
            if self._audience.watchers(id) == 0 and not await self._is_busy(id, entry):
                if self._keeper.is_durable:
                    self._put_away(id, entry)
                else:
                    await self._keeper.forget([id])
                    self._forget(id)
                return
        raise Unavailable(f"all {self._most} experiments of this server are in use", retry_after=60)

    async def _is_busy(self, id: str, entry: _Entry) -> bool:
        if entry.opening is None or not entry.opening.done.done():
            return True
        return await self._executor.ask(id, lambda one, _: one.is_busy)

    def _put_away(self, id: str, entry: _Entry) -> None:
        """Close it; when somebody asks for it again it is opened from the store."""
        entry.opening = None
        why = Unavailable("the experiment is being opened again", retry_after=1)
        entry.closing = asyncio.ensure_future(self._executor.close(id, why))

    def _forget(self, id: str) -> None:
        entry = self._entries.pop(id, None)
        if entry is not None and entry.opening is not None:
            self._begin(self._executor.close(id))
        self._audience.closed(id)

    async def delete(self, id: str, token: str | None) -> None:
        self._authorized(id, token)
        self._check_writable()
        await self._keeper.forget([id])
        self._forget(id)

    # ------------------------------------------------------------------ open and stored

    async def _opened(self, id: str) -> _Opening:
        """The experiment, open: now, or when it has been brought to where it stood."""
        entry = self._found(id)
        self._open_for_good(id, entry)
        if entry.opening is None:
            await self._make_room()
        opening = entry.opening
        if opening is None:
            done = asyncio.get_running_loop().create_future()
            opening = _Opening(done, self._repeats(id, None), stands_still=self.is_read_only)
            entry.opening = opening
            self._begin(self._reopen(id, entry, opening))
        await asyncio.shield(opening.done)
        return opening

    async def _reopen(self, id: str, entry: _Entry, opening: _Opening) -> None:
        try:
            if entry.closing is not None:
                await entry.closing
            kept = await self._keeper.load(id)
            opening.repeats = self._repeats(id, kept)
            table_id, start_id = _parted(entry.made_of)
            table = await self._library.read(table_id) if table_id else None
            start = await self._library.parameters(start_id) if start_id else None
            lost = partial(self._lost, id, opening)
            ledger = self._keeper.ledger(id, lost, count=len(kept.entries))
            make = partial(
                Experiment.reopened,
                id,
                kept,
                self._kernels,
                table,
                start,
                saves=self._keeper.is_durable,
                stands_still=opening.stands_still,
                is_paused=entry.was_left,
                room=self._room,
            )
            await self._executor.open(id, make, ledger)
            entry.was_left = False
        except BaseException as error:
            entry.opening = None
            if not opening.done.done():
                opening.done.set_exception(error)
                opening.done.exception()  # looked at: whoever waits for it is told, and there may be nobody
            if not isinstance(error, Exception):
                raise
            _log_unforeseen(error)
        else:
            opening.done.set_result(None)

    def _lost(self, id: str, opening: _Opening) -> None:
        """It holds what could not be stored: from the store it is opened again as it was before."""
        entry = self._entries.get(id)
        if entry is not None and entry.opening is opening:
            self._put_away(id, entry)
            self._audience.interrupted(id)

    def _storing_changed(self, in_trouble: bool) -> None:
        self._audience.everybody({"event": "storage", "read_only": in_trouble})
        if not in_trouble:
            self._begin(self._store_again())

    async def _store_again(self) -> None:
        """What was opened to be looked at only is closed, so that it is opened for good."""
        await self._take_in()
        for id, entry in self._entries.items():
            self._open_for_good(id, entry)

    def _open_for_good(self, id: str, entry: _Entry) -> None:
        """If it was opened to be looked at only, have the next who asks open one of which things are stored."""
        opening = entry.opening
        if opening is not None and opening.stands_still and opening.done.done() and not self.is_read_only:
            self._put_away(id, entry)
            self._audience.interrupted(id)

    def _check_writable(self) -> None:
        if self.is_read_only:
            raise ReadOnly

    def _found(self, id: str) -> _Entry:
        entry = self._entries.get(id)
        if entry is None and not self._knows_all:
            raise ReadOnly
        if entry is None:
            raise NotFound("no experiment of that id: it may have been deleted")
        entry.seen, entry.used = self._clock(), self._keeper.today()
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
        await self._opened(id)
        return await self._executor.ask(id, lambda experiment, _: view(experiment))

    async def state(self, id: str) -> dict[str, Any]:
        return self._told(await self._look(id, Experiment.state))

    def _told(self, state: dict[str, Any]) -> dict[str, Any]:
        """The state with what the experiment itself does not know."""
        return {**state, "read_only": self.is_read_only}

    async def recipe(self, id: str) -> dict[str, Any]:
        return await self._look(id, lambda experiment: experiment.recipe.as_json())

    # ------------------------------------------------------------------ tables

    async def add_table(self, body: bytes) -> dict[str, Any]:
        """A new table of a CSV, read beside the loop; with the id that a recipe names it by."""
        self._check_writable()
        id, table = await self._library.add(body, self._tables_in_use)
        return {"id": id, **table.as_json()}

    async def table(self, id: str) -> dict[str, Any]:
        """The table of that id as it was told when it came."""
        if not self._knows_all:
            raise ReadOnly
        return {"id": id, **(await self._library.read(id)).as_json()}

    async def add_parameters(self, body: bytes) -> dict[str, Any]:
        """New parameters of an .npz, with the id that a recipe names them by."""
        self._check_writable()
        id, parameters = await self._library.add_parameters(body, self._tables_in_use)
        return {"id": id, **parameters.as_json()}

    async def parameters(self, id: str) -> dict[str, Any]:
        """The parameters of that id as they were told when they came."""
        if not self._knows_all:
            raise ReadOnly
        return {"id": id, **(await self._library.parameters(id)).as_json()}

    @property
    def _tables_in_use(self) -> set[str]:
        return {id for entry in self._entries.values() for id in _parted(entry.made_of) if id}

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
        self._authorized(id, token)
        command = parse(do, body)
        self._check_writable()
        opening = await self._opened(id)
        if opening.stands_still:
            raise ReadOnly
        if key is None:
            return await self._do(id, command, run, None)
        asked = {"do": do, "run": run, "body": body}
        return await opening.repeats.once(key, asked, partial(self._do, id, command, run))

    async def _do(self, id: str, command: Command, run: str | None, receipt: Receipt | None) -> Json:
        ask = partial(self._executor.ask, receipt=receipt)
        match command:
            case Play(speed=speed, pace=pace):
                limit = None if speed == "max" else float(speed)
                return await ask(id, lambda one, now: one.play(limit, pace, now))
            case Pause():
                return await ask(id, Experiment.pause)
            case Step():
                return await self._step(id, command, receipt)
            case Reset(run=only):
                return await ask(id, lambda one, now: one.reset(only, now))
            case EditRun():
                return await ask(id, lambda one, now: one.edit(_named(run), command, now))
            case RemoveRun():
                return await ask(id, lambda one, now: one.remove_run(_named(run), now))
            case AddRun():
                return await self._add_run(id, command, receipt)

    async def _step(self, id: str, step: Step, receipt: Receipt | None) -> Json:
        def begin(experiment: Experiment, now: float, done: Later) -> None:
            experiment.step(now, done, steps=step.steps, epochs=step.epochs, run=step.run, receipt=receipt)

        return await self._later(id, begin, receipt)

    async def _later(
        self, id: str, begin: Callable[[Experiment, float, Later], None], receipt: Receipt | None = None
    ) -> Json:
        answer: Json = await self._executor.ask_later(id, begin, receipt)
        return answer

    async def _add_run(self, id: str, command: AddRun, receipt: Receipt | None) -> Json:
        if command.fork_of is not None:
            return await self._later(id, lambda one, now, done: one.fork(command, now, done), receipt)
        named = "name" in command.model_fields_set
        recipe = RunRecipe.model_validate(
            command.model_dump(mode="json", include=set(RunRecipe.model_fields))
        )
        return await self._executor.ask(id, lambda one, now: one.add_run(recipe, named, now), receipt=receipt)

    # ------------------------------------------------------------------ views

    async def history(
        self, id: str, run: str, series: list[str] | None, since: int | None, until: int | None, buckets: int
    ) -> tuple[int, Buckets, frozenset[str]]:
        """The run's generation, its history from step `since` to `until` (inclusive), and the series of every step."""

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

    async def inspect(
        self, id: str, run: str, step: int | None, rows: int | None, first: int = 0, block: int | None = None
    ) -> dict[str, Any]:
        """The next change of a run at any step, line by line."""
        return await self._look_at(id, run, step, partial(inspection, rows=rows, first=first, block=block))

    async def change_script(self, id: str, run: str, step: int | None) -> str:
        """The same change as a program. Raises InvalidRequest where it would be too long."""
        told = await self._look_at(id, run, step, change_script)
        if told["script"] is None:
            few = f"a run whose change fits into a script of {MOST_NUMBERS:,} numbers; this one has {told['numbers']:,}"
            raise InvalidRequest(FieldError("/run", few))
        script: str = told["script"]
        return script

    async def _look_at(self, id: str, run: str, step: int | None, see: See) -> dict[str, Any]:
        await self._opened(id)
        return await self._later(id, lambda one, _, done: one.look(run, step, see, done))

    async def instruments(self, id: str, run: str) -> list[dict[str, str]]:
        await self._look(id, lambda one: one.run(run).name)
        return [{"name": row.name, "help": row.help} for row in INSTRUMENTS.values()]

    async def instrument(
        self, id: str, run: str, name: str, step: int | None, options: Json | None = None
    ) -> dict[str, Any]:
        """What an instrument tells of a run at a step; `options` are for those that measure the way there."""
        row = instrument_of(name)
        if options and row.measure_way is None:
            pointer = "/plane" if "which" in options else "/normalize"
            raise InvalidRequest(FieldError(pointer, f"left out: {name} measures no plane"))
        if not row.costly:
            return await self._look_at(id, run, step, row.measure)
        await self._opened(id)
        goes = row.measure_way is not None

        def begin(one: Experiment, _: float, done: Later) -> None:
            if goes:
                one.way(run, step, partial(_kept_way, one), done)
            else:
                one.look(run, step, partial(_kept, one), done)

        found = await self._later(id, begin)
        seen, moves, made = found.pop("seen"), found.pop("moves"), found.pop("made_seconds", 0.0)
        measure = partial(row.measure_way or row.measure, *seen, **options or {})
        return {**found, **await self._measuring.take(measure, charged=moves, before=made)}

    def wrote(self, seconds: float) -> None:
        """To write down what an instrument told took so long."""
        self._measuring.wrote(seconds)

    async def findings(self, id: str, run: str) -> list[dict[str, Any]]:
        """What the Doctor has found in a run."""
        return await self._look(id, lambda one: one.run(run).findings())

    async def check(self, id: str, run: str) -> dict[str, Any]:
        """What the run finds when it checks itself: of a copy, beside the training, and once: no gauge waits for it."""
        await self._opened(id)
        subject = await self._look(id, lambda one: one.run(run).to_check())
        found = await self._measuring.take(partial(self_check, subject), charged=False)
        return {"step": subject.state.step, **found}

    async def data(self, id: str) -> dict[str, Any]:
        return await self._look(id, Experiment.data)

    async def figure(
        self,
        id: str,
        name: str,
        run: str | None = None,
        step: int | None = None,
        options: Json | None = None,
        *,
        filled: bool = True,
    ) -> dict[str, Any]:
        """A Plotly figure as plain JSON, filled with the runs' histories; or that of an instrument, filled with what it
        tells of a run (None: the first) at a step, unless it is only asked what it is made of.
        """
        if name in FIGURES:
            view = await self._look(id, Experiment.figure_view)
            return await asyncio.to_thread(figure_json, name, view)
        if name not in MEASURED:
            raise NotFound(f"no figure of that name; there are {', '.join([*FIGURES, *MEASURED])}")
        bare = await self._look(id, lambda one: one.figure_view(at_most=1))
        of = await self._look(id, lambda one: one.run(next(iter(one.runs)) if run is None else run).name)
        told = [await self.instrument(id, of, MEASURED[name].instrument, step, options)] if filled else []
        return await asyncio.to_thread(measured_json, name, bare, of, told)

    async def export(self, id: str, name: str, run: str | None) -> File:
        """A file to take away, of one run or of all."""
        if name not in EXPORTS:
            raise NotFound(f"no export of that name; there are {', '.join(EXPORTS)}")
        row = EXPORTS[name]
        found = await self._look(id, lambda one: taken(one, run))
        async with self._exporting:
            content = await asyncio.to_thread(row.make, found)
        return File(row.name_for(run), row.media_type, content)

    # ------------------------------------------------------------------ watching

    async def watch(
        self, id: str, token: str | None, watcher: Watcher, since: dict[str, dict[str, int]], buckets: int
    ) -> dict[str, Any]:
        """Join the audience: the state now, the first pieces offered to `watcher`, and nothing lost in between.

        `since` says per run which generation and first missing step the watcher holds.
        """
        if token is not None and not self.may_change(id, token):
            raise NotAuthorized("the token is not this experiment's")
        opening = await self._opened(id)

        def look(experiment: Experiment, now: float) -> tuple[dict[str, Any], Pieces]:
            return experiment.state(), experiment.join(since, buckets, now)

        def join(found: tuple[dict[str, Any], Pieces]) -> None:
            for run, (header, piece) in found[1].items():
                watcher.offer(run, header, piece)
            self._audience.join(id, watcher)
            self._seats[watcher] = opening

        joining = asyncio.ensure_future(self._executor.ask(id, look, then=join))
        try:
            state, _ = await asyncio.shield(joining)
        except asyncio.CancelledError:
            # The reader hung up while joining: let it join, then leave, so that the count of watchers stays true.
            await asyncio.wait([joining])
            await self.unwatch(id, watcher)
            raise
        return self._told(state)

    async def unwatch(self, id: str, watcher: Watcher) -> None:
        """Leave the audience."""
        self._audience.leave(id, watcher)
        seat = self._seats.pop(watcher, None)
        entry = self._entries.get(id)
        if entry is None:
            return
        entry.seen, entry.used = self._clock(), self._keeper.today()
        if (
            seat is not None and entry.opening is seat
        ):  # else it was closed meanwhile, and knows nobody any more
            with contextlib.suppress(NotFound, Unavailable):  # deleted meanwhile, or stopping
                await self._executor.ask(id, lambda experiment, _: experiment.leave())

    # ------------------------------------------------------------------ idling

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_SECONDS, max(self._idle_seconds / 4, 0.05)))
            await self.pause_idle()
            with contextlib.suppress(Unavailable):  # read-only: later
                await self.delete_unused()
                await self._note_use()

    async def pause_idle(self) -> None:
        """Pause what nobody has watched or asked about for the idle time."""
        now = self._clock()
        for id, entry in list(self._entries.items()):
            if self._audience.watchers(id):
                entry.seen, entry.used = now, self._keeper.today()
            elif not entry.swept and now - entry.seen >= self._idle_seconds:
                entry.swept = True
                if entry.opening is not None and entry.opening.done.done():
                    await self._pause_playing(id)

    async def _pause_playing(self, id: str) -> None:
        with contextlib.suppress(NotFound, Unavailable):
            await self._executor.ask(id, lambda one, now: one.pause(now) if one.playing else None)

    async def delete_unused(self) -> None:
        """Delete what nobody has used for so long that it is not kept any more, a few at a time."""
        limit = self._keeper.today() - self._keep_seconds
        unused = [id for id, entry in self._entries.items() if entry.used < limit]
        for start in range(0, len(unused), BATCH):
            batch = [id for id in unused[start : start + BATCH] if self._entries[id].used < limit]
            await self._keeper.forget(batch)
            for id in batch:
                self._forget(id)
        await self._library.delete_unused(self._tables_in_use, limit)

    async def _note_use(self) -> None:
        """Store when experiments were used last, where that is not stored with what was done to them."""
        late = {
            id: entry.used for id, entry in self._entries.items() if entry.used - entry.noted >= NOTED_SECONDS
        }
        if late:
            await self._keeper.touch(late)
            for id, used in late.items():
                if (entry := self._entries.get(id)) is not None:
                    entry.noted = used


async def _prepared(dataset: str) -> None:
    """Let what takes long the first time happen beside the loop and the worker, so that nobody waits for it."""
    row = DATASETS.get(dataset)
    if row is not None and row.prepare is not None and not row.missing:
        await asyncio.to_thread(row.prepare)


def _log_unforeseen(error: Exception) -> None:
    if not isinstance(error, FalllineError):
        _log.error("an experiment could not be opened again", exc_info=error)


def _kept(one: Experiment, problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """What a measurement needs, to be taken later: the run's own state goes on, if the experiment moves."""
    return {"seen": (problem, state.copy(), recipe), "moves": one.moving}


def _kept_way(
    one: Experiment, problem: Problem, states: list[TrainingState], recipe: RunRecipe
) -> dict[str, Any]:
    """The same of a way; its states are copies already."""
    return {"seen": (problem, states, recipe), "moves": one.moving}


def _named(run: str | None) -> str:
    if run is None:
        raise InvalidRequest(FieldError("/run", "the name of the run"))
    return run


def _names_of(run: Run) -> tuple[frozenset[str], tuple[str, ...]]:
    return run.every_step, run.history.names


def _check_series(series: list[str], names: tuple[str, ...]) -> None:
    if any(name not in names for name in series):
        raise InvalidRequest(FieldError("/series", f"series that exist: {', '.join(names)}"))
