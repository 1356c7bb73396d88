"""The README's curl lines work as printed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from support.serving import open_server

README = Path(__file__).parents[2] / "README.md"


def curl_lines() -> str:
    found = re.search(
        r"<!-- a test runs these lines as they stand -->\n```sh\n(.*?)```", README.read_text(), re.S
    )
    assert found, "the README has no block of curl lines"
    return found[1]


def test_a_first_session_with_curl_works_as_printed() -> None:
    with open_server() as server:
        lines = curl_lines().replace("http://127.0.0.1:8000", server.url.rstrip("/"))
        told = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines], capture_output=True, text=True, timeout=60, check=False
        )
    assert told.returncode == 0, told.stdout + told.stderr
    answers = told.stdout.splitlines()
    assert "'step': 501" in answers[0]
    assert answers[1] == "{'run': 'gd', 'at_step': 501, 'batch_size': 1}"
    assert answers[2] == "True"
    assert answers[3].startswith("{'min': [")
    assert answers[4] == "paused"
    assert answers[5].startswith("first,last,batch_loss.min")
    assert re.fullmatch(r"\[((True|False)(, )?){4}\]", answers[-5])
    assert answers[-4:-2] == ["log", "[{'at_step': 501, 'batch_size': 1}]"]
    assert answers[-2:] == ["[{'line': 4, 'reason': 'no value in celsius'}]", "regression"]
