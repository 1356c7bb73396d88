"""The writes of an experiment: facts, positions, and states as named pieces of bytes.

Commands and the ends of step jobs are stored at once, since a client waits. Steps of play can be computed again, so
their positions are stored every second, and less often where many experiments play. The experiment is marked loose
before any unstored step is shown. Pieces of a run's state, checkpoints and history only save computing: a run can
always be replayed from its recipe. Only what changed since the last save is packed. Receives the time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fallline.diagnosis.storing import read_record, record_as_json
from fallline.diagnosis.track import Track
from fallline.engine.state import TrainingState
from fallline.runs.case import Case, PastLevels
from fallline.runs.run import Run
from fallline.vocabulary.encoding import About, Arrays, Damaged, pack, unpack
from fallline.vocabulary.journal import JournalBatch, Json, Provenance, Receipt, entry

POSITION_SECONDS, MOST_POSITION_SECONDS = 1.0, 10.0
"""Shortest and longest interval between two stored positions while runs move."""

POSITIONS_A_SECOND = 60.0
"""About the most stored positions a second of all experiments of a worker. A class of 300 that stored one a second each
took an eighth of a processor for them.
"""

SAVE_SECONDS = 0.3
"""Computing time of a run between two stored states: after a crash the server replays about this much."""

FINAL_SECONDS = 0.02
"""The same before the last write of all, if it saves states. Two runs with their histories are written and read in this
time.
"""


@dataclass(slots=True)
class PositionPace:
    """How often the experiments of a worker store their positions, by the number of `moving` ones."""

    moving: int = 0

    @property
    def seconds(self) -> float:
        """The interval between two positions of one experiment."""
        return min(max(self.moving / POSITIONS_A_SECOND, POSITION_SECONDS), MOST_POSITION_SECONDS)


class JournalWriter:
    """Collects the writes of one experiment; with `saves`, also states."""

    def __init__(self, *, saves: bool = True) -> None:
        self.pace = PositionPace()
        self._saves = saves
        self._entries: list[Json] = []
        self._is_required = False
        self._is_closed = False
        self._progress: Json = {}
        self._confirmed: Json = {}
        self._unconfirmed: deque[Json] = deque()
        self._stored_at = -math.inf
        self._saved: dict[str, Saved] = {}
        self._cleared: list[str] = []

    # ------------------------------------------------------------------ facts

    def add(self, what: str, **facts: Any) -> None:
        """Add a fact that must be stored at once."""
        self._entries.append(entry(what, **facts))
        self._is_required = True

    def require(self) -> None:
        """Require a write of the present positions: a client waits for it."""
        self._is_required = True

    def discard_states(self, run: str) -> None:
        """Discard the stored states of a run of this name: they belong to another past."""
        if self._saved.pop(run, None) is not None:
            self._cleared.append(run)

    def resume(self, saved: Mapping[str, Saved], progress: Json) -> None:
        """Continue from states and progress that are already stored."""
        self._saved, self._progress, self._confirmed = dict(saved), progress, progress

    def close(self) -> None:
        """Store nothing from here on."""
        self._is_closed = True

    # ------------------------------------------------------------------ writes

    def take(
        self,
        runs: Mapping[str, Run],
        progress: Json,
        now: float,
        *,
        reveals: bool = False,
        saves_all: bool = False,
        receipts: tuple[Receipt, ...] = (),
    ) -> JournalBatch | None:
        """Return the write that is due; it counts as stored until `confirm`.

        - `reveals`: the present positions are about to be shown to somebody.
        - `saves_all`: it is the last write, and has time for all states that are worth it.
        """
        loosens = progress["loose"] and not self._progress.get("loose")
        beyond = reveals and loosens and progress["runs"] != self._progress.get("runs")
        is_required = self._is_required or beyond or bool(receipts)
        changed = bool(self._entries) or progress != self._progress
        is_due = now - self._stored_at >= self.pace.seconds or not progress["loose"]
        is_idle = not self._unconfirmed
        most = min(FINAL_SECONDS, SAVE_SECONDS) if saves_all else SAVE_SECONDS
        may_save = is_idle and self._saves
        due = [run for run in runs.values() if may_save and self._unsaved_seconds(run) >= most]
        if self._is_closed or not (is_required or due or (is_idle and changed and is_due)):
            return None
        parts, dropped = self._save(due)
        facts, cleared = tuple(self._entries), tuple(self._cleared)
        written = JournalBatch(facts, progress, receipts, cleared, dropped, parts, is_required or loosens)
        self._entries, self._cleared, self._is_required = [], [], False
        self._progress, self._stored_at = progress, now
        self._unconfirmed.append(progress)
        return written

    def _unsaved_seconds(self, run: Run) -> float:
        """Return the computing time since the last stored state."""
        saved = self._saved.get(run.name)
        return run.seconds - (saved.seconds if saved else 0.0)

    def _save(self, due: list[Run]) -> tuple[tuple[tuple[str, str, bytes], ...], tuple[tuple[str, str], ...]]:
        parts: list[tuple[str, str, bytes]] = []
        dropped: list[tuple[str, str]] = []
        for run in due:
            changes = self._saved.setdefault(run.name, Saved()).changes(run)
            parts += [(run.name, name, data) for name, data in changes.parts.items()]
            dropped += [(run.name, name) for name in changes.dropped]
            if changes.clears:
                self._cleared.append(run.name)
        return tuple(parts), tuple(dropped)

    def confirm(self, *, stored: bool) -> None:
        """Report whether the oldest unconfirmed write was stored."""
        progress = self._unconfirmed.popleft()
        if stored:
            self._confirmed = progress
        else:
            # If a fact is lost, the experiment is opened again.
            self._progress = self._confirmed
            for saved in self._saved.values():
                saved.is_certain = False


# ---------------------------------------------------------------------- pieces

HEAD, CHECKPOINT, HISTORY, DOCTOR = "head", "checkpoint-", "history-", "doctor"


SHAPE, FORMER = 3, (1, 2)
"""Version of these pieces, and those before, whose findings are made again by a replay.

