"""A first session with a running server, by the standard library alone: the page, an experiment, steps, play.

Leaves the experiment playing, so that what follows (a SIGTERM) meets a server at work.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from typing import Any
from urllib.error import HTTPError


def ask(url: str, body: object = None, token: str | None = None) -> bytes:
    """The body of the answer; an HTTPError for 4xx and 5xx."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
        content: bytes = answer.read()
        return content


def main() -> int:
    """Go through the session; an exception, and so a non-zero exit, where something is not as promised."""
    server = sys.argv[1]
    page = ask(server + "/").decode()
    assets = sorted(set(re.findall(r'(?:src|href)="(assets/[^"]+)"', page)))
    assert assets, "the page names no assets"
    for asset in assets:
        try:
            ask(f"{server}/{asset}")
        except HTTPError as error:
            raise AssertionError(f"{asset} answers {error.code}") from error
    experiments = server + "/api/v1/experiments"
    made: dict[str, Any] = json.loads(ask(experiments, {}))
    here, token = f"{experiments}/{made['id']}", made["token"]
    stepped = json.loads(ask(here + "/step", {"steps": 200}, token))
    assert {run["step"] for run in stepped["runs"]} == {200}, stepped["runs"]
    ask(here + "/play", {"speed": "max"}, token)
    print(f"   ok: the page with {len(assets)} assets, an experiment, 200 steps, playing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
