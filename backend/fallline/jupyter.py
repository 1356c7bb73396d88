"""The entry of jupyter-server-proxy: how Jupyter starts a server and offers it under its own address.

Owns only that description. Jupyter need not be installed.
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Any

from fallline.settings import usable_base_path

NAME = "fallline"
"""Last segment of the path. The key of the entry point must equal it."""

START_SECONDS = 60


def server() -> dict[str, Any]:
    """Describe the server. Jupyter fills in `{port}`.

    Jupyter's own login and host check stand before it, and it passes on the Host of the browser's request.
    """
    icon = Path(str(resources.files("fallline"))) / "site" / "favicon.svg"
    return {
        "command": [sys.executable, "-m", "fallline", "serve", "--host", "127.0.0.1", "--port", "{port}"],
        "environment": environment,
        "timeout": START_SECONDS,
        "launcher_entry": {"title": NAME, **({"icon_path": str(icon)} if icon.is_file() else {})},
    }


def environment(base_url: str) -> dict[str, str]:
    """Return the settings of a server below `base_url`, the path of the user's Jupyter.

    The path of a user such as ann@school.example cannot be a base path. Jupyter strips it, so the page works without.
    """
    return {
        "FALLLINE_BASE_PATH": usable_base_path(base_url + NAME) or "",
        "FALLLINE_PROXIES": "127.0.0.1,::1",
        "FALLLINE_HOSTS": "*",
    }
