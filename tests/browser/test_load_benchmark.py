"""The benchmark of a first visit counts what the page loads, and is red above its bounds."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

import bench_load


def test_a_first_visit_stays_within_the_requests_and_the_bytes_of_its_budget(
    chromium: Browser, address: str
) -> None:
    figures = bench_load.visit(chromium, address)
    assert 7 < figures["requests"] <= bench_load.BOUNDS["requests"]
    assert 400 < figures["kB"] <= bench_load.BOUNDS["kB"]
    assert 0.6 < figures["s until Play can be pressed"] < figures["s until a chart stands"]


@pytest.mark.parametrize("name", bench_load.BOUNDS)
def test_a_figure_above_its_bound_is_red(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    within: bench_load.Figures = {each: float(bound) for each, bound in bench_load.BOUNDS.items()}
    assert bench_load.report([within])
    assert "above" not in capsys.readouterr().out
    assert not bench_load.report([{**within, name: within[name] + 1}])
    assert capsys.readouterr().out.count("**above**") == 1
