"""The command line, without a server that lasts."""

from __future__ import annotations

import io
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fallline import __version__, cli
from fallline.cli import main
from fallline.settings import Settings


class Served:
    """Servers that end as soon as they listen: their settings, opened pages, and stopped preparations."""

    def __init__(self) -> None:
        self.settings: list[Settings] = []
        self.opened: list[str] = []
        self.stopped = 0

    def app(self, settings: Settings, kernels: object) -> SimpleNamespace:
        self.settings.append(settings)
        return SimpleNamespace(state=SimpleNamespace(stop=None))

    def serve(
        self,
        app: object,
        settings: Settings,
        bound: socket.socket,
        listening: Callable[[], None],
        stop: object,
    ) -> None:
        with bound:
            listening()

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    served = Served()
    monkeypatch.setattr(cli, "create_app", served.app)
    monkeypatch.setattr(cli, "serve_app", served.serve)
    monkeypatch.setattr(cli, "prepared_kernels", lambda settings: (None, SimpleNamespace(stop=served.stop)))
    monkeypatch.setattr("webbrowser.open", served.opened.append)
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return served


@pytest.mark.parametrize(
    ("option", "display", "opens"),
    [("--open", "DISPLAY", True), ("--open", "WAYLAND_DISPLAY", True), ("--open", "TERM", False),
     ("--no-open", "DISPLAY", False)],
)  # fmt: skip
def test_the_page_opens_on_request_where_there_is_a_screen(
    option: str, display: str, opens: bool, served: Served, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv(display, ":0")
    assert main(["serve", "--port", "0", option]) == 0
    url = capsys.readouterr().out.removeprefix(f"fallline {__version__} listens on ").strip()
    assert url.startswith("http://")
    assert served.opened == [url] * opens


def test_options_override_settings_and_memory_stores_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FALLLINE_DATA", "/nowhere")
    monkeypatch.setenv("FALLLINE_HOST", "no.such.host.invalid")
    assert main(["serve", "--host", "127.0.0.1", "--port", "0"]) == 0
    assert main(["serve", "--host", "127.0.0.1", "--port", "0", "--memory"]) == 0
    stored, in_memory = served.settings
    assert (str(stored.data), stored.host, stored.port) == ("/nowhere", "127.0.0.1", 0)
    assert in_memory == stored.model_copy(update={"data": None})


def test_the_kernels_preparation_ends_with_the_server_even_after_an_error(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["serve", "--port", "0"]) == 0
    assert served.stopped == 1

    def fails(app: object, settings: Settings, bound: socket.socket, *_: object) -> None:
        bound.close()
        raise RuntimeError("the loop broke")

    monkeypatch.setattr(cli, "serve_app", fails)
    with pytest.raises(RuntimeError, match="the loop broke"):
        main(["serve", "--port", "0"])
    assert served.stopped == 2


def test_a_bad_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FALLLINE_PORT", "http")
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == "fallline: FALLLINE_PORT must be a whole number from 0 to 65,535\n"


def test_a_proxy_without_address_is_one_line(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FALLLINE_PROXIES", "foo")
    assert main(["serve", "--port", "0"]) == 2
    assert served.settings == []
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(
        "fallline: FALLLINE_PROXIES must be addresses or networks such as 10.0.0.5 or 10.0.0.0/8"
    )


@pytest.mark.parametrize("path", ["fallline", "/a/../b", "/api"])
@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["settings"]])
def test_a_wrong_base_path_is_one_line(
    path: str,
    command: list[str],
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FALLLINE_BASE_PATH", path)
    assert main(command) == 2
    assert served.settings == []
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(
        "fallline: FALLLINE_BASE_PATH must be a path such as /fallline: up to four segments"
    )


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


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Answer the operator's commands with the last item; collect the requests before it."""
    answers: list[dict[str, Any]] = [{}]

    def ask(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
        answers.insert(-1, request)
        return answers[-1]

    monkeypatch.setattr(cli, "ask", ask)
    return answers


FOUND = {
    "path": "/b/x.sqlite3",
    "experiments": 1234,
    "uploads": 2,
    "bytes": 5_000_000,
    "tables": 4,
    "damaged": [],
}


def test_a_backup_names_its_destination_absolutely_and_says_what_it_holds(
    answers: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    answers[-1] = FOUND
    assert main(["backup", "there"]) == 0
    assert answers[0] == {"do": "backup", "destination": str(Path("there").absolute())}
    assert capsys.readouterr().out == "fallline: 1,234 experiments, 2 uploads, 5.0 MB in /b/x.sqlite3\n"
    assert main(["backup", "--json"]) == 0
    assert answers[1] == {"do": "backup"}
    assert json.loads(capsys.readouterr().out) == FOUND
    answers[-1] = {**FOUND, "experiments": 1, "uploads": 1}
    assert main(["backup"]) == 0
    assert capsys.readouterr().out == "fallline: 1 experiment, 1 upload, 5.0 MB in /b/x.sqlite3\n"


def test_damage_is_named_and_ends_with_3(
    answers: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    answers[-1] = {**FOUND, "damaged": ["experiment 0123456789ab: its row is missing"]}
    assert main(["check"]) == 3
    assert capsys.readouterr().err == "fallline: damaged: experiment 0123456789ab: its row is missing\n"


def test_the_list_of_experiments_is_a_line_each(
    answers: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    one = {
        "name": "0123456789ab",
        "used": 0.0,
        "playing": True,
        "bytes": 12_345,
        "owner": None,
        "damaged": False,
    }
    answers[-1] = {"experiments": [one]}
    assert main(["store", "ls"]) == 0
    assert re.fullmatch(r"0123456789ab  19(70|69)-\S+ \S+ +12,345 bytes  playing\n", capsys.readouterr().out)


def test_removing_asks_first(
    answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    answers[-1] = {"experiments": [{"name": "0123456789ab"}, {"name": "ba9876543210"}], "removed": 1}
    assert main(["store", "rm", "0123456789ab"]) == 1, "there is nobody to answer"
    assert "Delete 1 experiment for good?" in capsys.readouterr().err
    assert answers[:-1] == [{"do": "list"}]
    assert main(["store", "rm", "0123456789ab", "ba9876543210"]) == 1
    assert "Delete 2 experiments for good?" in capsys.readouterr().err
    assert main(["store", "rm", "--yes", "0123456789ab"]) == 0
    assert answers[-2] == {"do": "remove", "names": ["0123456789ab"]}
    assert capsys.readouterr().out == "fallline: 1 experiment removed\n"


def test_an_unknown_experiment_is_refused_before_the_question(
    answers: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    answers[-1] = {"experiments": [{"name": "0123456789ab"}]}
    assert main(["store", "rm", "0123456789ab", "nope"]) == 1
    assert (
        capsys.readouterr().err
        == "fallline: no experiment has the name nope: `fallline store ls` lists them\n"
    )
    assert answers[:-1] == [{"do": "list"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "there is no"),
        (["backup"], "there is no"),
        (["store", "ls"], "there is no"),
        (["check", "nothing.sqlite3"], "there is no"),
        (["restore", "nothing.sqlite3"], "there is no"),
    ],
)
def test_a_folder_without_a_store_is_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FALLLINE_DATA", str(tmp_path))
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error
    assert [*tmp_path.iterdir()] == []


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
