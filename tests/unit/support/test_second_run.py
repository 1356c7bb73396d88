"""In continuous integration failed tests run once more, alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]

PLANTED = """
import os
from pathlib import Path

HERE = Path(__file__).parent


def ran(name):
    with (HERE / "ran").open("a") as file:
        file.write(f"{name} {os.environ.get('PYTEST_XDIST_WORKER', 'alone')}\\n")
    return (HERE / "ran").read_text().count(f"{name} ")


def test_sound():
    ran("sound")


def test_flaky():
    assert ran("flaky") == 2


def test_broken():
    assert ran("broken") == 3
"""


MANY = """
import pytest


@pytest.mark.parametrize("n", range(11))
def test_many(n):
    assert ran("many") == 99
"""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    file = tmp_path / "test_planted.py"
    file.write_text(PLANTED)
    return file


def run(file: Path, *arguments: str, ci: str = "true") -> tuple[int, str, list[str], str]:
    """Return exit status, output, where each test ran, and the final summary."""
    counts = file.with_name("counts")
    # Without the variables of the pytest that runs this test.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "support.second_run", "-p", "xdist", "--quiet", str(file), *arguments],
        cwd=file.parent,
        env={
            **outside,
            "PYTHONPATH": str(TESTS),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # halves its start
            "CI": ci,
            "TEST_COUNTS": str(counts),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ran = file.with_name("ran")
    return (
        done.returncode,
        done.stdout + done.stderr,
        ran.read_text().splitlines() if ran.exists() else [],
        counts.read_text() if counts.exists() else "",
    )


def test_a_flaky_test_passes_at_its_second_run_alone_and_is_named(planted: Path) -> None:
    status, output, ran, summary = run(planted, "-k", "sound or flaky", "-n", "2", "--dist", "worksteal")
    assert status == 0, output
    assert [line.split()[0] for line in ran].count("sound") == 1
    assert [line for line in ran if line.startswith("flaky")][1:] == ["flaky alone"]
    assert summary == "1 of these tests needed a second run: test_planted.py::test_flaky\n"
    assert summary in output


def test_a_test_that_fails_twice_fails(planted: Path) -> None:
    status, output, ran, summary = run(planted, "-n", "0")
    assert status == 1
    assert ran == ["sound alone", "flaky alone", "broken alone", "flaky alone", "broken alone"]
    first, second = summary.splitlines()
    assert first.startswith("2 of these tests needed a second run: ")
    assert second == "1 failed again: test_planted.py::test_broken"
    assert summary in output


@pytest.mark.parametrize("ci", ["", "false"])
def test_elsewhere_a_failure_is_a_failure(planted: Path, ci: str) -> None:
    status, _, ran, summary = run(planted, "-k", "flaky", "-n", "0", ci=ci)
    assert (status, ran, summary) == (1, ["flaky alone"], "")


def test_without_failures_nothing_runs_again(planted: Path) -> None:
    status, _, ran, summary = run(planted, "-k", "sound", "-n", "0")
    assert (status, ran, summary) == (0, ["sound alone"], "")


def test_with_many_failures_none_runs_again(planted: Path) -> None:
    planted.write_text(PLANTED + MANY)
    status, _, ran, summary = run(planted, "-k", "many", "-n", "0")
    assert (status, len(ran)) == (1, 11)
    assert summary == "11 tests failed, more than 10: none runs again\n"


def test_a_suite_that_cannot_run_does_not_run_again(planted: Path) -> None:
    planted.write_text("import nothing_of_that_name\n")
    status, output, _, summary = run(planted, "-n", "0")
    assert (status, summary) == (2, "")
    assert output.count("nothing_of_that_name") >= 1


@pytest.mark.parametrize("verb", ["test-python", "test-browser"])
def test_continuous_integration_runs_its_tests_so(verb: str) -> None:
    recipe = subprocess.run(
        ["make", "--dry-run", verb], cwd=TESTS.parent, capture_output=True, text=True, check=True
    ).stdout
    assert "-m support.second_run --quiet" in recipe
    assert "-m pytest" not in recipe
