"""Reads of experiments: state, history, past steps, figures and files.

Owns how each is read from a live experiment and rendered beside the event loop.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.execution.interface import Executor, Later
from fallline.exports.data_files import as_file
from fallline.exports.export_data import export_data
from fallline.exports.table import DAMAGED, EXPORTS, RECIPE, Export
from fallline.figures.binding import MOST_POINTS
from fallline.figures.catalog import (
    FIGURES,
    INSTRUMENT_FIGURES,
    figure_json,
    instrument_figure_json,
    specification_json,
)
from fallline.runs.answers import MOST_BUCKETS, outcome_of
from fallline.runs.experiment import Experiment
from fallline.runs.instruments.fall_line import FALL_LINE, FALL_LINE_OPTIONS, HELP, FallLine
from fallline.runs.instruments.inspection import MOST_NUMBERS, change_script, inspection
from fallline.runs.instruments.moment import snapshot
from fallline.runs.instruments.self_check import self_check
from fallline.runs.instruments.table import INSTRUMENTS, MOMENT, instrument_of
from fallline.runs.instruments.together import Parts, is_short, together
from fallline.runs.past_requests import See
from fallline.runs.persistence.reopening import replay_facts
from fallline.runs.problem_view import samples_of
from fallline.services.downloads import Download, Downloads
from fallline.services.experiment_loader import ExperimentLoader
from fallline.services.fair_slots import (
    MEASURED_AT_ONCE,
    Measurements,
    SlotsBesideTraining,
    WaitingRequests,
)
from fallline.services.registry import Owners
from fallline.services.store_thread import StoreThread
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.errors import Damaged, FieldError, InvalidRequest, NotFound, invalid
from fallline.vocabulary.exhibits import EXHIBITS, Exhibit
from fallline.vocabulary.journal import Json
from fallline.vocabulary.recipe import Recipe, RunRecipe

T = TypeVar("T")

EXAMINED_SECONDS = 5.0
"""Most seconds that an exported file waits for missing examinations."""

RENDERED_AT_ONCE = 2
"""Answers and files rendered at the same time."""


@dataclass(frozen=True, slots=True)
class File:
    """An exported file.

    A large one comes in pieces that are rendered quickly.
    """

    name: str
    media_type: str
    content: bytes | Iterator[bytes]
    place: Download
    """Its place among all downloads, for the caller to leave."""
    damage: str | None = None
    """The unreadable part of a damaged experiment, in words. The file has the rest."""


@dataclass(frozen=True, slots=True)
class Look:
    """A measurement of several runs for a page.

    It is `charged` if it delays training. The `lock` is held meanwhile.
    """

    measure: Callable[[], Json]
    charged: bool
    is_short: bool
    lock: Lock = field(default_factory=Lock)

    def measure_alone(self) -> Json:
        """Measure it, after other measurements with the same lock."""
        with self.lock:
            return self.measure()


class Views:
    """Reads of experiments, opened if necessary. Raises NotFound."""

    def __init__(
        self,
        loader: ExperimentLoader,
        executor: Executor,
        store: StoreThread,
        owners: Owners,
        downloads: Downloads,
        pages: Callable[[], int],
    ) -> None:
        """`pages` is the number of watched experiments."""
        self._loader = loader
        self._downloads = downloads
        self._executor = executor
        self._store = store
        self._owners = owners
        self._rendering = SlotsBesideTraining(executor, RENDERED_AT_ONCE)
        self._measurements = Measurements(SlotsBesideTraining(executor, MEASURED_AT_ONCE), pages)
        self._waiting = WaitingRequests("answers and measurements")
        self._waiting_for_findings = WaitingRequests("requests for complete findings")
        self._lines: WeakKeyDictionary[FallLine, Lock] = WeakKeyDictionary()
        """A fall line is measured by one thread at a time."""

    async def _read(self, id: str, view: Callable[[Experiment], T]) -> T:
        async with self._loader.reading(id):
            return await self._executor.ask(id, lambda experiment, _: view(experiment), reads=True)

    async def _later(self, id: str, begin: Callable[[Experiment, float, Later], None]) -> Any:
        async with self._loader.reading(id):
            return await self._executor.ask_later(id, begin, reads=True)

    async def beside(self, id: str, render: Callable[[], T]) -> T:
        """Render an answer of an experiment in a thread. Raises TooManyRequests."""
        with self._waiting.one(self._owners.share(id)):
            return await self._beside(id, render)

    async def _beside(self, id: str, render: Callable[[], T]) -> T:
        """Render in a thread, in the turn of the experiment's share, which is charged."""
        return await self._rendering.run(self._owners.share(id), render)

    async def pieces(self, id: str, content: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Return the pieces of a large file, each rendered in its turn."""
        while (piece := await self._beside(id, partial(next, content, None))) is not None:
            yield piece

    # ------------------------------------------------------------------ the present

    async def state(self, id: str, wait: float = 0.0) -> dict[str, Any]:
        """Return the experiment, its findings complete or after so many seconds. Raises TooManyRequests."""
        if not wait:
            return self.with_read_only(
                await self._later(id, lambda one, _, done: one.when_evaluated(one.state, done))
            )
        return self.with_read_only(await self._examined(id, None, wait, lambda one: one.state()))

    async def _examined(self, id: str, run: str | None, wait: float, see: Callable[[Experiment], T]) -> T:
        """Return what `see` returns once findings are complete, or after `wait` seconds. Raises TooManyRequests."""

        def begin(one: Experiment, now: float, done: Later) -> None:
            one.when_examined(run, wait, now, lambda: see(one), done)

        async with self._loader.reading(id):
            with self._waiting_for_findings.one(self._owners.share(id)) if wait else contextlib.nullcontext():
                answer: T = await self._executor.ask_later(id, begin, reads=True)
        return answer

    def with_read_only(self, state: dict[str, Any]) -> dict[str, Any]:
        """Add to a state whether the server is read-only."""
        return {**state, "read_only": self._store.is_read_only}

    async def recipe(self, id: str) -> tuple[dict[str, Any], str | None]:
        """Return the recipe, and the damage of an experiment whose recipe is only the readable part."""
        try:
            return await self._read(id, lambda experiment: experiment.recipe.as_json()), None
        except Damaged as error:
            return (await self._readable_recipe(id, None, error)).as_json(), error.what

    async def _readable_recipe(self, id: str, run: str | None, error: Damaged) -> Recipe:
        """Return the readable recipe of a damaged experiment, of one run or of all, or raise."""
        if not (facts := await self._store.readable(id)):
            raise error
        replayed = replay_facts(facts)
        if run is None:
            return replayed.with_edits()
        if run not in replayed.runs:
            raise error
        return replayed.recipe.model_copy(update={"runs": [replayed.runs[run].recipe]})

    async def data(self, id: str) -> dict[str, Any]:
        return await self._read(id, lambda one: samples_of(one.problem))

    async def findings(self, id: str, run: str, wait: float = 0.0) -> tuple[int, list[dict[str, Any]]]:
        """Return the step up to which findings on a run are complete, and the findings.

        Waits at most so many seconds until they are complete up to the present step. Raises TooManyRequests.
        """
        return await self._examined(id, run, wait, lambda one: _findings_of(one, run))

    # ------------------------------------------------------------------ any step, past or present

    async def history(
        self, id: str, run: str, series: list[str] | None, since: int | None, until: int | None, buckets: int
    ) -> tuple[int, Buckets, frozenset[str]]:
        """Return generation, history from `since` to `until`, and series of every step."""
        every_step, names = await self._read(
            id, lambda one: (one.run(run).every_step, one.run(run).history.names)
        )
        if series is not None and not set(series) <= set(names):
            raise invalid("/series", f"must be names of series; there are {', '.join(names)}")
        generation, columns = await self._later(
            id, lambda one, _, done: one.history_of(run, since, until, buckets, done)
        )
        return generation, columns if series is None else columns.select(series), every_step

    async def story(self, name: str, id: str | None) -> dict[str, Any]:
        """Return what happened in an exhibit; with an experiment, its answer from the runs of that one.

        An experiment with another recipe has an answer too, but the exhibit's clauses are left out.
        """
        if (exhibit := EXHIBITS.get(name)) is None:
            raise NotFound(f"no exhibit has this name; there are {', '.join(EXHIBITS)}")
        story = exhibit.question.story()
        if id is None:
            return story
        outcome = await self._outcome(id, exhibit)
        return {**story, **outcome, **({"explain": []} if outcome["changed"] else {})}

    async def _outcome(self, id: str, exhibit: Exhibit) -> dict[str, Any]:
        await self._until_examined(id, None)
        histories: dict[str, Buckets] = {}
        for run in await self._read(id, lambda one: [*one.runs]):
            _, histories[run], _ = await self.history(id, run, None, 0, exhibit.view.until, MOST_BUCKETS)
        return await self._read(id, lambda one: outcome_of(one, exhibit, histories))

    async def snapshot(self, id: str, run: str, step: int | None) -> dict[str, Any]:
        """Return the exact parameters, next gradient and next batch of a run at any step."""
        return await self._read_step(id, run, step, snapshot)

    async def inspect(
        self, id: str, run: str, step: int | None, rows: int | None, first: int, block: int | None
    ) -> dict[str, Any]:
        """Return the next change of a run at any step, line by line."""
        return await self._read_step(id, run, step, partial(inspection, rows=rows, first=first, block=block))

    async def change_script(self, id: str, run: str, step: int | None) -> str:
        """Return the same change as a program. Raises InvalidRequest if it is too long."""
        result = await self._read_step(id, run, step, change_script)
        if result["script"] is None:
            count = f"{result['numbers']:,}"
            limit = f"must need at most {MOST_NUMBERS:,} numbers for a script; its change needs {count}"
            raise invalid("/run", limit)
        script: str = result["script"]
        return script

    async def _read_step(self, id: str, run: str, step: int | None, see: See) -> dict[str, Any]:
        result: dict[str, Any] = await self._later(
            id, lambda one, _, done: one.state_at(run, step, see, done)
        )
        return result

    # ------------------------------------------------------------------ measurements

    async def instruments(self, id: str, run: str) -> list[dict[str, str]]:
        await self._read(id, lambda one: one.run(run).name)
        return [{"name": row.name, "help": row.help} for row in INSTRUMENTS.values()]

    async def instrument(
        self, id: str, run: str, name: str, step: int | None, options: Json | None = None
    ) -> dict[str, Any]:
        """Return what an instrument measures at a step. Only some take `options`."""
        row = instrument_of(name)
        options = options or {}
        for option in options.keys() - row.options:
            raise invalid(f"/{option}", f"must be left out: {name} has no such option")
        if not row.costly:
            result = await self._read_step(id, run, step, partial(row.measure, **options))
            if name == MOMENT:
                result |= await self._read(
                    id, lambda one: one.run(run).diagnosis_at(result["generation"], result["step"])
                )
            return result

        def begin(one: Experiment, _: float, done: Later) -> None:
            see = partial(_inputs, one)
            if row.measure_path is None:
                one.state_at(run, step, see, done)
            else:
                one.path_to(run, step, see, done)

        result = await self._later(id, begin)
        inputs, moves, before = result.pop("inputs"), result.pop("moves"), result.pop("made_seconds", 0.0)
        measure = partial(row.measure_path or row.measure, *inputs, **options)
        return {**result, **await self._measure(id, measure, charged=moves, before=before)}

    async def moment(self, id: str, options: Json) -> dict[str, Any]:
        """Return what a page shows of all runs, all of one moment. Maps and curves count as costly measurements."""
        parts = Parts(**options)

        def begin(one: Experiment) -> Look:
            for name in parts.named:
                one.run(name)
            runs = one.runs_now()
            charged = one.moving and (parts.map or parts.curve)
            return Look(
                partial(together, one.problem, runs, parts), charged, is_short(one.problem, len(runs), parts)
            )

        return await self._look(id, begin)

    async def shared_instruments(self, id: str) -> list[dict[str, str]]:
        await self._read(id, lambda one: one.id)
        return [{"name": FALL_LINE, "help": HELP}]

    async def shared_instrument(
        self, id: str, name: str, runs: list[str] | None, step: int | None, options: Json | None = None
    ) -> dict[str, Any]:
        """Return what an instrument of several runs (None: all) measures at a step."""
        if name != FALL_LINE:
            raise NotFound(f"no instrument of that name; the name is {FALL_LINE}")
        options = options or {}
        for option in options.keys() - FALL_LINE_OPTIONS:
            raise invalid(f"/{option}", f"must be left out: {name} has no such option")

        def begin(one: Experiment) -> Look:
            view = one.fall_view(runs, step, pages=self._measurements.pages, **options)
            line = one.fall_line
            lock = self._lines.setdefault(line, Lock())
            # points come several times a second, and cost little
            return Look(partial(line.measure, view), view.moving and view.terrain, view.is_short, lock)

        return await self._look(id, begin)

    async def _look(self, id: str, begin: Callable[[Experiment], Look]) -> Json:
        """Take a look in a turn of the experiment if it is short, else beside the training."""

        def take(one: Experiment) -> Look | Json:
            look = begin(one)
            if not (look.is_short and self._measurements.in_turns and look.lock.acquire(blocking=False)):
                return look
            try:
                return self._measurements.take_now(look.measure, charged=look.charged)
            finally:
                look.lock.release()

        with self._waiting.one(share := self._owners.share(id)):
            look = await self._read(id, take)
            if not isinstance(look, Look):
                return look
            return await self._measurements.take(look.measure_alone, share=share, charged=look.charged)

    async def _measure(
        self, id: str, measure: Callable[[], Json], *, charged: bool, before: float = 0.0
    ) -> Json:
        share = self._owners.share(id)
        with self._waiting.one(share):
            return await self._measurements.take(measure, share=share, charged=charged, before=before)

    def add_encoding(self, seconds: float) -> None:
        """Count the time in which the answer of an instrument was encoded."""
        self._measurements.add_encoding(seconds)

    async def check(self, id: str, run: str) -> dict[str, Any]:
        """Return the self-check of a run, computed on a copy beside the training."""
        subject = await self._read(id, lambda one: one.run(run).to_check())
        result = await self._measure(id, partial(self_check, subject), charged=False)
        return {"step": subject.state.step, **result}

    # ------------------------------------------------------------------ figures and files

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
        """Return a Plotly figure as plain JSON.

        A figure of histories shows all runs. A figure of an instrument shows one run (None: the first, or for an
        instrument of several all) at a step. Without `filled` it has no data, and nothing is measured.
        """
        if name in FIGURES:
            _refuse({"run": run, "step": step, **(options or {})})
            make, points = (figure_json, MOST_POINTS) if filled else (specification_json, 1)
            view = await self._read(id, lambda one: one.figure_view(at_most=points))
            return await self.beside(id, partial(make, name, view))
        if name not in INSTRUMENT_FIGURES:
            raise NotFound(f"no figure has this name; there are {', '.join([*FIGURES, *INSTRUMENT_FIGURES])}")
        instrument = INSTRUMENT_FIGURES[name].instrument
        shared = instrument == FALL_LINE
        selected = None if run is None or not shared else [run]
        bare = await self._read(id, lambda one: one.figure_view(selected, at_most=1))
        of = await self._read(id, lambda one: one.run(next(iter(one.runs)) if run is None else run).name)
        measured = []
        if filled and shared:
            measured = [await self.shared_instrument(id, instrument, selected, step, options)]
        elif filled:
            measured = [await self.instrument(id, of, instrument, step, options)]
        return await self.beside(id, partial(instrument_figure_json, name, bare, of, measured))

    async def _until_examined(self, id: str, run: str | None) -> None:
        """Wait until the findings of a run, or of all, are complete, but not for ever."""
        await self._later(
            id, lambda one, now, done: one.when_examined(run, EXAMINED_SECONDS, now, lambda: None, done)
        )

    async def export(self, id: str, name: str, run: str | None) -> File:
        """Return an exported file of one run, or of all (None). It holds a place until the caller leaves it."""
        if name not in EXPORTS:
            raise NotFound(f"no export has this name; there are {', '.join(EXPORTS)}")
        row = EXPORTS[name]
        with contextlib.suppress(Damaged):
            await self._until_examined(id, run)
        place = await self._downloads.enter(self._owners.share(id))
        try:
            return await self._file(id, row, run, place)
        except BaseException:
            place.leave()
            raise

    async def _file(self, id: str, row: Export, run: str | None, place: Download) -> File:
        try:
            data = await self._read(
                id, lambda one: export_data(one, run, series=row.series, points=row.points)
            )
        except Damaged as error:
            if row.name != RECIPE:
                raise
            content = as_file(await self._readable_recipe(id, run, error))
            return File(row.name_for(run, DAMAGED), row.media_type, content, place, error.what)
        return File(row.name_for(run), row.media_type, await self._beside(id, partial(row.make, data)), place)


def _inputs(
    one: Experiment, problem: Problem, states: TrainingState | list[TrainingState], recipe: RunRecipe
) -> dict[str, Any]:
    """Return the inputs of a measurement at a step, or along several.

    A single state is copied, because the run may go on before it is measured. Several are copies already.
    """
    inputs = (problem, states if isinstance(states, list) else states.copy(), recipe)
    return {"inputs": inputs, "moves": one.moving}


def _findings_of(one: Experiment, run: str) -> tuple[int, list[dict[str, Any]]]:
    return one.run(run).findings_complete_to, one.run(run).findings()


def _refuse(parameters: Json) -> None:
    """Raise InvalidRequest for each parameter of a figure of histories, which would change nothing."""
    errors = [
        FieldError(f"/{name}", "must be left out: this figure shows all runs and steps")
        for name, value in parameters.items()
        if value is not None
    ]
    if errors:
        raise InvalidRequest(*errors)
