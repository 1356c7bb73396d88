"""Answers to questions, computed from the runs: one function for each rule of `vocabulary.questions`.

Pure. It knows a run by its records, its present values and its verdict.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.vocabulary.columns import Buckets, Floats, Ints
from fallline.vocabulary.commands import Until
from fallline.vocabulary.findings import Verdict
from fallline.vocabulary.questions import (
    NONE,
    ByFirst,
    ByLowest,
    ByStep,
    ByValue,
    ByVerdict,
    Question,
    Threshold,
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: its records, its present step with the values measured there, and its verdict.

    `has_arrived`: it makes no more steps before the question's end.
    """

    name: str
    buckets: Buckets
    step: int
    samples_seen: int
    present: Mapping[str, float]
    verdict: Verdict
    has_arrived: bool


@dataclass(frozen=True, slots=True)
class _Points:
    """A series up to the end, (n,) each: step, place in the end's unit, smallest, largest and last value.

    A wide bucket stands at its last step.
    """

    steps: Ints
    places: Ints
    least: Floats
    most: Floats
    last: Floats


def answer_to(question: Question, runs: Sequence[RunRecord], end: Until) -> dict[str, Any] | None:
    """Return the answer: {"choice": id} or {"number": x}; null in it where no choice fits.

    None before every run has come to the end.
    """
    if not runs or not all(run.has_arrived for run in runs):
        return None
    result = _ANSWERS[type(question.answer)](question.answer, runs, end)
    if question.kind == "number":
        return {"number": result}
    ids = [choice.id for choice in question.choices]
    if isinstance(question.answer, ByStep | ByValue) and result is not None:
        result = ids[bisect_right(question.answer.limits, result)]
    return {"choice": result if result in ids else None}


def _points(run: RunRecord, series: str, end: Until) -> _Points:
    """Return where the series has a value up to the end; the present one is the last."""
    buckets = run.buckets
    if end.steps is not None:
        places, place, most = buckets.last, run.step, end.steps
    else:  # a record holds the state before its change
        before = np.concatenate([np.zeros(1, np.int64), buckets.samples_seen])
        places, place, most = before[: len(buckets)], run.samples_seen, end.samples or 0
    if series in buckets.names:
        row = buckets.names.index(series)
        mask = (buckets.count[row] > 0) & (places <= most)
        values = [getattr(buckets, name)[row][mask] for name in ("minimum", "maximum", "final")]
    else:
        mask, values = np.zeros(len(buckets), np.bool_), [np.empty(0)] * 3
    steps, places = buckets.last[mask], places[mask]
    if series in run.present and place <= most:
        steps, places = np.append(steps, run.step), np.append(places, place)
        values = [np.append(column, run.present[series]) for column in values]
    return _Points(steps, places, *values)


def _first(run: RunRecord, rule: Threshold, end: Until) -> tuple[int, int] | None:
    """Return the first step beyond the threshold and its place, or None."""
    points = _points(run, rule.series, end)
    met = points.least < rule.below if rule.below is not None else points.most > (rule.above or 0.0)
    if not met.any():
        return None
    at = int(np.argmax(met))
    return int(points.steps[at]), int(points.places[at])


def _joined(runs: Iterable[RunRecord]) -> str:
    return "+".join(run.name for run in runs) or NONE


def _by_verdict(rule: ByVerdict, runs: Sequence[RunRecord], _: Until) -> str:
    return _joined(run for run in runs if run.verdict in rule.verdicts)


def _least(values: Sequence[tuple[RunRecord, float]]) -> str:
    lowest = min((value for _, value in values), default=0.0)
    return _joined(run for run, value in values if value == lowest)


def _by_lowest(rule: ByLowest, runs: Sequence[RunRecord], end: Until) -> str:
    points = [(run, _points(run, rule.series, end)) for run in runs]
    return _least([(run, float(each.last[-1])) for run, each in points if len(each.last)])


def _by_first(rule: ByFirst, runs: Sequence[RunRecord], end: Until) -> str:
    firsts = [(run, _first(run, rule, end)) for run in runs]
    return _least([(run, first[1]) for run, first in firsts if first is not None])


def _by_step(rule: ByStep, runs: Sequence[RunRecord], end: Until) -> float | None:
    for run in runs:
        if run.name == rule.run and (first := _first(run, rule, end)) is not None:
            return first[0]
    return None


def _by_value(rule: ByValue, runs: Sequence[RunRecord], end: Until) -> float | None:
    for run in runs:
        if run.name == rule.run:
            value = _value(run, rule.series, rule.step, end)
            over = 1.0 if rule.over is None else _value(run, rule.over, rule.step, end)
            return value / over if value is not None and over else None
    return None


def _value(run: RunRecord, series: str, step: int | None, end: Until) -> float | None:
    points = _points(run, series, end)
    count = len(points.steps) if step is None else int(np.searchsorted(points.steps, step, "right"))
    return float(points.last[count - 1]) if count else None


_ANSWERS: dict[type, Callable[[Any, Sequence[RunRecord], Until], Any]] = {
    ByVerdict: _by_verdict,
    ByLowest: _by_lowest,
    ByFirst: _by_first,
    ByStep: _by_step,
    ByValue: _by_value,
}
