"""Questions to bet on: plain data beside a recipe, with the closed list of rules that answer them.

`fallline.questions` computes the answers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from fallline.vocabulary.findings import Verdict
from fallline.vocabulary.strict import LARGEST, Label, RowName, RunName, StrictModel

NONE = "none"
"""Id of the choice for "no run"."""

SeriesName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_/]{1,64}$")]
ChoiceId = Annotated[str, Field(pattern=r"^[a-z0-9_+-]{1,128}$")]
Sentence = Annotated[str, Field(min_length=1, max_length=240)]


class ByVerdict(StrictModel):
    """The runs with one of these verdicts, joined by "+", or "none"."""

    rule: Literal["verdict"] = "verdict"
    verdicts: Annotated[list[Verdict], Field(min_length=1, max_length=7)]


class ByLowest(StrictModel):
    """The run that ends with the lowest value of a series."""

    rule: Literal["lowest"] = "lowest"
    series: SeriesName


class Threshold(StrictModel):
    """A series that falls `below` a value, or rises `above` one: one of both."""

    series: SeriesName
    below: float | None = None
    above: float | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Threshold:
        if (self.below is None) == (self.above is None):
            raise ValueError("must have below or above, and not both")
        return self


class ByFirst(Threshold):
    """The run whose series is the first `below` or `above` a value, or "none"."""

    rule: Literal["first"] = "first"


class Measured(StrictModel):
    """A rule whose result is a number.

    Between the choices stand `limits`, rising: a result below the first limit is the first choice, and so on.
    """

    limits: Annotated[list[float], Field(max_length=7)] = Field(default=[])


class ByStep(Measured, Threshold):
    """The first step at which the series of a run is `below` or `above` a value."""

    rule: Literal["step"] = "step"
    run: RunName


class ByValue(Measured):
    """The value of a series of a run at a step, by default the last. `over` names a series to divide it by."""

    rule: Literal["value"] = "value"
    run: RunName
    series: SeriesName
    step: Annotated[int, Field(ge=0, le=LARGEST)] | None = None
    over: SeriesName | None = None


Rule = Annotated[ByVerdict | ByLowest | ByFirst | ByStep | ByValue, Field(discriminator="rule")]
RULES: tuple[type[StrictModel], ...] = (ByVerdict, ByLowest, ByFirst, ByStep, ByValue)


class Choice(StrictModel):
    """An answer to choose. Its `id` is what the rule returns, such as the name of a run."""

    id: ChoiceId
    text: Label


class Clause(StrictModel):
    """A sentence of what happened, the step that shows it, and the run it is about."""

    text: Sentence
    step: Annotated[int, Field(ge=0, le=LARGEST)] | None = None
    run: RunName | None = None


class Question(StrictModel):
    """A question to bet on before play, the rule that computes its answer, and what happened.

    A `choice` question has choices; a `number` question has a `unit`.
    """

    id: RowName | RunName
    prompt: Sentence
    kind: Literal["choice", "number"] = "choice"
    choices: Annotated[list[Choice], Field(max_length=8)] = Field(default=[])
    unit: Label | None = None
    answer: Rule
    explain: Annotated[list[Clause], Field(max_length=16)] = Field(default=[])

    @model_validator(mode="after")
    def _is_answerable(self) -> Question:
        limits = self.answer.limits if isinstance(self.answer, Measured) else None
        if self.kind == "number":
            if self.choices or limits is None or limits:
                raise ValueError("a number question has no choices and no limits, and a rule that measures")
            return self
        ids = [choice.id for choice in self.choices]
        if len(ids) < 2 or len(set(ids)) < len(ids):
            raise ValueError("a choice question has two choices or more, each with its own id")
        if limits is not None and (len(limits) != len(ids) - 1 or limits != sorted(limits)):
            raise ValueError("between the choices stand limits, rising: one fewer than choices")
        return self

    def public(self) -> dict[str, Any]:
        """Return the question as plain JSON, without answer and clauses."""
        return self.model_dump(mode="json", exclude={"answer", "explain"}, exclude_none=True)

    def story(self) -> dict[str, Any]:
        """Return the rule of the answer and what happened, as plain JSON."""
        return self.model_dump(mode="json", include={"id", "answer", "explain"}, exclude_none=True)


def rule_rows() -> list[dict[str, Any]]:
    """Return the closed list of rules for the catalog: name, help and JSON schema."""
    return [
        {
            "name": get_args(rule.model_fields["rule"].annotation)[0],
            "help": " ".join((rule.__doc__ or "").split()),
            "schema": rule.model_json_schema(),
        }
        for rule in RULES
    ]
