"""The command line, as far as it does not serve."""

from __future__ import annotations

import pytest

from fallline import __version__
from fallline.cli import main


def test_bad_settings_are_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FALLLINE_PORT", "http")
    assert main(["serve"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "FALLLINE_PORT must be" in told


def test_an_address_that_is_none_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "no.such.host.invalid"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "no.such.host.invalid" in told


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["serve", "--port", "70000"], ["serve", "--port", "http"]]
)
def test_arguments_that_mean_nothing_end_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: fallline" in capsys.readouterr().err


def test_settings_are_printed_and_a_misspelt_one_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FALLLINE_PROT", "1")
    assert main(["settings"]) == 0
    told = capsys.readouterr()
    assert "FALLLINE_PORT" in told.out
    assert "FALLLINE_PROT is not a setting" in told.err


@pytest.mark.parametrize(
    ("argument", "text"), [("--version", f"fallline {__version__}"), ("--help", "serve")]
)
def test_version_and_help(argument: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([argument])
    assert ended.value.code == 0
    assert text in capsys.readouterr().out
