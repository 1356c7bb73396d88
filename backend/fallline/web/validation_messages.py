"""Pydantic's errors as plain messages, without the rejected values.

Each has a JSON pointer and what would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.web.strict_json import MOST_ERRORS, below

Context = Mapping[str, Any]

MUST_BE = "must be "


def _number(value: float) -> str:
    return f"{value:,g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _count(one: str, several: str, key: str, bound: str) -> Callable[[Context], str]:
    def message(context: Context) -> str:
        count = context[key]
        return f"must have at {bound} {count} {one if count == 1 else several}"

    return message


_MESSAGES: Mapping[str, str | Callable[[Context], str]] = {
    "missing": "is required",
    "extra_forbidden": "is not a known field: check its spelling, or leave it out",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "none_required": "must be null",
    "greater_than": lambda context: f"must be greater than {_number(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_number(context['ge'])}",
    "less_than": lambda context: f"must be less than {_number(context['lt'])}",
    "less_than_equal": lambda context: f"must be at most {_number(context['le'])}",
    "literal_error": lambda context: f"must be {context['expected']}",
    "string_pattern_mismatch": lambda context: f"must match the pattern {context['pattern']}",
    "string_too_short": _count("character", "characters", "min_length", "least"),
    "string_too_long": _count("character", "characters", "max_length", "most"),
    "too_short": _count("entry", "entries", "min_length", "least"),
    "too_long": _count("entry", "entries", "max_length", "most"),
    "value_error": lambda context: f"{context['error']}",
}


def invalid(error: ValidationError, body: Any) -> InvalidRequest:
    """Return the error as an InvalidRequest; `body` is the value that was validated."""
    return translated(error.errors(include_url=False, include_input=False), body)


def invalid_request(error: RequestValidationError, query: dict[str, str]) -> InvalidRequest:
    """Return FastAPI's error as an InvalidRequest. Each location starts with its part of the request."""
    errors = [{**each, "loc": each["loc"][1:]} for each in error.errors()[: MOST_ERRORS + 1]]
    return translated(errors, query if error.body is None else error.body)


def translated(errors: Sequence[Any], body: Any) -> InvalidRequest:
    """Translate errors as pydantic lists them, up to a limit.

    Messages for one field are joined by "or".

    For an error inside a method that is an object, pydantic also reports that the object is no name. That is left out.
    """
    first = errors[:MOST_ERRORS]
    located = [(pointer_to(each["loc"], body, each["type"]), each) for each in first]
    messages: dict[str, list[str]] = {}
    for pointer, error in located:
        if error["type"].endswith("_type") and any(other.startswith(f"{pointer}/") for other, _ in located):
            continue
        of_field = messages.setdefault(pointer, [])
        if (message := _message(error)) not in of_field:
            of_field.append(message)
    fields = [FieldError(pointer, _joined(of_field)) for pointer, of_field in messages.items()]
    return InvalidRequest(*fields, more=len(errors) > len(first))


def _message(error: Mapping[str, Any]) -> str:
    message = _MESSAGES.get(error["type"], "is not valid")
    return message if isinstance(message, str) else message(error.get("ctx", {}))


def _joined(messages: Sequence[str]) -> str:
    """Join the alternatives: "must be a text or an object"."""
    if all(message.startswith(MUST_BE) for message in messages):
        return MUST_BE + " or ".join(message.removeprefix(MUST_BE) for message in messages)
    return ", or ".join(messages)


def pointer_to(location: Sequence[str | int], body: Any, kind: str) -> str:
    """Return the JSON pointer of an error's location.

    It leaves out pydantic's names of union branches.
    """
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
