"""The environment of an attack: servers, thoroughness, and a report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from siege.person import Person
from siege.report import Report, Row
from siege.server import Server, open_server
from support.aliases import Json


@dataclass(frozen=True)
class World:
    """One attack's environment. `mutants` are planted in each of its servers."""

    attack: str
    report: Report
    quick: bool = False
    mutants: tuple[str, ...] = ()

    def note(self, row: Row) -> None:
        self.report.note(self.attack, row)

    @contextmanager
    def server(
        self, *arguments: str, plants: tuple[str, ...] = (), folder: Path | None = None, **environment: str
    ) -> Iterator[Server]:
        with open_server(*arguments, plants=(*plants, *self.mutants), folder=folder, **environment) as server:
            yield server

    @asynccontextmanager
    async def person(
        self, server: Server, recipe: Json | None = None, speed: float | str = "max"
    ) -> AsyncIterator[Person]:
        """A person who has made an experiment and uses it."""
        person = Person(server, recipe)
        reply = await person.create()
        assert reply.status == 201, reply
        async with person.living(speed):
            yield person

    @asynccontextmanager
    async def trainer(self, server: Server) -> AsyncIterator[None]:
        """One more owner, who only trains at full speed and watches."""
        owner = Person(server)
        await owner.create()
        async with owner.watching():
            await owner.ask("POST", "/play", {"speed": "max"})
            yield
        await owner.ask("DELETE")
