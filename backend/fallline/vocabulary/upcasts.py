"""What older programs have stored, as today's would have: one function a version and kind, taken one after the other.

Owns what the versions were. Stored things stay as they were written; they are brought here whenever they are read. Must
not know where anything is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fallline.vocabulary.errors import TooNew
from fallline.vocabulary.journal import Json, StoredExperiment, V

Upcast = Callable[[Json], Json]


def _with_makers(fact: Json) -> Json:
    """Version 0 did not tell what made the numbers. Nobody knows, so they are made again to rounding only."""
    if fact["what"] in ("began", "reset", "run_added"):
        return {"kernel": "", "builds": {}, "rounded": False, **fact}
    return {"rounded": {}, "builds": {}, **fact} if fact["what"] == "resumed" else fact


def _with_unfinished(progress: Json) -> Json:
    """Version 0 bore no number, and at first did not tell where steps were going that had been asked for with a key."""
    return {"unfinished": {}, **progress}


def _on_one_line(fact: Json) -> Json:
    """Labels once took the separators of lines and paragraphs; they are read as blanks. No shape changes by that."""
    if "recipe" in fact and "runs" in fact["recipe"]:
        runs = [_labelled(run) for run in fact["recipe"]["runs"]]
        return {**fact, "recipe": {**fact["recipe"], "runs": runs}}
    return _labelled({**fact, "recipe": _labelled(fact["recipe"])} if "recipe" in fact else fact)


def _labelled(told: Json) -> Json:
    label = told.get("label")
    return {**told, "label": label.translate(SEPARATORS)} if label else told


SEPARATORS = {0x2028: " ", 0x2029: " "}

FACTS: Sequence[Upcast] = (_with_makers,)
PROGRESS: Sequence[Upcast] = (_with_unfinished,)
"""Row n brings what version n wrote to version n + 1."""


def upcast(kept: StoredExperiment) -> StoredExperiment:
    """What is stored of an experiment, as today's program writes it. Raises TooNew for what a newer one wrote."""
    entries = tuple(_on_one_line(_today(fact, FACTS)) for fact in kept.entries)
    return replace(kept, entries=entries, progress=_today(kept.progress, PROGRESS))


def _today(told: Json, upcasts: Sequence[Upcast]) -> Json:
    version = told.get("v", 0)
    if version > V:
        raise TooNew(version, V)
    for upcast in upcasts[version:]:
        told = upcast(told)
    return {**told, "v": V}
