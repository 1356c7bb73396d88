"""The command line, as far as it starts no server."""

from __future__ import annotations

import pytest

from fallline import __version__
from fallline.cli import main


def test_a_bad_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FALLLINE_PORT", "http")
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == "fallline: FALLLINE_PORT must be a whole number from 0 to 65,535\n"


def test_an_unknown_host_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "no.such.host.invalid"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no.such.host.invalid" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing command"),
        (["fly"], "No such command 'fly'"),
        (["serve", "--fast"], "No such option: --fast"),
        (
            ["serve", "--port", "70000"],
            "Invalid value for '--port': Input should be less than or equal to 65535",
        ),
        (["serve", "--port", "http"], "Invalid value for '--port': Input should be a valid integer"),
    ],
)
def test_unusable_arguments_end_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "Usage: fallline" in error
    assert words in error


def test_settings_are_printed_and_a_misspelt_one_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FALLLINE_PROT", "1")
    assert main(["settings"]) == 0
    output = capsys.readouterr()
    assert "FALLLINE_PORT" in output.out
    assert "FALLLINE_PROT is not a setting" in output.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--version"], [f"fallline {__version__}"]),
        (["--help"], ["Usage: fallline", "serve", "settings", "warm"]),
        (["serve", "-h"], ["--host", "--port", "--memory", "--open", "--no-open", "FALLLINE_PORT"]),
    ],
)
def test_version_and_help_end_with_0(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    output = capsys.readouterr().out
    assert [each for each in words if each not in output] == []
