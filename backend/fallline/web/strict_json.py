"""The one parser of everything that comes in: bytes to plain values, or InvalidRequest with JSON pointers.

Python's own parser takes NaN, 1e999, repeated keys and lone surrogates; a server that lets them in answers 500 when it
has to repeat them (reliability: FastAPI does, by default). Must not know which fields a body has.
"""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.strict import LARGEST

DEEPEST = 16
MOST_ERRORS = 20


class _Wrong:
    """Stands in the parsed body where something stood that JSON, or this server, does not know."""

    def __init__(self, detail: str) -> None:
        self.detail = detail


class _Doubled(dict[str, Any]):
    """An object that said some of its keys twice."""

    repeated: list[str]


def _integer(digits: str) -> int | _Wrong:
    # The length first: Python refuses to convert very long digit strings, and takes its time for long ones.
    if len(digits) > 17 or abs(int(digits)) > LARGEST:
        return _Wrong("should be a number of at most 2^53")
    return int(digits)


def _number(digits: str) -> float | _Wrong:
    value = float(digits)
    return value if math.isfinite(value) else _Wrong("should be a finite number")


def _constant(_: str) -> _Wrong:
    return _Wrong("should be a finite number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Doubled(pairs)
    seen: set[str] = set()
    doubled.repeated = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
    return doubled


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)


def parse(raw: bytes | str) -> Any:
    """The value that `raw` says in strict JSON (RFC 8259, UTF-8). Raises InvalidRequest."""
    body = _decoded(raw)
    errors: list[FieldError] = []
    _inspect(body, "", 0, errors)
    if errors:
        raise InvalidRequest(*errors[:MOST_ERRORS])
    return body


def parse_object(raw: bytes | str) -> dict[str, Any]:
    """Like `parse` for what has to be an object. Nothing at all counts as the empty object."""
    body = parse(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise InvalidRequest(FieldError("", "should be a JSON object"))
    return body


def _decoded(raw: bytes | str) -> Any:
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        if text.startswith("\ufeff"):
            raise InvalidRequest(FieldError("", "should be JSON without a byte order mark"))
        return _DECODER.decode(text)
    except UnicodeDecodeError:
        raise InvalidRequest(FieldError("", "should be JSON in UTF-8")) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequest(FieldError("", f"should be JSON; this is none from {where} on")) from None
    except RecursionError:
        raise InvalidRequest(_too_deep("")) from None


def _too_deep(pointer: str) -> FieldError:
    return FieldError(pointer, f"should be nested at most {DEEPEST} deep")


def _inspect(value: Any, pointer: str, depth: int, errors: list[FieldError]) -> None:
    if len(errors) >= MOST_ERRORS:
        return
    if isinstance(value, _Wrong):
        errors.append(FieldError(pointer, value.detail))
    elif isinstance(value, str):
        if not _encodable(value):
            errors.append(FieldError(pointer, "should be text without lone surrogates"))
    elif isinstance(value, dict | list):
        if depth >= DEEPEST:
            errors.append(_too_deep(pointer))
        elif isinstance(value, dict):
            _inspect_object(value, pointer, depth, errors)
        else:
            for place, item in enumerate(value):
                _inspect(item, f"{pointer}/{place}", depth + 1, errors)


def _inspect_object(value: dict[str, Any], pointer: str, depth: int, errors: list[FieldError]) -> None:
    if isinstance(value, _Doubled):
        errors.extend(FieldError(below(pointer, key), "should be said once") for key in value.repeated)
    for key, item in value.items():
        if not _encodable(key):
            errors.append(FieldError(pointer, "should have field names without lone surrogates"))
        else:
            _inspect(item, below(pointer, key), depth + 1, errors)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def below(pointer: str, key: str | int) -> str:
    """The JSON pointer (RFC 6901) of a field. Of a name that is too odd to repeat, its object's pointer."""
    name = str(key)
    if len(name) > 64 or any(unicodedata.category(character)[0] == "C" for character in name):
        return pointer
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
