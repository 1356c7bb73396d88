"""Mutants: each reverts one fix in the server's process and names the row that must fail."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fallline.engine.data.tabular import table
from fallline.execution import in_process
from fallline.execution.in_process import InProcessExecutor
from fallline.execution.worker import READS, Worker
from fallline.realtime import outbox, session
from fallline.realtime.hub import Hub
from fallline.realtime.limits import Refusals
from fallline.realtime.session import Session
from fallline.runs import stepping
from fallline.runs.stepping import StepJob, Stepping
from fallline.services import capacity, store_thread
from fallline.services.capacity import Candidate
from fallline.services.experiment_loader import ExperimentLoader
from fallline.services.fair_slots import FairSlots, SlotsBesideTraining
from fallline.services.readiness import Pulse
from fallline.services.registry import Entry, Owners
from fallline.services.store_thread import AgeClock, StoreThread
from fallline.storage import sql
from fallline.storage.sqlite import SqliteStore
from fallline.vocabulary import strict
from fallline.vocabulary.commands import Play
from fallline.vocabulary.frame_requests import Answer
from fallline.web import errors, middleware, requests, server, socket
from fallline.web.open_sockets import OpenSocket, OpenSockets
from support.planting import replace

HUGE = 1 << 50


@dataclass(frozen=True, slots=True)
class Mutant:
    """A reverted fix.

    `attack` is a module of `attacks`; a row whose name contains `row` must be missed.
    """

    attack: str
    row: str
    plant: Callable[[], None]


# ---------------------------------------------------------------------- 1. speeds and readiness


def any_speed() -> None:
    """Accept plays of any slowness."""
    constraints = Play.model_fields["speed"].annotation.__args__[0].__metadata__[0].metadata  # type: ignore[union-attr]
    (slowest,) = (constraint for constraint in constraints if hasattr(constraint, "ge"))
    object.__setattr__(slowest, "ge", 5e-324)
    Play.model_rebuild(force=True)


def stored_speed_stays() -> None:
    """Play stored speeds unchanged."""
    replace(stepping, SLOWEST=0.0)


def worker_dies() -> None:
    """Let an exception end the thread that trains."""

    def run(self: Any) -> None:
        while self._run_once():
            pass

    replace(in_process._WorkerThread, _run=run)


async def _at_once(self: object) -> None:
    return


def worker_unasked() -> None:
    """Let /readyz skip the worker."""
    replace(InProcessExecutor, answers=_at_once)


def store_unasked() -> None:
    """/readyz does not ask the store."""
    replace(StoreThread, answers=_at_once)


def loop_unasked() -> None:
    """Let /readyz skip the event loop."""
    replace(Pulse, worst=0.0)


# ---------------------------------------------------------------------- 2. bodies


def any_length() -> None:
    """Validate every entry of a list of any length."""
    strict.len = lambda _: 0  # type: ignore[attr-defined]


def every_complaint() -> None:
    """All complaints are put into words."""
    replace(errors, MOST_ERRORS=HUGE)
    replace(requests, MOST_ERRORS=HUGE)


# ---------------------------------------------------------------------- 3. and 4. readers


def never_cut() -> None:
    """Wait for a socket whose peer reads nothing."""
    replace(socket, SEND_SECONDS=3600.0)
    replace(server, UNACKNOWLEDGED_MS=3_600_000)
    replace(server, KEEPALIVE_SECONDS=3600.0)


def frames_of_any_size() -> None:
    """Send everything that a reader lacks in one frame."""
    replace(outbox, FRAME_BYTES=HUGE, CATCH_UP_BYTES=HUGE)


def frames_alone() -> None:
    """Make a frame for each reader."""
    deliver = Hub.frames

    def to_each(self: Hub, experiment: str, answers: list[Answer], made_at: float) -> None:
        alone = [dataclasses.replace(each, readers=[reader]) for each in answers for reader in each.readers]
        deliver(self, experiment, alone, made_at)

    replace(Hub, frames=to_each)


def endless_credit() -> None:
    """Let a reader leave its frames unacknowledged forever."""
    replace(session, UNACKNOWLEDGED_SECONDS=math.inf)


# ---------------------------------------------------------------------- 5. fairness


def share_for_each() -> None:
    """Give each experiment a separate share."""

    def share_of(self: Owners, entry: Entry, now: float) -> str:
        return f"entry:{id(entry)}"

    replace(Owners, share_of=share_of)


def key_is_enough() -> None:
    """Grant a share for a key without an acknowledging socket."""
    replace(Owners, _is_present=lambda self, owner, now: True)


def nobody_displaced() -> None:
    """Displace only idle experiments, of any owner."""

    def next_to_go(self: Any, share: str, short: Any) -> Candidate | None:
        candidate: Candidate | None = self._first(self._idle)
        return candidate

    replace(capacity._Remaining, next_to_go=next_to_go)


def deleted_for_room() -> None:
    """Delete experiments for others where nothing is stored."""
    init, put_away = capacity.Limits.__init__, ExperimentLoader._evict

    def limits(
        self: capacity.Limits, most: int, most_bytes: float = math.inf, can_evict: bool = True
    ) -> None:
        init(self, most, most_bytes, True)

    def losing(self: ExperimentLoader, id: str, entry: Entry) -> None:
        put_away(self, id, entry)
        if not self._store.is_durable:
            self._registry.entries.pop(id, None)

    replace(capacity.Limits, __init__=limits)
    replace(ExperimentLoader, _evict=losing)


def jobs_go_on() -> None:
    """Make steps whether or not a caller waits."""
    replace(stepping, PATIENCE_SECONDS=math.inf)


def jobs_forgotten() -> None:
    """Do not continue a paused job by its key."""
    drop = Stepping.drop_unattended

    def forgetting(self: Stepping, now: float) -> list[StepJob]:
        dropped = drop(self, now)
        for job in dropped:
            if job.receipt is not None:
                self._unfinished.pop(job.receipt.key, None)
        return dropped

    replace(Stepping, drop_unattended=forgetting)


# ---------------------------------------------------------------------- 6. memory


def any_memory() -> None:
    """Experiments are counted, and their bytes are not."""
    init = capacity.Limits.__init__

    def limits(
        self: capacity.Limits, most: int, most_bytes: float = math.inf, can_evict: bool = True
    ) -> None:
        init(self, most, math.inf, can_evict)

    replace(capacity.Limits, __init__=limits)


# ---------------------------------------------------------------------- 8. clock


def clock_believed() -> None:
    """A gap counts in full, as the clock has it."""
    init = AgeClock.__init__

    def __init__(self: AgeClock, clock: Any, today: Any, most_gap: float = math.inf) -> None:
        init(self, clock, today, math.inf)

    replace(AgeClock, __init__=__init__)


def silent_jump() -> None:
    """A clock that jumps is not logged."""
    store_thread._log.disabled = True


# ---------------------------------------------------------------------- 9. reads


def reads_are_free() -> None:
    """Do not charge for reads."""
    charge = Worker._spend

    def free(self: Worker, id: str, kind: str, seconds: float, common: float) -> None:
        if kind == READS:
            self._beside.served += seconds  # pays what its share owes for files
            self._outside.served += seconds
        else:
            charge(self, id, kind, seconds, common)

    replace(Worker, _spend=free)


def files_are_free() -> None:
    """Do not charge for answers that are rendered beside training."""
    replace(SlotsBesideTraining, acquire=FairSlots.acquire, release=FairSlots.release)


# ---------------------------------------------------------------------- 10. damage


def no_checksums() -> None:
    """Accept stored rows without a checksum."""
    replace(sql, checksum=lambda *values: 0)


def fresh_start() -> None:
    """Take missing files in a used folder for a fresh start."""
    replace(SqliteStore, _check_files=lambda self: True)


# ---------------------------------------------------------------------- 11. sockets and disk


def first_come() -> None:
    """Give sockets to the first client."""

    def _make_room(self: OpenSockets, socket: OpenSocket, group: str, **_: Any) -> None:
        raise self._full()

    replace(OpenSockets, _make_room=_make_room)


def invalid_is_free() -> None:
    """Do not limit invalid messages."""
    replace(Session, count_invalid_message=lambda self, now: None)
    replace(session, MOST_REFUSED=HUGE)


def no_reserve() -> None:
    """Give deletions no reserved space."""

    def delete(self: SqliteStore, what: Callable[[Any], None]) -> None:
        with self._transaction() as connection:
            what(connection)

    replace(SqliteStore, _delete=delete)


# ---------------------------------------------------------------------- 12. a hostile owner


def refusals_at_once() -> None:
    """Send refusals as fast as they are provoked."""
    replace(Refusals, count=lambda self, share, now: 0.0)


# ---------------------------------------------------------------------- 13. refusals


def any_scheme() -> None:
    """Take pages of either scheme for the server's own."""
    is_own_origin = middleware.is_own_origin

    def is_own(origin: str, scheme: str, host: str | None, further: Iterable[str]) -> bool:
        return is_own_origin(origin.replace("https://", f"{scheme}://"), scheme, host, further)

    replace(middleware, is_own_origin=is_own)


