"""Everything one can do with experiments: the single facade for web, command line and tests.

Owns how it starts and stops, and what is asked before anything is changed: for the token, whether things can be
stored, and whether it is a repeat. The rest is done by objects that it holds, each in a file of its name: `register`,
`openings`, `owners`, `commanding`, `views`, `watching`, `idling`, `library`,
`capacity`. Must not know HTTP, sockets' messages, which executor computes or how anything is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from functools import partial
from typing import Any

from fallline.engine.datasets import DATASETS
from fallline.engine.kernels.choice import Kernels
from fallline.execution.interface import Executor
from fallline.exports.table import EXPORTS
from fallline.runs.checkpoints import Room
from fallline.runs.recipe_check import catalog
from fallline.services.attending import Gone
from fallline.services.audience import Audience, Watcher
from fallline.services.background import Background
from fallline.services.capabilities import hash_of
from fallline.services.capacity import Capacity
from fallline.services.commanding import Commanding
from fallline.services.idling import Idling
from fallline.services.keeping import Keeper
from fallline.services.library import Library
from fallline.services.openings import Openings
from fallline.services.owners import Owners
from fallline.services.places import Limits
from fallline.services.readiness import Readiness
from fallline.services.register import Register
from fallline.services.views import Views
from fallline.services.watching import Watching
from fallline.vocabulary.commands import parse
from fallline.vocabulary.errors import NotAuthorized, ReadOnly
from fallline.vocabulary.recipe import Recipe

RELIEF_SECONDS = 1.0
"""How often the bytes of all open experiments are counted."""

GROWING = ("play", "step", "add_run")
"""Commands that need memory: they make steps, or a run."""


class Lab:
    """Experiments, their tokens and their audience. `clock` gives seconds; all methods run on the event loop.

    At most `most` are open, in memory; the others lie in the store until somebody asks for them, and are deleted when
    nobody has for `keep_seconds`. `views` shows what there is, `idling` pauses and deletes what nobody uses.
    """

    def __init__(
        self,
        executor: Executor,
        audience: Audience,
        clock: Callable[[], float],
        keeper: Keeper,
        *,
        most: int,
        most_bytes: float = math.inf,
        idle_seconds: float,
        keep_seconds: float = float("inf"),
        kernels: Kernels | None = None,
        room: Room | None = None,
    ) -> None:
        self._executor = executor
        self._audience = audience
        self._keeper = keeper
        self._kernels = Kernels() if kernels is None else kernels
        self._library = Library(keeper)
        self._background = Background()
        self._register = register = Register(clock, keeper.time.now)
        self._owners = owners = Owners(clock, executor.share)
        limits = Limits(most, most_bytes, keeper.is_durable)
        self._capacity = Capacity(owners, audience, clock, limits)
        self._openings = openings = Openings(
            register,
            executor,
            audience,
            keeper,
            self._library,
            self._background,
            owners,
            self._capacity,
            clock,
            kernels=self._kernels,
            room=room,
        )
        self._commanding = Commanding(executor, self._background)
        self._readiness = Readiness(executor, keeper, clock)
        self._watching = Watching(register, openings, executor, audience, clock)
        self.views = Views(openings, executor, keeper, owners)
        self.idling = Idling(
            register,
            openings,
            audience,
            keeper,
            self._library,
            owners,
            clock,
            idle_seconds=idle_seconds,
            keep_seconds=keep_seconds,
        )

    # ------------------------------------------------------------------ its life

    async def start(self) -> None:
        self._executor.start(self._audience)
        self._keeper.start(self._storing_changed)
        with contextlib.suppress(ReadOnly):
            await self._take_in()
        self._background.repeat(self.idling.sweep, self.idling.sweep_seconds)
        self._background.begin(self._readiness.pulse.beat_for_ever())
        if self._capacity.is_bounded:
            self._background.repeat(self._openings.relieve, RELIEF_SECONDS)

    async def stop(self) -> None:
        self._background.cancel()
        await self._executor.stop()
        await self._keeper.stop()
        self._executor.abandon()

    async def _take_in(self) -> None:
        """What is stored is there again; what was playing goes on."""
        await self._library.take_in()
        playing = self._register.take_in(await self._keeper.known(), self.idling.idle_seconds)
        if playing:
            self._background.begin(self._openings.plays_on(playing))

    def _storing_changed(self, in_trouble: bool) -> None:
        self._audience.broadcast({"event": "storage", "read_only": in_trouble})
        if not in_trouble:
            self._background.begin(self._store_again())

    async def _store_again(self) -> None:
        await self._take_in()
        self._openings.open_all_for_good()

    # ------------------------------------------------------------------ what it is

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be stored at present, so that no change is taken."""
        return self._keeper.is_read_only

    def _check_writable(self) -> None:
        if self.is_read_only:
            raise ReadOnly

    def health(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "kernel": self._kernels.current.name,
            "experiments": len(self._register.entries),
            "storage": self._keeper.kind,
            "read_only": self.is_read_only,
            "faults": self._executor.faults,
        }
        if self._kernels.why is not None:
            told["not_compiled"] = self._kernels.why
        return told

    async def ready(self) -> dict[str, Any]:
        """How soon the worker, the store and the event loop answer. Raises Unavailable where one does not."""
        return await self._readiness.check()

    def catalog(self) -> dict[str, Any]:
        exports = [row.as_json() for row in EXPORTS.values()]
        return {**catalog(), "exports": exports, "idle_seconds": self.idling.idle_seconds}

    # ------------------------------------------------------------------ experiments

    async def create(
        self, recipe: Recipe, *, owner: str | None = None, address: str | None = None
    ) -> tuple[dict[str, Any], str]:
        """A new experiment: its state, and the token that allows changes. `owner` is the key of who makes it."""
        self._check_writable()
        await _prepared(recipe.data.name)
        state, token = await self._openings.create(recipe, None if owner is None else hash_of(owner), address)
        return self.views.told(state), token

    async def delete(self, id: str, token: str | None) -> None:
        self._register.authorize(id, token)
        await self._keeper.forget([id])  # on a full disk too: that makes room
        self._openings.forget(id)

    def may_change(self, id: str, token: str) -> bool:
        """Whether the token is this experiment's. Raises NotFound for an unknown id."""
        return self._register.may_change(id, token)

    async def command(
        self,
        id: str,
        token: str | None,
        do: str,
        body: dict[str, Any],
        run: str | None = None,
        key: str | None = None,
        *,
        address: str | None = None,
        gone: Gone | None = None,
    ) -> dict[str, Any]:
        """Do what is asked, and answer as REST does. With a key, a repeat is answered again and not done again.

        `gone` is done when the caller's connection has ended. Steps that nobody waits for are paused 30 s later.
        """
        self._register.authorize(id, token)
        self._came_from(id, address)
        command = parse(do, body)
        self._check_writable()
        opening = await self._openings.opened(id)
        if opening.stands_still:
            raise ReadOnly
        if do in GROWING:
            opening.visitors += 1  # nobody puts it away while it waits for room
            try:
                await self._openings.grow(id, opening, more_runs=do == "add_run")
            finally:
                opening.visitors -= 1
        opening.at_work += 1
        try:
            if key is None:
                return await self._commanding.do(id, command, run, None).wait(gone)
            asked = {"do": do, "run": run, "body": body}
            make = partial(self._commanding.do, id, command, run)
            return await opening.repeats.once(key, asked, make, gone)
        finally:
            opening.at_work -= 1

    def _came_from(self, id: str, address: str | None) -> None:
        self._owners.came_from(id, self._register.entries[id], address)

    # ------------------------------------------------------------------ watching

    async def watch(
        self,
        id: str,
        token: str | None,
        watcher: Watcher,
        since: dict[str, dict[str, int]],
        buckets: int,
        *,
        address: str | None = None,
    ) -> dict[str, Any]:
        """Join the audience: the state now, the first pieces offered to `watcher`, and nothing lost in between.

        `since` says per run which generation and first missing step the watcher holds.
        """
        if token is not None and not self.may_change(id, token):
            raise NotAuthorized("the token is not this experiment's")
        if token is not None:
            self._came_from(id, address)
        return self.views.told(await self._watching.watch(id, watcher, since, buckets))

    async def unwatch(self, id: str, watcher: Watcher) -> None:
        """Leave the audience."""
        await self._watching.unwatch(id, watcher)

    def acknowledged(self, id: str) -> None:
        """Record that a watcher that holds the token has acknowledged frames."""
        if (entry := self._register.acknowledge(id)) is not None:
            self._owners.acknowledged(entry)

    def owner_of(self, id: str) -> str:
        """Whose sockets its watchers count to: the hash of its owner's key, or its own id where it has no owner."""
        entry = self._register.entries.get(id)
        return id if entry is None or entry.owner is None else entry.owner.hex()

    # ------------------------------------------------------------------ what people send

    async def add_table(self, body: bytes) -> dict[str, Any]:
        """A new table of a CSV, read beside the loop; with the id that a recipe names it by."""
        self._check_writable()
        id, table = await self._library.add(body, self._register.materials_in_use)
        return {"id": id, **table.as_json()}

    async def table(self, id: str) -> dict[str, Any]:
        """The table of that id as it was told when it came."""
        self._register.check_known()
        return {"id": id, **(await self._library.read(id)).as_json()}

    async def add_parameters(self, body: bytes) -> dict[str, Any]:
        """New parameters of an .npz, with the id that a recipe names them by."""
        self._check_writable()
        id, parameters = await self._library.add_parameters(body, self._register.materials_in_use)
        return {"id": id, **parameters.as_json()}

    async def parameters(self, id: str) -> dict[str, Any]:
        """The parameters of that id as they were told when they came."""
        self._register.check_known()
        return {"id": id, **(await self._library.parameters(id)).as_json()}


async def _prepared(dataset: str) -> None:
    """Let what takes long the first time happen beside the loop and the worker, so that nobody waits for it."""
    row = DATASETS.get(dataset)
    if row is not None and row.prepare is not None and not row.missing:
        await asyncio.to_thread(row.prepare)
