"""Loads experiments into memory: it creates, opens, evicts and deletes them.

Owns three rules. An experiment is opened once for all callers. Without a free slot it is opened for a short time, for
reading only. One that was opened while the server was read-only is opened again later.

All on the event loop. New experiments are admitted one after the other: an eviction takes time, and two admissions at
once would count the same free slot twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.interface import Executor
from fallline.realtime.hub import Hub
from fallline.runs.experiment import Experiment
from fallline.runs.instruments.fall_line import Terrains
from fallline.runs.past.checkpoints import CheckpointBudget
from fallline.runs.persistence.reopening import replay_facts
from fallline.runs.usage import expected_bytes
from fallline.services.background import Background
from fallline.services.capacity import Candidate, Capacity, Use
from fallline.services.command_runner import KeyedCommands
from fallline.services.fair_slots import FairSlots
from fallline.services.meters import Meters
from fallline.services.registry import Entry, LiveExperiment, Owners, Registry, hash_of, new_token
from fallline.services.store_thread import StoreThread
from fallline.services.uploads import (
    ExperimentUploads,
    Uploads,
    load_stored_uploads,
    load_uploads,
    new_id,
    upload_ids,
)
from fallline.vocabulary.errors import FalllineError, NotFound, Unavailable
from fallline.vocabulary.journal import Json, NewExperiment, StoredExperiment, log_id
from fallline.vocabulary.recipe import Recipe

_log = logging.getLogger(__name__)

MOST_TEMPORARY = 4
"""Temporary experiments, without a slot, that are open at the same time."""

TEMPORARY_SECONDS = 3.0
"""How long a temporary experiment stays open after the last read, for further reads."""

TURN_SECONDS = 20.0
"""How long a reader waits for a temporary experiment."""

RESUMED_AT_ONCE = 4
"""Experiments that come back at a time after a restart: while some replay their steps, others are read."""

TRIES = 20
"""Attempts to evict others: during an eviction a reader may come."""


class ExperimentLoader:
    """The live experiments, within a `capacity`."""

    def __init__(
        self,
        registry: Registry,
        executor: Executor,
        subscribers: Hub,
        store: StoreThread,
        uploads: Uploads,
        background: Background,
        owners: Owners,
        capacity: Capacity,
        clock: Callable[[], float],
        *,
        kernels: Kernels,
        checkpoint_budget: CheckpointBudget | None,
        meters: Meters,
    ) -> None:
        self._registry = registry
        self._executor = executor
        self._subscribers = subscribers
        self._store = store
        self._uploads = uploads
        self._background = background
        self._owners = owners
        self._capacity = capacity
        self._clock = clock
        self._kernels = kernels
        self._checkpoint_budget = checkpoint_budget
        self._terrains = Terrains()
        self._meters = meters
        self._admission = asyncio.Lock()
        self._turns = FairSlots(MOST_TEMPORARY)
        self._waiting_for_turns = 0

    # ------------------------------------------------------------------ create and open

    async def create(self, recipe: Recipe, owner: bytes | None, address: str | None) -> tuple[Json, str]:
        """Create an experiment of the owner with this hash; return state and token."""
        share = self._owners.share_for(owner, address, self._clock())
        uploads = await load_uploads(recipe, self._uploads, share)
        need = expected_bytes(recipe, uploads.table)
        id, token = new_id(), new_token()
        async with self._admission:
            share = self._owners.share_for(owner, address, self._clock())
            await self._make_room(share, need)
            entry = self._registry.add(id, hash_of(token), upload_ids(recipe), owner)
            entry.address, entry.unused = address, share
            live = self._begin(id, entry, need)
        lost = partial(self._lost, id, live)
        journal = self._store.journal(
            id, lost, new=NewExperiment(entry.token_hash, entry.upload_ids, entry.owner)
        )
        make = partial(
            Experiment,
            id,
            recipe,
            self._kernels,
            uploads.table,
            uploads.start,
            saves=self._store.is_durable,
            checkpoint_budget=self._checkpoint_budget,
            usage=live.usage,
            terrains=self._terrains,
        )
        try:
            state = await self._executor.open(id, make, journal, failed=partial(self._failed, id, live))
        except BaseException:
            self._registry.entries.pop(id, None)
            self._owners.closed(id)
            self._background.begin(self._executor.close(id))
            raise
        live.ready.set_result(None)
        _log_event("created", id)
        return state, token

    async def open(self, id: str) -> LiveExperiment:
        """Return the experiment, live and in a slot, once it is ready. Raises Unavailable."""
        while True:
            entry = self._registry.find(id)
            self._evict_if_writable_again(id, entry)
            live = entry.live
            if live is None or live.is_temporary:
                async with self._admit(id, entry):
                    live = await self._in_slot(id, entry)
            await asyncio.shield(live.ready)
            if entry.live is live:  # else it was evicted meanwhile
                return live

    @contextlib.asynccontextmanager
    async def _admit(self, id: str, entry: Entry) -> AsyncIterator[LiveExperiment | None]:
        """Hold the admission lock; yield the live experiment, if there is one.

        Slow steps come before the lock, since it stops everybody: reading the expected size, and waiting for a
        temporary experiment that is being opened.
        """
        if not entry.expected:
            await self._estimate(id, entry)
        while True:
            await _opened(entry)
            async with self._admission:
                if not _is_opening(entry.live):
                    yield entry.live
                    return

    async def _in_slot(
        self, id: str, entry: Entry, *, share: str | None = None, frees: Use | None = Use.UNREAD
    ) -> LiveExperiment:
        """Return it in its slot, or open it and evict others with up to this use."""
        if (live := entry.live) is not None and not live.is_temporary:
            return live
        share = self._owners.share_of(entry, self._clock()) if share is None else share
        await self._make_room(share, entry.expected, frees=frees)
        if entry.live is not None:
            self._evict(id, entry)
        live = self._begin(id, entry, entry.expected, is_read_only=self._store.is_read_only)
        self._background.begin(self._reopen(id, entry, live))
        return live

    async def _estimate(self, id: str, entry: Entry) -> None:
        """Estimate the maximum of a stored experiment in bytes."""
        stored = await self._store.load(id, with_parts=False)
        uploads = await self._stored_uploads(entry)
        entry.expected = await asyncio.to_thread(
            lambda: expected_bytes(replay_facts(stored.entries).with_edits(), uploads.table)
        )

    async def _stored_uploads(self, entry: Entry) -> ExperimentUploads:
        share = self._owners.share_of(entry, self._clock())
        return await load_stored_uploads(entry.upload_ids, self._uploads, share)

    def _begin(self, id: str, entry: Entry, need: int, *, is_read_only: bool = False) -> LiveExperiment:
        ready = asyncio.get_running_loop().create_future()
        live = LiveExperiment(ready, self._keyed_commands(id, None), is_read_only, expected=need)
        entry.live = live
        self._owners.opened(id, entry)
        return live

    async def resume_playing(self, ids: Iterable[str]) -> None:
        """Open experiments that played when the server stopped, into free slots."""
        waiting = iter(ids)

        async def resume() -> None:
            for id in waiting:
                with contextlib.suppress(
                    Exception
                ):  # logged where it failed; the next request gets the error
                    entry = self._registry.find(id)
                    async with self._admit(id, entry):
                        # each in its own share: the owner is unknown before a client connects
                        live = await self._in_slot(id, entry, share=id, frees=None)
                    await asyncio.shield(live.ready)

        await asyncio.gather(*(resume() for _ in range(RESUMED_AT_ONCE)))

    # ------------------------------------------------------------------ read without a slot

    @contextlib.asynccontextmanager
    async def reading(self, id: str) -> AsyncIterator[None]:
        """Keep it open for reading: in its own slot, a free or idle one, or temporarily."""
        entry, live = await self._pin(id)
        try:
            await asyncio.shield(live.ready)
            yield
        finally:
            live.pins -= 1
            if live.is_temporary and not live.pins:
                self._close_soon(id, entry, live)

    async def _pin(self, id: str) -> tuple[Entry, LiveExperiment]:
        """Open the experiment and add a pin, which keeps it open."""
        while True:
            entry = self._registry.find(id)
            live = entry.live
            if live is None:
                live = await self._open_to_read(id, entry)
            elif not live.is_temporary:
                live = await self.open(id)
            if entry.live is live:
                live.pins += 1
                return entry, live

    async def _open_to_read(self, id: str, entry: Entry) -> LiveExperiment:
        async with self._admit(id, entry) as live:
            if live is not None:
                return live
            with contextlib.suppress(Unavailable):
                return await self._in_slot(id, entry, frees=Use.IDLE)
        share = self._owners.share_of(entry, self._clock())
        await self._take_turn(share)
        temporary: LiveExperiment | None = None
        try:
            async with self._admit(id, entry) as live:
                if live is not None:
                    return live
                temporary = self._begin(id, entry, entry.expected, is_read_only=True)
                temporary.is_temporary, temporary.share, temporary.began = True, share, self._clock()
                self._background.begin(self._reopen(id, entry, temporary))
                return temporary
        finally:
            if temporary is None:
                self._turns.release(share, 0.0)

    async def _take_turn(self, share: str) -> None:
        self._waiting_for_turns += 1
        self._close_unused(share)
        full = Unavailable("too many closed experiments are being read at once: retry later", retry_after=5)
        try:
            await self._turns.acquire_within(TURN_SECONDS, share, full)
        finally:
            self._waiting_for_turns -= 1

    def _close_unused(self, share: str) -> None:
        """Close an unused temporary experiment, if that frees a turn for this share."""
        if self._turns.is_free_for(share):
            return
        for id, entry, _ in self._owners.live_entries():
            live = entry.live
            if live is None or not self._is_unused(live):
                continue
            if live.share == share or not self._turns.free:
                self._evict(id, entry)
                return

    @staticmethod
    def _is_unused(live: LiveExperiment) -> bool:
        return live.is_temporary and not live.pins and live.ready.done()

    def _close_soon(self, id: str, entry: Entry, live: LiveExperiment) -> None:
        """Close a temporary one after a delay without reads; at once if others wait."""

        def close() -> None:
            if entry.live is live and self._is_unused(live):
                self._evict(id, entry)

        seconds = 0.0 if self._waiting_for_turns else TEMPORARY_SECONDS
        asyncio.get_running_loop().call_later(seconds, close)

    async def _reopen(self, id: str, entry: Entry, live: LiveExperiment) -> None:
        try:
            if entry.closing is not None:
                await entry.closing
            stored = await self._store.load(id)
            live.keyed_commands = self._keyed_commands(id, stored)
            uploads = await self._stored_uploads(entry)
            lost = partial(self._lost, id, live)
            journal = self._store.journal(id, lost, count=len(stored.entries))
            make = partial(
                Experiment.reopened,
                id,
                stored,
                self._kernels,
                uploads.table,
                uploads.start,
                saves=self._store.is_durable,
                is_read_only=live.is_read_only,
                is_paused=entry.opens_paused,
                checkpoint_budget=self._checkpoint_budget,
                usage=live.usage,
                terrains=self._terrains,
            )
            if entry.live is not live:  # deleted meanwhile: nobody would close it
                raise NotFound("no experiment has this id: it may have been deleted")
            # Announced again, because the executor forgets the share when it closes an experiment.
            self._owners.announce(id)
            plays_on = stored.plays_on(is_paused=entry.opens_paused, is_read_only=live.is_read_only)
            failed = partial(self._failed, id, live)
            await self._executor.open(id, make, journal, failed, comes_back=plays_on)
            entry.opens_paused = entry.opens_paused and live.is_temporary
        except BaseException as error:
            self._closed(id, entry, live)
            if not live.ready.done():
                live.ready.set_exception(error)
                live.ready.exception()  # retrieved, as there may be no caller
            if not isinstance(error, Exception):
                raise
            if not isinstance(error, FalllineError):
                _log.error(
                    "an experiment could not be opened again",
                    exc_info=error,
                    extra={"experiment": log_id(id)},
                )
        else:
            live.ready.set_result(None)
            _log_event("opened", id)

    def _keyed_commands(self, id: str, stored: StoredExperiment | None) -> KeyedCommands:
        unfinished = {} if stored is None else stored.progress["unfinished"]
        return KeyedCommands(
            {} if stored is None else stored.digests,
            {key: bytes.fromhex(job["digest"]) for key, job in unfinished.items()},
            lambda key: self._store.answer(id, key),
        )

    # ------------------------------------------------------------------ evict and delete

    async def _make_room(
        self,
        share: str,
        need: int,
        *,
        slots: int = 1,
        requester: str | None = None,
        frees: Use | None = Use.UNREAD,
    ) -> None:
        """Evict others with up to the use `frees` until it fits. Raises Unavailable."""
        for _ in range(TRIES):
            chosen = self._capacity.choose_evictions(share, need, slots=slots, requester=requester)
            if not chosen:
                return
            if frees is None or any(one.use > frees for one in chosen):
                break
            for one in chosen:
                await self._evict_candidate(one)
        raise Unavailable("the server is closing other experiments to free memory: retry", retry_after=5)

    async def grow(self, id: str, need: int) -> None:
        """Make room for so many bytes more of an open experiment. Raises Unavailable."""
        entry = self._registry.entries.get(id)
        if entry is None:
            return
        async with self._admission:
            share = self._owners.share_of(entry, self._clock())
            await self._make_room(share, need, slots=0, requester=id)

    async def _evict_candidate(self, one: Candidate) -> None:
        """Evict a chosen one, paused first, unless it is used more by now."""
        entry = self._registry.entries.get(one.id)
        if entry is None or (live := entry.live) is None or live.is_temporary:
            return
        if one.use is not Use.IDLE:
            await self.pause(one.id)
        now = self._clock()
        if entry.live is live and self._capacity.use_of(one.id, live, entry, now) <= one.use:
            self._meters.limits["evicted"] += 1
            self._evict(one.id, entry)
            self._subscribers.interrupted(one.id)
        if entry.closing is not None and self._capacity.closes_many:
            await asyncio.wait([entry.closing])

    async def pause(self, id: str) -> bool:
        """Pause an experiment; return whether it played."""
        with contextlib.suppress(FalllineError):  # deleted, or closed after a fault
            return await self._executor.ask(id, _pause)
        return False

    async def relieve(self) -> None:
        """Evict unused experiments, then pause experiments of the largest share."""
        if not self._capacity.is_bounded or self._capacity.used_bytes <= self._capacity.limits.bytes:
            return
        with contextlib.suppress(Unavailable):
            async with self._admission:
                await self._make_room("", 0, slots=0)
            return
        for id in self._capacity.to_pause():
            if self._capacity.used_bytes <= self._capacity.limits.bytes:
                return
            if await self.pause(id):
                self._meters.limits["paused-for-memory"] += 1
                _log.warning(
                    "an experiment was paused: the memory of this server is in use",
                    extra={"experiment": log_id(id)},
                )
                event = {"type": "event", "experiment": id, "run": None, "event": "memory", "paused": True}
                self._subscribers.event(id, event)

    def _evict(self, id: str, entry: Entry) -> None:
        """Close a live experiment. The next request opens it from the store."""
        live = entry.live
        assert live is not None
        _log_event("closed", id)
        used = live.bytes
        entry.expected = max(live.usage.ceiling, live.expected)
        why = Unavailable("the experiment is being opened again: retry", retry_after=1)
        self._closed(id, entry, live, ends_turn=False)
        self._capacity.closing += used
        entry.closing = asyncio.ensure_future(self._executor.close(id, why))

        def closed(_: object) -> None:
            self._capacity.closing -= used
            self._end_turn(live)

        entry.closing.add_done_callback(closed)

    def _closed(self, id: str, entry: Entry, live: LiveExperiment, *, ends_turn: bool = True) -> None:
        """Record that a live experiment is closed, unless it was replaced or deleted."""
        if entry.live is not live:
            return
        entry.live = None
        self._owners.closed(id)
        if ends_turn:
            self._end_turn(live)

    def _end_turn(self, live: LiveExperiment) -> None:
        if live.is_temporary:
            self._turns.release(live.share, self._clock() - live.began)

    def forget(self, id: str) -> None:
        """Close a deleted experiment and notify its watchers."""
        entry = self._registry.entries.pop(id, None)
        if entry is not None and (live := entry.live) is not None:
            self._background.begin(self._executor.close(id))
            self._closed(id, entry, live)
        self._subscribers.closed(id)
        _log_event("deleted", id)

    async def close(self, id: str, entry: Entry) -> None:
        """Close an experiment, with its steps stored. Its watchers hear of it by `forget` or `interrupted`."""
        if (live := entry.live) is not None:
            self._closed(id, entry, live)
            await self._executor.close(id)
        if entry.closing is not None:
            await entry.closing

    def interrupted(self, id: str) -> None:
        """Let the watchers of a closed experiment come back."""
        self._subscribers.interrupted(id)

    # ------------------------------------------------------------------ failures

    def _lost(self, id: str, live: LiveExperiment) -> None:
        """Evict an experiment after a failed write: it opens as it was stored."""
        entry = self._registry.entries.get(id)
        if entry is not None and entry.live is live:
            self._evict(id, entry)
            self._subscribers.interrupted(id)

    def _failed(self, id: str, live: LiveExperiment) -> None:
        """Record a fault. It opens paused, or it would fail again at once."""
        entry = self._registry.entries.get(id)
        if entry is not None and entry.live is live:
            entry.opens_paused = True
            self._closed(id, entry, live)
            self._subscribers.interrupted(id)

    def writable_again(self) -> None:
        """Close experiments opened read-only: the next request opens them for changes."""
        for id, entry in self._registry.entries.items():
            self._evict_if_writable_again(id, entry)

    def _evict_if_writable_again(self, id: str, entry: Entry) -> None:
        live = entry.live
        if (
            live is not None
            and live.is_read_only
            and not live.is_temporary
            and live.ready.done()
            and not self._store.is_read_only
        ):
            self._evict(id, entry)
            self._subscribers.interrupted(id)


def _log_event(event: str, id: str) -> None:
    _log.debug("an experiment was %s", event, extra={"experiment": log_id(id)})


def _is_opening(live: LiveExperiment | None) -> bool:
    """Return whether this is a temporary experiment that is not open yet."""
    return live is not None and live.is_temporary and not live.ready.done()


async def _opened(entry: Entry) -> None:
    """Wait while a temporary experiment is being opened."""
    while (live := entry.live) is not None and _is_opening(live):
        await asyncio.wait([live.ready])


def _pause(one: Experiment, now: float) -> bool:
    if not one.playing:
        return False
    one.pause(now)
    return True
