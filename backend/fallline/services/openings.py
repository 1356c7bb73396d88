"""Experiments in memory: how a new one comes there, how a stored one is opened again, put away and forgotten.

Owns that at most so many are open, that one is opened once however many ask for it, and that what was opened to be
looked at only is opened for good when things can be stored again. Must not know who may ask, nor what is asked of an
open one.

All on the event loop. Whoever comes goes through one door, one after the other: to make room has to wait, and of many
who come at once all would find room in the place of the same one.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from fallline.engine.kernels.choice import Kernels
from fallline.execution.interface import Executor
from fallline.runs.checkpoints import Room
from fallline.runs.experiment import Experiment
from fallline.services.audience import Audience
from fallline.services.background import Background
from fallline.services.capabilities import hash_of, new_id, new_token
from fallline.services.keeping import Keeper
from fallline.services.library import Library
from fallline.services.materials import made_of, materials_of, stored_materials
from fallline.services.owners import Owners
from fallline.services.register import Entry, Opening, Register
from fallline.services.repeats import Repeats
from fallline.storage.interface import Begun
from fallline.vocabulary.errors import FalllineError, NotFound, Unavailable
from fallline.vocabulary.journal import Json, Kept
from fallline.vocabulary.recipe import Recipe

_log = logging.getLogger(__name__)

ASKED_AT_ONCE = 20
"""Experiments that are asked whether they are busy, to make room: each answers between two slices, so that to ask a
thousand one by one takes seconds, for which all who come would wait.
"""


class Openings:
    """The experiments that are open, at most `most`; all choose of the `kernels` and share a `room` for the past."""

    def __init__(
        self,
        register: Register,
        executor: Executor,
        audience: Audience,
        keeper: Keeper,
        library: Library,
        background: Background,
        owners: Owners,
        *,
        most: int,
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
        self._most = most
        self._kernels = kernels
        self._room = room
        self._door = asyncio.Lock()

    # ------------------------------------------------------------------ coming

    async def create(self, recipe: Recipe, owner: bytes | None, address: str | None) -> tuple[Json, str]:
        """A new experiment: its state, and the token that allows changes. `owner` is the hash of its maker's key."""
        materials = await materials_of(recipe, self._library)
        id, token = new_id(), new_token()
        async with self._door:
            await self._make_room()
            entry = self._register.enter(id, hash_of(token), made_of(recipe), owner)
            entry.address = address
            opening = self._begin(id, entry)
        lost = partial(self._lost, id, opening)
        ledger = self._keeper.ledger(id, lost, begun=Begun(entry.token_hash, entry.made_of, entry.owner))
        make = partial(
            Experiment,
            id,
            recipe,
            self._kernels,
            materials.table,
            materials.start,
            saves=self._keeper.is_durable,
            room=self._room,
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
        """The experiment, open: now, or when it has been brought to where it stood."""
        entry = self._register.find(id)
        self._open_for_good(id, entry)
        opening = entry.opening
        if opening is None:
            async with self._door:
                opening = entry.opening or await self._begin_again(id, entry)
        await asyncio.shield(opening.done)
        return opening

    async def _begin_again(self, id: str, entry: Entry) -> Opening:
        await self._make_room()
        opening = self._begin(id, entry, stands_still=self._keeper.is_read_only)
        self._background.begin(self._reopen(id, entry, opening))
        return opening

    def _begin(self, id: str, entry: Entry, *, stands_still: bool = False) -> Opening:
        done = asyncio.get_running_loop().create_future()
        opening = entry.opening = Opening(done, self._repeats(id, None), stands_still)
        self._owners.opened(id, entry)
        return opening

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
            )
            await self._executor.open(id, make, ledger, failed=partial(self._failed, id, opening))
            entry.was_left = False
        except BaseException as error:
            entry.opening = None
            self._owners.closed(id)
            if not opening.done.done():
                opening.done.set_exception(error)
                opening.done.exception()  # looked at: whoever waits for it is told, and there may be nobody
            if not isinstance(error, Exception):
                raise
            _log_unforeseen(error)
        else:
            opening.done.set_result(None)

    def _repeats(self, id: str, kept: Kept | None) -> Repeats:
        begun = {} if kept is None else kept.progress["unfinished"]
        return Repeats(
            {} if kept is None else kept.digests,
            {key: bytes.fromhex(job["digest"]) for key, job in begun.items()},
            lambda key: self._keeper.answer(id, key),
        )

    # ------------------------------------------------------------------ going

    async def _make_room(self) -> None:
        """Put the oldest experiment away that nobody watches and that stands still, when too many are open.

        Where nothing is stored for good, it goes for good.
        """
        open_ones = [(id, entry) for id, entry in self._register.entries.items() if entry.opening is not None]
        if len(open_ones) < self._most:
            return
        open_ones.sort(key=lambda item: item[1].seen)
        for start in range(0, len(open_ones), ASKED_AT_ONCE):
            group = open_ones[start : start + ASKED_AT_ONCE]
            busy = await asyncio.gather(*(self._is_busy(id, entry) for id, entry in group))
            for (id, entry), is_busy in zip(group, busy, strict=True):
                # somebody may have come while others were asked
                if not is_busy and not self._is_held(id, entry):
                    await self._let_go(id, entry)
                    return
        raise Unavailable(f"all {self._most} experiments of this server are in use", retry_after=60)

    async def _is_busy(self, id: str, entry: Entry) -> bool:
        if self._is_held(id, entry):
            return True
        try:
            return await self._executor.ask(id, lambda one, _: one.is_busy)
        except NotFound:  # it has just gone
            return True

    def _is_held(self, id: str, entry: Entry) -> bool:
        """Whether it is being opened or watched; or is not open at all."""
        opening = entry.opening
        return (
            opening is None
            or not opening.done.done()
            or opening.joining > 0
            or self._audience.watchers(id) > 0
        )

    async def _let_go(self, id: str, entry: Entry) -> None:
        if self._keeper.is_durable:
            self._put_away(id, entry)
        else:
            await self._keeper.forget([id])
            self.forget(id)

    def _put_away(self, id: str, entry: Entry) -> None:
        """Close it; when somebody asks for it again it is opened from the store."""
        entry.opening = None
        self._owners.closed(id)
        why = Unavailable("the experiment is being opened again", retry_after=1)
        entry.closing = asyncio.ensure_future(self._executor.close(id, why))

    def forget(self, id: str) -> None:
        """It is deleted: close it, and tell whoever watches."""
        entry = self._register.entries.pop(id, None)
        self._owners.closed(id)
        if entry is not None and entry.opening is not None:
            self._background.begin(self._executor.close(id))
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
            entry.opening, entry.was_left = None, True
            self._owners.closed(id)
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
            and opening.done.done()
            and not self._keeper.is_read_only
        ):
            self._put_away(id, entry)
            self._audience.interrupted(id)


def _log_unforeseen(error: Exception) -> None:
    if not isinstance(error, FalllineError):
        _log.error("an experiment could not be opened again", exc_info=error)
