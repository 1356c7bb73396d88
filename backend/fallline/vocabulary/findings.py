"""Findings of the Doctor: evidence, cause and remedies.

Owns the JSON of a finding, as sent and as stored. A stored finding has no run name: texts contain `{run}`, and commands
have no run. So a fork can inherit it, and a label can change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from fallline.vocabulary.journal import Json

Severity = Literal["problem", "warning", "info"]

Verdict = Literal["waiting", "learning", "overfitting", "on_the_way", "flat", "dead", "diverged"]
"""How a run is doing, in one word. The later of two that hold counts."""

RUN = "{run}"
"""Placeholder in texts for the run's label."""


@dataclass(frozen=True, slots=True)
class Why:
    """The cause in plain words, and the line of NumPy behind it."""

    text: str
    code: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that can be undone: a command without the name of its run.

    `loss` is the train loss at the end of its trial, None if it was not tried.
    """

    label: str
    hint: str
    command: Json
    loss: float | None = None

    def as_json(self, run: str) -> Json:
        """Return plain JSON with a command for this run."""
        field = "fork_of" if self.command["do"] == "add_run" else "run"
        command = {"do": self.command["do"], field: run, **self.command}
        return {"label": self.label, "hint": self.hint, "command": command, "loss": self.loss}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a remedy that was taken at step `at_step` in the run `run`.

    `before` and `now` are the losses (`series`) there and at `step`. This is the present step, or the step of the
    run's next edit. The flag `lasts` says whether that run still has the problem, `text` all of it in words.
    """

    label: str
    run: str
    at_step: int
    step: int
    series: str
    before: float
    now: float
    lasts: bool
    text: str

    def as_json(self) -> Json:
        """Return plain JSON, with `from` and `to` for the losses."""
        fields = asdict(self)
        losses = {"from": fields.pop("before"), "to": fields.pop("now")}
        return {**fields, **losses}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers behind a finding at a step after its detection."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A finding as the examination at `step` saw it, if severity, title or units differ from before."""

    step: int
    severity: Severity
    title: str
    mark: str
    evidence: str

    def as_json(self, label: str) -> Json:
        """Return plain JSON whose texts call the run `label`."""
        fields: Json = asdict(self)
        return fields | {name: fields[name].replace(RUN, label) for name in ("title", "evidence")}


MOST_STAGES = 16
"""Most stages of a finding: its first and its latest."""


@dataclass(frozen=True, slots=True)
class Did:
    """The change that did it: the entry of a parameter that moved most in the change from `step` to the next.

    `entry` counts its entries row by row. `rows` are rows of the data, at most ten of the batch.
    """

    step: int
    parameter: str
    entry: int
    before: float
    after: float
    rows: list[int]
    text: str

    def as_json(self) -> Json:
        """Return plain JSON, with `from` and `to` for the values."""
        values = {"from": self.before, "to": self.after}
        place = {"step": self.step, "parameter": self.parameter, "entry": self.entry}
        return {**place, **values, "rows": self.rows, "text": self.text}


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition from step `since_step` on, until `until_step` once it is over.

    - `found_at` is the step of its detection.
    - `subject` names the layer and its units, counted from 0, and since which step each has been so.
    - `did` is the change that did it, if one did.
    - `stages` begin with its detection.
    - `lower_rate` says whether a lower rate helps, as tried; "" if a remedy has one, or if none was tried.
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
    did: Did | None = None
    stages: tuple[Stage, ...] = ()
    lower_rate: str = ""

    @property
    def is_open(self) -> bool:
        return self.until_step is None

    def closed(self, step: int) -> Finding:
        """Return the finding with its end at this step."""
        return replace(self, until_step=max(step, self.since_step))

    def at_stage(self, stage: Stage, subject: Json) -> Finding:
        """Return the finding as this stage says it, with the stage among its own if severity, title or units differ."""
        if (self.severity, self.title, self.subject) == (stage.severity, stage.title, subject):
            return self
        stages = (*self.stages, stage)
        stages = (*stages[:1], *stages[1:][1 - MOST_STAGES :])
        return replace(
            self,
            severity=stage.severity,
            title=stage.title,
            mark=stage.mark,
            subject=subject,
            stages=stages,
        )

    def holds_at(self, step: int) -> bool:
        """Return whether it holds at this step."""
        return self.since_step <= step and (self.until_step is None or self.until_step > step)

    def as_json(
        self, run: str, label: str, latest: Evidence | None = None, outcomes: Iterable[Outcome] = ()
    ) -> Json:
        """Return plain JSON for the run of this name.

        Texts call it `label`. The `latest` evidence defaults to the evidence at detection. The `outcomes` are of
        its remedies that were taken.
        """
        latest = latest or Evidence(self.found_at, self.evidence)
        return {
            "id": self.id,
            "rule": self.rule,
            "severity": self.severity,
            "subject": self.subject,
            "since_step": self.since_step,
            "until_step": self.until_step,
            "found_at": self.found_at,
            "seen_at": latest.step,
            "title": self.title.replace(RUN, label),
            "evidence": latest.text.replace(RUN, label),
            "first_evidence": self.evidence.replace(RUN, label),
            "stages": [each.as_json(label) for each in self.stages],
            "mark": self.mark,
            "why": asdict(self.why),
            "did": None if self.did is None else self.did.as_json(),
            "remedies": [remedy.as_json(run) for remedy in self.remedies],
            "lower_rate": self.lower_rate,
            "outcomes": [outcome.as_json() for outcome in outcomes],
        }

    def stored(self) -> Json:
        """Return plain JSON to store, for `read`."""
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Finding:
        """Return the finding from its stored JSON."""
        remedies = tuple(Remedy(**each) for each in stored["remedies"])
        did = None if stored.get("did") is None else Did(**stored["did"])
        finding = cls(**{**stored, "why": Why(**stored["why"]), "remedies": remedies, "did": did})
        if "stages" in stored:
            return replace(finding, stages=tuple(Stage(**each) for each in stored["stages"]))
        # earlier versions stored none
        first = Stage(finding.found_at, finding.severity, finding.title, finding.mark, finding.evidence)
        return replace(finding, stages=(first,))


WRITTEN = {
    "gd": "GD",
    "sgd": "SGD",
    "rmsprop": "RMSProp",
    "rmsprop_momentum": "RMSProp, momentum",
    "rmsprop_centered": "RMSProp, centered, momentum",
    "adamw": "AdamW",
    "amsgrad": "AMSGrad",
    "radam": "RAdam",
    "lbfgs": "L-BFGS",
}
"""Names of methods that are written with more than one capital."""


def shown_name(name: str, label: str | None) -> str:
    """Return the label of a run, or else its name as the page writes it."""
    if label:
        return label
    if name in WRITTEN:
        return WRITTEN[name]
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else name
