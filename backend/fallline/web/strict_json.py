"""The strict JSON parser for bodies and messages.

Errors are InvalidRequest with JSON pointers.

Python's parser accepts NaN, 1e999, repeated keys and lone surrogates. A server that accepts them, as FastAPI does by
default, answers 500 when it has to repeat them. The work grows linearly with the body: each value is checked once, up
to the number of errors that an answer may report. Must not know which fields a body has.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias

from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.strict import LARGEST

DEEPEST = 16
MOST_FIELDS = 512
"""Limit on the fields of one object, above that of any valid one: each unknown field would cost an error."""

MOST_ERRORS = 20
"""Errors that one answer describes. Of further ones it says only that there are more."""

LONGEST_NAME, LONGEST_POINTER = 64, 256
"""Limits on a field's name and on a pointer that an answer may repeat, in characters."""

ENOUGH_DIGITS = 20
"""A whole number with more digits is too large, whatever the further digits are."""

CONTAINERS = (dict, list)

Path: TypeAlias = tuple[Any, ...]
"""Location of a value: () for the body, else (path of its container, its key or index)."""


class _WithRepeats(dict[str, Any]):
    """An object with repeated keys."""

    repeated: list[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) == len(pairs):
        return unique
    result = _WithRepeats(unique)
    keys: set[str] = set()
    result.repeated = [key for key, _ in pairs if key in keys or keys.add(key)]  # type: ignore[func-returns-value]
    return result


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
_SHORTENING = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=lambda digits: int(digits[:ENOUGH_DIGITS])
)


def parse(raw: bytes | str) -> Any:
    """Parse strict JSON (RFC 8259, UTF-8). Raises InvalidRequest."""
    body = _decoded(raw)
    errors = list(islice(_errors(body), MOST_ERRORS + 1))
    if errors:
        raise InvalidRequest(*errors[:MOST_ERRORS], more=len(errors) > MOST_ERRORS)
    return body


def parse_object(raw: bytes | str) -> dict[str, Any]:
    """Parse a JSON object. An empty text counts as the empty object."""
    body = parse(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise InvalidRequest(FieldError("", "must be a JSON object"))
    return body


def _decoded(raw: bytes | str) -> Any:
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        if text.startswith("\ufeff"):
            raise InvalidRequest(FieldError("", "must be JSON without a byte order mark"))
        return _values(text)
    except UnicodeDecodeError:
        raise InvalidRequest(FieldError("", "must be JSON in UTF-8")) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequest(FieldError("", f"must be JSON: syntax error at {where}")) from None
    except RecursionError:
        raise InvalidRequest(_too_deep("")) from None


def _values(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python refuses to convert a number of some thousand digits, and does not say where it is.
        return _SHORTENING.decode(text)


def _too_deep(pointer: str) -> FieldError:
    return FieldError(pointer, f"must be nested at most {DEEPEST} levels deep")


def _errors(body: Any) -> Iterator[FieldError]:
    """Find invalid values, breadth first. A pointer is built for an error only."""
    if (problem := _problem(body)) is not None:
        yield FieldError("", problem)
    queue: list[tuple[Any, Path, int]] = [(body, (), 0)] if isinstance(body, CONTAINERS) else []
    for value, path, depth in queue:  # it grows during the loop
        if depth >= DEEPEST:
            yield _too_deep(_pointer(path))
            continue
        if isinstance(value, dict) and len(value) > MOST_FIELDS:
            yield FieldError(_pointer(path), f"must have at most {MOST_FIELDS} fields")
            continue
        if isinstance(value, _WithRepeats):
            yield from (
                FieldError(below(_pointer(path), key), "must appear only once") for key in value.repeated
            )
        entries: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in entries:
            if not (type(key) is int or _encodable(key)):
                yield FieldError(_pointer(path), "must have field names without lone surrogates")
            elif isinstance(item, CONTAINERS):
                if item or depth + 1 >= DEEPEST:
                    queue.append((item, (path, key), depth + 1))
            elif (problem := _problem(item)) is not None:
                yield FieldError(below(_pointer(path), key), problem)


def _problem(value: Any) -> str | None:
    """Return the problem with a text or a number; None if there is none."""
    if isinstance(value, int):
        return None if -LARGEST <= value <= LARGEST else "must be between -2^53 and 2^53"
    if isinstance(value, float):
        return None if math.isfinite(value) else "must be a finite number"
    if isinstance(value, str):
        return None if _encodable(value) else "must be text without lone surrogates"
    return None


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _pointer(path: Path) -> str:
    keys: list[str | int] = []
    while path:
        path, key = path
        keys.append(key)
    pointer = ""
    for key in reversed(keys):
        pointer = below(pointer, key)
    return pointer


def below(pointer: str, key: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of a field.

    A name that is too long or not printable is left out.
    """
    name = str(key)
    if len(name) > LONGEST_NAME or any(unicodedata.category(character)[0] == "C" for character in name):
        return pointer
    longer = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
    return longer if len(longer) <= LONGEST_POINTER else pointer
