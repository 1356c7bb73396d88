"""Converts stored facts and progress of older versions.

Owns what the versions were. It converts on each read and leaves stored data as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fallline.vocabulary.errors import TooNew
from fallline.vocabulary.journal import Json, StoredExperiment, V

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
