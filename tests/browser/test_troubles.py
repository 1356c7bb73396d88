"""Failures of connection, server or run: the page's words and actions."""

from __future__ import annotations

import re
import signal
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.proxy import Line
from browser.test_share import darkest
from support.serving import open_program, open_server

FULL_DISK = Path(__file__).parents[1] / "support" / "full_disk.py"

# Chromium's own console message for a failed connection.
CUT = ("WebSocket connection to", "Failed to load resource")


def steps_drawn(lab: Dashboard, run: str) -> list[float]:
    """Return the steps of a run's drawn loss curve; empty if it is not drawn."""
    return lab.traces("loss", "train").get(f"{run}/train_loss", ([], []))[0]


def test_a_cut_shows_a_strip_training_continues_and_no_step_is_missing_afterwards(
    open_lab: OpenLab, line: Line
) -> None:
    lab = open_lab(drawn=True, at=line.address)
    lab.make_own()
    lab.allow(*CUT)
    lab.make_steps(20)
    lab.play.click()
    drawing = lab.page.locator("network-drawing")
    lab.until(
        lambda: (lab.step, int(drawing.get_attribute("data-step") or 0)), lambda at: at[0] > 60 and at[1] > 0
    )
    line.cut()
    expect(lab.strip).to_have_attribute("data-strip", "reconnecting")
    lost = int(re.findall(r"at step ([\d,]+)\.", lab.strip.inner_text())[0].replace(",", ""))
    expect(lab.strip).to_have_text(
        re.compile(
            r"Connection lost at step [\d,]+\. Training continues "
            r"for up to 10 minutes\. Missed steps load when you reconnect\."
        )
    )
    expect(lab.page.get_by_role("alert")).to_contain_text("Connection lost")
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "reconnecting")
    expect(lab.page.locator("race-table thead th").first).to_have_text(f"Last known: step {lost}")
    expect(lab.chart("loss").locator(".chart-label.missing")).to_have_text("not received yet")
    # the timeline ends with the axis, and its handle stands at the lines' ends
    place = lab.page.locator("time-scrubber").evaluate(
        "(scrubber) => scrubber.style.getPropertyValue('--place')"
    )
    assert abs(float(place) - 1 / 1.2) < 0.01
    # views updated now and then are of another step than the curves, and name it
    drawn = int(drawing.get_attribute("data-step") or 0)
    expect(drawing.locator(".when")).to_have_text(f"step {drawn:,}")
    # each run had its own request, and both moved meanwhile
    expect(lab.page.locator("predicted-true .end")).to_have_text(
        re.compile(r"^steps? [\d,]+( to [\d,]+)?, 300 test samples$")
    )
    # edits are disabled meanwhile
    expect(lab.page.locator("recipe-rail fieldset:disabled")).to_have_count(2)
    expect(lab.page.locator("button.play")).to_be_disabled()
    assert darkest(lab.page.locator("button.play")) > 90, "it looks as it is"
    lab.page.keyboard.press("r")
    lab.page.wait_for_timeout(1000)  # training goes on unwatched

    line.mend()
    lab.try_now()
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "live")
    expect(lab.strip).to_have_count(0)
    lab.until(lambda: lab.step, lambda step: step > lost + 60)
    lab.rest()
    lab.until(lambda: lab.chart("loss").get_attribute("data-last-step"), lambda step: step == str(lab.step))
    # no gap after the cut: no two points are further apart than a bucket is wide.
    # The present dot appears with the answer to the pause, before the steps up to it.
    places = lab.until(
        lambda: steps_drawn(lab, "gd"), lambda drawn: any(lab.step - 8 < place < lab.step for place in drawn)
    )
    assert max(after - before for before, after in pairwise(places) if after > 20) <= 8
    history = lab.ask("GET", "/runs/gd/history", series="train_loss")
    assert history["last"][-1] == lab.step - 1
    assert places[-1] >= lab.step - 1


def test_a_phone_keeps_the_exhibits_name_during_a_cut(open_lab: OpenLab, line: Line) -> None:
    lab = open_lab(PHONE, at=line.address)
    lab.allow(*CUT)
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 20)
    name = lab.page.locator(".exhibit .name")
    brief = lab.page.locator(".connection .brief")
    expect(brief).to_have_text("Live")
    expect(brief).to_be_visible()
    before = name.bounding_box()
    line.cut()
    expect(lab.strip).to_have_attribute("data-strip", "reconnecting")
    assert name.bounding_box() == before
    # the state of a moving run is unknown
    expect(lab.row("gd")).to_have_attribute("data-state", "no news")
    # if the strip is out of sight, the bar has a short version
    lab.page.locator("network-drawing").scroll_into_view_if_needed()
    expect(brief).to_have_text("Offline")
    expect(brief).to_be_visible()
    room = name.bounding_box()
    assert room
    assert before
    assert room["width"] > 0.5 * before["width"]


