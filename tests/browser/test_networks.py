"""Networks that let no WebSocket pass: the page works by other lines, says so, and returns when it can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import DESKTOP, Dashboard
from browser.proxy import Network
from browser.test_drawing import HIDE, TAKE_LONG
from browser.test_troubles import CUT, steps_drawn

EVENTS = "Connected by server-sent events: this network refuses WebSockets."
NO_ANSWER = "Connected by server-sent events: WebSockets get no answer here."
POLLING = "Connected by long polling: this network holds streams back."


@pytest.fixture
def network(address: str) -> Iterator[Network]:
    network = Network(int(address.rsplit(":", 1)[1]))
    yield network
    network.close()


def opened(open_lab: OpenLab, network: Network, sentence: str) -> Dashboard:
    lab = open_lab(drawn=True, at=network.address)
    lab.allow(*CUT)
    expect(lab.strip).to_have_text(sentence)
    expect(lab.strip).to_have_attribute("role", "status")
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "ready")
    return lab


def train(lab: Dashboard) -> None:
    """Play, edit and pause; the page then has every step that the server made."""
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 60)
    lab.card("gd").get_by_role("radio", name="Mini-batch").click()
    expect(lab.rule("gd")).to_have_attribute("title", "batch of 32, rate 0.1")
    at = lab.step
    lab.until(lambda: lab.step, lambda step: step > at + 30)
    lab.rest()
    lab.until(lambda: lab.chart("loss").get_attribute("data-last-step"), lambda step: step == str(lab.step))
    assert lab.step == lab.ask("GET")["runs"][0]["step"]
    places = lab.until(
        lambda: steps_drawn(lab, "gd"), lambda drawn: any(lab.step - 8 < place < lab.step for place in drawn)
    )
    assert max(after - before for before, after in pairwise(places) if after > 20) <= 8


def test_where_sockets_are_refused_the_page_works_by_events_and_says_so(
    open_lab: OpenLab, network: Network
) -> None:
    network.sockets = "refuse"
    lab = opened(open_lab, network, EVENTS)
    assert network.seen["socket"] == 2
    train(lab)
    assert network.seen["stream"] == 1
    # the sentence can be closed, and stays in the title of the connection
    lab.strip.get_by_role("button", name="Close the message").click()
    expect(lab.strip).to_have_count(0)
    connection = lab.page.locator(".connection")
    expect(connection).to_have_attribute("title", f"{lab_latency(lab)}. {EVENTS}")
    lab.page.evaluate(TAKE_LONG, 45)
    lab.play.click()
    expect(connection).to_have_attribute("title", re.compile(f"^Drawing is slow .* {EVENTS}$"))


def lab_latency(lab: Dashboard) -> str:
    title = lab.until(
        lambda: lab.page.locator(".connection").get_attribute("title") or "", lambda title: "there" in title
    )
    return str(title).split(". ")[0]


def test_where_handshakes_get_no_answer_the_page_waits_three_seconds(
    open_lab: OpenLab, network: Network
) -> None:
    network.sockets = "swallow"
    lab = opened(open_lab, network, NO_ANSWER)
    assert network.seen["socket"] == 1
    train(lab)


def test_where_sockets_open_and_pass_nothing_on_the_page_leaves_them(
    open_lab: OpenLab, network: Network
) -> None:
    network.sockets = "mute"
    lab = opened(open_lab, network, NO_ANSWER)
    train(lab)


def test_where_no_line_works_the_page_says_so_until_one_does(visits: Visits, network: Network) -> None:
    network.sockets = network.lines = "refuse"
    lab = visits.page(visits.profile(DESKTOP, "light"), network.address)
    lab.allow(*CUT)
    lab.page.goto(lab.address)
    expect(lab.strip).to_contain_text(
        "lets neither WebSockets nor server-sent events nor long polling through"
    )
    expect(lab.strip.get_by_role("link", name="Check which line works")).to_have_attribute("href", "check")
    network.lines = "pass"
    lab.strip.get_by_role("button", name="Try now").click()
    expect(lab.strip).to_have_text(EVENTS)


@pytest.mark.parametrize("streams", ["hold", "refuse"])
def test_where_no_stream_passes_the_page_works_by_polling(
    open_lab: OpenLab, network: Network, streams: Literal["hold", "refuse"]
) -> None:
    network.sockets, network.streams = "refuse", streams
    lab = opened(open_lab, network, POLLING)
    train(lab)


def test_streams_that_are_cut_again_and_again_lose_nothing_and_need_no_words(
    open_lab: OpenLab, network: Network
) -> None:
    network.sockets, network.streams = "refuse", "cut"
    lab = opened(open_lab, network, EVENTS)
    statuses: list[str] = []
    lab.page.expose_function("__seen", lambda status: statuses.append(status))
    lab.page.evaluate("""new MutationObserver(() =>
        __seen(document.querySelector(".connection").dataset.status)).observe(
        document.querySelector(".connection"), { attributes: true, attributeFilter: ["data-status"] })""")
    train(lab)
    lab.until(lambda: network.seen["stream"], lambda streams: streams > 3)
    assert set(statuses) <= {"ready", "live"}


def test_a_slow_network_brings_wide_buckets_and_stays_fresh(open_lab: OpenLab, network: Network) -> None:
    network.sockets = "refuse"
    lab = opened(open_lab, network, EVENTS)
    lab.make_own()
    network.bytes_per_second = 30_000
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 100)
    behind = []
    for _ in range(10):
        page_step = lab.step
        behind.append(lab.ask("GET")["runs"][0]["step"] - page_step)
        lab.page.wait_for_timeout(300)
    assert sorted(behind)[len(behind) // 2] <= 120  # two seconds at 60 steps a second
    network.bytes_per_second = None
    lab.rest()
    lab.until(lambda: lab.step, lambda step: step == lab.ask("GET")["runs"][0]["step"])


@pytest.mark.parametrize("streams", ["pass", "hold"])
def test_the_page_returns_to_the_socket_when_it_can(
    open_lab: OpenLab, network: Network, streams: str
) -> None:
    network.sockets, network.streams = "refuse", "hold" if streams == "hold" else "pass"
    lab = opened(open_lab, network, POLLING if streams == "hold" else EVENTS)
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 30)
    before = lab.step
    network.sockets = "pass"
    lab.page.evaluate("dispatchEvent(new Event('online'))")
    expect(lab.strip).to_have_count(0)
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "live")
    lab.until(lambda: lab.step, lambda step: step > before + 60)
    lab.rest()
    lab.until(lambda: lab.chart("loss").get_attribute("data-last-step"), lambda step: step == str(lab.step))
    places = steps_drawn(lab, "gd")
    assert max(after - before for before, after in pairwise(places) if after > 20) <= 8


def test_a_cut_of_everything_is_survived_without_a_socket_too(open_lab: OpenLab, network: Network) -> None:
    network.sockets = "refuse"
    lab = opened(open_lab, network, EVENTS)
    lab.make_own()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 30)
    network.cut()
    expect(lab.strip).to_have_attribute("data-strip", "reconnecting")
    network.mend()
    lab.try_now()
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "live")
    at = lab.step
    lab.until(lambda: lab.step, lambda step: step > at + 60)
    lab.rest()
    lab.until(lambda: lab.step, lambda step: step == lab.ask("GET")["runs"][0]["step"])


def test_hidden_tabs_leave_the_requests_of_the_browser_to_the_visible_one(
    visits: Visits, network: Network
) -> None:
    """A browser opens six requests to one server, for all its tabs, and each stream takes one for good."""
    network.sockets = "refuse"
    profile = visits.profile()
    hidden = []
    for _ in range(6):
        lab = visits.page(profile, network.address)
        lab.allow(*CUT)
        lab.open()
        expect(lab.strip).to_have_text(EVENTS)
        lab.page.evaluate(HIDE, True)
        hidden.append(lab)
    seventh = visits.page(profile, network.address)
    seventh.allow(*CUT)
    seventh.open()
    expect(seventh.strip).to_have_text(EVENTS)
    seventh.play.click()
    seventh.until(lambda: seventh.step, lambda step: step > 60)
    seventh.rest()
    first = hidden[0]
    assert first.step < seventh.step
    seventh.page.evaluate(HIDE, True)
    first.page.evaluate(HIDE, False)
    first.until(lambda: first.step, lambda step: step == seventh.step)
    expect(first.page.locator(".connection")).to_have_attribute("data-status", "ready")
