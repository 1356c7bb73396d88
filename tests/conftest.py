"""What every test of this project takes for granted."""

import inspect
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from fallline.execution.code_cache import cache_directory, point_numba_at
from support import adding, counting

# A shared machine stalls now and then: a slow example is no failure. The same examples every time, so that a red
# run can be repeated; `make test-long` takes the profile `long`, and `explore` tries ten times as many as that, other
# ones each time.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("long", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")

# Compiled code is kept under the name of everything that it was compiled from, so that no test meets that of yesterday.
if (directory := cache_directory(os.environ)) is not None:
    point_numba_at(directory)

adding.watch()


@pytest.fixture(autouse=True)
def _no_fault_is_logged(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What the server catches, logs and goes on after is still a fault; a test that provokes one asks for `caplog`."""
    yield
    if "caplog" not in inspect.signature(request.function).parameters:
        logged = [
            each for each in caplog.get_records("call") if each.levelno >= logging.ERROR and each.exc_info
        ]
        assert [each.getMessage() for each in logged if each.name.startswith("fallline")] == []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker counts its share only
        counting.note_suite(config.args, terminalreporter.stats)
