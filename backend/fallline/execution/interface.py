"""What the rest of the house asks of an executor, and what it is told in return. Knows no implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from fallline.runs.experiment import Experiment
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.errors import FalllineError
from fallline.vocabulary.journal import JournalBatch, Receipt

T = TypeVar("T")

Later = Callable[[Any], None]
"""Called with the answer of something that takes many turns, or with the error that comes instead."""


def nothing() -> None:
    """Do nothing."""


class Sink(Protocol):
    """Where frames and events go; called on the event loop, in the order in which things happened."""

    def frames(self, experiment: str, runs: dict[str, tuple[dict[str, Any], Buckets | None]]) -> None: ...

    def event(self, experiment: str, message: dict[str, Any]) -> None: ...


class Ledger(Protocol):
    """Where one open experiment is written down."""

    def write(self, written: JournalBatch, then: Callable[[bool], None]) -> None:
        """Store it, after what was handed over before; `then` is told once, on any thread, whether it is stored."""


class Executor(Protocol):
    """Runs experiments. Whatever touches an experiment happens in one place, one after the other."""

    def start(self, sink: Sink) -> None:
        """Begin to work; must be called on the event loop."""

    async def stop(self) -> None:
        """Finish the slices at hand, have it written down where the runs stand, and compute no more."""

    def abandon(self) -> None:
        """Answer whoever still waits, when all that could be written down is."""

    async def open(
        self,
        id: str,
        make: Callable[[], Experiment],
        ledger: Ledger,
        failed: Callable[[], None] = nothing,
    ) -> dict[str, Any]:
        """Take an experiment in and answer its state, when its runs are where they stood. What `make` raises is raised
        here.

        Where it raises later it is closed, whoever waits gets Failed, and `failed` is called on the event loop.
        """

    def share(self, id: str, share: str) -> None:
        """Count an experiment to this share of the time from now on. Shares get equal time."""

    async def turn(self, id: str) -> None:
        """Return when it is the turn of the experiment's reads."""

    def charge(self, id: str, seconds: float) -> None:
        """What was read of an experiment took so long elsewhere: its reads wait for as long, while others train.

        May be called on any thread.
        """

    @property
    def faults(self) -> int:
        """Experiments that were closed since they raised."""

    async def answers(self) -> None:
        """Return when every worker has answered."""

    async def close(self, id: str, why: FalllineError | None = None) -> None:
        """Let an experiment go; when this returns, all that it has to have written down has been handed over.

        Whoever waits for it is told `why` where it is to be opened again.
        """

    async def ask(
        self,
        id: str,
        call: Callable[[Experiment, float], T],
        then: Callable[[T], None] | None = None,
        receipt: Receipt | None = None,
        *,
        reads: bool = False,
    ) -> T:
        """Do `call(experiment, now)` between two slices and return its answer, when what it changed is written down.

        A call that only `reads` takes turns with training and with other reads; any other comes before both.

        A `receipt` is written down with it, and with the answer. Raises ReadOnly where that cannot be.
        `then` is called with the answer on the event loop *before* anything that happened later is delivered, so that
        a view and what follows it join without a gap.
        """

    async def ask_later(
        self,
        id: str,
        call: Callable[[Experiment, float, Later], None],
        receipt: Receipt | None = None,
        *,
        reads: bool = False,
    ) -> Any:
        """Like `ask` for what takes many turns: `call` is handed what to call with the answer, or with an error."""
