"""A run's findings as a function of its examinations.

An examination takes the record of the one before and returns a new one. So it can be made late, repeated, or made for a
look at a step that leaves no trace. Must not know the use of findings, nor the schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fallline.diagnosis.remedies import lower_rate_tried
from fallline.diagnosis.rules import ALWAYS_GRAVE, RULES
from fallline.diagnosis.track import Series, distance
from fallline.diagnosis.view import (
    Best,
    Change,
    Dates,
    Level,
    Losses,
    Measured,
    Rule,
    Sighting,
    Subject,
    View,
    Words,
    dates_of,
)
from fallline.diagnosis.windows import best_of, is_grave, level_of, verdict_of
from fallline.diagnosis.words import batch_of, number
from fallline.vocabulary.findings import Did, Evidence, Finding, Severity, Stage, Verdict

MOST_FINDINGS = 100
"""Most findings of a run: beyond, the oldest closed ones are dropped."""

MOST_VERDICTS = 200
"""Most verdicts of a run that the record has: beyond, the oldest are dropped."""

SEEN = 16
"""Losses of the last examinations that the record has."""

Key = tuple[str, Subject]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A condition that holds from step `since` on, so far to step `last`.

    `id` names its open finding. `severity` comes from the rule, without regard to harm.
    """

    since: int
    last: int
    id: str | None = None
    severity: Severity = "warning"


@dataclass(frozen=True, slots=True)
class Taken:
    """The remedy `label` of a finding (its id), which was the edit at `step`."""

    finding: str
    label: str
    step: int


@dataclass(frozen=True, slots=True)
class Edited:
    """The losses at step 0 and at the step of each edit, and the remedies that were taken there."""

    losses: tuple[Losses, ...] = ()
    taken: tuple[Taken, ...] = ()

    def at(self, step: int) -> Losses | None:
        """Return the losses at the step of an edit, None for an edit that has not taken effect yet."""
        return next((each for each in self.losses if each.step == step), None)


@dataclass(frozen=True, slots=True)
class Record:
    """The results of a run's examinations up to step `step`.

    - `seen` are step and loss of the last few.
    - `now` are the losses of the last one, `level` their present means (None before there are enough points).
    - `dates` has the first step of each dead, equal or saturated unit.
    - `fresh` has the latest evidence of open findings by id.
    - `verdicts` has the step of each change of the verdict.
    - `edited` says which remedies the run took.
    """

    step: int = -1
    first_slope: float = 0.0
    seen: tuple[tuple[int, float], ...] = ()
    now: Losses | None = None
    level: Level | None = None
    best: Best = field(default_factory=Best)
    dates: Dates = field(default_factory=dict)
    stretches: Mapping[Key, Stretch] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    fresh: Mapping[str, Evidence] = field(default_factory=dict)
    verdict: Verdict = "waiting"
    verdicts: tuple[tuple[int, Verdict], ...] = ((0, "waiting"),)
    edited: Edited = field(default_factory=Edited)

    @property
    def open(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_open]

    def verdict_at(self, step: int) -> Verdict | None:
        """Return the verdict of the last examination up to that step, None if it is not known any more."""
        return next((verdict for since, verdict in reversed(self.verdicts) if since <= step), None)


def seen_with(record: Record, now: Measured) -> tuple[tuple[int, float], ...]:
    """Return the steps and losses of the last examinations, with the present state."""
    return (*record.seen, (now.step, now.loss))[-SEEN:]


