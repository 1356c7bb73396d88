"""The benchmark of the page finds in it what it measures."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

import bench_page

SECONDS = 1.0


@pytest.mark.long
@pytest.mark.parametrize("screen", bench_page.SCREENS)
def test_a_scenario_is_played_and_every_figure_is_told(
    chromium: Browser, address: str, screen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench_page.scenario(chromium, address, screen, 60, SECONDS)
    assert {kind for kind, _ in found["draws"]} >= {"loss", "gradients"}
    assert found["frames"]
    assert found["hidden"] == 0
    bench_page.report(screen, [found], SECONDS)
    bench_page.report_opening([found])
    told = capsys.readouterr().out
    assert "tasks over 50 ms" in told
    assert "usable after" in told
