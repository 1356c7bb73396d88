"""Experiments in memory: they are created, opened from the store, put away and forgotten here.

Owns that one is opened once for all who ask, that one without a place can be read in a visit, and that one opened on a
read-only server is opened again when the server can store. Must not know who may ask, what is asked of an open one, or
who makes room for whom.

All on the event loop. Newcomers go through one door, one after the other: to make room takes time, and several at once
would all find room in the same place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial

from fallline.engine.kernels.choice import Kernels
from fallline.execution.interface import Executor
from fallline.runs.checkpoints import Room
from fallline.runs.experiment import Experiment
from fallline.runs.standing import standing_of
from fallline.runs.usage import expected_bytes
from fallline.services.audience import Audience
from fallline.services.background import Background
from fallline.services.capabilities import hash_of, new_id, new_token
from fallline.services.capacity import Capacity, bytes_of
from fallline.services.fair_slots import FairSlots
from fallline.services.keeping import Keeper
from fallline.services.library import Library
from fallline.services.materials import made_of, materials_of, stored_materials
from fallline.services.owners import Owners
from fallline.services.places import Occupant, Use
from fallline.services.register import Entry, Opening, Register
from fallline.services.repeats import Repeats
from fallline.storage.interface import NewExperiment
from fallline.vocabulary.errors import FalllineError, NotFound, Unavailable
from fallline.vocabulary.journal import Json, StoredExperiment
from fallline.vocabulary.recipe import Recipe

_log = logging.getLogger(__name__)

MOST_VISITS = 4
"""Experiments without a place that are open at the same time, to be read."""

VISIT_SECONDS = 3.0
"""How long such an experiment stays open after it was read, in case more is read of it."""

TURN_SECONDS = 20.0
"""How long somebody waits for a visit."""

TRIES = 20
"""Times that room is looked for: while one is put away, somebody may begin to read it."""


class Openings:
    """The experiments that are open, within a `capacity`; all choose of the `kernels` and share a `room`."""

    def __init__(
        self,
        register: Register,
        executor: Executor,
        audience: Audience,
        keeper: Keeper,
        library: Library,
        background: Background,
        owners: Owners,
        capacity: Capacity,
        clock: Callable[[], float],
        *,
        kernels: Kernels,
        room: Room | None,
    ) -> None:
        self._register = register
        self._executor = executor
        self._audience = audience
        self._keeper = keeper
        self._library = library
        self._background = background
        self._owners = owners
        self._capacity = capacity
        self._clock = clock
        self._kernels = kernels
        self._room = room
        self._door = asyncio.Lock()
        self._turns = FairSlots(MOST_VISITS, leaves_some=True)
        self._waiting_for_turns = 0

    # ------------------------------------------------------------------ coming

    async def create(self, recipe: Recipe, owner: bytes | None, address: str | None) -> tuple[Json, str]:
        """A new experiment: its state, and the token that allows changes. `owner` is the hash of its maker's key."""
        materials = await materials_of(recipe, self._library)
        need = expected_bytes(recipe, materials.table)
        id, token = new_id(), new_token()
        maker = Entry(b"", 0.0, 0.0, 0.0, owner=owner, address=address)
        async with self._door:
            await self._make_room(self._owners.share_of(maker, self._clock()), need)
            entry = self._register.enter(id, hash_of(token), made_of(recipe), owner)
            entry.address = address
            opening = self._begin(id, entry, need)
        lost = partial(self._lost, id, opening)
        ledger = self._keeper.ledger(
            id, lost, begun=NewExperiment(entry.token_hash, entry.made_of, entry.owner)
        )
        make = partial(
            Experiment,
            id,
            recipe,
            self._kernels,
            materials.table,
            materials.start,
            saves=self._keeper.is_durable,
            room=self._room,
            usage=opening.usage,
        )
        try:
            state = await self._executor.open(id, make, ledger, failed=partial(self._failed, id, opening))
        except BaseException:
            self._register.entries.pop(id, None)
            self._owners.closed(id)
            self._background.begin(self._executor.close(id))
            raise
        opening.done.set_result(None)
        return state, token

    async def opened(self, id: str) -> Opening:
        """The experiment in a place, open: now, or when it has been brought to where it stood. Raises Unavailable."""
        while True:
            entry = self._register.find(id)
            self._open_for_good(id, entry)
            opening = entry.opening
            if opening is None or opening.is_visit:
                async with self._door_to(id, entry):
                    opening = await self._in_a_place(id, entry)
            await asyncio.shield(opening.done)
            if entry.opening is opening:  # else it made room for others while this waited
                return opening

    @contextlib.asynccontextmanager
    async def _door_to(self, id: str, entry: Entry) -> AsyncIterator[Opening | None]:
        """The door, and behind it the experiment's opening, if it has one.

        It waits in front of the door until it is known how large the experiment may get, and until no visit of it is
        at its beginning: behind the door that would hold up everybody.
        """
        if not entry.expected:
            await self._expect(id, entry)
        while True:
            await _settled(entry)
            async with self._door:
                if not _begins(entry.opening):
                    yield entry.opening
                    return

    async def _in_a_place(
        self, id: str, entry: Entry, *, share: str | None = None, frees: Use | None = Use.UNREAD
    ) -> Opening:
        """The experiment in a place: the one that it has, or one freed by those that are used no more than that."""
        if (found := entry.opening) is not None and not found.is_visit:
            return found
        share = self._owners.share_of(entry, self._clock()) if share is None else share
        await self._make_room(share, entry.expected, frees=frees)
        if entry.opening is not None:
            self._put_away(id, entry)
        opening = self._begin(id, entry, entry.expected, stands_still=self._keeper.is_read_only)
        self._background.begin(self._reopen(id, entry, opening))
        return opening

    async def _expect(self, id: str, entry: Entry) -> None:
        """Count the bytes that a stored experiment may come to."""
        kept = await self._keeper.load(id)
        materials = await stored_materials(entry.made_of, self._library)
        entry.expected = await asyncio.to_thread(
            lambda: expected_bytes(standing_of(kept.entries).with_edits(), materials.table)
        )

    def _begin(self, id: str, entry: Entry, need: int, *, stands_still: bool = False) -> Opening:
        done = asyncio.get_running_loop().create_future()
        opening = entry.opening = Opening(done, self._repeats(id, None), stands_still, expected=need)
        self._owners.opened(id, entry)
        return opening

    async def plays_on(self, ids: Iterable[str]) -> None:
        """Open those that were playing when the server ended, as many as there is room for."""
        for id in ids:
            with contextlib.suppress(Exception):  # logged where it failed; whoever asks for it gets the error
                entry = self._register.find(id)
                async with self._door_to(id, entry):
                    # each in a share of its own: whose they are is not known before somebody comes
                    opening = await self._in_a_place(id, entry, share=id, frees=None)
                await asyncio.shield(opening.done)

    # ------------------------------------------------------------------ being read without a place

    @contextlib.asynccontextmanager
    async def looked_at(self, id: str) -> AsyncIterator[None]:
        """The experiment, open to be read: in its place, in one that is free or idle, or else in a visit."""
        entry, opening = await self._visited(id)
        try:
            await asyncio.shield(opening.done)
            yield
        finally:
            opening.visitors -= 1
            if opening.is_visit and not opening.visitors:
                self._end_soon(id, entry, opening)

    async def _visited(self, id: str) -> tuple[Entry, Opening]:
        """The experiment with one visitor more, who keeps it open."""
        while True:
            entry = self._register.find(id)
            opening = entry.opening
            if opening is None:
                opening = await self._open_to_read(id, entry)
            elif not opening.is_visit:
                opening = await self.opened(id)
            if entry.opening is opening:
                opening.visitors += 1
                return entry, opening

    async def _open_to_read(self, id: str, entry: Entry) -> Opening:
        async with self._door_to(id, entry) as found:
            if found is not None:
                return found
            with contextlib.suppress(Unavailable):
                return await self._in_a_place(id, entry, frees=Use.IDLE)
        share = self._owners.share_of(entry, self._clock())
        await self._take_turn(share)
        visit: Opening | None = None
        try:
            async with self._door_to(id, entry) as found:
                if found is not None:
                    return found
                visit = self._begin(id, entry, entry.expected, stands_still=True)
                visit.is_visit, visit.share, visit.began = True, share, self._clock()
                self._background.begin(self._reopen(id, entry, visit))
                return visit
        finally:
            if visit is None:
                self._turns.give_back(share, 0.0)

    async def _take_turn(self, share: str) -> None:
        self._waiting_for_turns += 1
        self._end_unused_visit(share)
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.take(share)
        except TimeoutError:
            raise Unavailable("many experiments without a place are being read", retry_after=5) from None
        finally:
            self._waiting_for_turns -= 1

    def _end_unused_visit(self, share: str) -> None:
        """Close a visit that nobody reads any more, if its turn serves this share."""
        if self._turns.is_free_for(share):
            return
        for id, entry, _ in self._owners.open_ones():
            opening = entry.opening
            if opening is None or not self._is_over(opening):
                continue
            if opening.share == share or not self._turns.free:
                self._put_away(id, entry)
                return

    @staticmethod
    def _is_over(opening: Opening) -> bool:
        return opening.is_visit and not opening.visitors and opening.done.done()

    def _end_soon(self, id: str, entry: Entry, opening: Opening) -> None:
        """Close a visit when nobody has come to read more of it; at once where others wait for a turn."""

        def end() -> None:
            if entry.opening is opening and self._is_over(opening):
                self._put_away(id, entry)

        seconds = 0.0 if self._waiting_for_turns else VISIT_SECONDS
        asyncio.get_running_loop().call_later(seconds, end)

    async def _reopen(self, id: str, entry: Entry, opening: Opening) -> None:
        try:
            if entry.closing is not None:
                await entry.closing
            kept = await self._keeper.load(id)
            opening.repeats = self._repeats(id, kept)
            materials = await stored_materials(entry.made_of, self._library)
            lost = partial(self._lost, id, opening)
            ledger = self._keeper.ledger(id, lost, count=len(kept.entries))
            make = partial(
                Experiment.reopened,
                id,
                kept,
                self._kernels,
                materials.table,
                materials.start,
                saves=self._keeper.is_durable,
                stands_still=opening.stands_still,
                is_paused=entry.was_left,
                room=self._room,
                usage=opening.usage,
            )
            if entry.opening is not opening:  # deleted meanwhile: nobody would close it any more
                raise NotFound("no experiment of that id: it may have been deleted")
            # Said again, since with the end of the opening before, the executor forgot it.
            self._owners.announce(id)
            await self._executor.open(id, make, ledger, failed=partial(self._failed, id, opening))
            entry.was_left = entry.was_left and opening.is_visit
        except BaseException as error:
            self._closed(id, entry, opening)
            if not opening.done.done():
                opening.done.set_exception(error)
                opening.done.exception()  # looked at: whoever waits for it is told, and there may be nobody
            if not isinstance(error, Exception):
                raise
            _log_unforeseen(error)
        else:
            opening.done.set_result(None)

    def _repeats(self, id: str, kept: StoredExperiment | None) -> Repeats:
        begun = {} if kept is None else kept.progress["unfinished"]
        return Repeats(
            {} if kept is None else kept.digests,
            {key: bytes.fromhex(job["digest"]) for key, job in begun.items()},
            lambda key: self._keeper.answer(id, key),
        )

    # ------------------------------------------------------------------ going

    async def _make_room(
        self,
        share: str,
        need: int,
        *,
        places: int = 1,
        asking: str | None = None,
        frees: Use | None = Use.UNREAD,
    ) -> None:
        """Put those away that make room, as far as they are used no more than `frees`. Raises Unavailable."""
        for _ in range(TRIES):
            going = self._capacity.leaving(share, need, places=places, asking=asking)
            if not going:
                return
            if frees is None or any(one.use > frees for one in going):
                break
            for one in going:
                await self._let_go(one)
        raise Unavailable("this server makes room for others", retry_after=5)

    async def grow(self, id: str, opening: Opening, *, more_runs: bool) -> None:
        """Make room for what an experiment that begins to make steps or gets a run may come to. Raises Unavailable."""
        entry = self._register.entries.get(id)
        usage = opening.usage
        need = usage.ceiling + usage.run_ceiling * more_runs - bytes_of(opening)
        if entry is None or need <= 0 or self._capacity.has_left(need):
            return
        async with self._door:
            share = self._owners.share_of(entry, self._clock())
            await self._make_room(share, need, places=0, asking=id)

    async def _let_go(self, one: Occupant) -> None:
        """Put one away that plays or is watched only when it has been paused."""
        entry = self._register.entries.get(one.id)
        if entry is None or (opening := entry.opening) is None or opening.is_visit:
            return
        if one.use is not Use.IDLE:
            await self.pause(one.id)
        # somebody may have come meanwhile
        now = self._clock()
        if entry.opening is opening and self._capacity.use_of(one.id, opening, entry, now) <= one.use:
            self._put_away(one.id, entry)
            self._audience.interrupted(one.id)
        if entry.closing is not None and self._capacity.closes_many:
            await asyncio.wait([entry.closing])

    async def pause(self, id: str) -> bool:
        """Pause an experiment that plays; whether it did."""
        with contextlib.suppress(FalllineError):  # gone, or closed after a fault
            return await self._executor.ask(id, _pause)
        return False

    async def relieve(self) -> None:
        """Bring what is taken under the limit: put those away that may go, then pause those of the largest share."""
        if not self._capacity.is_bounded or self._capacity.taken <= self._capacity.limits.bytes:
            return
        with contextlib.suppress(Unavailable):
            async with self._door:
                await self._make_room("", 0, places=0)
            return
        for id in self._capacity.to_pause():
            if self._capacity.taken <= self._capacity.limits.bytes:
                return
            if await self.pause(id):
                _log.warning("an experiment was paused: the memory of this server is in use")
                self._audience.event(id, _paused_for_memory(id))

    def _put_away(self, id: str, entry: Entry) -> None:
        """Close it; when somebody asks for it again it is opened from the store."""
        opening = entry.opening
        assert opening is not None
        taken = bytes_of(opening)
        entry.expected = max(opening.usage.ceiling, opening.expected)
        why = Unavailable("the experiment is being opened again", retry_after=1)
        self._closed(id, entry, opening, ends_turn=False)
        self._capacity.closing += taken
        entry.closing = asyncio.ensure_future(self._executor.close(id, why))

        def closed(_: object) -> None:
            self._capacity.closing -= taken
            self._end_turn(opening)

        entry.closing.add_done_callback(closed)

    def _closed(self, id: str, entry: Entry, opening: Opening, *, ends_turn: bool = True) -> None:
        """This opening is over; there may be a later one, or a deletion may have come before."""
        if entry.opening is not opening:
            return
        entry.opening = None
        self._owners.closed(id)
        if ends_turn:
            self._end_turn(opening)

    def _end_turn(self, opening: Opening) -> None:
        if opening.is_visit:
            self._turns.give_back(opening.share, self._clock() - opening.began)

    def forget(self, id: str) -> None:
        """It is deleted: close it, and tell whoever watches."""
        entry = self._register.entries.pop(id, None)
        if entry is not None and (opening := entry.opening) is not None:
            self._background.begin(self._executor.close(id))
            self._closed(id, entry, opening)
        self._audience.closed(id)

    # ------------------------------------------------------------------ when things cannot be stored

    def _lost(self, id: str, opening: Opening) -> None:
        """It holds what could not be stored: from the store it is opened again as it was before."""
        entry = self._register.entries.get(id)
        if entry is not None and entry.opening is opening:
            self._put_away(id, entry)
            self._audience.interrupted(id)

    def _failed(self, id: str, opening: Opening) -> None:
        """The executor closed it after a fault. It opens again paused, or it would fail again at once."""
        entry = self._register.entries.get(id)
        if entry is not None and entry.opening is opening:
            entry.was_left = True
            self._closed(id, entry, opening)
            self._audience.interrupted(id)

    def open_all_for_good(self) -> None:
        """What was opened to be looked at only is closed, so that it is opened for good."""
        for id, entry in self._register.entries.items():
            self._open_for_good(id, entry)

    def _open_for_good(self, id: str, entry: Entry) -> None:
        """If it was opened to be looked at only, have the next who asks open one of which things are stored."""
        opening = entry.opening
        if (
            opening is not None
            and opening.stands_still
            and not opening.is_visit
            and opening.done.done()
            and not self._keeper.is_read_only
        ):
            self._put_away(id, entry)
            self._audience.interrupted(id)


def _begins(opening: Opening | None) -> bool:
    """Whether this is a visit that is not open yet."""
    return opening is not None and opening.is_visit and not opening.done.done()


async def _settled(entry: Entry) -> None:
    """Return when no visit is at its beginning."""
    while (opening := entry.opening) is not None and _begins(opening):
        await asyncio.wait([opening.done])


def _pause(one: Experiment, now: float) -> bool:
    if not one.playing:
        return False
    one.pause(now)
    return True


def _paused_for_memory(id: str) -> Json:
    return {"type": "event", "experiment": id, "run": None, "event": "memory", "paused": True}


def _log_unforeseen(error: Exception) -> None:
    if not isinstance(error, FalllineError):
        _log.error("an experiment could not be opened again", exc_info=error)
