"""Pydantic's complaints in plain words: where (a JSON pointer) and what would be right; never what came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.web.strict_json import MOST_ERRORS, below

Context = Mapping[str, Any]


def _number(value: float) -> str:
    return f"{value:,g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _count(noun: str, key: str, word: str) -> Callable[[Context], str]:
    return lambda context: f"should have at {word} {context[key]} {noun}"


_SAYINGS: Mapping[str, str | Callable[[Context], str]] = {
    "missing": "is required",
    "extra_forbidden": "is not a field that is known here",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "finite_number": "should be a finite number",
    "string_type": "should be a text",
    "bool_type": "should be true or false",
    "list_type": "should be a list",
    "dict_type": "should be an object",
    "model_type": "should be an object",
    "model_attributes_type": "should be an object",
    "none_required": "should be null",
    "greater_than": lambda context: f"should be greater than {_number(context['gt'])}",
    "greater_than_equal": lambda context: f"should be at least {_number(context['ge'])}",
    "less_than": lambda context: f"should be less than {_number(context['lt'])}",
    "less_than_equal": lambda context: f"should be at most {_number(context['le'])}",
    "literal_error": lambda context: f"should be {context['expected']}",
    "string_pattern_mismatch": lambda context: f"should match {context['pattern']}",
    "string_too_short": _count("characters", "min_length", "least"),
    "string_too_long": _count("characters", "max_length", "most"),
    "too_short": _count("entries", "min_length", "least"),
    "too_long": _count("entries", "max_length", "most"),
    "value_error": lambda context: f"{context['error']}",
}


def invalid(error: ValidationError, body: Any) -> InvalidRequest:
    """The same complaint as an InvalidRequest; `body`, what was validated, tells fields from pydantic's own marks."""
    return translated(error.errors(include_url=False, include_input=False), body)


def translated(complaints: Sequence[Any], body: Any) -> InvalidRequest:
    """The same for complaints as pydantic lists them, of which the first are worded. Those about one field become
    one, joined by "or".

    Of a method given as an object, whatever is wrong in it, pydantic also complains that it is no name: not told.
    """
    worded = complaints[:MOST_ERRORS]
    placed = [(pointer_to(each["loc"], body, each["type"]), each) for each in worded]
    sayings: dict[str, list[str]] = {}
    for pointer, complaint in placed:
        if complaint["type"].endswith("_type") and any(
            other.startswith(f"{pointer}/") for other, _ in placed
        ):
            continue
        words = sayings.setdefault(pointer, [])
        if (saying := _saying(complaint)) not in words:
            words.append(saying)
    errors = [FieldError(pointer, ", or ".join(words)) for pointer, words in sayings.items()]
    return InvalidRequest(*errors, more=len(complaints) > len(worded))


def _saying(complaint: Mapping[str, Any]) -> str:
    saying = _SAYINGS.get(complaint["type"], "should be otherwise")
    return saying if isinstance(saying, str) else saying(complaint.get("ctx", {}))


def pointer_to(location: Sequence[str | int], body: Any, kind: str) -> str:
    """The JSON pointer of a complaint's location, without the names of union branches that pydantic puts in."""
    pointer, here = "", body
    for place, part in enumerate(location):
        if _has(here, part):
            pointer, here = below(pointer, part), here[part]
        elif kind == "missing" and place == len(location) - 1:
            pointer = below(pointer, part)
    return pointer


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value