def examine(record: Record, view: View, rules: Sequence[Rule] = RULES) -> Record:
    """Return the record after this examination. Raises NotNow if a measurement is over budget."""
    view = replace(view, dates=dates_of(record.dates, view))
    sightings = {
        (rule.name, sighting.subject): (rule, sighting) for rule in rules for sighting in rule.check(view)
    }
    stretches = _stretches(record, view, rules, sightings)
    visible = _shown(view, rules, stretches, sightings)
    findings = {finding.id: finding for finding in record.findings}
    fresh = {finding.id: record.fresh[finding.id] for finding in record.open if finding.id in record.fresh}
    grave = is_grave(view)
    for key, stretch in stretches.items():
        rule, sighting = sightings.get(key, (None, None))
        if key not in visible:
            stretches[key] = replace(stretch, id=None)
        elif sighting is not None and rule is not None:
            words = sighting.words(_since(stretch, sighting))
            if stretch.id is None:
                finding = _opened(findings, view, key, stretch, sighting, words, grave=grave)
                stretches[key] = replace(stretch, id=finding.id)
            else:
                finding = _updated(findings[stretch.id], view, stretch, sighting, words, grave=grave)
                fresh[finding.id] = Evidence(view.step, words.evidence)
            findings[finding.id] = finding
        elif stretch.id is not None:  # interrupted for a short time
            finding = findings[stretch.id]
            severity = _severity(key[0], stretch.severity, grave=grave)
            evidence = fresh[finding.id].text if finding.id in fresh else finding.evidence
            stage = Stage(view.step, severity, finding.title, finding.mark, evidence)
            findings[finding.id] = finding.at_stage(stage, finding.subject)
    verdict = verdict_of(view)
    still = {stretch.id for stretch in stretches.values()}
    for finding in record.open:
        if finding.id not in still:
            findings[finding.id] = finding.closed(_end(finding, record, rules, view, findings.values()))
            fresh.pop(finding.id, None)
    return Record(
        step=view.step,
        first_slope=view.first_slope,
        seen=view.seen,
        now=Losses(view.step, view.loss, view.now.test_loss if view.task.has_test else None),
        level=level_of(view),
        best=view.best[-1] if view.best else record.best,
        dates={key: dict(dates) for key, dates in view.dates.items()},
        stretches=stretches,
        findings=_bounded(findings.values()),
        fresh=fresh,
        verdict=verdict,
        verdicts=_with_verdict(record, view.step, verdict),
        edited=_edited(record, view),
    )


def _with_verdict(record: Record, step: int, verdict: Verdict) -> tuple[tuple[int, Verdict], ...]:
    """Return the changes of the verdict, with this one."""
    if verdict == record.verdicts[-1][1]:
        return record.verdicts
    return (*record.verdicts, (step, verdict))[-MOST_VERDICTS:]


def changed(before: Record, after: Record) -> list[Finding]:
    """Return the findings that opened, closed or changed from one record to another."""
    earlier = {finding.id: finding for finding in before.findings}
    return [finding for finding in after.findings if earlier.get(finding.id) != finding]


def best_since(record: Record, series: Series) -> tuple[Best, ...]:
    """Return the best numbers at each new point."""
    return best_of(record.best, series)


# ---------------------------------------------------------------------- stretches


def _stretches(
    record: Record, view: View, rules: Sequence[Rule], sightings: Mapping[Key, tuple[Rule, Sighting]]
) -> dict[Key, Stretch]:
    """Return the stretches that hold now, or were interrupted for a short time.

    A stored record may have findings of a rule that only an earlier version had. They end here.
    """
    gaps = {rule.name: rule.gap * distance(view.step) for rule in rules}
    stretches = {
        key: stretch
        for key, stretch in record.stretches.items()
        if key in sightings or view.step - stretch.last < gaps.get(key[0], 0)
    }
    for key, (_, sighting) in sightings.items():
        earlier = stretches.get(key)
        since = earlier.since if earlier is not None else sighting.held.since()
        id = None if earlier is None else earlier.id
        stretches[key] = Stretch(since, sighting.held.last, id, sighting.severity)
    return stretches


def _shown(
    view: View,
    rules: Sequence[Rule],
    stretches: Mapping[Key, Stretch],
    sightings: Mapping[Key, tuple[Rule, Sighting]],
) -> set[Key]:
    """Return the stretches that lasted long enough and that no other rule explains better."""
    of_name = {rule.name: rule for rule in rules}
    lasting = set()
    for key, stretch in stretches.items():
        sighting = sightings[key][1] if key in sightings else None
        undated = sighting is not None and sighting.by_dates and not sighting.dates
        if view.step - stretch.since >= of_name[key[0]].hold and not undated:
            lasting.add(key)
    names = {name for name, _ in lasting}
    candidates = (
        lasting if view.step > 0 or view.diverged else set()
    )  # before its first step a run has no findings
    return {key for key in candidates if not names & of_name[key[0]].yields_to}


def _since(stretch: Stretch, sighting: Sighting) -> int:
    return min(sighting.dates.values()) if sighting.by_dates else stretch.since


