"""The driver of `make bench`. Nothing is timed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import run

ENGINE = "import pathlib; pathlib.Path(__file__).with_name('RESULTS.md').write_text('# Engine\\n')"


def test_a_failed_benchmark_hides_none_after_it_and_all_lines_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "RESULTS.md").write_text("older figures")
    (tmp_path / "bench_bad.py").write_text("print('half of it', flush=True); raise SystemExit(3)")
    (tmp_path / "bench_engine.py").write_text(ENGINE)
    (tmp_path / "bench_good.py").write_text("print('12 ms')")
    monkeypatch.setattr(sys, "argv", ["run.py"])
    assert run.main(tmp_path) == 1
    assert capfd.readouterr().err == "failed: bench_bad.py\n"
    assert (tmp_path / "RESULTS.md").read_text() == (
        "# Engine\n\n## bench_bad.py\n\n**Failed with status 3.**\n\n```text\nhalf of it\n```\n"
        "\n## bench_good.py\n\n```text\n12 ms\n```\n"
    )


@pytest.mark.parametrize("options", [["--quick"], ["bench_good"]])
def test_rough_figures_and_single_benchmarks_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    (tmp_path / "RESULTS.md").write_text("older figures")
    (tmp_path / "bench_good.py").write_text("print('12 ms')")
    monkeypatch.setattr(sys, "argv", ["run.py", *options])
    assert run.main(tmp_path) == 0
    assert (tmp_path / "RESULTS.md").read_text() == "older figures"
