"""The strict parser: accepted and refused bodies, and the pointers of errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.vocabulary.commands import COMMANDS
from fallline.vocabulary.errors import InvalidRequest
from fallline.vocabulary.messages import Watch
from fallline.vocabulary.recipe import Recipe
from fallline.web.errors import below
from fallline.web.requests import DEEPEST, MOST_FIELDS, parse, parse_object
from support.work import counted

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
    "an object of more fields than any has": (
        b'{"a": {' + b",".join(b'"%x":1' % place for place in range(513)) + b"}}",
        "/a",
    ),
    "a little too deep": (b"[" * 17 + b"]" * 17, "/0" * 16),
    "a leading zero": (b'{"a": 01}', ""),
    "hexadecimal": (b'{"a": 0x10}', ""),
    "a bare point": (b'{"a": .5}', ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_json_is_refused_with_its_pointer(name: str) -> None:
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
def test_valid_json_is_parsed_as_json_defines_it(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize("text", ["900", "900.0", "9e2", "9E+2", "90000e-2"])
def test_a_whole_number_is_an_integer_however_it_is_written(text: str) -> None:
    assert type(parse(text)) is int
    assert parse(text) == 900


@pytest.mark.parametrize("text", ["0.5", "1e-3", "1e300", "9007199254740994.0"])
def test_other_numbers_are_floats(text: str) -> None:
    assert type(parse(text)) is float
    assert parse(text) == float(text)


def test_an_object_may_have_as_many_fields_as_the_largest_and_more() -> None:
    assert (
        len(parse(b"{" + b",".join(b'"%x":1' % place for place in range(MOST_FIELDS)) + b"}")) == MOST_FIELDS
    )
    assert max(len(model.model_fields) for model in (Recipe, Watch, *COMMANDS.values())) < MOST_FIELDS / 2


def test_the_deepest_that_is_allowed_is_allowed() -> None:
    assert parse(b"[" * DEEPEST + b"]" * DEEPEST) is not None


def test_nothing_at_all_is_the_empty_object_and_anything_but_an_object_is_refused() -> None:
    assert parse_object(b"") == parse_object(b" \n") == parse_object(b"{}") == {}
    for body in (b"[]", b"null", b'"a"', b"3", b"true"):
        with pytest.raises(InvalidRequest):
            parse_object(body)


def test_several_errors_are_reported_together_but_not_thousands() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(b"[" + b"NaN," * 5_000 + b"NaN]")
    assert len(refused.value.errors) == 20
    assert refused.value.more
    with pytest.raises(InvalidRequest) as refused:
        parse(b"[" + b"NaN," * 19 + b"NaN]")
    assert (len(refused.value.errors), refused.value.more) == (20, False)


HOSTILE = {
    "quotes": b'"' + b'\\"' * 32_000,
    "brackets": b"[" * 65_000,
    "objects that never end": b'{"a":' * 13_000,
    "a key that comes again and again": b"{" + b'"a":1,' * 10_000 + b'"a":1}',
    "keys that all come twice": b"{" + b",".join(b'"%x":1' % (place // 2) for place in range(7_000)) + b"}",
    "constants": b"[" + b"NaN," * 16_000 + b"NaN]",
    "numbers beyond every float": b"[" + b"1e999," * 10_000 + b"1]",
    "whole numbers that are too large": b"[" + b"99999999999999999," * 3_500 + b"1]",
    "numbers of thousands of digits": b"[" + (b"9" * 4_400 + b",") * 14 + b"1]",
    "a number of 64 thousand digits": b"[" + b"9" * 64_000 + b"]",
    "halves of characters": b"[" + b'"\\ud83d",' * 7_000 + b"1]",
    "wrong after all that is right": b"[" + b"1," * 32_000 + b"NaN]",
    "a long way in": b'{"a":' * 15 + b"[" + b"NaN," * 16_000 + b"1]" + b"}" * 15,
    "long names a long way in": (b'{"%s":' % (b"n" * 64)) * 15 + b"[" + b"NaN," * 12_000 + b"1]" + b"}" * 15,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_of_the_largest_size_is_refused_with_little_work_and_few_words(name: str) -> None:
    body = HOSTILE[name]
    with counted(3 * len(body)), pytest.raises(InvalidRequest) as refused:
        parse(body)
    assert len(refused.value.errors) <= 20
    assert len(json.dumps([refused.value.detail, refused.value.members()])) < 20_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * 32_000 + b"1]",
        b"[" + b"{}," * 21_000 + b"{}]",
        b"[" + b"[]," * 21_000 + b"[]]",
        b"[" + b'"",' * 21_000 + b'""]',
        b"[" + b"0.5," * 16_000 + b"1]",
        b"[" + b",".join([b"{" + b",".join(b'"%x":1' % place for place in range(60)) + b"}"] * 150) + b"]",
        b'"' + b"a" * 65_000 + b'"',
    ],
)
def test_the_largest_bodies_take_at_most_three_calls_a_byte(body: bytes) -> None:
    with counted(3 * len(body)):
        parse(body)


def test_pointers_are_escaped_and_do_not_repeat_odd_names() -> None:
    assert below("/a", "b/c~d") == "/a/b~1c~0d"
    assert below("/a", 3) == "/a/3"
    assert below("/a", "x" * 100) == "/a"
    assert below("/a" * 128, "b") == "/a" * 128
    assert below("/a", "\u0000") == "/a"
    assert below("/a", "\u202egnp") == "/a"