def test_catching_up_after_a_long_cut_shows_its_progress(open_lab: OpenLab, line: Line) -> None:
    lab = open_lab(drawn=True, at=line.address)
    lab.allow(*CUT)
    texts: list[str] = []
    lab.page.expose_function("__told", lambda text: texts.append(text))
    lab.page.evaluate("""new MutationObserver(() => __told(document.querySelector("status-strip").innerText))
        .observe(document.querySelector("status-strip"), { childList: true, subtree: true, characterData: true })""")
    lab.make_own()
    lab.page.get_by_role("slider", name="Speed").press("End")
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 300)
    line.cut()
    expect(lab.strip).to_contain_text("Connection lost")
    lost = lab.step
    lab.page.wait_for_timeout(1500)
    line.mend()
    lab.try_now()
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "live")
    lab.until(lambda: lab.step, lambda step: step > lost + 500)
    lab.until(lambda: texts, lambda lines: any("Back online." in text for text in lines))
    caught = next(text for text in texts if "Back online." in text)
    assert re.search(r"Back online\.\s+Catching up: [\d,]+ of [\d,]+\.", caught)


def test_a_run_hidden_during_a_cut_returns_complete(open_lab: OpenLab, line: Line) -> None:
    lab = open_lab(drawn=True, at=line.address)
    lab.allow(*CUT)
    lab.settings("run sgd")
    eye = lab.button("Hide SGD in the charts")
    missing = lab.chart("loss").locator(".chart-label.missing")
    ends = lab.chart("loss").locator(".chart-label.end")
    lab.make_steps(40)
    # the answer to a watch counts steps before the frame with their losses
    expect(ends).to_have_count(2)
    line.cut()
    expect(lab.strip).to_have_attribute("data-strip", "reconnecting")
    eye.click()
    expect(eye).to_have_attribute("aria-pressed", "true")
    expect(ends).to_have_count(1)
    expect(ends).to_have_attribute("data-run", "gd")
    expect(missing).to_have_text("not received yet")

    line.mend()
    lab.try_now()
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "ready")
    expect(missing).to_have_count(0)
    expect(eye).to_have_attribute("aria-pressed", "true")
    expect(ends).to_have_count(1)
    lab.make_steps(30)
    eye.click()
    expect(ends).to_have_count(2)
    lab.until(lambda: steps_drawn(lab, "sgd"), lambda places: places[-1:] >= [69])
    assert max(after - before for before, after in pairwise(steps_drawn(lab, "sgd"))) <= 8


@pytest.mark.parametrize("typed", ["2", "0.0"])
def test_a_number_that_is_half_typed_when_the_line_is_cut_is_not_applied(
    open_lab: OpenLab, line: Line, typed: str
) -> None:
    lab = open_lab(at=line.address)
    lab.allow(*CUT)
    rate = lab.rate("GD")
    before = rate.input_value()
    rate.fill("")
    lab.page.keyboard.type(typed)
    line.cut()
    expect(rate).to_be_disabled()
    expect(rate).to_have_value(before)
    expect(lab.page.locator(".complaint:visible")).to_have_count(0)
    # the next letters are meant for the box and are no shortcuts
    lab.page.keyboard.type("i?")
    expect(lab.page.locator("dialog[open], step-inspector .drawer:visible")).to_have_count(0)
    line.mend()
    expect(rate).to_be_enabled()
    expect(rate).to_be_focused()
    lab.make_steps(1)
    expect(rate).to_have_value(before)
    assert lab.ask("GET")["runs"][0]["settings"]["learning_rate"] == float(before)


def test_without_a_line_a_remedy_is_not_kept_for_later_and_nobody_looks_back(
    open_lab: OpenLab, line: Line
) -> None:
    lab = open_lab(drawn=True, at=line.address)
    lab.allow(*CUT)
    lab.make_steps(300)
    expect(lab.page.locator("doctor-list")).to_have_attribute("data-problems", re.compile("[1-9]"))
    lab.page.keyboard.press("d")
    question = lab.page.get_by_role("dialog")
    expect(question.get_by_role("heading")).to_have_text(re.compile(r"\?$"))
    take = question.locator(".button.solid")
    expect(take).to_be_enabled()
    before = lab.ask("GET")["recipe"]
    line.cut()
    expect(lab.strip).to_contain_text("Connection lost")
    expect(take).to_be_disabled()
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press(",")
    expect(lab.notice).to_contain_text("Looking back needs the server.")
    expect(lab.counter).to_have_text("300")
    expect(lab.page.locator("race-table thead th").first).to_have_text("Last known: step 300")
    line.mend()
    lab.try_now()
    expect(lab.play).to_be_enabled()
    lab.make_steps(1)
    assert lab.ask("GET")["recipe"] == before