Pieces of other versions are ignored, and the run is replayed from step 0.
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Pieces to write, pieces to delete, and whether to delete all first."""

    parts: dict[str, bytes]
    dropped: list[str]
    clears: bool


@dataclass(slots=True)
class Saved:
    """The stored pieces of one run with their versions."""

    versions: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0
    """The run's computing time at that save."""
    is_certain: bool = True
    """True if the store is known to have them; if not, the next save writes all pieces."""

    def changes(self, run: Run) -> Changes:
        """Return the changes that store the run; they count as stored."""
        clears = not self.is_certain
        before = {} if clears else self.versions
        states = {f"{CHECKPOINT}{state.step}": state for state in run.checkpoints}
        pieces = {HISTORY + part.name: part for part in run.history.parts()}
        now: dict[str, object] = {HEAD: 0, DOCTOR: 0, **dict.fromkeys(states, 0)}
        now |= {name: part.version for name, part in pieces.items()}
        parts = {HEAD: _head(run, list(now)), DOCTOR: _doctor(run.case)}
        parts |= {name: _packed(state) for name, state in states.items() if name not in before}
        parts |= {
            name: pack(part.about, part.arrays())
            for name, part in pieces.items()
            if before.get(name) != part.version
        }
        self.versions, self.seconds, self.is_certain = now, run.seconds, True
        return Changes(parts, [name for name in before if name not in now], clears)


def _head(run: Run, names: list[str]) -> bytes:
    about, arrays = _packable(run.state)
    history, latest = run.history.about()
    provenance = run.provenance
    return pack(
        {
            "v": SHAPE,
            "parts": names,
            "generation": run.generation,
            "seconds": run.seconds,
            "step_seconds": run.step_seconds,
            "state": about,
            "history": history,
            "checkpoints": run.checkpoints.about(),
            "stop_watch": run.stop_watch.as_json(),
            "provenance": {"kernel": provenance.kernel, "builds": dict(provenance.builds)},
        },
        {**arrays, **latest},
    )


def _doctor(case: Case) -> bytes:
    """Pack the record of the scheduled examinations, the state at the last one, the look, and the track."""
    if case.rebuilt is not None:
        return pack({"record": None}, {})
    about, arrays = ({}, {}) if case.examined is None else _packable(case.examined)
    track, columns = case.track.about()
    records = {
        "record": record_as_json(case.record),
        "look": None if case.look is None else record_as_json(case.look),
    }
    return pack(
        {**records, "examined": about, "track": track}, {**arrays, **columns, "levels": case.levels.rows}
    )


