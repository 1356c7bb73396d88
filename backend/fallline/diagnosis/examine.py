"""A run's findings: each opens once and closes once.

A symptom that returns must last twice as long each time before its finding opens again. Must not know the use of
findings, nor the schedule.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fallline.diagnosis.rule import NotNow, Rule, Sighting, Since, Subject, Trace
from fallline.diagnosis.rules import RULES
from fallline.diagnosis.view import View
from fallline.vocabulary.findings import Evidence, Finding

MOST_FINDINGS = 100
"""Most findings of a run: beyond, the oldest closed ones are dropped."""

RETURNS = 25
"""Least steps that a symptom must last before its finding opens again; twice that the first time."""

Key = tuple[str, Subject]
Onset = Callable[[Trace], Since]
"""Returns the first step of a trace. Raises NotNow if the search is deferred."""


@dataclass(slots=True)
class Record:
    """The findings of one run, and symptoms that are not findings yet.

    `pending` has the first step of each symptom of the last examination without a finding. `closings` counts how often
    a finding closed. `fresh` has the latest evidence of open findings by id; a fork does not copy it.
    """

    findings: list[Finding] = field(default_factory=list)
    pending: dict[Key, Since] = field(default_factory=dict)
    closings: dict[Key, int] = field(default_factory=dict)
    fresh: dict[str, Evidence] = field(default_factory=dict)

    @property
    def open(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_open]

    def at(self, step: int) -> Record:
        """Return the record of a fork, as it was at that step."""
        findings = []
        for each in self.findings:
            if each.since_step <= step:
                until = None if each.holds_at(step) else each.until_step
                findings.append(replace(each, until_step=until, found_at=min(each.found_at, step)))
        return Record(findings)

    def resume(self, evidence: Mapping[str, Evidence]) -> None:
        """Set the latest evidence of open findings, by id."""
        self.fresh = {each.id: evidence[each.id] for each in self.open if each.id in evidence}

    def take(self, findings: Iterable[Finding]) -> None:
        """Add findings; each replaces the one with its id."""
        for finding in findings:
            places = {each.id: place for place, each in enumerate(self.findings)}
            if finding.id in places:
                self.findings[places[finding.id]] = finding
            else:
                self.findings.append(finding)
        closed = [each for each in self.findings if not each.is_open]
        for each in closed[: max(len(self.findings) - MOST_FINDINGS, 0)]:
            self.findings.remove(each)


def examine(record: Record, view: View, onset: Onset, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Examine the run; record and return the findings that opened or closed.

    Rules over budget are deferred, and with them the rules that yield to them: their findings stay as they are.
    """
    open_now = {_key(each): each for each in record.open}
    sightings, deferred = _sightings(view, open_now, rules)
    first_steps = _first_steps(
        record, {key: each for key, each in sightings.items() if key not in open_now}, onset, deferred
    )
    ready = _ready(record, sightings, first_steps, view, deferred)
    waiting = deferred | {rule.name for rule in rules if rule.yields_to & deferred}
    opened = {key: each for key, each in ready.items() if key[0] not in waiting}
    closed = [
        each.closed(_end(each, opened.values(), view))
        for key, each in open_now.items()
        if key not in sightings and key[0] not in waiting
    ]
    first_steps |= {key: since for key, since in record.pending.items() if key[0] in waiting}
    for each in closed:
        record.closings[_key(each)] = record.closings.get(_key(each), 0) + 1
    record.pending = {key: since for key, since in first_steps.items() if key not in opened}
    changed = [*closed, *opened.values()]
    record.take(changed)
    still = {key: each for key, each in open_now.items() if key in sightings and key[0] not in waiting}
    record.resume(
        record.fresh | {each.id: Evidence(view.step, text) for each, text in _evidence(still, sightings)}
    )
    return changed