def test_a_command_during_a_cut_runs_once(open_lab: OpenLab, line: Line) -> None:
    lab = open_lab(at=line.address)
    lab.allow(*CUT)
    line.cut()
    lab.page.evaluate("document.querySelector('[title^=\"1 step\"]').click()")
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "reconnecting")
    line.mend()
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", re.compile("ready|live"))
    lab.until(lambda: lab.ask("GET")["runs"][0]["step"], lambda step: step <= 1)
    expect(lab.page.locator("button.play")).to_be_enabled()


def test_a_killed_server_continues_from_the_shown_step(open_lab: OpenLab, tmp_path: Path) -> None:
    with open_server(FALLLINE_DATA=str(tmp_path)) as first:
        lab = open_lab(at=first.url.rstrip("/"))
        lab.allow(*CUT)
        lab.make_steps(30)
        lab.card("gd").get_by_role("radio", name="Mini-batch").click()
        expect(lab.rule("gd")).to_have_attribute("title", "batch of 32, rate 0.1")
        lab.make_steps(12)
        first.end(signal.SIGKILL)
        expect(lab.strip).to_contain_text("Connection lost at step 42.")
        with open_server("--port", str(first.port), FALLLINE_DATA=str(tmp_path)):
            expect(lab.page.locator(".connection")).to_have_attribute("data-status", "ready", timeout=20_000)
            expect(lab.strip).to_have_count(0)
            expect(lab.counter).to_have_text("42")
            expect(lab.rule("gd")).to_have_attribute("title", "batch of 32, rate 0.1")
            lab.make_steps(50)