def _restore_doctor(run: Run, data: bytes) -> Case:
    about, arrays = unpack(data)
    if about["record"] is None:
        return _without_past(run)
    case = Case(Track(run.history.names))
    case.track.restore(about["track"], arrays)
    case.record = read_record(about["record"])
    if "levels" in arrays:  # earlier versions did not keep them
        case.levels = PastLevels(arrays["levels"])
    case.look = None if about["look"] is None else read_record(about["look"])
    if about["examined"]:
        case.examined = _state(about["examined"], arrays)
    return case


def _without_past(run: Run) -> Case:
    """Return a case whose track and findings a replay makes again, from the run's first state on."""
    return Case(Track(run.history.names), rebuilt=run.state.copy())


def _packed(state: TrainingState) -> bytes:
    return pack(*_packable(state))


def _packable(state: TrainingState) -> tuple[About, Arrays]:
    about = {
        "step": state.step,
        "samples_seen": state.samples_seen,
        "optimizer": state.optimizer,
        "diverged_at": state.diverged_at,
        "slots": list(state.slots),
        "fingerprint": state.fingerprint(),
    }
    return about, {"parameters": state.parameters, **{f"slot {name}": v for name, v in state.slots.items()}}


def _state(about: About, arrays: Arrays) -> TrainingState:
    slots = {name: arrays[f"slot {name}"] for name in about["slots"]}
    fields = (about["step"], about["samples_seen"], arrays["parameters"], about["optimizer"], slots)
    state = TrainingState(*fields, diverged_at=about["diverged_at"])
    if state.fingerprint() != about["fingerprint"]:
        raise Damaged("the state differs from the stored one")
    return state


def restore(run: Run, parts: Mapping[str, bytes]) -> tuple[Saved, Provenance] | None:
    """Restore a fresh run from its pieces; return these and their provenance.

    A damaged checkpoint is left out: an earlier one serves. Returns None, and leaves the run at step 0, without usable
    pieces of its generation. They may be missing or damaged, or have a history of other series than today's.
    """
    if HEAD not in parts:
        return None
    try:
        about, arrays = unpack(parts[HEAD])
        version = about.get("v", 1)
        if (
            version not in (SHAPE, *FORMER)
            or about["generation"] != run.generation
            or set(about["parts"]) != set(parts)
        ):
            return None
        state = _state(about["state"], arrays)
        states = {name: _checkpoint(data) for name, data in parts.items() if name.startswith(CHECKPOINT)}
        # the history copies them
        pieces = [unpack(data, copy=False) for name, data in parts.items() if name.startswith(HISTORY)]
        if state.parameters.shape != run.state.parameters.shape or about["history"]["count"] != state.step:
            raise Damaged("the pieces belong to different runs")
        case = _restore_doctor(run, parts[DOCTOR]) if version == SHAPE else _without_past(run)
        run.history.restore(about["history"], arrays, pieces)
    except (ValueError, KeyError, TypeError):
        return None
    run.state, run.case = state, case
    run.checkpoints.restore(about["checkpoints"], [state for state in states.values() if state is not None])
    if "stop_watch" in about:  # states stored before stop conditions existed have none
        run.stop_watch.resume(about["stop_watch"])
    run.seconds, run.step_seconds = about["seconds"], about["step_seconds"]
    provenance = Provenance(about["provenance"]["kernel"], about["provenance"]["builds"])
    steps = {state.step for state in run.checkpoints}
    useless = [name for name, state in states.items() if state is None or state.step not in steps]
    return _as_stored(run, useless), provenance


def _checkpoint(data: bytes) -> TrainingState | None:
    """The state, or None if it is damaged."""
    try:
        return _state(*unpack(data))
    except (ValueError, KeyError, TypeError):
        return None


def _as_stored(run: Run, useless: list[str]) -> Saved:
    """Return the stored pieces; the next save deletes the `useless` ones."""
    versions: dict[str, object] = {HISTORY + part.name: part.version for part in run.history.parts()}
    versions |= {f"{CHECKPOINT}{state.step}": 0 for state in run.checkpoints} | {HEAD: 0, DOCTOR: 0}
    versions |= dict.fromkeys(useless)
    return Saved(versions, run.seconds)
