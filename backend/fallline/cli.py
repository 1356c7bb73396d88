"""The command line: `fallline serve`, `settings` and `warm`."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fallline import __version__
from fallline.bootstrap import create_app, prepared_kernels
from fallline.execution.compiling import KernelUnavailable
from fallline.execution.compiling import warm as compile_kernels
from fallline.settings import BadSetting, Settings, as_text, read_settings, unknown_settings
from fallline.storage.interface import StoreRefused
from fallline.web.server import CannotListen, listening_socket, url_of
from fallline.web.server import serve as serve_app

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    try:
        app(arguments, prog_name="fallline")
    except SystemExit as end:
        return int(end.code or 0)
    except (BadSetting, CannotListen, KernelUnavailable, StoreRefused) as error:
        print(f"fallline: {error}", file=sys.stderr)
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


def _settings() -> Settings:
    """Return the settings in force; name unknown variables on standard error."""
    current = read_settings()
    for name in unknown_settings(os.environ):
        print(f"fallline: {name} is not a setting; `fallline settings` lists them", file=sys.stderr)
    return current


def _serve(settings: Settings, *, open_browser: bool) -> None:
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    # uvicorn and Alembic log every start, connection and migration; one line at the start is enough.
    for name in ("uvicorn", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))
    bound = listening_socket(settings.host, settings.port)
    kernels, preparation = prepared_kernels(settings)

    def listening() -> None:
        url = url_of(bound)
        print(f"fallline {__version__} listens on {url}", flush=True)
        if open_browser and _has_browser():
            webbrowser.open(url)

    try:
        application = create_app(settings, kernels)
        serve_app(application, settings, bound, listening, application.state.lab.stop)
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
