"""What the Doctor says of a run: a finding with its evidence, the reason behind it, and what would help.

Owns the shape of a finding, as it travels and as it is stored. A finding is stored without its run's name: texts say
`{run}` where a reader reads it, commands leave it out, so that a fork may inherit findings and a label may change. Must
not know rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Json = dict[str, Any]
Severity = Literal["problem", "warning", "info"]

RUN = "{run}"
"""Stands in texts for what readers call the run."""


@dataclass(frozen=True, slots=True)
class Why:
    """The reason in plain words, and the line of NumPy in which it lies."""

    text: str
    code: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that can be done at once and undone: a command without the name of the run that it is for."""

    label: str
    hint: str
    command: Json

    def as_json(self, run: str) -> Json:
        """With a command that is for this run."""
        whose = "fork_of" if self.command["do"] == "add_run" else "run"
        command = {"do": self.command["do"], whose: run, **self.command}
        return {"label": self.label, "hint": self.hint, "command": command}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers behind a finding as they were at a later step than that at which it was found."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is the case from step `since_step` on, and until `until_step` once it is over.

    `found_at` is the step at which it was seen. `subject` names the layer, and the units of it counted from 0.
    """

    id: str
    rule: str
    severity: Severity
    subject: Json
    since_step: int
    found_at: int
    title: str
    evidence: str
    mark: str
    why: Why
    remedies: tuple[Remedy, ...] = ()
    until_step: int | None = field(default=None)

    @property
    def is_open(self) -> bool:
        return self.until_step is None

    def closed(self, step: int) -> Finding:
        """The same, over at that step."""
        return replace(self, until_step=max(step, self.since_step))

    def holds_at(self, step: int) -> bool:
        """Whether it was the case at that step."""
        return self.since_step <= step and (self.until_step is None or self.until_step > step)

    def as_json(self, run: str, shown: str, seen: Evidence | None = None) -> Json:
        """As it travels: of the run of that name, which readers see as `shown`, with the numbers that were `seen` last
        where they are others than those with which it was found.
        """
        latest = seen or Evidence(self.found_at, self.evidence)
        return {
            "id": self.id,
            "rule": self.rule,
            "severity": self.severity,
            "subject": self.subject,
            "since_step": self.since_step,
            "until_step": self.until_step,
            "found_at": self.found_at,
            "seen_at": latest.step,
            "title": self.title.replace(RUN, shown),
            "evidence": latest.text.replace(RUN, shown),
            "first_evidence": self.evidence.replace(RUN, shown),
            "mark": self.mark,
            "why": asdict(self.why),
            "remedies": [remedy.as_json(run) for remedy in self.remedies],
        }

    def stored(self) -> Json:
        """As it is stored; `read` reads it."""
        return asdict(self)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Finding:
        """The finding that was stored."""
        remedies = tuple(Remedy(**each) for each in told["remedies"])
        return cls(**{**told, "why": Why(**told["why"]), "remedies": remedies})


def shown_name(name: str, label: str | None) -> str:
    """What readers call a run: its label, else its name as the page writes it."""
    if label:
        return label
    if name in ("gd", "sgd"):
        return name.upper()
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else name
