"""The page benchmark finds the elements that it measures."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

import bench_page

SECONDS = 1.0


@pytest.mark.long
@pytest.mark.parametrize("screen", bench_page.SCREENS)
def test_a_scenario_plays_and_prints_every_figure(
    chromium: Browser, address: str, screen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    playing = bench_page.Scenario(screen, 60, runs=3, slowdown=2)
    result = bench_page.scenario(chromium, address, playing, SECONDS)
    assert {kind for kind, _ in result["draws"]} >= {"loss", "gradients"}
    assert result["frames"]
    assert result["moves"]
    assert result["hidden"] == 0
    bench_page.report(screen, [result], SECONDS)
    bench_page.report_opening([result])
    output = capsys.readouterr().out
    assert "tasks over 50 ms" in output
    assert "lines move" in output
    assert "usable after" in output
