"""The number of modules that one request runs: each is one more file to read when something goes wrong.

Code counts in all threads. The smallest of several repeats counts, because other code may run beside a request.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from support.serving import created, open_app

MOST_OF_STEP = 54
MOST_OF_EDIT = 26
REPEATS = 5


@contextmanager
def executed_modules() -> Iterator[set[str]]:
    """Collect the modules of this package whose functions are called, in this thread and in threads that it starts."""
    modules: set[str] = set()

    def record(frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_globals.get("__name__") or ""
        if event == "call" and name.startswith("fallline."):
            modules.add(name.removeprefix("fallline."))

    threading.setprofile(record)
    sys.setprofile(record)
    try:
        yield modules
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def test_a_step_and_an_edit_run_few_modules() -> None:
    steps: list[set[str]] = []
    edits: list[set[str]] = []
    with executed_modules() as modules:
        async with open_app(kernel="numpy") as (app, client):
            app.state.lab._background.cancel()
            one = await created(client, {})
            for repeat in range(REPEATS):
                modules.clear()
                assert (await one.ask("POST", "/step", {"steps": 1})).status_code == 200
                steps.append(set(modules))
                modules.clear()
                edit = {"learning_rate": 0.01 * (repeat + 1)}
                assert (await one.ask("PATCH", "/runs/gd", edit)).status_code == 200
                edits.append(set(modules))
    of_step, of_edit = min(steps, key=len), min(edits, key=len)
    assert {"web.experiment_routes", "services.lab", "engine.training"} <= of_step, "threads are recorded"
    assert len(of_step) <= MOST_OF_STEP, sorted(of_step)
    assert len(of_edit) <= MOST_OF_EDIT, sorted(of_edit)
