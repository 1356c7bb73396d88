"""Response models of findings: see `vocabulary.answers`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from fallline.vocabulary.strict import OpenModel

EXAMPLE: dict[str, Any] = {
    "id": "dead_layer-2@214",
    "rule": "dead_layer",
    "severity": "problem",
    "subject": {"layer": 2},
    "since_step": 214,
    "until_step": None,
    "found_at": 230,
    "seen_at": 1250,
    "title": "SGD: layer 2 is dead.",
    "evidence": "4 of 4 units output 0 for all 900 samples since step 214. "
    "Train R² = 0.00: the network predicts the mean.",
    "first_evidence": "4 of 4 units output 0 for all 900 samples since step 214. "
    "Train R² = -0.02: the network predicts the mean.",
    "stages": [
        {
            "step": 230,
            "severity": "problem",
            "title": "SGD: layer 2 is dead.",
            "mark": "layer 2 dead",
            "evidence": "4 of 4 units output 0 for all 900 samples since step 214. "
            "Train R² = -0.02: the network predicts the mean.",
        }
    ],
    "mark": "layer 2 dead",
    "why": {
        "text": "A relu outputs 0 for inputs below 0 and passes no gradient back there.",
        "code": "dz2 = da2 * (z2 > 0)",
    },
    "did": {
        "step": 213,
        "parameter": "b2",
        "entry": 1,
        "from": 0.31,
        "to": -5.2,
        "rows": [417],
        "text": "The step from 213 to 214 took an entry of b2 from 0.31 to −5.2: its gradient over sample 417 was 551, "
        "times a rate of 0.01.",
    },
    "remedies": [
        {
            "label": "Rewind to step 190, rate 0.006",
            "hint": "a fork from step 190: rate 0.006; tried for 100 steps",
            "command": {"do": "add_run", "fork_of": "sgd", "at_step": 190, "learning_rate": 0.006},
            "loss": 0.21,
        }
    ],
    "lower_rate": "",
    "outcomes": [
        {
            "label": "Rewind to step 190, rate 0.006",
            "run": "run-3",
            "at_step": 190,
            "step": 1250,
            "series": "train_loss",
            "from": 0.52,
            "to": 0.083,
            "lasts": False,
            "text": "Rewind to step 190, rate 0.006, taken at step 190 in Run 3: the train loss went from 0.520 to "
            "0.0830 at step 1,250. SGD has 1.62 at step 1,250: Run 3 is 19.5 times better. It does not have the "
            "problem.",
        }
    ],
}


class Why(OpenModel):
    """The cause in plain words, and the line of NumPy behind it."""

    text: str
    code: str


class Remedy(OpenModel):
    """A change that helps.

    `command` holds the fields of the socket's `command` without type, id and experiment. REST takes the same
    fields. A rewind is a fork from an earlier step, which `remove_run` undoes. The `loss` is the train loss at the
    end of its trial, null if it was not tried.
    """

    label: str
    hint: str
    command: dict[str, Any]
    loss: float | None


class Stage(OpenModel):
    """A finding as the examination at `step` saw it: with another severity, title or units than before."""

    step: int
    severity: Literal["problem", "warning", "info"]
    title: str
    mark: str
    evidence: str


class Did(OpenModel):
    """The entry of a parameter that moved most in the change from `step` to the next, which caused a finding.

    `entry` counts the entries of `parameter` row by row. `rows` are rows of the data: at most ten of the batch.
    """

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    step: int
    parameter: str
    entry: int
    before: float = Field(alias="from")
    to: float
    rows: list[int]
    text: str


class Outcome(OpenModel):
    """The outcome of a remedy that was taken at step `at_step` of the run `run`, up to `step`.

    `from` and `to` are the losses of the `series` there. The `step` is the present one, or the step of the run's
    next edit. The flag `lasts` says whether that run still has the problem.
    """

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    label: str
    run: str
    at_step: int
    step: int
    series: Literal["train_loss", "test_loss"]
    before: float = Field(alias="from")
    to: float
    lasts: bool
    text: str


class Finding(OpenModel):
    """A condition of a run from `since_step` on, until `until_step` if it is over.

    - `id` is unique within a run's generation; a finding with the same id replaces the earlier one.
    - `subject` names the layer and its units, counted from 0, with the first step of each (`since`).
    - `did` is the change that did it, if one did.
    - `found_at` is the step of the first detection, `first_evidence` its numbers.
    - `seen_at` and `evidence` are from the latest check while the finding is open, then from the first again.
    - `stages` are the checks that found another severity, title or units, from the first on.
    - There are at most two `remedies`. The `outcomes` are of remedies that were taken.
    - `lower_rate` says whether a lower rate helps, as tried. It is empty if a remedy has one, or if none was tried.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [EXAMPLE]})

    id: str
    rule: str
    severity: Literal["problem", "warning", "info"]
    subject: dict[str, Any]
    since_step: int
    until_step: int | None
    found_at: int
    seen_at: int
    title: str
    evidence: str
    first_evidence: str
    stages: list[Stage]
    mark: str
    why: Why
    did: Did | None
    remedies: list[Remedy]
    lower_rate: str
    outcomes: list[Outcome]


class Examining(OpenModel):
    """The cost of a run's examinations.

    `seconds` is the total, `share` the time that training waited relative to its computing time. The two times
    lately are `waited_seconds` and `computed_seconds`. The number of `examinations` that a server fault ended is
    `failed`; see the log.
    """

    seconds: float
    share: float
    waited_seconds: float
    computed_seconds: float
    examinations: int
    failed: int
