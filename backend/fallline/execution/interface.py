"""Interface of an executor of experiments, and of what it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from fallline.runs.experiment import Experiment
from fallline.vocabulary.errors import FalllineError
from fallline.vocabulary.frame_requests import Answer, FrameRequest
from fallline.vocabulary.journal import JournalBatch, Receipt

T = TypeVar("T")

Later = Callable[[Any], None]
"""Called with the answer of a call that takes many turns, or with its error."""


class Waiting(NamedTuple):
    """Work that waits: commands, reads, and experiments with steps or examinations to make."""

    commands: int
    reads: int
    training: int
    examinations: int


class Sink(Protocol):
    """Receives frames and events, on the event loop and in order."""

    def frames(self, experiment: str, answers: list[Answer], made_at: float) -> None:
        """Receive answers to readers. They were measured at `made_at`, on the clock of `time.perf_counter`."""

    def event(self, experiment: str, message: dict[str, Any]) -> None: ...


class Journal(Protocol):
    """Stores the changes of one open experiment."""

    def write(self, batch: JournalBatch, then: Callable[[bool], None]) -> None:
        """Store a batch after the earlier ones.

        Calls `then` once, on any thread, with whether it is stored.
        """


class Executor(Protocol):
    """Runs experiments. All calls of one experiment run one after the other."""

    def start(self, sink: Sink) -> None:
        """Start the workers. Must be called on the event loop."""

    async def stop(self) -> None:
        """Finish the present slices, store the progress of the runs, and stop computing."""

    def abandon(self) -> None:
        """Fail the calls that still wait, after all writes."""

    async def open(
        self,
        id: str,
        make: Callable[[], Experiment],
        journal: Journal,
        failed: Callable[[], None],
        *,
        comes_back: bool = False,
    ) -> dict[str, Any]:
        """Open an experiment and return its state once its runs have been restored.

        One that `comes_back` played when the server stopped: it is opened before all other work but commands.

        Raises what `make` raises. If the experiment raises later, it is closed, waiting calls raise Failed, and
        `failed` is called on the event loop.
        """

    def share(self, id: str, share: str) -> None:
        """Put an experiment into this share. Shares get equal time."""

    def pull(self, id: str, reader: int, request: FrameRequest | None, seconds: float = 0.0) -> None:
        """Ask for the next frame of a reader, at the earliest in so many seconds; None withdraws its request.

        The answer goes to the sink once there is news and it is stored. A closed experiment does not answer.
        """

    async def turn(self, share: str) -> None:
        """Wait until the share may begin work in another thread. The caller must `charge` for it at its end."""

    def charge(self, share: str, seconds: float) -> None:
        """Charge a share for seconds of work in another thread, which is over. May be called on any thread."""

    def charge_share(self, share: str, seconds: float) -> None:
        """Charge a share for seconds of the event loop, which held up all experiments. May be called on any thread."""

    @property
    def faults(self) -> int:
        """Number of experiments closed because they raised."""

    @property
    def steps(self) -> int:
        """Number of steps that all runs made."""

    def waiting(self) -> Waiting:
        """Return how much work waits."""

    async def answers(self) -> None:
        """Wait until every worker has answered."""

    async def close(self, id: str, why: FalllineError | None = None) -> None:
        """Close an experiment, after all its changes have been passed to its journal.

        Waiting calls raise `why` if the experiment can be opened again.
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
        """Run `call(experiment, now)` between slices, store, and return its answer.

        A call that only `reads` takes turns with training and with other reads; any other comes before both. A
        `receipt` is stored with the changes and the answer. Raises ReadOnly if storing fails. The function `then`
        is called with the answer on the event loop *before* later messages. So a view and the steps after it join
        without a gap.
        """

    async def ask_later(
        self,
        id: str,
        call: Callable[[Experiment, float, Later], None],
        receipt: Receipt | None = None,
        *,
        reads: bool = False,
    ) -> Any:
        """Like `ask`, with a function that takes the answer or error many turns later."""
