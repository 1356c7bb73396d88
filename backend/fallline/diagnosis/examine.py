"""A run's findings: opened once, closed once, in the order in which they were opened.

What comes and goes must hold twice as long each time before it is said again, so that findings do not flicker. Must not
know what is done with findings, nor when it is asked.
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

MOST_KEPT = 100
"""Findings that are kept of a run: beyond, the oldest that are over are forgotten."""

RETURNS = 25
"""Steps that what has ended must at least hold before it is said again; twice that the first time."""

Key = tuple[str, Subject]
Onset = Callable[[Trace], Since]
"""Finds out since when something has been the case. Raises NotNow where that has to be put off."""


@dataclass(slots=True)
class Record:
    """What the Doctor has found in one run, and what it has seen but not yet said.

    `seen` tells since when what was seen at the last examination has been so, `over` how often something has ended.
    `fresh` has by id the numbers of open findings as they were seen last, which are of the present only: a fork begins
    with what was found.
    """

    findings: list[Finding] = field(default_factory=list)
    seen: dict[Key, Since] = field(default_factory=dict)
    over: dict[Key, int] = field(default_factory=dict)
    fresh: dict[str, Evidence] = field(default_factory=dict)

    @property
    def open(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_open]

    def at(self, step: int) -> Record:
        """What a fork begins with: what was found in its past, as it was at that step."""
        kept = []
        for each in self.findings:
            if each.since_step <= step:
                until = None if each.holds_at(step) else each.until_step
                kept.append(replace(each, until_step=until, found_at=min(each.found_at, step)))
        return Record(kept)

    def resume(self, seen: Mapping[str, Evidence]) -> None:
        """These numbers were seen last; of what is over by now there are none."""
        self.fresh = {each.id: seen[each.id] for each in self.open if each.id in seen}

    def take(self, findings: Iterable[Finding]) -> None:
        """Each replaces the one of its id, or comes last."""
        for finding in findings:
            places = {each.id: place for place, each in enumerate(self.findings)}
            if finding.id in places:
                self.findings[places[finding.id]] = finding
            else:
                self.findings.append(finding)
        closed = [each for each in self.findings if not each.is_open]
        for each in closed[: max(len(self.findings) - MOST_KEPT, 0)]:
            self.findings.remove(each)


def examine(record: Record, view: View, onset: Onset, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Look at the run; returns the findings that opened or closed now, which the record has taken.

    What cannot be afforded now is put off, and with it all that might be said better then: it stays as it was.
    """
    open_now = {_key(each): each for each in record.open}
    sighted, late = _sighted(view, open_now, rules)
    seen = _seen(record, {key: each for key, each in sighted.items() if key not in open_now}, onset, late)
    told = _told(record, sighted, seen, view, late)
    waits = late | {rule.name for rule in rules if rule.yields_to & late}
    opened = {key: each for key, each in told.items() if key[0] not in waits}
    closed = [
        each.closed(_end(each, opened.values(), view))
        for key, each in open_now.items()
        if key not in sighted and key[0] not in waits
    ]
    seen |= {key: since for key, since in record.seen.items() if key[0] in waits}
    for each in closed:
        record.over[_key(each)] = record.over.get(_key(each), 0) + 1
    record.seen = {key: since for key, since in seen.items() if key not in opened}
    changed = [*closed, *opened.values()]
    record.take(changed)
    still = {key: each for key, each in open_now.items() if key in sighted and key[0] not in waits}
    record.resume(
        record.fresh | {each.id: Evidence(view.step, told) for each, told in _evidence(still, sighted)}
    )
    return changed


def _evidence(
    still: dict[Key, Finding], sighted: dict[Key, tuple[Rule, Sighting]]
) -> Iterator[tuple[Finding, str]]:
    """The numbers of now behind what goes on, without those that have to be put off."""
    for key, each in still.items():
        # whether it may have begun earlier stands in its words only
        maybe = Since(each.since_step, exact=False)
        since = maybe if str(maybe) in each.evidence else Since(each.since_step)
        with contextlib.suppress(NotNow):
            yield each, sighted[key][1].words(since).evidence


def _is_open(open_now: Container[Key], rule: str, subject: Subject) -> bool:
    return (rule, subject) in open_now


def _sighted(
    view: View, open_now: dict[Key, Finding], rules: Iterable[Rule]
) -> tuple[dict[Key, tuple[Rule, Sighting]], set[str]]:
    """What there is to say, without what another rule says better; and the rules that are put off."""
    found: dict[Key, tuple[Rule, Sighting]] = {}
    late: set[str] = set()
    for rule in rules:
        try:
            for sighting in rule.check(view, partial(_is_open, open_now, rule.name)):
                found[(rule.name, sighting.subject)] = (rule, sighting)
        except NotNow:
            late.add(rule.name)
    names = {name for name, _ in found}
    return {key: each for key, each in found.items() if not names & each[0].yields_to}, late


def _seen(
    record: Record, sighted: dict[Key, tuple[Rule, Sighting]], onset: Onset, late: set[str]
) -> dict[Key, Since]:
    """Since when each of them is so; a rule for which that has to be put off is added to the `late` ones."""
    seen: dict[Key, Since] = {}
    for key, (rule, sighting) in sighted.items():
        try:
            seen[key] = record.seen.get(key) or _since(sighting, onset)
        except NotNow:
            late.add(rule.name)
    return seen


def _told(
    record: Record,
    sighted: dict[Key, tuple[Rule, Sighting]],
    seen: dict[Key, Since],
    view: View,
    late: set[str],
) -> dict[Key, Finding]:
    """What has held long enough to be said, in words; a rule whose words have to be put off is added to the `late`
    ones.
    """
    told: dict[Key, Finding] = {}
    for key, since in seen.items():
        rule, sighting = sighted[key]
        if view.step - since.step < _patience(rule, record.over.get(key, 0)):
            continue
        try:
            told[key] = _finding(record, rule, sighting, since, view)
        except NotNow:
            late.add(rule.name)
    return told


def _patience(rule: Rule, over: int) -> int:
    """Steps that something has to hold before it is said, having ended so often."""
    return max(rule.hold, RETURNS) * int(2**over) if over else rule.hold


def _since(sighting: Sighting, onset: Onset) -> Since:
    return onset(sighting.since) if isinstance(sighting.since, Trace) else Since(sighting.since)


def _finding(record: Record, rule: Rule, sighting: Sighting, since: Since, view: View) -> Finding:
    words = sighting.words(since)
    layer = dict(sighting.subject).get("layer")
    id = f"{rule.name}{'' if layer is None else f'-{layer}'}@{since.step}"
    known = {each.id for each in record.findings}
    again = 2
    while id in known:
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


def _end(over: Finding, opened: Iterable[Finding], view: View) -> int:
    """What took its place in the same layer began when this one ended."""
    layer = over.subject.get("layer")
    begun = [each.since_step for each in opened if layer is not None and each.subject.get("layer") == layer]
    return max(min(begun, default=view.step), over.since_step)


def _key(finding: Finding) -> Key:
    return finding.rule, tuple(
        (name, tuple(value) if isinstance(value, list) else value) for name, value in finding.subject.items()
    )


def _plain(subject: Subject) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in subject}
