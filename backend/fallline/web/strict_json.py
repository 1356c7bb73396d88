"""The one parser of everything that comes in: bytes to plain values, or InvalidRequest with JSON pointers.

Python's own parser takes NaN, 1e999, repeated keys and lone surrogates; a server that lets them in answers 500 when it
has to repeat them (reliability: FastAPI does, by default). Its work grows with the length of the body and no faster: it
looks at every value once, and stops looking after the complaints that it may report. Must not know which fields a body
has.
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
"""Of one object: more than any may have. Each unknown field would cost a complaint, of which most are never worded."""

MOST_ERRORS = 20
"""Complaints that one answer words; of further ones it says only that there are some."""

LONGEST_NAME, LONGEST_POINTER = 64, 256
"""Characters of a field's name and of a whole pointer that an answer may repeat."""

ENOUGH_DIGITS = 20
"""A whole number of more digits is too large whatever the digits after these say."""

CONTAINERS = (dict, list)

Path: TypeAlias = tuple[Any, ...]
"""Where a value stands: () for the body, else the path of what holds it and the value's key or place there."""


class _Doubled(dict[str, Any]):
    """An object that said some of its keys twice."""

    repeated: list[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Doubled(found)
    seen: set[str] = set()
    doubled.repeated = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
    return doubled


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
_SHORTENING = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=lambda digits: int(digits[:ENOUGH_DIGITS])
)


def parse(raw: bytes | str) -> Any:
    """The value that `raw` says in strict JSON (RFC 8259, UTF-8). Raises InvalidRequest."""
    body = _decoded(raw)
    complaints = list(islice(_complaints(body), MOST_ERRORS + 1))
    if complaints:
        raise InvalidRequest(*complaints[:MOST_ERRORS], more=len(complaints) > MOST_ERRORS)
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
        return _values(text)
    except UnicodeDecodeError:
        raise InvalidRequest(FieldError("", "should be JSON in UTF-8")) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequest(FieldError("", f"should be JSON; this is none from {where} on")) from None
    except RecursionError:
        raise InvalidRequest(_too_deep("")) from None


def _values(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python converts no number of some thousand digits, and does not say where it stands.
        return _SHORTENING.decode(text)


def _too_deep(pointer: str) -> FieldError:
    return FieldError(pointer, f"should be nested at most {DEEPEST} deep")


def _complaints(body: Any) -> Iterator[FieldError]:
    """What is wrong with the values, those further out first. A pointer is made for a complaint only."""
    if (wrong := _wrong(body)) is not None:
        yield FieldError("", wrong)
    waiting: list[tuple[Any, Path, int]] = [(body, (), 0)] if isinstance(body, CONTAINERS) else []
    for value, path, depth in waiting:  # it grows as it is gone through
        if depth >= DEEPEST:
            yield _too_deep(_pointer(path))
            continue
        if isinstance(value, dict) and len(value) > MOST_FIELDS:
            yield FieldError(_pointer(path), f"should have at most {MOST_FIELDS} fields")
            continue
        if isinstance(value, _Doubled):
            yield from (
                FieldError(below(_pointer(path), key), "should be said once") for key in value.repeated
            )
        entries: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in entries:
            if not (type(key) is int or _encodable(key)):
                yield FieldError(_pointer(path), "should have field names without lone surrogates")
            elif isinstance(item, CONTAINERS):
                if item or depth + 1 >= DEEPEST:
                    waiting.append((item, (path, key), depth + 1))
            elif (wrong := _wrong(item)) is not None:
                yield FieldError(below(_pointer(path), key), wrong)


def _wrong(value: Any) -> str | None:
    """What is wrong with a text or a number."""
    if isinstance(value, int):
        return None if -LARGEST <= value <= LARGEST else "should be a number of at most 2^53"
    if isinstance(value, float):
        return None if math.isfinite(value) else "should be a finite number"
    if isinstance(value, str):
        return None if _encodable(value) else "should be text without lone surrogates"
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
    """The JSON pointer (RFC 6901) of a field. Of a name that is too odd to repeat, its object's pointer."""
    name = str(key)
    if len(name) > LONGEST_NAME or any(unicodedata.category(character)[0] == "C" for character in name):
        return pointer
    longer = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
    return longer if len(longer) <= LONGEST_POINTER else pointer