def test_a_server_that_cannot_store_refuses_changes_and_says_so_until_it_can(
    open_lab: OpenLab, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    with open_program((str(FULL_DISK), str(full))) as server:
        lab = open_lab(at=server.url.rstrip("/"))
        lab.allow(*CUT)
        lab.make_steps(30)
        full.touch()
        lab.card("gd").get_by_role("radio", name="Mini-batch").click()
        expect(lab.strip).to_have_text(
            "Read-only: the server cannot write to its data folder. Changes would be lost.How to fix it"
        )
        expect(lab.rule("gd")).to_have_attribute("title", "full batch, rate 0.1")
        expect(lab.counter).to_have_text("30")
        full.unlink()
        expect(lab.strip).to_have_count(0)
        # the server reopens everything and pages reconnect: meanwhile buttons are disabled
        mini = lab.card("gd").get_by_role("radio", name="Mini-batch")
        lab.until(lambda: mini.evaluate("(each) => !each.matches(':disabled') && (each.click(), true)"), bool)
        expect(lab.rule("gd")).to_have_attribute("title", "batch of 32, rate 0.1")
        lab.make_steps(5)


READ_ONLY_AT_START = (
    "Read-only: the server cannot write to its data folder. No experiment can start now. "
    "The page retries automatically.How to fix it"
)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_page_that_cannot_start_says_why_shows_stored_experiments_and_starts_later(
    visits: Visits, tmp_path: Path, size: tuple[int, int]
) -> None:
    full = tmp_path / "full"
    with open_program((str(FULL_DISK), str(full))) as server:
        address = server.url.rstrip("/")
        stored = httpx.post(f"{address}/api/v1/experiments", json={"data": {"samples": 60}}).json()
        full.touch()
        lab = visits.page(visits.profile(size), address)
        lab.allow(*CUT)
        lab.page.goto(address)
        expect(lab.strip).to_have_text(READ_ONLY_AT_START, timeout=5_000)
        expect(lab.strip).to_be_in_viewport(ratio=1)
        expect(lab.page.get_by_role("alert")).to_have_text(READ_ONLY_AT_START)
        expect(lab.page.locator(".columns")).not_to_have_attribute("aria-busy", re.compile(""))
        expect(lab.page.locator(".waiting-plot")).to_have_text("Waiting for the server")
        # the operator finds out what to do
        lab.strip.get_by_role("link", name="How to fix it").click()
        chapter = lab.page.get_by_role("heading", name="The data folder is not writable")
        expect(chapter).to_be_in_viewport()
        lab.page.go_back()
        expect(lab.strip).to_have_text(READ_ONLY_AT_START)
        # a stored experiment can be watched
        other = visits.page(visits.profile(size), address)
        other.allow(*CUT)
        other.page.goto(f"{address}/#watch={stored['id']}")
        other.page.wait_for_selector("watch-line:not([hidden])")
        expect(other.row("gd")).to_be_visible()
        expect(other.strip).to_contain_text("Read-only: the server cannot write to its data folder.")
        full.unlink()
        expect(lab.play).to_be_enabled()
        expect(lab.strip).to_have_count(0)
        lab.make_steps(5)


@pytest.mark.long
def test_a_server_that_stores_nothing_gets_the_recipe_again_after_a_restart(open_lab: OpenLab) -> None:
    with open_server("--memory") as first:
        lab = open_lab(at=first.url.rstrip("/"))
        lab.allow(*CUT)
        lab.make_steps(30)
        lab.card("gd").get_by_role("radio", name="Mini-batch").click()
        expect(lab.rule("gd")).to_have_attribute("title", "batch of 32, rate 0.1")
        lab.until(lambda: lab.stored["recipe"]["runs"][0], lambda run: "32" in str(run))
        first.end(signal.SIGKILL)
        expect(lab.strip).to_contain_text("Connection lost at step 30.")
        with open_server("--memory", "--port", str(first.port)):
            expect(lab.strip).to_have_text(
                "The server no longer has this experiment. Your recipe is safe; the run starts again at step 0.Start",
                timeout=20_000,
            )
            expect(lab.page.locator(".connection")).to_have_attribute("data-status", "restarted")
            lab.button("Start").click()
            expect(lab.strip).to_have_count(0)
            expect(lab.counter).to_have_text("0")
            expect(lab.play).to_be_enabled()
            lab.make_steps(40)
            expect(lab.rule("gd")).to_have_attribute("title", "batch of 32, rate 0.1")


def test_a_reload_without_its_experiment_starts_the_stored_recipe_and_says_so(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.allow("Failed to load resource")
    lab.settings("data")
    lab.page.get_by_label("Noise", exact=True).fill("0.25")
    lab.page.get_by_label("Noise", exact=True).press("Enter")
    lab.until_is(lambda: lab.stored["recipe"]["data"].get("noise"), 0.25)
    lab.make_steps(5)
    # set up outside the page
    lab.page.goto(f"{lab.address}/healthz")
    lab.page.evaluate("""() => {
        const kept = JSON.parse(localStorage.getItem("fallline.experiment"));
        localStorage.setItem("fallline.experiment", JSON.stringify({ ...kept, id: "A".repeat(kept.id.length) }));
    }""")
    lab.open()
    expect(lab.notice).to_contain_text(
        "The server no longer has this experiment. Your recipe is safe; the run starts again at step 0."
    )
    lab.settings("data")
    expect(lab.page.get_by_label("Noise", exact=True)).to_have_value("0.25")
    expect(lab.counter).to_have_text("0")


def test_a_run_that_diverges_in_its_first_step_says_so_in_its_row(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(lab.row("gd").locator(".verdict")).to_have_text("")
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 100.0})
    lab.make_steps(3)
    expect(lab.row("gd")).to_have_attribute("data-step", "0")
    expect(lab.row("gd").locator(".verdict")).to_have_text("diverged")


def test_play_says_what_helps_where_every_run_has_diverged_and_keeps_the_remedy(open_lab: OpenLab) -> None:
    lab = open_lab()
    for run, rate in (("gd", 100.0), ("sgd", 50.0)):
        lab.ask("PATCH", f"/runs/{run}", {"learning_rate": rate})
    lab.ask("POST", "/step", {"steps": 1})
    remedy = lab.strip.get_by_role("button", name=re.compile("^Rewind GD to 0, rate"))
    expect(remedy).to_be_visible()
    expect(lab.page.locator("connection-line")).to_contain_text("Stopped")
    for key in (" ", "ArrowRight"):
        lab.page.keyboard.press(key)
        expect(lab.notice).to_contain_text("Every run has diverged. Lower the rate, then reset.")
        lab.notice.get_by_role("button", name="Close the notice").click()
        expect(lab.notice).to_have_count(0)
        expect(remedy).to_be_visible()
    # the runs are at step 0, and reset is what helps
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 0.1})
    lab.ask("PATCH", "/runs/sgd", {"learning_rate": 0.1})
    lab.button("Back to step 0 (R)").click()
    expect(lab.strip).to_have_count(0)
    expect(lab.page.locator("connection-line")).to_contain_text("Ready")
    lab.make_steps(2)
    expect(lab.counter).to_have_text("2")


