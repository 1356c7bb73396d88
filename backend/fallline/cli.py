"""The command line: `fallline serve`, `settings`, `warm`. Reads arguments and starts what they name; nothing else."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fallline import __version__
from fallline.bootstrap import create_app, prepared_kernels
from fallline.engine.kernels.choice import KernelUnavailable
from fallline.execution.compiling import warm
from fallline.settings import BadSetting, Settings, as_text, read_settings, unknown_settings
from fallline.storage.interface import StoreRefused
from fallline.web.server import CannotListen, listening_socket, serve, url_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ)
        for name in unknown_settings(os.environ):
            print(f"fallline: {name} is no setting; `fallline settings` lists them", file=sys.stderr)
        if asked.verb == "settings":
            print(as_text(settings))
            return 0
        if asked.verb == "warm":
            return _warm()
        return _serve(_with_arguments(settings, asked), open_browser=asked.open)
    except (BadSetting, CannotListen, KernelUnavailable, StoreRefused) as error:
        print(f"fallline: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fallline", description="Watch gradient descent, step by step.")
    parser.add_argument("--version", action="version", version=f"fallline {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    serving = verbs.add_parser("serve", help="start the server")
    serving.add_argument("--host", help="address to listen on (FALLLINE_HOST)")
    serving.add_argument("--port", type=_port, help="port (FALLLINE_PORT); 0 takes a free one")
    serving.add_argument(
        "--memory", action="store_true", help="store nothing: experiments end with the server"
    )
    serving.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=False, help="open the page in the browser"
    )
    verbs.add_parser("settings", help="print every setting with its value and meaning")
    verbs.add_parser("warm", help="compile what servers started later would have to compile")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError("a port is a whole number from 0 to 65535")
    return int(text)


def _with_arguments(settings: Settings, asked: argparse.Namespace) -> Settings:
    given = {name: value for name in ("host", "port") if (value := getattr(asked, name)) is not None}
    if asked.memory:
        given["data"] = None
    return replace(settings, **given)


def _serve(settings: Settings, *, open_browser: bool) -> int:
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    # Its notices of start, connections and stop say what is said here in one line, or more than logs should hold.
    # So do Alembic's, when the tables are made or brought up to date.
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
        app = create_app(settings, kernels)
        serve(app, settings, bound, listening, app.state.lab.stop)
    finally:
        preparation.stop()
    return 0


def _warm() -> int:
    _let_others_go_first()
    print(f"fallline: compiled code lies in {warm()}")
    return 0


def _let_others_go_first() -> None:
    """A server that serves meanwhile has the processor first, and is not what is ended where memory runs out."""
    if hasattr(os, "nice"):
        os.nice(10)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _has_browser() -> bool:
    """Whether there is a screen to open a browser on; a text browser would take the terminal over."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