def _evidence(
    still: dict[Key, Finding], sightings: dict[Key, tuple[Rule, Sighting]]
) -> Iterator[tuple[Finding, str]]:
    """Yield the present evidence of open findings, without deferred ones."""
    for key, each in still.items():
        # only the text says whether the first step is exact
        maybe = Since(each.since_step, exact=False)
        since = maybe if str(maybe) in each.evidence else Since(each.since_step)
        with contextlib.suppress(NotNow):
            yield each, sightings[key][1].words(since).evidence


def _is_open(open_now: Container[Key], rule: str, subject: Subject) -> bool:
    return (rule, subject) in open_now


def _sightings(
    view: View, open_now: dict[Key, Finding], rules: Iterable[Rule]
) -> tuple[dict[Key, tuple[Rule, Sighting]], set[str]]:
    """Return the sightings that no other rule explains better, and the deferred rules."""
    sightings: dict[Key, tuple[Rule, Sighting]] = {}
    deferred: set[str] = set()
    for rule in rules:
        try:
            for sighting in rule.check(view, partial(_is_open, open_now, rule.name)):
                sightings[(rule.name, sighting.subject)] = (rule, sighting)
        except NotNow:
            deferred.add(rule.name)
    names = {name for name, _ in sightings}
    return {key: each for key, each in sightings.items() if not names & each[0].yields_to}, deferred


def _first_steps(
    record: Record, sightings: dict[Key, tuple[Rule, Sighting]], onset: Onset, deferred: set[str]
) -> dict[Key, Since]:
    """Return the first step of each sighting; collect `deferred` rules."""
    first_steps: dict[Key, Since] = {}
    for key, (rule, sighting) in sightings.items():
        try:
            first_steps[key] = record.pending.get(key) or _since(sighting, onset)
        except NotNow:
            deferred.add(rule.name)
    return first_steps


def _ready(
    record: Record,
    sightings: dict[Key, tuple[Rule, Sighting]],
    first_steps: dict[Key, Since],
    view: View,
    deferred: set[str],
) -> dict[Key, Finding]:
    """Return findings for symptoms that lasted; collect `deferred` rules."""
    ready: dict[Key, Finding] = {}
    for key, since in first_steps.items():
        rule, sighting = sightings[key]
        if view.step - since.step < _patience(rule, record.closings.get(key, 0)):
            continue
        try:
            ready[key] = _finding(record, rule, sighting, since, view)
        except NotNow:
            deferred.add(rule.name)
    return ready


def _patience(rule: Rule, closings: int) -> int:
    """Return the steps that a symptom must last after so many closings."""
    return max(rule.hold, RETURNS) * int(2**closings) if closings else rule.hold


def _since(sighting: Sighting, onset: Onset) -> Since:
    return onset(sighting.since) if isinstance(sighting.since, Trace) else Since(sighting.since)


def _finding(record: Record, rule: Rule, sighting: Sighting, since: Since, view: View) -> Finding:
    words = sighting.words(since)
    layer = dict(sighting.subject).get("layer")
    id = f"{rule.name}{'' if layer is None else f'-{layer}'}@{since.step}"
    ids = {each.id for each in record.findings}
    again = 2
    while id in ids:
        id, again = f"{id.split('~')[0]}~{again}", again + 1
    return Finding(
        id=id,
        rule=rule.name,
        severity=sighting.severity,
        subject=_plain(sighting.subject),
        since_step=since.step,
        found_at=view.step,
        title=words.title,
        evidence=words.evidence,
        mark=words.mark,
        why=words.why,
        remedies=words.remedies(),
    )


def _end(closing: Finding, opened: Iterable[Finding], view: View) -> int:
    """Return the last step: another finding of the layer begins where it ends."""
    layer = closing.subject.get("layer")
    starts = [each.since_step for each in opened if layer is not None and each.subject.get("layer") == layer]
    return max(min(starts, default=view.step), closing.since_step)


def _key(finding: Finding) -> Key:
    return finding.rule, tuple(
        (name, tuple(value) if isinstance(value, list) else value) for name, value in finding.subject.items()
    )


def _plain(subject: Subject) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in subject}
