"""The command line: the server, its settings and kernels, and the operator's commands."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fallline import __version__
from fallline.bootstrap import (
    check_backup,
    closed_store_operator,
    create_app,
    prepared_kernels,
    restore_backup,
)
from fallline.execution.compiling import KernelUnavailable
from fallline.execution.compiling import warm as compile_kernels
from fallline.operation.control import NotServed, ask
from fallline.operation.logs import start_logging
from fallline.services.operator import DamageFound, OperationFailed, check_names, report_of
from fallline.settings import BadSetting, Settings, as_text, read_settings, unknown_settings
from fallline.storage.interface import CopyFailed, StoreDamaged, StoreRefused, StoreUnwritable
from fallline.web.server import CannotListen, listening_socket, url_of
from fallline.web.server import serve as serve_app
from fallline.web.server_urls import ServerUrls

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


stored = typer.Typer(help="List and remove stored experiments.", no_args_is_help=False)
app.add_typer(stored, name="store")

_log = logging.getLogger(__name__)

AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]

FAILED, FOUND = 1, 3
"""Exit statuses: a command of the operator failed, or it found damage."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    try:
        app(arguments, prog_name="fallline")
    except SystemExit as end:
        return int(end.code or 0)
    except (BadSetting, CannotListen, KernelUnavailable, StoreRefused) as error:
        print(f"fallline: {error}", file=sys.stderr)
    except (CopyFailed, OperationFailed, StoreUnwritable) as error:
        print(f"fallline: {error}", file=sys.stderr)
        return FOUND if isinstance(error, DamageFound) else FAILED
    return 2


def _print_version(requested: bool) -> None:
    if requested:
        print(f"fallline {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Watch gradient descent, step by step."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (FALLLINE_HOST).")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port to listen on (FALLLINE_PORT); 0 chooses a free one."),
    ] = None,
    memory: Annotated[
        bool, typer.Option("--memory", help="Store nothing: experiments are lost when the server stops.")
    ] = False,
    open: Annotated[bool, typer.Option(help="Open the page in the browser.")] = False,
) -> None:
    """Start the server."""
    arguments: dict[str, Any] = {"host": host, "port": port}
    changes = {name: value for name, value in arguments.items() if value is not None}
    if memory:
        changes["data"] = None
    _serve(_settings().model_copy(update=changes), open_browser=open)


@app.command()
def settings() -> None:
    """Print every setting with its value and its meaning."""
    print(as_text(_settings()))


@app.command()
def warm() -> None:
    """Compile the kernels ahead of time."""
    _settings()
    _yield_to_servers()
    print(f"fallline: the compiled code is in {compile_kernels()}")


# ---------------------------------------------------------------------- for operators


@app.command()
def backup(
    destination: Annotated[
        Path | None,
        typer.Argument(
            metavar="DEST", help="A folder, or a new file that ends in .sqlite3 (FALLLINE_BACKUP_FOLDER)."
        ),
    ] = None,
    as_json: AS_JSON = False,
) -> None:
    """Back up all experiments, beside a running server or without one."""
    request: dict[str, Any] = {"do": "backup"}
    if destination is not None:
        request["destination"] = str(destination.expanduser().absolute())
    answer = _operate(request)
    _report(answer, f"{_contents(answer)} in {answer['path']}", as_json=as_json)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    damaged: Annotated[
        bool, typer.Option("--damaged", help="Restore a backup that is damaged in parts.")
    ] = False,
    as_json: AS_JSON = False,
) -> None:
    """Replace all experiments by a backup. The server must be stopped."""
    data = _data(_settings())
    with _as_failure():
        examination, replaced = restore_backup(file.expanduser().absolute(), data, allow_damage=damaged)
    answer = {**report_of(examination), "replaced": None if replaced is None else str(replaced)}
    text = f"restored {_contents(answer)}" + (f"; the replaced file is {replaced}" if replaced else "")
    _report(answer, text, as_json=as_json)


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A backup; by default the data folder.")
    ] = None,
    as_json: AS_JSON = False,
) -> None:
    """Check that everything stored can be read."""
    if file is None:
        answer = _operate({"do": "check"})
    else:
        file, data = file.expanduser().absolute(), _data(_settings())
        with _as_failure():
            examination = check_backup(file, data if data.is_dir() else Path(tempfile.gettempdir()))
        answer = {"path": str(file), **report_of(examination)}
    _report(answer, f"{_contents(answer)} in {answer['path']}, checked", as_json=as_json)


