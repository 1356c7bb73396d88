"""The page's logic in Node, with a real server: a cut loses no data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from support.serving import Server

PAGE = Path(__file__).parents[1] / "frontend" / "live-page.ts"
SECONDS_WITHOUT_A_LINE = 2


def node() -> str:
    """Return Node of this environment, which has a WebSocket, or another one."""
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert node, "node is needed: `make test` brings it along"
    return node


def test_a_page_that_lost_its_line_in_mid_training_holds_every_step_and_sends_its_edit_once(
    shared_server: Server,
) -> None:
    page = subprocess.run(
        [node(), str(PAGE), shared_server.url.rstrip("/"), str(SECONDS_WITHOUT_A_LINE)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert page.returncode == 0, page.stderr
    state = json.loads(page.stdout)
    for run in state["runs"].values():
        assert run["wrong"] == []
        assert run["held"] == run["step"] > state["cut_at"]
    assert [edit["batch_size"] for edit in state["runs"]["gd"]["edits"]] == [1]
    assert [edit["learning_rate"] for edit in state["runs"]["sgd"]["edits"]] == [0.05]
