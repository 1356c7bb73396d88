"""A CSV from any program becomes a table; unusable parts are reported with their line."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fallline.engine.data.tabular.columns import Column
from fallline.engine.data.tabular.table import MOST_BYTES, Table, read_new_table, read_table
from fallline.vocabulary.errors import FalllineError, TooExpensive, UnusableTable
from support.csv_files import BAD, TOO_LARGE


def table(*lines: str, end: str = "\n") -> Table:
    return read_table(end.join(lines).encode())


def column(parsed: Table, name: str) -> Column:
    (one,) = (each for each in parsed.columns if each.name == name)
    return one


def numbers(parsed: Table, name: str) -> list[float]:
    values: list[float] = column(parsed, name).values.tolist()
    return values


def skipped_lines(parsed: Table) -> dict[int, str]:
    assert parsed.skipped_count == len(parsed.skipped)
    return {each.line: each.reason for each in parsed.skipped}


# ---------------------------------------------------------------------- splitting


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_delimiters_line_ends_and_byte_order_marks_are_those_of_any_program(
    delimiter: str, end: str, mark: str
) -> None:
    parsed = table(mark + delimiter.join("ab"), *(delimiter.join(row) for row in ("13", "24", "57")), end=end)
    assert [each.name for each in parsed.columns] == ["a", "b"]
    assert (parsed.delimiter, parsed.header, parsed.rows) == (delimiter, True, 3)
    assert numbers(parsed, "b") == [3, 4, 7]


def test_delimiters_within_quotes_separate_nothing() -> None:
    parsed = table("size;town", '1;"a;b;c;d"', '2;"e, f; g"', '3;"a;b;c;d"', "4;h", '5;"e, f; g"', "6;h")
    assert column(parsed, "town").categories == ("a;b;c;d", "e, f; g", "h")


def test_a_comma_is_the_decimal_mark_if_semicolons_or_tabs_separate_fields() -> None:
    assert numbers(table("1,5;2,25", "0,5;-3,5", ",5;1e-1"), "column-1") == [1.5, 0.5, 0.5]
    assert numbers(table("a\tb", "1,5\t1", "2\t2"), "a") == [1.5, 2.0]
    assert numbers(table("a;b", "1.5;1", "2.5;2"), "a") == [1.5, 2.5]


def test_a_point_among_decimal_commas_is_not_a_number() -> None:
    parsed = table("a;b", "1,5;1", "1.234;2", "2,5;3", "3,5;4")
    assert skipped_lines(parsed) == {3: "'1.234' in a is not a number"}


def test_line_numbers_count_blank_lines_and_lines_within_quotes() -> None:
    rows = ['1,"two', "lines", 'of text",1', "   ", "x,b,2", "2,c,2", "3,b,c,3", "4,d,4", "", "", ",e,5"]
    parsed = table("a,note,z", "", *rows)
    assert skipped_lines(parsed) == {
        7: "'x' in a is not a number",
        9: "4 fields instead of 3",
        13: "no value in a",
    }
    assert parsed.preview[0] == ("1", "two lines of text", "1")


def test_a_line_before_the_header_is_skipped() -> None:
    parsed = table("Measured in May", "a,b", "1,2", "3,4")
    assert [each.name for each in parsed.columns] == ["a", "b"]
    assert skipped_lines(parsed) == {1: "1 field instead of 2"}
    hint = table("sep=;", "a;b", "1;2", "3;4", "5")
    assert ([each.name for each in hint.columns], hint.rows) == (["a", "b"], 2)
    assert skipped_lines(hint) == {5: "1 field instead of 2"}


def test_a_wrong_quote_skips_only_the_lines_that_it_covers() -> None:
    parsed = table("a,b", '1,"x"y', "2,5", '3,"never', "closed", '4"6', "7,8", '"9,10', "11,12")
    assert skipped_lines(parsed) == {
        2: "text after a closing quote",
        4: "text after a closing quote; lost up to line 6",
        8: "a quote opens here and does not close; lost up to line 9",
    }
    assert numbers(parsed, "a") == [2, 7]


# ---------------------------------------------------------------------- names


def test_a_first_row_of_numbers_is_no_header() -> None:
    parsed = table("1,2", "3,4")
    assert (parsed.header, [each.name for each in parsed.columns]) == (False, ["column-1", "column-2"])
    assert parsed.rows == 2


def test_a_first_row_that_looks_like_those_below_is_no_header() -> None:
    rows = ["5.1,3.5,setosa", "4.9,3.0,setosa", "7.0,3.2,versicolor", "6.4,3.1,versicolor"]
    assert table(*rows).rows == 4
    assert table("length,width,kind", *rows).rows == 4
    assert table("town,2019,2020", "a,1,2", "b,3,4", "a,5,6").rows == 3
    assert table("2019,a", "1,a", "2,b", "3,a").header is False
    assert table("2019,town", "1,a", "2,b", "3,a").header is True
    assert table("year,2019", "1,5", "2,6").header is True


def test_names_are_made_unique_printable_and_short() -> None:
    parsed = table(f'x,x,,"a\nb",x-2,{"n" * 100},\u202ez\u200b', "1,2,3,4,5,6,7", "2,3,4,5,6,7,8")
    assert [each.name for each in parsed.columns] == [
        "x", "x-2", "column-3", "a b", "x-2-2", "n" * 63 + "…", "z",
    ]  # fmt: skip


# ---------------------------------------------------------------------- fields


@pytest.mark.parametrize("missing", ["", " ", "NA", "na", "N/A", "#N/A", "NaN", "null", "NULL", "?", '" "'])
def test_a_row_with_a_missing_value_is_skipped(missing: str) -> None:
    parsed = table("a,b", "1,2", f"{missing},3", "4,5", "6,7")
    assert skipped_lines(parsed) == {3: "no value in a"}
    assert numbers(parsed, "b") == [2, 5, 7]


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999", "-1e400", "INF"])
def test_a_number_that_is_not_finite_is_skipped(cell: str) -> None:
    assert skipped_lines(table("a,b", "1,2", f"{cell},3", "4,5")) == {3: f"'{cell}' in a is not finite"}


@pytest.mark.parametrize(
    "cell", ["1_000", "0x10", "--1", "1.2.3", "٣", "1e", "1,5", "1 00", "12 345 6", "True"]
)
def test_texts_that_python_reads_as_numbers_are_not_numbers(cell: str) -> None:
    assert skipped_lines(table("a,b", "1,2", f'"{cell}",3', "4,5", "6,7")) == {
        3: f"'{cell}' in a is not a number"
    }


def test_numbers_may_have_blanks_around_them_and_between_their_thousands() -> None:
    parsed = table("a , b", " 1 , 2.5 ", "+4,\u00a06e-3\t", "1 234 567.5,.5", "-12\u202f345,7.")
    assert numbers(parsed, "a") == [1, 4, 1234567.5, -12345]
    assert numbers(parsed, "b") == [2.5, 0.006, 0.5, 7]


def test_the_other_mark_may_group_thousands() -> None:
    german = table("a;b", "1.234,5;2", "-12.345.678,25;3,5", "0,5;1.000.000")
    assert numbers(german, "a") == [1234.5, -12345678.25, 0.5]
    assert numbers(german, "b") == [2, 3.5, 1e6]
    assert numbers(table("a,b", '"1,234.5",2', '"+1,234,567",3', "4,5"), "a") == [1234.5, 1234567, 4]


@pytest.mark.parametrize(
    "cell", ["0,123", "1,234", "1,23", "1234,567", "1,2345", "1,234,56", "1.234,567", ",123"]
)
def test_an_ambiguous_comma_groups_no_thousands(cell: str) -> None:
    assert skipped_lines(table("a,b", "1,2", f'"{cell}",3', "4,5", "6,7")) == {
        3: f"'{cell}' in a is not a number"
    }


def test_a_number_too_large_to_be_squared_is_skipped() -> None:
    assert skipped_lines(table("a,b", "1,2", "1e31,3", "4,5")) == {3: "'1e31' in a is beyond 1e+30"}


# ---------------------------------------------------------------------- kinds


def test_columns_are_numbers_categories_text_or_constant_with_a_reason_if_unused() -> None:
    rows = [f"{k / 7},{['red', 'blue', 'green'][k % 3]},name {k},same,,{k % 2}" for k in range(30)]
    parsed = table("length,colour,id,unit,gap,made", *rows)
    kinds = {each.name: (each.kind, each.distinct, each.task) for each in parsed.columns}
    assert kinds == {
        "length": ("number", 30, "regression"),
        "colour": ("category", 3, "classification"),
        "id": ("text", 30, None),
        "unit": ("constant", 1, None),
        "gap": ("constant", 0, None),
        "made": ("number", 2, "classification"),
    }
    assert [each.reason for each in parsed.columns if not each.used] == [
        "text with 30 different values",
        "always the same value",
        "no values",
    ]
    assert (parsed.target, parsed.skipped_count) == ("made", 0)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (range(10), "regression"),
        ([0, 1, 2] * 5, "classification"),
        ([0, 1, 2] * 4, "regression"),
        (list(range(10)) * 5, "classification"),
        (list(range(11)) * 9, "regression"),
        ([0.5, 1.5, 2.5] * 9, "regression"),
        ([-1, 1], "classification"),
    ],
)
def test_a_few_frequent_integers_are_guessed_to_be_classes(values: Any, task: str) -> None:
    parsed = table("a,b", *(f"{place},{value}" for place, value in enumerate(values)))
    assert column(parsed, "b").task == task


def test_a_column_missing_in_most_rows_is_unused_and_skips_no_row() -> None:
    parsed = table("a,b,cabin", "1,2,", "2,3,", "3,5,7", "4,7,8", "5,9,")
    assert column(parsed, "cabin").reason == "3 of 5 values are missing"
    assert (parsed.rows, parsed.target) == (5, "b")


def test_missing_values_in_an_unused_column_skip_no_row() -> None:
    rows = [f"{k},{k * k},{'' if k % 3 == 0 else f'name {k}'}" for k in range(20)]
    assert table("a,b,c", *rows).rows == 20


def test_a_column_that_varies_only_in_skipped_rows_is_a_constant() -> None:
    parsed = table("a,b,c", "1,2,0", "2,3,0", ",4,1", "5,7,0")
    assert (column(parsed, "c").kind, parsed.target) == ("constant", "b")


def test_categories_are_in_the_order_of_the_alphabet_and_those_that_look_alike_are_one() -> None:
    parsed = table(
        "a,b",
        "1,beta",
        "2,Alpha",
        "3,beta",
        "4,alpha",
        '5,"be\u200bta"',
        "6,Alpha",
        "7,alpha",
        "8,zz",
        "9,zz",
        "0,zz",
    )
    assert column(parsed, "b").categories == ("Alpha", "alpha", "be ta", "beta", "zz")
    alike = table("a,b", "1,x y", '2,"x\ny"', "3,x y", "4,z", "5,z")
    assert column(alike, "b").categories == ("x y", "z")
    assert numbers(alike, "b") == [0, 0, 0, 1, 1]


# ---------------------------------------------------------------------- bounds


@pytest.mark.parametrize(("body", "bound", "size"), TOO_LARGE)
def test_a_table_that_is_too_large_is_rejected_with_its_limit(body: bytes, bound: str, size: int) -> None:
    assert len(body) <= MOST_BYTES
    with pytest.raises(TooExpensive) as refused:
        read_table(body)
    assert (refused.value.bound, refused.value.asked) == (bound, size)
    assert refused.value.title == "Above a limit of this server", "true of a table, too"


def test_the_largest_table_is_accepted() -> None:
    parsed = table(*(",".join(str(k % (place + 2)) for place in range(32)) for k in range(5_000)))
    assert (parsed.rows, len(parsed.usable)) == (5_000, 32)


@pytest.mark.parametrize(("body", "expected"), BAD)
def test_an_unusable_table_has_a_reason_and_a_place(body: bytes, expected: dict[str, Any]) -> None:
    with pytest.raises(UnusableTable) as refused:
        read_table(body)
    members = {key: value for key, value in refused.value.members().items() if key != "skipped"}
    assert expected["says"] in refused.value.detail
    assert members == {key: value for key, value in expected.items() if key != "says"}


@pytest.mark.parametrize(
    ("text", "character", "line", "offset"),
    [
        ("na\u202eme,y\n1,2\n2,3\n", "U+202E", 1, 2),
        ("\ufeffn\u00e4\u202eme,y\n1,2\n2,3\n", "U+202E", 1, 6),
        ("a,b\n1,2\n2,x\u2067\n", "U+2067", 3, 11),
        ("a,b\n1,2\n2,x\u2028y\n", "U+2028", 3, 11),
        ("a,b\r\n1,2\r\n\x1b[31m,3\r\n", "U+001B", 3, 10),
        ("a,b\n1,2\n2,\x85\n", "U+0085", 3, 10),
    ],
)
def test_a_new_table_with_characters_that_break_display_is_rejected_with_the_place(
    text: str, character: str, line: int, offset: int
) -> None:
    with pytest.raises(UnusableTable) as refused:
        read_new_table(text.encode())
    assert f" begins {character}, " in refused.value.detail
    assert refused.value.members() == {"line": line, "offset": offset}


def test_a_new_table_may_have_tabs_lines_within_quotes_and_marks_that_do_nothing() -> None:
    text = 'a,b\tc\u200b\n1,"x\ny"\n2,\u200fz\n3,\u200fz\n4,"x\ny"\n'
    parsed = read_new_table(text.encode())
    assert [(each.name, each.categories) for each in parsed.columns] == [("a", ()), ("b c", ("x y", "z"))]


def test_a_table_that_was_stored_before_the_rule_is_read_as_it_was() -> None:
    parsed = table("a,\u202eb", "1,2", "2,3\u202e", "3,5", "4,7")
    assert ([each.name for each in parsed.columns], parsed.rows) == (["a", "b"], 3)


def test_of_many_skipped_rows_the_first_are_listed_and_all_are_counted() -> None:
    parsed = table("a,b", *(f"{k},{'x' if k % 3 == 0 else k}" for k in range(900)), "1,2,3")
    assert parsed.skipped_count == 301
    assert [each.line for each in parsed.skipped] == list(range(2, 302, 3))


# ---------------------------------------------------------------------- anything at all

PIECES = st.sampled_from(
    [
        "1",
        "2.5",
        "-3",
        "x",
        "NA",
        "inf",
        '"',
        '""',
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "\r",
        " ",
        "é",
        "\0",
        "\ufeff",
        "=",
    ]
)
ANYTHING = st.one_of(
    st.binary(max_size=300),
    st.lists(PIECES, max_size=120).map("".join).map(str.encode),
    st.lists(
        st.lists(st.sampled_from(["1", "2", "7.5", "a", "b", "", "nan"]), min_size=3, max_size=3), max_size=30
    ).map(lambda rows: "\n".join(",".join(row) for row in rows).encode()),
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_any_bytes_are_a_valid_table_or_are_rejected(body: bytes) -> None:
    try:
        parsed = read_table(body)
    except FalllineError as error:
        json.dumps([error.detail, error.members()], allow_nan=False).encode()
        return
    expected = json.dumps(parsed.as_json(), allow_nan=False, ensure_ascii=False).encode()
    assert len(expected) < 200_000
    assert len({each.name for each in parsed.columns}) == len(parsed.columns) <= 32
    assert 0 < parsed.rows <= 5_000
    assert parsed.target in [each.name for each in parsed.columns if each.used]
    for each in parsed.columns:
        assert len(each.values) == (parsed.rows if each.used else 0)
        assert np.isfinite(each.values).all()
        assert len(set(each.categories)) == len(each.categories) <= 32
        if each.used:
            assert len(np.unique(each.values)) == each.distinct >= 2
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
    assert all(1 <= each.line <= lines for each in parsed.skipped)