def last_parameter() -> None:
    """Use the last of repeated query parameters."""
    replace(requests, check_query=lambda *_: None)


def first_header() -> None:
    """Use the first of repeated headers."""
    replace(requests, _single=lambda request, name: request.headers.get(name))


def any_character() -> None:
    """Accept every character in tables."""
    replace(table, check_characters=lambda body: None)


def breaks_in_labels() -> None:
    """Accept separators of lines in labels."""
    replace(strict, UNPRINTABLE=strict.UNPRINTABLE - {"Zl", "Zp"})


def trouble_unsaid() -> None:
    """Try to store whether or not the data folder is writable."""
    replace(StoreThread, is_read_only=False)


MUTANTS: Mapping[str, Mutant] = {
    "any-speed": Mutant("speeds", "refused with 422", any_speed),
    "stored-speed-stays": Mutant("speeds", "stored plays raised", stored_speed_stays),
    "worker-dies": Mutant("speeds", "after an exception", worker_dies),
    "worker-unasked": Mutant("speeds", "with a stuck worker", worker_unasked),
    "store-unasked": Mutant("speeds", "with a stuck store", store_unasked),
    "loop-unasked": Mutant("speeds", "with a blocked loop", loop_unasked),
    "any-length": Mutant("bodies", "by their length", any_length),
    "every-complaint": Mutant("bodies", "most complaints", every_complaint),
    "never-cut": Mutant("silent_readers", "all of them are cut", never_cut),
    "frames-of-any-size": Mutant("silent_readers", "memory for each", frames_of_any_size),
    "frames-alone": Mutant("silent_readers", "memory for each", frames_alone),
    "endless-credit": Mutant("creditless_readers", "closed with 4001", endless_credit),
    "share-for-each": Mutant("crowd", "training beside", share_for_each),
    "key-is-enough": Mutant("crowd", "training beside", key_is_enough),
    "nobody-displaced": Mutant("crowd", "a new person", nobody_displaced),
    "deleted-for-room": Mutant("without_storage", "one's own experiment", deleted_for_room),
    "jobs-go-on": Mutant("jobs", "jobs that go on", jobs_go_on),
    "jobs-forgotten": Mutant("jobs", "the same key", jobs_forgotten),
    "clock-believed": Mutant("clock", "31 days ahead", clock_believed),
    "silent-jump": Mutant("clock", "the log warns", silent_jump),
    "any-memory": Mutant("memory", "requests for large", any_memory),
    "no-checksums": Mutant("damage", "answers", no_checksums),
    "fresh-start": Mutant("damage", "an empty file", fresh_start),
    "reads-are-free": Mutant("loops", "beside 1 connection", reads_are_free),
    "files-are-free": Mutant("loops", "of histories", files_are_free),
    "first-come": Mutant("sockets", "own line beside", first_come),
    "invalid-is-free": Mutant("sockets", "floods of invalid", invalid_is_free),
    "shares-of-a-storm": Mutant("hostile", "training beside", share_for_each),
    "refusals-at-once": Mutant("hostile", "training beside", refusals_at_once),
    "no-reserve": Mutant("full_disk", "DELETE on the full disk", no_reserve),
    "any-scheme": Mutant("refusals", "an https origin", any_scheme),
    "last-parameter": Mutant("refusals", "repeated query parameters", last_parameter),
    "first-header": Mutant("refusals", "two Idempotency-Keys", first_header),
    "any-character": Mutant("refusals", "characters in headers", any_character),
    "breaks-in-labels": Mutant("refusals", "characters in labels", breaks_in_labels),
    "trouble-unsaid": Mutant("refusals", "not writable", trouble_unsaid),
}
