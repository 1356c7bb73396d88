"""The single facade of the services, for web, command line and tests.

Owns start and stop, and the checks before a change: the token, whether the store is writable, and repeats. Other
modules of this package do the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.saved_parameters import read_parameters
from fallline.engine.data.tabular.table import read_new_table
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.interface import Executor
from fallline.exports.table import EXPORTS
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from fallline.runs.checks.catalog import catalog
from fallline.runs.past.checkpoints import CheckpointBudget
from fallline.services.background import Background
from fallline.services.capacity import Capacity, Limits
from fallline.services.command_runner import CommandRunner, Disconnected
from fallline.services.creations import Creations
from fallline.services.deletions import Deletions
from fallline.services.downloads import Downloads
from fallline.services.experiment_loader import ExperimentLoader
from fallline.services.fair_slots import RETRY_SECONDS, SlotsBesideTraining, WaitingRequests
from fallline.services.idle_sweep import IdleSweep
from fallline.services.meters import Histogram, Meters, Present
from fallline.services.readiness import Readiness
from fallline.services.registry import Entry, Owners, Registry, hash_of, opens
from fallline.services.room import Room
from fallline.services.store_thread import StoreThread
from fallline.services.subscriptions import Subscriptions
from fallline.services.uploads import Arrivals, Upload, Uploads, split_ids, upload_ids
from fallline.services.views import Views
from fallline.vocabulary.commands import Command, Step, Undo, parse
from fallline.vocabulary.errors import (
    NotAuthorized,
    ReadOnly,
    StorageFull,
    TooExpensive,
    TooManyRequests,
    Unavailable,
    UnusableParameters,
    UnusableTable,
)
from fallline.vocabulary.recipe import Recipe

T = TypeVar("T")

RELIEF_SECONDS = 1.0
"""How often the bytes of all live experiments are counted."""

MOST_RUNNING = 64
"""Commands of one experiment at the same time, beyond which it takes no steps: each holds a connection."""

GROWING = ("play", "step", "add_run")
"""Commands that need memory, because they make steps or a run."""


FREEING = ("pause", "reset", "remove_run", "undo")
"""Commands that work on a full disk too: they end work, free bytes, or bring back stored runs."""

MOST_FREEING = 100
"""Such commands of one experiment while the disk is full: each stores its answer, so a loop of them fills the disk."""

REFUSALS = (UnusableTable, UnusableParameters, TooExpensive)
"""Errors of uploads after they were parsed. Such an upload counts as one that nobody uses."""

DRAWN_AT_ONCE = 1
"""QR codes drawn at the same time. The largest takes a quarter of a second of plain Python."""


class Lab:
    """Experiments, their tokens and their watchers.

    `clock` gives seconds; all methods run on the event loop.

    At most `most` experiments are in memory. The others are stored, and are opened for a request. An experiment is
    deleted when nobody has used it for `keep_seconds`.
    """

    def __init__(
        self,
        executor: Executor,
        subscribers: Hub,
        clock: Callable[[], float],
        store: StoreThread,
        *,
        most: int,
        most_bytes: float = math.inf,
        most_stored: float | None = None,
        most_unused: int = 600,
        most_exports: int = 32,
        idle_seconds: float,
        keep_seconds: float = float("inf"),
        kernels: Kernels | None = None,
        checkpoint_budget: CheckpointBudget | None = None,
        seconds_since_backup: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.meters = Meters()
        self._seconds_since_backup = seconds_since_backup
        self._executor = executor
        self._subscribers = subscribers
        self._store = store
        self._kernels = Kernels() if kernels is None else kernels
        self._uploads = Uploads(store, executor)
        self._arrivals = Arrivals()
        self._drawing = SlotsBesideTraining(executor, DRAWN_AT_ONCE)
        self._drawings = WaitingRequests("QR codes")
        self._creations = Creations(most_unused)
        self._clock = clock
        self._background = Background()
        self._registry = registry = Registry(clock, store.age.now)
        self._owners = owners = Owners(clock, executor.share)
        self._room = Room(registry, owners, self._uploads, store, clock, most_stored)
        limits = Limits(most, most_bytes, store.is_durable)
        self._capacity = Capacity(owners, subscribers, clock, limits)
        self._loader = loader = ExperimentLoader(
            registry,
            executor,
            subscribers,
            store,
            self._uploads,
            self._background,
            owners,
            self._capacity,
            clock,
            kernels=self._kernels,
            checkpoint_budget=checkpoint_budget,
            meters=self.meters,
        )
        self._commands = CommandRunner(executor, self._background, store.age.now)
        self._readiness = Readiness(executor, store, clock)
        self._subscriptions = Subscriptions(registry, loader, executor, subscribers, clock)
        self.views = Views(
            loader, executor, store, owners, Downloads(most_exports, clock), lambda: subscribers.watched
        )
        self._deletions = Deletions(registry, loader, store)
        self.idle_sweep = IdleSweep(
            registry,
            loader,
            self._deletions,
            subscribers,
            store,
            self._uploads,
            owners,
            clock,
            idle_seconds=idle_seconds,
            keep_seconds=keep_seconds,
        )

    # ------------------------------------------------------------------ start and stop

    async def start(self) -> None:
        self._executor.start(self._subscribers)
        self._store.start(self._storing_changed)
        with contextlib.suppress(ReadOnly):
            await self._load_stored()
        self._background.repeat(self.idle_sweep.sweep, self.idle_sweep.sweep_seconds)
        self._background.begin(self._readiness.pulse.beat_for_ever())
        if self._capacity.is_bounded:
            self._background.repeat(self._loader.relieve, RELIEF_SECONDS)

    async def stop(self) -> None:
        self._background.cancel()
        await self._executor.stop()
        await self._store.stop()
        self._executor.abandon()

    async def _load_stored(self) -> None:
        """Add stored experiments and uploads; experiments that played play again."""
        await self._uploads.load_index()
        await self._room.begin()
        playing = self._registry.add_stored(await self._store.experiments(), self.idle_sweep.idle_seconds)
        if playing:
            self._owners.expect(self._registry.find(id) for id in playing)
            self._background.begin(self._loader.resume_playing(playing))

    def _storing_changed(self, in_trouble: bool) -> None:
        self._subscribers.broadcast({"event": "storage", "read_only": in_trouble})
        after = self._deletions.release_until_writable() if in_trouble else self._become_writable()
        self._background.begin(after)

    async def _become_writable(self) -> None:
        await self._load_stored()
        self._loader.writable_again()

    # ------------------------------------------------------------------ status

    @property
    def is_read_only(self) -> bool:
        """True while the store is not writable, so that changes are refused."""
        return self._store.is_read_only

    def _check_writable(self) -> None:
        if self.is_read_only:
            raise ReadOnly

    def health(self) -> dict[str, Any]:
        report: dict[str, Any] = {
            "kernel": self._kernels.current.name,
            "experiments": len(self._registry.entries),
            "storage": self._store.kind,
            "read_only": self.is_read_only,
            "faults": self._executor.faults,
        }
        if self._kernels.why is not None:
            report["not_compiled"] = self._kernels.why
        return report

    async def ready(self) -> dict[str, Any]:
        """Return how soon worker, store and event loop answer. Raises Unavailable."""
        return await self._readiness.check()

    @property
    def loop_lag(self) -> Histogram:
        return self._readiness.pulse.delays

    @property
    def store_write_seconds(self) -> Histogram:
        return self._store.write_seconds

    def present(self) -> Present:
        """Count what there is at this moment."""
        live = [entry.live for entry in self._registry.entries.values() if entry.live is not None]
        store_bytes, disk_free_bytes = self._store.disk_use()
        return Present(
            experiments=len(self._registry.entries),
            open=len(live),
            busy=len([one for one in live if one.usage.is_busy]),
            memory_bytes=self._capacity.used_bytes,
            steps=self._executor.steps,
            faults=self._executor.faults,
            waiting=self._executor.waiting(),
            writes_waiting=self._store.waiting,
            is_read_only=self.is_read_only,
            store_bytes=store_bytes,
            disk_free_bytes=disk_free_bytes,
            seconds_since_backup=self._seconds_since_backup(),
        )

    def catalog(self) -> dict[str, Any]:
        exports = [row.as_json() for row in EXPORTS.values()]
        return {**catalog(), "exports": exports, "idle_seconds": self.idle_sweep.idle_seconds}

    # ------------------------------------------------------------------ experiments

    async def create(
        self, recipe: Recipe, *, owner: str | None = None, address: str | None = None
    ) -> tuple[dict[str, Any], str]:
        """Create an experiment of the owner with this key; return state and token."""
        self._check_writable()
        key, now = None if owner is None else hash_of(owner), self._clock()
        await self._ensure_room(lambda: self._room.check_new(key, address))
        with self._creations.counted(self._owners.share_for(key, address, now), now):
            await _prepare(recipe.data.name)
            state, token = await self._loader.create(recipe, key, address)
        for id in split_ids(upload_ids(recipe)):
            self._creations.used(self._uploads.unused.pop(id, ""))
        return self.views.with_read_only(state), token

    @property
    def _is_tight(self) -> bool:
        # not in `services.room`: one module less on the way of each command
        plenty = self._room.plenty
        return plenty < math.inf and self._store.stored_bytes + self._uploads.bytes > plenty

    async def _check_room(self, entry: Entry, do: str) -> None:
        """Check the room for a command's changes and its answer. Raises StorageFull."""
        if not self._is_tight:
            entry.freeing = 0
        elif do in FREEING and entry.freeing < MOST_FREEING:
            entry.freeing += 1
        else:
            await self._ensure_room(partial(self._room.check_more, entry))

    async def _ensure_room(self, check: Callable[[], None]) -> None:
        """Check the room on the disk. New data comes before the undo of a deletion. Raises StorageFull."""
        while True:
            try:
                return check()
            except StorageFull as full:
                if not (full.is_whole and await self._deletions.release_room()):
                    raise

    def _use(self, entry: Entry) -> None:
        """Record that somebody watches or changes a new experiment."""
        self._creations.used(entry.unused)
        entry.unused = ""

    async def delete(self, id: str, token: str | None) -> str | None:
        """Delete an experiment; return the id that brings it back, if it can come back."""
        return await self._deletions.delete(id, token)

    def forget(self, id: str) -> None:
        """Close an experiment that was deleted from the store, and notify its watchers."""
        self._registry.deleted.pop(id, None)
        self._loader.forget(id)

    def may_change(self, id: str, token: str, *, is_undo: bool = False) -> bool:
        """Return whether the token is this experiment's, which an undo may find deleted. Raises NotFound."""
        if is_undo and (deleted := self._registry.deleted.get(id)) is not None:
            return opens(token, deleted.entry.token_hash)
        return self._registry.may_change(id, token)

    async def command(
        self,
        id: str,
        token: str | None,
        do: str,
        body: dict[str, Any] | Command,
        run: str | None = None,
        key: str | None = None,
        *,
        address: str | None = None,
        disconnected: Disconnected | None = None,
    ) -> dict[str, Any]:
        """Run a command; return the REST answer. A `body` may have been parsed already.

        With a key, a repeat gets the same answer and is not done again.

        `disconnected` is done when the caller's connection has ended. Steps without a caller are paused 30 s later.
        """
        if do == "undo" and id in self._registry.deleted:
            undo = parse(do, body) if isinstance(body, dict) else body
            await self._deletions.undo(id, undo.undo if isinstance(undo, Undo) else "", token)
        entry = self._registry.authorize(id, token)
        self._owners.came_from(id, entry, address)
        if entry.unused:
            self._use(entry)
        command = parse(do, body) if isinstance(body, dict) else body
        self._check_writable()
        live = entry.open or await self._loader.open(id)
        if live.is_read_only:
            raise ReadOnly
        if not live.keyed_commands.knows(key):
            await self._check_room(entry, do)
        need = live.growth(more_runs=do == "add_run") if do in GROWING else 0
        if need > 0 and not self._capacity.has_free(need):
            live.pins += 1  # not evicted while it waits for memory
            try:
                await self._loader.grow(id, need)
            finally:
                live.pins -= 1
        if isinstance(command, Step) and live.running_commands >= MOST_RUNNING:
            raise TooManyRequests(
                f"{MOST_RUNNING} commands of this experiment wait: retry later", RETRY_SECONDS
            )
        live.running_commands += 1
        try:
            if key is None:
                return await self._commands.do(id, command, run, None).wait(disconnected)
            payload = body if isinstance(body, dict) else body.model_dump(mode="json", exclude_unset=True)
            content = {"do": do, "run": run, "body": payload}
            make = partial(self._commands.do, id, command, run)
            return await live.keyed_commands.once(key, content, make, disconnected)
        finally:
            live.running_commands -= 1

    # ------------------------------------------------------------------ watching

    async def watch(
        self,
        id: str,
        token: str | None,
        watcher: Outbox,
        *,
        address: str | None = None,
    ) -> dict[str, Any]:
        """Subscribe: return the state. All later events and frames go to `watcher`."""
        if token is not None and not self.may_change(id, token):
            raise NotAuthorized("the token is not this experiment's: send the right one, or none to read")
        entry = self._registry.find(id)
        if token is not None:
            self._owners.came_from(id, entry, address)
        if entry.unused:
            self._use(entry)
        return self.views.with_read_only(await self._subscriptions.watch(id, watcher))

    def unwatch(self, id: str, watcher: Outbox) -> None:
        self._subscriptions.unwatch(id, watcher)

    def acknowledged(self, id: str) -> None:
        """Record that a watcher with the token has acknowledged frames."""
        if (entry := self._registry.acknowledge(id)) is not None:
            self._owners.acknowledged(entry)

    def share_of(self, owner: str | None, address: str | None) -> str:
        """Return the share of a caller with this owner key."""
        return self._owners.share_for(None if owner is None else hash_of(owner), address, self._clock())

    def share_of_watcher(self, id: str | None, address: str | None) -> str:
        """Return the share of a watcher with the token of this experiment; None: without a token."""
        entry = None if id is None else self._registry.entries.get(id)
        return self._owners.share_for(None if entry is None else entry.owner, address, self._clock())

    def charge(self, share: str, seconds: float) -> None:
        """Charge a share for seconds of the event loop."""
        self._executor.charge_share(share, seconds)

    def owner_of(self, id: str) -> str:
        """Return the group of its sockets: the hash of its owner, or itself."""
        entry = self._registry.entries.get(id)
        return id if entry is None or entry.owner is None else entry.owner.hex()

    async def draw(
        self, drawing: Callable[[], T], *, owner: str | None = None, address: str | None = None
    ) -> T:
        """Draw a QR code of a caller in a thread, in its share's turn. Raises TooManyRequests."""
        share = self.share_of(owner, address)
        with self._drawings.one(share):
            return await self._drawing.run(share, drawing)

    # ------------------------------------------------------------------ uploads

    def arriving(
        self, owner: str | None, address: str | None
    ) -> contextlib.AbstractAsyncContextManager[None]:
        """Hold a place for the body of a caller's upload. Entering raises TooManyRequests and Unavailable."""
        return self._arrivals.one(self.share_of(owner, address))

    async def add_table(
        self, body: bytes, *, owner: str | None = None, address: str | None = None
    ) -> dict[str, Any]:
        """Add a table from a CSV; return it with its new id."""
        return await self._add_upload(read_new_table, body, owner, address)

    async def add_parameters(
        self, body: bytes, *, owner: str | None = None, address: str | None = None
    ) -> dict[str, Any]:
        """Add parameters from an .npz; return them with their new id."""
        return await self._add_upload(read_parameters, body, owner, address)

    async def _add_upload(
        self, read: Callable[[bytes], Upload], body: bytes, owner: str | None, address: str | None
    ) -> dict[str, Any]:
        self._check_writable()
        key, now = None if owner is None else hash_of(owner), self._clock()
        await self._ensure_room(lambda: self._room.check_new(key, address, len(body)))
        share = self._owners.share_for(key, address, now)
        with self._creations.counted(share, now, *REFUSALS):
            id, upload = await self._store_upload(share, read, body)
        self._uploads.note_unused(id, share)
        return {"id": id, **upload.as_json()}

    async def _store_upload(
        self, share: str, read: Callable[[bytes], Upload], body: bytes
    ) -> tuple[str, Upload]:
        while True:
            try:
                return await self._uploads.add(share, read, body, self._registry.upload_ids_in_use)
            except Unavailable:  # a new upload comes before the undo of a deletion
                if not await self._deletions.release_upload():
                    raise

    async def table(self, id: str, *, owner: str | None = None, address: str | None = None) -> dict[str, Any]:
        """Return the table with this id, as `add_table` did."""
        self._registry.check_complete()
        return {"id": id, **(await self._uploads.table(id, self.share_of(owner, address))).as_json()}

    async def parameters(
        self, id: str, *, owner: str | None = None, address: str | None = None
    ) -> dict[str, Any]:
        """Return the parameters with this id, as `add_parameters` did."""
        self._registry.check_complete()
        return {"id": id, **(await self._uploads.parameters(id, self.share_of(owner, address))).as_json()}


async def _prepare(dataset: str) -> None:
    """Prepare a data set in a thread if its first use takes long."""
    row = DATASETS.get(dataset)
    if row is not None and row.prepare is not None and not row.missing:
        await asyncio.to_thread(row.prepare)
