"""The one parser: what it takes, what it refuses, and where it says the mistake is."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.vocabulary.errors import InvalidRequest
from fallline.web.strict_json import DEEPEST, below, parse, parse_object

REFUSED = {
    "a constant": (b'{"a": NaN}', "/a"),
    "minus infinity": (b'{"a": [1, -Infinity]}', "/a/1"),
    "beyond every float": (b'{"a": {"b": 1e999}}', "/a/b"),
    "beyond exact whole numbers": (b'{"a": 9007199254740993}', "/a"),
    "thousands of digits": (b'{"a": ' + b"9" * 5000 + b"}", "/a"),
    "a key twice": (b'{"a": 1, "b": 2, "a": 3}', "/a"),
    "a key twice further in": (b'{"x": [{"a": 1, "a": 1}]}', "/x/0/a"),
    "a key twice, written differently": (b'{"a": 1, "\\u0061": 3}', "/a"),
    "half a character": (b'{"a": "\\ud83d"}', "/a"),
    "half a character in a key": (b'{"a": {"\\ud83d": 1}}', "/a"),
    "not UTF-8": (b'{"a": "\xff"}', ""),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), ""),
    "a byte order mark": (b'\xef\xbb\xbf{"a": 1}', ""),
    "no JSON": (b"{a: 1}", ""),
    "single quotes": (b"{'a': 1}", ""),
    "a comma too many": (b'{"a": 1,}', ""),
    "something after the end": (b'{"a": 1} {"b": 2}', ""),
    "cut short": (b'{"a": [1, 2', ""),
    "a comment": (b'{"a": 1} // yes', ""),
    "a raw control character": (b'{"a": "\n"}', ""),
    "a hundred thousand brackets": (b"[" * 100_000, ""),
    "balanced but bottomless": (b"[" * 30_000 + b"]" * 30_000, ""),
    "a little too deep": (b"[" * 17 + b"]" * 17, "/0" * 16),
    "a leading zero": (b'{"a": 01}', ""),
    "hexadecimal": (b'{"a": 0x10}', ""),
    "a bare point": (b'{"a": .5}', ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_strict_json_is_refused_with_the_place(name: str) -> None:
    body, pointer = REFUSED[name]
    with pytest.raises(InvalidRequest) as refused:
        parse(body)
    assert [error.pointer for error in refused.value.errors] == [pointer]


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    PLAIN | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_everything_else_means_what_json_says_it_means(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False)) == value


def test_the_deepest_that_is_allowed_is_allowed() -> None:
    assert parse(b"[" * DEEPEST + b"]" * DEEPEST) is not None


def test_nothing_at_all_is_the_empty_object_and_anything_but_an_object_is_refused() -> None:
    assert parse_object(b"") == parse_object(b" \n") == parse_object(b"{}") == {}
    for body in (b"[]", b"null", b'"a"', b"3", b"true"):
        with pytest.raises(InvalidRequest):
            parse_object(body)


def test_several_mistakes_are_told_together_but_not_thousands() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(b"[" + b"NaN," * 5_000 + b"NaN]")
    assert len(refused.value.errors) == 20


def test_a_hostile_body_of_the_largest_size_is_refused_before_anybody_gets_impatient() -> None:
    # milliseconds each: the bound only tells them from what grows with the square of the size
    for body in (
        b'"' + b'\\"' * 32_000,
        b"[" * 65_000,
        b'{"a":' * 13_000,
        b'{"a":1,' * 1 + b'"a":1,' * 9_000 + b'"a":1}',
    ):
        began = time.perf_counter()
        with pytest.raises(InvalidRequest):
            parse(body)
        assert time.perf_counter() - began < 10


def test_pointers_are_escaped_and_do_not_repeat_odd_names() -> None:
    assert below("/a", "b/c~d") == "/a/b~1c~0d"
    assert below("/a", 3) == "/a/3"
    assert below("/a", "x" * 100) == "/a"
    assert below("/a", "\u0000") == "/a"
    assert below("/a", "\u202egnp") == "/a"
