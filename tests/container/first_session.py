"""A first session with a running server, using only the standard library: page, experiment, steps, play.

The experiment is left playing, so that a SIGTERM afterwards stops a busy server.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from typing import Any
from urllib.error import HTTPError


def ask(url: str, body: object = None, token: str | None = None) -> bytes:
    """Return the body of the response. Raises HTTPError for 4xx and 5xx."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
        content: bytes = answer.read()
        return content


def main() -> int:
    """Run the session. Any difference raises, so the exit status is not 0."""
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
    experiment: dict[str, Any] = json.loads(ask(experiments, {}))
    here, token = f"{experiments}/{experiment['id']}", experiment["token"]
    stepped = json.loads(ask(here + "/step", {"steps": 200}, token))
    assert {run["step"] for run in stepped["runs"]} == {200}, stepped["runs"]
    ask(here + "/play", {"speed": "max"}, token)
    print(f"   ok: the page with {len(assets)} assets, an experiment, 200 steps, playing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
