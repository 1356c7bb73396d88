"""Settings and fixtures of all tests."""

import inspect
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from fallline.execution.compiling import cache_directory, point_numba_at
from support import adding, counting

# No deadline, because a shared machine may stall. The examples are the same each time, so that a failed run can be
# repeated. `make test-long` uses the profile `long`; `explore` tries ten times as many, with new examples each time.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("long", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")

# The cache directory is named after the sources, so no test uses old compiled code.
if (directory := cache_directory(os.environ)) is not None:
    point_numba_at(directory)

adding.watch()


@pytest.fixture(autouse=True)
def _no_logged_exception(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail if the server logs an exception. A test that provokes one requests `caplog`."""
    yield
    if "caplog" not in inspect.signature(request.function).parameters:
        logged = [
            each for each in caplog.get_records("call") if each.levelno >= logging.ERROR and each.exc_info
        ]
        assert [each.getMessage() for each in logged if each.name.startswith("fallline")] == []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker counts only its share
        counting.note_suite(config.args, terminalreporter.stats)