def test_a_diverged_run_stops_and_the_other_continues(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(10)
    lab.rate("GD").fill("1e5")
    lab.rate("GD").press("Enter")
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, rate 100,000")
    lab.play.click()
    pattern = r"^GD diverged at step \d+ and is stopped\. SGD continues\."
    expect(lab.strip.locator("> span")).to_have_text(re.compile(rf"{pattern}$"))
    # the Doctor's first remedy stands beside it
    expect(lab.strip).to_have_text(re.compile(rf"{pattern}Rewind GD to \d+, rate 0\.1$"))
    expect(lab.strip).to_have_attribute("role", "alert")
    expect(lab.strip).to_have_attribute("data-tone", "bad")
    expect(lab.row("gd")).to_have_attribute("data-state", "diverged")
    # its last step has a score
    r2 = lab.ask("GET")["runs"][0]["latest"]["test_r2"]["value"]
    score = lab.row("gd").locator("td:not(.state)").last.inner_text().replace("\u2212", "-").replace(",", "")
    assert float(score) == pytest.approx(r2, rel=0.01, abs=0.006)
    expect(lab.chart("loss").locator(".chart-label.end[data-run=gd]")).to_contain_text("diverged")
    samples = lab.samples_seen("sgd")
    lab.until(lambda: lab.samples_seen("sgd"), lambda now: now > samples + 20)
    stood = lab.samples_seen("gd")
    lab.until(lambda: lab.samples_seen("sgd"), lambda now: now > samples + 40)
    assert lab.samples_seen("gd") == stood
    assert lab.page.get_by_text("NaN").count() == lab.page.get_by_text("Infinity").count() == 0
    # after a lower rate and a reset it runs again
    lab.rate("GD").fill("0.05")
    lab.rate("GD").press("Enter")
    lab.rest()
    lab.button("Back to step 0 (R)").click()
    expect(lab.strip).to_have_count(0)
    expect(lab.counter).to_have_text("0")
    lab.make_steps(30)
    expect(lab.row("gd")).to_have_attribute("data-state", "on its way")


def test_a_divergence_strip_stays_until_rewound_or_closed(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(10)
    lab.rate("GD").fill("1e5")
    lab.rate("GD").press("Enter")
    # the page shows typed values at once: wait before using REST
    lab.until(lambda: lab.ask("GET", "/recipe")["runs"][0]["edits"], bool)
    lab.ask("POST", "/step", {"steps": 10})
    lab.strip.get_by_role("button", name="Rewind GD to").click()
    expect(lab.strip).to_have_count(0)
    expect(lab.row("gd")).to_have_attribute("data-state", "diverged")
    # undo the way back
    lab.allow_to_ask_of("gd-")
    lab.notice.get_by_role("button", name="Undo").click()
    expect(lab.strip).to_have_attribute("data-strip", "diverged")
    lab.strip.get_by_role("button", name="Close the message").click()
    expect(lab.strip).to_have_count(0)
    lab.page.reload()
    expect(lab.wait().row("gd")).to_have_attribute("data-state", "diverged")
    expect(lab.strip).to_have_count(0)
    # the next one shows again
    lab.ask("POST", "/reset", {"run": "gd"})
    expect(lab.row("gd")).not_to_have_attribute("data-state", "diverged")
    lab.ask("POST", "/step", {"steps": 10})
    expect(lab.strip).to_contain_text(re.compile(r"^GD diverged at step \d+ and is stopped\."))


def test_a_refusal_of_the_server_appears_in_place_and_can_be_dismissed(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.allow("Failed to load resource")
    before = lab.stored["id"]
    lab.settings("data")
    seed = lab.page.get_by_label("Data seed", exact=True)
    lab.page.route(
        "**/api/v1/experiments",
        lambda route: route.fulfill(
            status=422,
            content_type="application/problem+json",
            json={
                "type": "about:blank",
                "title": "The recipe does not fit",
                "status": 422,
                "detail": "See errors.",
                "errors": [{"pointer": "/data/seed", "detail": "a smaller seed"}],
            },
        ),
    )
    seed.fill("7")
    seed.press("Enter")
    expect(lab.strip).to_contain_text("The recipe does not fit. See errors. a smaller seed")
    expect(seed).to_have_attribute("aria-invalid", "true")
    lab.strip.get_by_role("button", name="Dismiss").click()
    expect(lab.strip).to_have_count(0)
    expect(lab.play).to_be_enabled()
    assert lab.stored["id"] == before