# ---------------------------------------------------------------------- findings


def _opened(
    findings: Mapping[str, Finding],
    view: View,
    key: Key,
    stretch: Stretch,
    sighting: Sighting,
    words: Words,
    *,
    grave: bool,
) -> Finding:
    since = _since(stretch, sighting)
    layer = dict(sighting.subject).get("layer")
    id = f"{key[0]}{'' if layer is None else f'-{layer}'}@{since}"
    again = 2
    while id in findings:
        id, again = f"{id.split('~')[0]}~{again}", again + 1
    at_step = sighting.did(since)
    change = None if at_step is None else view.change(at_step, layer)
    severity = _severity(key[0], sighting.severity, grave=grave)
    remedies = words.remedies()
    return Finding(
        id=id,
        rule=key[0],
        severity=severity,
        subject=_subject(sighting),
        since_step=since,
        found_at=view.step,
        title=words.title,
        evidence=words.evidence,
        mark=words.mark,
        why=words.why,
        remedies=remedies,
        lower_rate="" if severity == "info" else lower_rate_tried(view, remedies, by_test=words.by_test),
        did=None if change is None else _did(change),
        stages=(_stage(view, severity, words),),
    )


def _updated(
    finding: Finding, view: View, stretch: Stretch, sighting: Sighting, words: Words, *, grave: bool
) -> Finding:
    """Return an open finding with its present severity, title and units."""
    severity = _severity(finding.rule, sighting.severity, grave=grave)
    finding = finding.at_stage(_stage(view, severity, words), _subject(sighting))
    return replace(finding, since_step=_since(stretch, sighting))


def _stage(view: View, severity: Severity, words: Words) -> Stage:
    return Stage(view.step, severity, words.title, words.mark, words.evidence)


def _severity(rule: str, severity: Severity, *, grave: bool) -> Severity:
    if severity == "info" or (rule not in ALWAYS_GRAVE and not grave):
        return severity
    return "problem"


def _subject(sighting: Sighting) -> dict[str, Any]:
    subject = dict(sighting.subject)
    if sighting.dates:
        units = sorted(sighting.dates)
        subject |= {"units": units, "since": [sighting.dates[unit] for unit in units]}
    return subject


def _did(change: Change) -> Did:
    who = batch_of(change.rows, change.batch)
    text = (
        f"The step from {change.step:,} to {change.step + 1:,} took an entry of {change.parameter} from "
        f"{number(change.before)} to {number(change.after)}: its gradient over {who} was {number(change.gradient)}, "
        f"times a rate of {number(change.rate)}."
    )
    return Did(
        change.step, change.parameter, change.entry, change.before, change.after, list(change.rows), text
    )


def _end(
    closing: Finding, record: Record, rules: Sequence[Rule], view: View, findings: Iterable[Finding]
) -> int:
    """Return the last step of a finding: another one of its layer begins where it ends."""
    layer = closing.subject.get("layer")
    starts = [
        each.since_step
        for each in findings
        if layer is not None and each.found_at == view.step and each.subject.get("layer") == layer
    ]
    joins = {rule.name for rule in rules if rule.gap}
    lasts = [stretch.last + 1 for stretch in record.stretches.values() if stretch.id == closing.id]
    end = min([*lasts, view.step]) if closing.rule in joins else view.step
    return max(min(starts, default=end), closing.since_step)


def _edited(record: Record, view: View) -> Edited:
    """Return the losses at edits and the remedies taken, up to here.

    The examination before was at the step of the newest edit, if none has seen its effect yet.
    """
    edited, last = record.edited, record.now
    is_edited = last is not None and last.step in dict(view.edits[-1:])
    if last is None or (last.step > 0 and not is_edited):
        return edited
    remedies = (
        Taken(finding.id, remedy.label, last.step)
        for finding in record.open
        for remedy in finding.remedies
        if is_edited and view.follows(remedy.command, last.step)
    )
    return Edited((*edited.losses, last), (*edited.taken, *remedies))


def _bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    remaining = list(findings)
    closed = [each for each in remaining if not each.is_open]
    for each in closed[: max(len(remaining) - MOST_FINDINGS, 0)]:
        remaining.remove(each)
    return tuple(remaining)
