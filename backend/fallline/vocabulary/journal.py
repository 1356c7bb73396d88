"""The stored form of an experiment: facts, progress of its runs, states, and the provenance of its numbers.

Facts are plain JSON and never change once written. The version of the format of facts and progress is `V`. On each
read, `upcast` converts older versions, and leaves stored data as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fallline.vocabulary.errors import TooNew

Json = dict[str, Any]

V = 1
"""Format version. It rises with any change that an older program would misread; `upcast` then has a row more."""


def entry(what: str, **facts: Any) -> Json:
    """Make a fact: began, edited, found, reset, run_added, run_removed or resumed."""
    return {"v": V, "what": what, **facts}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A finished command: its key, the digest of its request, and its answer."""

    key: str
    digest: bytes
    answer: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """Changes of an experiment to store together, all or nothing.

    - `progress` has the steps of the runs; the latest one counts.
    - `parts` are named pieces of a run's state and history that replace pieces of the same name.
    - `dropped` names pieces to delete.
    - `cleared` names runs that lose all pieces before `parts` are added.
    - With `needed`, a client waits for the write or is about to see its result. Without it, the write only saves
      computing later and may fail.
    """

    entries: tuple[Json, ...]
    progress: Json
    receipts: tuple[Receipt, ...] = ()
    cleared: tuple[str, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[str, str, bytes], ...] = ()
    needed: bool = True


@dataclass(frozen=True, slots=True)
class StoredExperiment:
    """The stored data needed to open an experiment again."""

    entries: tuple[Json, ...]
    progress: Json
    parts: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    digests: Mapping[str, bytes] = field(default_factory=dict)
    """Digest of the request for each key with an answer."""

    def plays_on(self, *, is_paused: bool, is_read_only: bool) -> bool:
        """Return whether it plays when it is opened again: it did, and it may."""
        return bool(self.progress["playing"]) and not (is_paused or is_read_only)


class Moment(NamedTuple):
    """A time. `at` is in seconds since 1970 by the machine's clock, which may jump.

    `seen` counts the seconds that servers of this store have run; ages are measured with it.
    """

    at: float
    seen: float


class Deletion(NamedTuple):
    """A deletion that can be undone: the id that does it, and its time on the age clock."""

    undo: str
    at: float


@dataclass(frozen=True, slots=True)
class ExperimentInfo:
    """A stored experiment: the hash of its token, its last use, whether it plays.

    `table` is the id of its uploaded table, `owner` the hash of its owner's key.
    """

    id: str
    token_hash: bytes
    used: Moment
    is_playing: bool
    table: str | None = None
    owner: bytes | None = None
    is_damaged: bool = False
    """Its token and owner cannot be relied on."""
    deletion: Deletion | None = None
    """It is deleted, and can still be brought back."""


def deletion_in(progress: Json) -> Deletion | None:
    """Return the deletion that the progress of an experiment says."""
    return Deletion(*progress["deleted"]) if "deleted" in progress else None


def with_deletion(progress: Json, deletion: Deletion | None) -> Json:
    """Return the progress of an experiment that was deleted, or (None) brought back: it does not play."""
    before = deletion_in(progress)
    rest = {name: value for name, value in progress.items() if name not in ("deleted", "undeleted")}
    if deletion is not None:
        return {**rest, "playing": False, "deleted": list(deletion)}
    return {**rest, "playing": False, "undeleted": None if before is None else before.undo}


def log_id(id: str) -> str:
    """Return the name of an experiment or upload in logs and for operators. It gives no access."""
    return hashlib.sha256(id.encode("utf-8", "surrogateescape")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Examination:
    """The result of the check of a stored file. `damages` has one line for each damaged experiment or upload."""

    tables_version: int
    experiments: int
    uploads: int
    bytes: int
    damages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A stored table: the bytes of its CSV, and when it was uploaded."""

    id: str
    size: int
    since: Moment


@dataclass(frozen=True, slots=True)
class NewExperiment:
    """Data of the first record: hashes of token and owner's key, and the table."""

    token_hash: bytes
    table: str | None = None
    owner: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Changes of one experiment at a time. `first` is the number of its first entry."""

    id: str
    at: Moment
    first: int
    batch: JournalBatch
    new: NewExperiment | None = None


# ---------------------------------------------------------------------- provenance

TO_THE_BIT = "equal to the bit"
TO_ROUNDING = "equal to rounding"

OF_ALL = ("engine", "numpy", "simd", "blas")
"""Builds on which every number depends: NumPy makes data and initial parameters, whatever makes the steps."""

OF_COMPILED = ("numba", "llvmlite", "processor")
"""Further builds on which the compiled kernel depends."""

COMPILED = "compiled"


@dataclass(frozen=True, slots=True)
class Provenance:
    """The name of a run's kernel, and the builds of its process."""

    kernel: str
    builds: Mapping[str, str] = field(default_factory=dict)

    def difference(self, other: Provenance) -> list[str]:
        """List the differences that may change a number's last digits."""
        if self.kernel != other.kernel:
            return ["kernel"]
        names = OF_ALL + (OF_COMPILED if self.kernel == COMPILED else ())
        # An unknown build may be any build, so two unknown ones count as different.
        return [
            name for name in names if not self.builds.get(name) or self.builds[name] != other.builds.get(name)
        ]


def replay_of(stored: Provenance, here: Provenance) -> str:
    """Return how exactly a replay here repeats the numbers of a `stored` provenance.

    The same kernel and builds repeat every number to the bit. Others repeat each *step* to rounding, which may grow
    along a run; where that matters, a state is stored and not replayed.
    """
    return TO_ROUNDING if stored.difference(here) else TO_THE_BIT


# ---------------------------------------------------------------------- versions

Upcast = Callable[[Json], Json]


def _with_makers(fact: Json) -> Json:
    """Add provenance, which version 0 lacked. Unknown, it replays to rounding only."""
    if fact["what"] in ("began", "reset", "run_added"):
        return {"kernel": "", "builds": {}, "rounded": False, **fact}
    return {"rounded": {}, "builds": {}, **fact} if fact["what"] == "resumed" else fact


def _with_unfinished(progress: Json) -> Json:
    """Add unfinished steps of commands with a key, which version 0 lacked at first."""
    return {"unfinished": {}, **progress}


def _on_one_line(fact: Json) -> Json:
    """Replace separators in labels, once allowed, by blanks. The format stays."""
    if "recipe" in fact and "runs" in fact["recipe"]:
        runs = [_labelled(run) for run in fact["recipe"]["runs"]]
        return {**fact, "recipe": {**fact["recipe"], "runs": runs}}
    return _labelled({**fact, "recipe": _labelled(fact["recipe"])} if "recipe" in fact else fact)


def _labelled(run: Json) -> Json:
    label = run.get("label")
    return {**run, "label": label.translate(SEPARATORS)} if label else run


SEPARATORS = {0x2028: " ", 0x2029: " "}

FACTS: Sequence[Upcast] = (_with_makers,)
PROGRESS: Sequence[Upcast] = (_with_unfinished,)
"""Row n converts version n to version n + 1."""


def upcast(stored: StoredExperiment) -> StoredExperiment:
    """Convert a stored experiment to the present version. Raises TooNew."""
    entries = tuple(_on_one_line(_convert(fact, FACTS)) for fact in stored.entries)
    return replace(stored, entries=entries, progress=_convert(stored.progress, PROGRESS))


def _convert(body: Json, upcasts: Sequence[Upcast]) -> Json:
    version = body.get("v", 0)
    if version > V:
        raise TooNew(version, V)
    for convert in upcasts[version:]:
        body = convert(body)
    return {**body, "v": V}
