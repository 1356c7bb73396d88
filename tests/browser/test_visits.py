"""Reloads and two tabs; which files a page loads, and from where."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from browser.conftest import OpenLab, Visits


def test_a_reload_comes_back_to_the_same_experiment_at_the_same_step(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(120)
    lab.rate("SGD").fill("0.02")
    lab.rate("SGD").press("Enter")
    expect(lab.flags).to_have_count(1)
    lab.make_steps(30)
    lab.below("L2 norm")
    before = lab.stored["id"]
    # the word comes from the latest examination; the examinations of the last steps follow the steps
    row = lab.until(lambda: lab.row("sgd").inner_text(), lambda words: words.endswith("on its way"))
    lab.page.reload()
    lab.wait(drawn=True)
    assert lab.stored["id"] == before
    expect(lab.counter).to_have_text("150")
    lab.until_is(lambda: lab.row("sgd").inner_text(), row)
    expect(lab.flags).to_have_attribute("title", "rate 0.1 → 0.02")
    expect(lab.flags).to_have_attribute("data-step", "120")
    expect(lab.page.locator("gradient-head .choice")).to_have_text("L2 norm")
    lab.until(
        lambda: lab.traces("loss", "train")["gd/train_loss"][0], lambda x: x[:1] == [0] and x[-1] >= 149
    )
    lab.button("1 step (right arrow)").click()
    expect(lab.counter).to_have_text("151")


def test_a_reload_while_it_plays_finds_it_playing(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_own()
    lab.play.click()
    step = lab.until(lambda: lab.step, lambda step: step > 10)
    lab.page.reload()
    lab.wait()
    expect(lab.pause).to_be_visible()
    lab.until(lambda: lab.step, lambda now: now > step)


def test_two_tabs_watch_the_same_experiment_and_both_may_change_it(visits: Visits) -> None:
    profile = visits.profile()
    one, other = visits.page(profile).open(), visits.page(profile).open()
    assert one.stored["id"] == other.stored["id"]
    one.play.click()
    expect(other.pause).to_be_visible()
    other.until(lambda: other.step, lambda step: step > 20)
    other.card("gd").get_by_role("radio", name="SGD").click()
    expect(one.card("gd").get_by_role("radio", name="SGD")).to_be_checked()
    expect(one.rule("gd")).to_have_attribute("title", "batch of 1, rate 0.1")
    one.rest()
    expect(other.play).to_be_visible()
    other.until(lambda: other.step, lambda step: step == one.step)
    other.button("Add a run").click()
    expect(one.page.locator("race-table tbody tr")).to_have_count(3)
    one.button("Back to step 0 (R)").click()
    expect(other.counter).to_have_text("0")


PROBE = """
const told = [];
addEventListener("securitypolicyviolation", ({ effectiveDirective }) => told.push(effectiveDirective));
let ran = [];
try { new Function("return 1")(); ran.push("eval"); } catch { }
const inline = document.createElement("script");
inline.textContent = "window.__inline = true";
document.head.append(inline);
if (window.__inline) ran.push("inline");
document.head.append(Object.assign(document.createElement("style"), { textContent: "body { color: red }" }));
const image = new Image();
const done = () => setTimeout(() => {
    document.documentElement.dataset.probe = JSON.stringify({ told: [...new Set(told)].sort(), ran });
}, 50);
image.onload = done;
image.onerror = done;
image.src = "http://elsewhere.invalid/picture.png";
fetch("http://elsewhere.invalid/").then(() => ran.push("fetch"), () => {});
"""


def test_the_content_security_policy_is_in_force(open_lab: OpenLab) -> None:
    """Check that violations are reported, since every other test relies on it: the page's own script tries some."""
    lab = open_lab()
    lab.allow(
        "policy:",
        "Content Security Policy",
        "asked somebody else: http://elsewhere.invalid",
        "elsewhere.invalid",
    )
    lab.page.route("**/probe.js", lambda route: route.fulfill(content_type="text/javascript", body=PROBE))
    lab.page.evaluate(
        "() => void document.head.append(Object.assign(document.createElement('script'), { src: '/probe.js' }))"
    )
    probe = lab.until(
        lambda: lab.page.locator("html").get_attribute("data-probe"), lambda value: value is not None
    )
    assert (
        probe == '{"told":["connect-src","img-src","script-src","script-src-elem","style-src-elem"],"ran":[]}'
    )
    assert any(text.startswith("policy: ") for text in lab.complaints)


def test_the_page_loads_each_file_once_and_caches_it(visits: Visits) -> None:
    lab = visits.page(visits.profile(plotted=True)).open(drawn=True)
    assets = [url for url in lab.requests if "/assets/" in url]
    assert len(assets) == len(set(assets)) == 6  # and the icon, which browsers do not list
    sizes = lab.page.evaluate("""() => performance.getEntriesByType("resource")
        .filter(({ name }) => name.includes("/plotly-") && name.endsWith(".js"))
        .map(({ encodedBodySize, decodedBodySize }) => [encodedBodySize, decodedBodySize])""")
    assert sizes[0][0] < 0.4 * sizes[0][1]  # came compressed
    lab.page.reload()
    lab.wait(drawn=True)
    again = lab.page.evaluate("""() => performance.getEntriesByType("resource")
        .filter(({ name, transferSize }) => name.includes("/assets/") && transferSize > 0).map(({ name }) => name)""")
    assert again == []
    assert all(re.search(r"/assets/[a-z-]+-[A-Z0-9]{8}\.[a-z0-9]+$", url) for url in assets)