@stored.command("ls")
def list_stored(as_json: AS_JSON = False) -> None:
    """List the stored experiments, the last used first. The names give no access."""
    answer = _operate({"do": "list"})
    if as_json:
        print(json.dumps(answer))
        return
    for one in answer["experiments"]:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(one["used"]))
        marks = [mark for mark in ("playing", "damaged") if one[mark]]
        print(f"{one['name']}  {used}  {one['bytes']:>12,} bytes  {' '.join(marks)}".rstrip())


@stored.command("rm")
def remove_stored(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names as `store ls` prints them.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Delete stored experiments, for good."""
    if not yes:
        check_names(names, [one["name"] for one in _operate({"do": "list"})["experiments"]])
        typer.confirm(f"Delete {_counted(len(set(names)), 'experiment')} for good?", abort=True, err=True)
    answer = _operate({"do": "remove", "names": names})
    _report(answer, f"{_counted(answer['removed'], 'experiment')} removed", as_json=as_json)


def _operate(request: dict[str, Any]) -> dict[str, Any]:
    """Run a command in the server of the data folder, or here if there is none."""
    current = _settings()
    data = _data(current)
    try:
        return ask(data, request)
    except NotServed:
        with _as_failure(), closed_store_operator(current, data) as operator:
            return asyncio.run(operator.do(request))


@contextlib.contextmanager
def _as_failure() -> Iterator[None]:
    """Turn a refused store into a failed command."""
    try:
        yield
    except StoreDamaged as error:
        raise DamageFound(str(error)) from error
    except StoreRefused as error:
        raise OperationFailed(str(error)) from error


def _data(settings: Settings) -> Path:
    assert settings.data is not None  # only the option --memory unsets it
    return settings.data


def _contents(answer: dict[str, Any]) -> str:
    counts = f"{_counted(answer['experiments'], 'experiment')}, {_counted(answer['uploads'], 'upload')}"
    return f"{counts}, {answer['bytes'] / 1e6:,.1f} MB"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _report(answer: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print an answer and the damage that it names; exit with `FOUND` if there is any."""
    print(json.dumps(answer) if as_json else f"fallline: {text}")
    for damage in answer.get("damaged", ()):
        print(f"fallline: damaged: {damage}", file=sys.stderr)
    if answer.get("damaged"):
        raise typer.Exit(FOUND)


def _settings() -> Settings:
    """Return the settings in force; name unknown variables on standard error."""
    current = read_settings()
    for name in unknown_settings(os.environ):
        print(f"fallline: {name} is not a setting; `fallline settings` lists them", file=sys.stderr)
    return current


def _serve(settings: Settings, *, open_browser: bool) -> None:
    start_logging(settings.log_level, settings.log_format)
    bound = listening_socket(settings.host, settings.port)
    kernels, preparation = prepared_kernels(settings)

    def listening() -> None:
        url = url_of(bound, settings.base_path)
        started = f"fallline {__version__} listens on {url}"
        if settings.log_format == "json":  # a container's log has both outputs, and is read line by line
            others = "".join(f", for others {each}/" for each in announcement.urls())
            _log.info("%s%s", started, others)
        else:
            print(started, flush=True)
            if text := announcement.text(sys.stdout.encoding, coloured=sys.stdout.isatty()):
                print(text, flush=True)
        if open_browser and _has_browser():
            webbrowser.open(url)

    try:
        application = create_app(settings, kernels)
        announcement = application.state.server_urls = ServerUrls(bound, settings.base_path)
        with announcement.announced():
            serve_app(application, settings, bound, listening, application.state.stop)
    finally:
        preparation.stop()


def _yield_to_servers() -> None:
    """Lower this process's priority, in favour of a running server."""
    if hasattr(os, "nice"):
        os.nice(10)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _has_browser() -> bool:
    """Return whether there is a screen; a text browser would block the terminal."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
