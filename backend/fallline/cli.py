"""The command line: `fallline serve`, `settings` and `warm`."""

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
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ)
        for name in unknown_settings(os.environ):
            print(f"fallline: {name} is not a setting; `fallline settings` lists them", file=sys.stderr)
        if options.verb == "settings":
            print(as_text(settings))
            return 0
        if options.verb == "warm":
            return _warm()
        return _serve(_with_options(settings, options), open_browser=options.open)
    except (BadSetting, CannotListen, KernelUnavailable, StoreRefused) as error:
        print(f"fallline: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fallline", description="Watch gradient descent, step by step.")
    parser.add_argument("--version", action="version", version=f"fallline {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    serving = verbs.add_parser("serve", help="start the server")
    serving.add_argument("--host", help="address to listen on (FALLLINE_HOST)")
    serving.add_argument("--port", type=_port, help="port to listen on (FALLLINE_PORT); 0 chooses a free one")
    serving.add_argument(
        "--memory", action="store_true", help="store nothing: experiments are lost when the server stops"
    )
    serving.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=False, help="open the page in the browser"
    )
    verbs.add_parser("settings", help="print every setting with its value and its meaning")
    verbs.add_parser("warm", help="compile the kernels ahead of time, so that servers start with them")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError("the port must be a whole number from 0 to 65535")
    return int(text)


def _with_options(settings: Settings, options: argparse.Namespace) -> Settings:
    changes = {name: value for name in ("host", "port") if (value := getattr(options, name)) is not None}
    if options.memory:
        changes["data"] = None
    return replace(settings, **changes)


def _serve(settings: Settings, *, open_browser: bool) -> int:
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
        app = create_app(settings, kernels)
        serve(app, settings, bound, listening, app.state.lab.stop)
    finally:
        preparation.stop()
    return 0


def _warm() -> int:
    _let_others_go_first()
    print(f"fallline: the compiled code is in {warm()}")
    return 0


def _let_others_go_first() -> None:
    """Lower this process's priority: a running server gets the processor first and survives a lack of memory."""
    if hasattr(os, "nice"):
        os.nice(10)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _has_browser() -> bool:
    """Return whether there is a screen; a text browser would block the terminal."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
