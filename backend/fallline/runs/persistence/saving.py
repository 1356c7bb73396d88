"""A run's state, checkpoints and history as named pieces of bytes.

Packs only what changed since the last save. Pieces only save computing: a run can always be replayed from its recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fallline.diagnosis.storing import read_record, record_as_json
from fallline.diagnosis.track import Track
from fallline.engine.state import TrainingState
from fallline.runs.case import Case
from fallline.runs.run import Run
from fallline.vocabulary.journal import Provenance
from fallline.vocabulary.packing import About, Arrays, Damaged, pack, unpack

HEAD, CHECKPOINT, HISTORY, DOCTOR = "head", "checkpoint-", "history-", "doctor"


SHAPE, WITHOUT_DOCTOR = 2, 1
"""Version of these pieces, and the one before, whose findings are made again by a replay.

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
    return pack({**records, "examined": about, "track": track}, {**arrays, **columns})


def _restore_doctor(run: Run, data: bytes) -> Case:
    about, arrays = unpack(data)
    if about["record"] is None:
        return _without_past(run)
    case = Case(Track(run.history.names))
    case.track.restore(about["track"], arrays)
    case.record = read_record(about["record"])
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
            version not in (SHAPE, WITHOUT_DOCTOR)
            or about["generation"] != run.generation
            or set(about["parts"]) != set(parts)
        ):
            return None
        state = _state(about["state"], arrays)
        states = {name: _checkpoint(data) for name, data in parts.items() if name.startswith(CHECKPOINT)}
        pieces = [unpack(data) for name, data in parts.items() if name.startswith(HISTORY)]
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
