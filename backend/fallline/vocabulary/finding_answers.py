"""What the server answers about findings, as models: see `vocabulary.answers`. Must not know rules."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from fallline.vocabulary.open import OpenModel

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
    "mark": "layer 2 dead",
    "why": {
        "text": "A relu outputs 0 where its input is below 0, and lets no gradient back through there.",
        "code": "dz2 = da2 * (z2 > 0)",
    },
    "remedies": [
        {
            "label": "Rewind, lower rate",
            "hint": "a fork from step 190 with rate 0.006",
            "command": {"do": "add_run", "fork_of": "sgd", "at_step": 190, "learning_rate": 0.006},
        }
    ],
}


class Why(OpenModel):
    """The reason in plain words, and the line of NumPy in which it lies."""

    text: str
    code: str


class Remedy(OpenModel):
    """Something that helps. `command` is what the socket's `command` takes, but for type, id and experiment; REST takes
    the same fields. To rewind is to fork an earlier step, which `remove_run` undoes.
    """

    label: str
    hint: str
    command: dict[str, Any]


class Finding(OpenModel):
    """Something that is the case with a run from `since_step` on, and until `until_step` where it is over.

    `id` is unique within a run's generation; a finding of the same id replaces the former. `subject` names the layer
    and the units of it, counted from 0. `found_at` is the step at which it was seen first, with the numbers of
    `first_evidence`; `seen_at` that of the last look, with those of `evidence`: for as long as it goes on, then the
    first ones again. At most two `remedies`.
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
    mark: str
    why: Why
    remedies: list[Remedy]


class Examining(OpenModel):
    """What examining a run has cost: seconds, the share that training waited for beside its computing time, and of late
    how long it waited while it computed for so long; how often it was done, and how often it failed by a fault of the
    server, whose log tells it.
    """

    seconds: float
    share: float
    waited_seconds: float
    computed_seconds: float
    examinations: int
    failed: int
