"""The log: lines of text or JSON, with names that give no access."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from fallline.operation.logs import JsonFormatter, TextFormatter


def record_of(message: str, *arguments: object, **more: object) -> logging.LogRecord:
    record = logging.LogRecord("fallline.web", logging.WARNING, "x.py", 1, message, arguments, None)
    record.created, record.msecs = 1_782_907_200.125, 125.0
    vars(record).update(more)
    return record


def test_a_line_of_text_ends_with_the_fields() -> None:
    formatter = TextFormatter()
    assert formatter.format(record_of("it %s", "broke")) == "WARNING fallline.web: it broke"
    with_field = record_of("it broke", experiment="0123456789ab", other="hidden")
    assert formatter.format(with_field) == "WARNING fallline.web: it broke [experiment 0123456789ab]"


def test_a_json_line_is_one_object_whatever_the_message() -> None:
    line = JsonFormatter().format(record_of('a "quote"\n{"level": "%s"}', "x", experiment="0123456789ab"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-07-01T12:00:00.125Z",
        "level": "warning",
        "logger": "fallline.web",
        "message": 'a "quote"\n{"level": "x"}',
        "experiment": "0123456789ab",
    }


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_an_exception_has_its_traceback(formatter: logging.Formatter) -> None:
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        record = record_of("it broke", exc_info=sys.exc_info(), experiment="0123456789ab")
    line = formatter.format(record)
    assert "RuntimeError: broken" in line
    if isinstance(formatter, JsonFormatter):
        assert json.loads(line)["exception"].startswith("Traceback")
    else:
        assert line.splitlines()[0].endswith("[experiment 0123456789ab]")
