"""Numbers and names in the text of findings."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fallline.diagnosis.setbacks import _spike, _worse
from fallline.diagnosis.view import Edge
from fallline.diagnosis.words import count, every, listed, number, percent, setting, sharpness_sentence
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.vocabulary.findings import shown_name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (0.04391, "0.0439"), (12.34, "12.3"), (1284.0, "1,280"), (944_532.0, "945,000"), (1.9e7, "1.9e7"),
        (0.00002, "2e−5"), (-0.0312, "−0.0312"), (0.9996, "1.00"), (999.6, "1,000"), (4_069_370.0, "4.1e6"),
        (float("nan"), "undefined"), (float("inf"), "infinite"), (-float("inf"), "−infinite"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_and_a_true_minus(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.03, "0.03"),
        (1.5e-5, "1.5e−5"),
        (1e-4, "0.0001"),
        (0.00015, "0.00015"),
        (1000.0, "1,000"),
        (-1234.5, "−1,234.5"),
        (1e6, "1e6"),
        (2.5e7, "2.5e7"),
        (-0.5, "−0.5"),
    ],
)
def test_a_setting_is_written_as_in_its_field(value: float, text: str) -> None:
    """A remedy offered "rate 1.5e-05" beside a field with "1.5e−5"."""
    assert setting(value) == text


def test_a_smaller_share_is_never_written_as_100_percent() -> None:
    assert [percent(share) for share in (0.003, 0.69, 0.9999, 1.0)] == ["0.3 %", "69 %", "99.9 %", "100 %"]


def test_things_are_counted_and_listed() -> None:
    assert (count(1, "step"), count(1284, "step")) == ("1 step", "1,284 steps")
    assert (every(1, "sample"), every(900, "sample")) == ("the only sample", "all 900 samples")
    assert [listed(["a", "b", "c"][:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_a_sharpness_of_an_earlier_step_names_it() -> None:
    """A gauge beside it measures at the present step: 5.01 and 5.07 looked like the same step."""
    edge = Edge(5.0126, 5.0, 1800)
    assert sharpness_sentence(edge, 1800) == " The steepest bend is 5.01; stable below 5.00."
    assert sharpness_sentence(edge, 1822) == " The steepest bend was 5.01 at step 1,800; stable below 5.00."


def test_a_run_has_the_name_that_the_page_shows() -> None:
    names = [shown_name(name, None) for name in ("gd", "sgd", "run-2", "low_rate", "rmsprop", "adam")]
    assert names == ["GD", "SGD", "Run 2", "Low rate", "RMSProp", "Adam"]
    assert shown_name("gd", "Alpha") == "Alpha"


def test_methods_are_written_as_on_the_page() -> None:
    """A run that is named after its method has the same name in the Doctor's sentences and on the page."""
    texts = (Path(__file__).parents[3] / "frontend/words/english.ts").read_text()
    for name in OPTIMIZERS:
        constant = re.sub(r"_(\w)", lambda match: match[1].upper(), name).replace("lbfgs", "lBFGS")
        constant += "Momentum" if name == "rmsprop_centered" else ""
        if name != "sgd" and (text := re.search(rf'const {constant} = "(.*)"', texts)):
            assert shown_name(name, None) == text[1]


def test_a_jump_and_what_came_of_it_are_read_once() -> None:
    """\"In the 50 points before it was 0.005" was read as "before it"."""
    view: Any = SimpleNamespace(line=lambda name: name, apart=1)
    jump = _spike(view, 716, 0.00511, 0.0936)
    assert jump.evidence == "At step 716 the loss was 0.0936; the median of the 50 points before is 0.00511."
    assert (
        _worse(view, 0.07, 0.01, 470).why.text
        == "A step led to a worse place, and no step since has led back."
    )


def test_the_description_of_every_parameter_stands_alone() -> None:
    """The card of beta2 said "its square", of what the card of beta1 had named."""
    texts = [parameter.help for row in OPTIMIZERS.values() for parameter in row.parameters]
    assert len(texts) > 20
    assert [text for text in texts if re.search(r"\b(of|in|by) its\b", text)] == []
