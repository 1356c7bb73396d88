"""A run's state, checkpoints and history as named pieces of bytes, and a run made again from them.

Only what changed since the last time is packed. What is kept here spares computing and no more: a run can always be
made from its recipe. Must not know where pieces are stored, nor when it is time to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fallline.engine.state import TrainingState
from fallline.runs.run import Run
from fallline.vocabulary.packing import About, Arrays, Damaged, pack, unpack
from fallline.vocabulary.provenance import Provenance

HEAD, CHECKPOINT, HISTORY = "head", "checkpoint-", "history-"


SHAPE = 1
"""Version of these pieces. Those of another one are not brought to it: the way is made again from step 0."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Pieces that replace those of the same name, pieces that go, and whether all go first."""

    parts: dict[str, bytes]
    dropped: list[str]
    clears: bool


@dataclass(slots=True)
class Saved:
    """What is stored of one run: which pieces, in which version, and the run's computing time by then."""

    versions: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0
    is_known: bool = True
    """Whether that is sure; where it is not, everything is stored anew."""

    def changes(self, run: Run) -> Changes:
        """What it takes to store the run as it is now; taken as stored from here on."""
        clears = not self.is_known
        before = {} if clears else self.versions
        states = {f"{CHECKPOINT}{state.step}": state for state in run.checkpoints}
        pieces = {HISTORY + part.name: part for part in run.history.parts()}
        now: dict[str, object] = {HEAD: 0, **dict.fromkeys(states, 0)}
        now |= {name: part.version for name, part in pieces.items()}
        parts = {HEAD: _head(run, list(now))}
        parts |= {name: _packed(state) for name, state in states.items() if name not in before}
        parts |= {
            name: pack(part.about, part.arrays())
            for name, part in pieces.items()
            if before.get(name) != part.version
        }
        self.versions, self.seconds, self.is_known = now, run.seconds, True
        return Changes(parts, [name for name in before if name not in now], clears)


def _head(run: Run, names: list[str]) -> bytes:
    about, arrays = _state_told(run.state)
    history, latest = run.history.about()
    kept = run.provenance
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
            "provenance": {"kernel": kept.kernel, "builds": dict(kept.builds)},
        },
        {**arrays, **latest},
    )


def _packed(state: TrainingState) -> bytes:
    return pack(*_state_told(state))


def _state_told(state: TrainingState) -> tuple[About, Arrays]:
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
    told = (about["step"], about["samples_seen"], arrays["parameters"], about["optimizer"], slots)
    state = TrainingState(*told, diverged_at=about["diverged_at"])
    if state.fingerprint() != about["fingerprint"]:
        raise Damaged("the state is not the one that was stored")
    return state


def restore(run: Run, parts: Mapping[str, bytes]) -> tuple[Saved, Provenance] | None:
    """Put a fresh run where it stood when these pieces were stored; what made its numbers until then is told.

    A damaged checkpoint is done without: an earlier one serves. None, and the run stays at step 0, where there are no
    pieces of its generation, or others that cannot be used: they are damaged, or of a history with other series than
    today's.
    """
    if HEAD not in parts:
        return None
    try:
        about, arrays = unpack(parts[HEAD])
        if (
            about.get("v", 1) != SHAPE
            or about["generation"] != run.generation
            or set(about["parts"]) != set(parts)
        ):
            return None
        state = _state(about["state"], arrays)
        states = {name: _checkpoint(data) for name, data in parts.items() if name.startswith(CHECKPOINT)}
        pieces = [unpack(data) for name, data in parts.items() if name.startswith(HISTORY)]
        _check_shape(run, state, about)
        run.history.restore(about["history"], arrays, pieces)
    except (ValueError, KeyError, TypeError):
        return None
    run.state = state
    run.checkpoints.restore(about["checkpoints"], [state for state in states.values() if state is not None])
    if "stop_watch" in about:  # states of before there were stop conditions have none
        run.stop_watch.resume(about["stop_watch"])
    run.seconds, run.step_seconds = about["seconds"], about["step_seconds"]
    kept = Provenance(about["provenance"]["kernel"], about["provenance"]["builds"])
    held = {state.step for state in run.checkpoints}
    useless = [name for name, state in states.items() if state is None or state.step not in held]
    return _as_stored(run, useless), kept


def _checkpoint(data: bytes) -> TrainingState | None:
    """The state, or None where it is not the one that was stored."""
    try:
        return _state(*unpack(data))
    except (ValueError, KeyError, TypeError):
        return None


def _check_shape(run: Run, state: TrainingState, about: dict[str, Any]) -> None:
    if state.parameters.shape != run.state.parameters.shape or about["history"]["count"] != state.step:
        raise Damaged("the pieces are not of one run")


def _as_stored(run: Run, useless: list[str]) -> Saved:
    """What is stored of the run as it is now, and what is damaged or has no room, which goes with the next changes."""
    versions: dict[str, object] = {HISTORY + part.name: part.version for part in run.history.parts()}
    versions |= {f"{CHECKPOINT}{state.step}": 0 for state in run.checkpoints} | {HEAD: 0}
    versions |= dict.fromkeys(useless)
    return Saved(versions, run.seconds)
