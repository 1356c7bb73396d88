"""Links: sender and receiver see the same printed digits; visitors can only watch."""

from __future__ import annotations

import json
import re
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import Dashboard
from browser.test_travel import look_back_to, pill

ONLY_HERE = "Only this computer can open it."
IN_THE_NETWORK = "http://192.168.1.20:8000"
GOLDEN = sorted((Path(__file__).parents[1] / "golden/links").glob("*.json"))


def dialog(lab: Dashboard) -> Locator:
    return lab.page.get_by_role("dialog", name="Share")


def link_of(lab: Dashboard, kind: str = "moment") -> str:
    """Return the link of that kind from the dialog, which stays open."""
    if not dialog(lab).is_visible():
        lab.button("Share (S)").click()
    dialog(lab).locator(f"[role=radio][data-value={kind}]").click()
    box = dialog(lab).get_by_label("Link", exact=True)
    expect(box).to_have_value(re.compile("#watch=" if kind == "watch" else r"#x=1\."))
    ends = dialog(lab).locator("img.qr, .said:not(:empty)").or_(dialog(lab).get_by_text(ONLY_HERE))
    expect(ends.filter(visible=True).first).to_be_visible()
    return box.input_value()


def reached_at(lab: Dashboard, *addresses: str) -> None:
    """Let the page know these addresses, as on a server that listens in the network."""
    lab.page.route("**/api/v1/addresses", lambda route: route.fulfill(json={"addresses": addresses}))


def goes_to(visits: Visits, link: str) -> Dashboard:
    """Open a link as a new visitor."""
    lab = visits.tab()
    lab.page.goto(link)
    return lab


def rows(lab: Dashboard) -> list[str]:
    """Return the table's text without computing times."""
    return [" ".join(row.split()) for row in lab.page.locator("race-table tbody tr").all_inner_texts()]


def test_a_link_from_the_servers_own_machine_has_an_address_that_others_reach(open_lab: OpenLab) -> None:
    lab = open_lab()
    there = f"{IN_THE_NETWORK}/x"
    reached_at(lab, there, "http://a.local")
    for kind in ("moment", "watch"):
        link = link_of(lab, kind)
        assert link.startswith(f"{there}/#")
        assert read(dialog(lab).locator("img.qr")) == link
        expect(dialog(lab)).not_to_contain_text(ONLY_HERE)


def test_a_link_that_others_cannot_open_has_no_qr_code_but_the_way_to_let_them_in(open_lab: OpenLab) -> None:
    lab = open_lab()
    # the page knew an address of the network before it was gone
    reached_at(lab, IN_THE_NETWORK)
    link_of(lab)
    expect(dialog(lab).locator("img.qr")).to_be_visible()

    def codes_made() -> int:
        return sum(url.endswith("/api/v1/qr") for url in lab.requests)

    before = codes_made()
    lab.page.unroute("**/api/v1/addresses")
    for kind in ("watch", "moment", "recipe"):
        assert link_of(lab, kind).startswith(f"{lab.address}/#")
        expect(dialog(lab)).to_contain_text(
            f"{ONLY_HERE} To let others in, start the server with --host 0.0.0.0."
        )
        option = dialog(lab).locator("code", has_text="--host 0.0.0.0")
        assert option.evaluate("(words) => words.getClientRects().length") == 1, "it stays on one line"
        elsewhere = dialog(lab).get_by_text(
            "Elsewhere, append the part from # to another fallline's address."
        )
        expect(elsewhere).to_have_count(0 if kind == "watch" else 1)
        expect(dialog(lab).locator("img.qr")).to_be_hidden()
        expect(dialog(lab).get_by_role("button", name="Copy")).to_be_enabled()
    assert codes_made() == before, "no code is made that nobody sees"


PIXELS = """(image) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 600, height: 600 });
    const ink = canvas.getContext("2d");
    ink.drawImage(image, 0, 0, 600, 600);
    const { data } = ink.getImageData(0, 0, 600, 600);
    return Array.from({ length: 600 * 600 }, (_, place) => (data[4 * place] > 127 ? "1" : "0")).join("");
}"""


def read(code: Locator) -> str:
    """Decode the QR code, once it is loaded."""
    expect(code).to_be_visible()
    assert code.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)")
    pixels = np.frombuffer(code.evaluate(PIXELS).encode(), dtype=np.uint8).reshape(600, 600)
    pixels = np.where(pixels == ord("1"), 255, 0).astype(np.uint8)
    (barcode,) = zxingcpp.read_barcodes(pixels)
    return str(barcode.text)


def test_a_link_opens_elsewhere_as_the_same_experiment_at_the_same_step_in_the_same_view(
    open_lab: OpenLab, visits: Visits
) -> None:
    lab = open_lab()
    lab.make_steps(6)
    lab.ask("PATCH", "/runs/gd", {"batch_size": 32, "learning_rate": 0.02})
    lab.make_steps(9)
    lab.ask("POST", "/runs", {"name": "branch", "fork_of": "sgd", "at_step": 8, "learning_rate": 0.001})
    expect(lab.row("branch")).to_be_visible()
    lab.ask("POST", "/step", {"steps": 11, "run": "gd"})
    lab.until_is(lambda: lab.step, 26)
    lab.button("Axes").click()
    lab.page.get_by_role("menuitemradio", name="epochs").click()
    lab.page.keyboard.press("m")
    lab.settings("run sgd").get_by_role("button", name="Hide SGD in the charts").click()
    lab.page.keyboard.press("Escape")
    look_back_to(lab, 12)
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 12 (Branch at 8)")
    other = goes_to(visits, link_of(lab)).wait()
    expect(other.page.locator("race-table th.moment")).to_have_text("As of step 12 (Branch at 8)")
    # a fork's trend is known once its losses have arrived
    lab.until(lambda: rows(other), lambda lines: lines == rows(lab))
    expect(other.notice).to_contain_text("Opened from a link.")
    view = "JSON.parse(localStorage.getItem('fallline.view'))"
    for name, value in (("x", "epochs"), ("measure", "grad_l2")):
        assert other.page.evaluate(view)[name] == lab.page.evaluate(view)[name] == value
    expect(other.row("sgd")).to_have_class("hidden-run")
    lab.page.keyboard.press("Escape")
    for page in (lab, other):
        page.page.keyboard.press("l")
        expect(pill(page)).to_be_hidden()
    assert other.step == lab.step == 26
    # at the newest step each page shows its numbers once they arrive
    lab.until(lambda: (rows(other), rows(lab)), lambda lines: lines[0] == lines[1])
    assert "#" not in other.page.url
    assert other.stored["id"] != lab.stored["id"]
    same = [one.ask("GET") for one in (lab, other)]
    assert [run["latest"] for run in same[0]["runs"]] == [run["latest"] for run in same[1]["runs"]]
    assert [run["edits"] for run in same[0]["recipe"]["runs"]] == [
        run["edits"] for run in same[1]["recipe"]["runs"]
    ]


def losses_shown(lab: Dashboard, run: str) -> list[str]:
    return [lab.row(run).locator(cell).inner_text() for cell in ("td.loss", "td.test")]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_old_link_still_opens_with_the_same_view(path: Path, visits: Visits, address: str) -> None:
    golden = json.loads(path.read_text())
    lab = goes_to(visits, f"{address}/#{golden['fragment']}").wait()
    moment = lab.page.locator("race-table th.moment")
    lab.until_is(lambda: re.sub("^As of", "At", moment.inner_text()).replace("\u00a0", " "), golden["moment"])
    for run, losses in golden["losses"].items():
        # a frame ends a step earlier: the losses of the step itself come with the next answer
        lab.until_is(partial(losses_shown, lab, run), losses)


def test_the_qr_code_contains_the_link(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(3)
    reached_at(lab, IN_THE_NETWORK)
    for kind in ("moment", "recipe", "watch"):
        link = link_of(lab, kind)
        assert len(link) < 1_200
        assert read(dialog(lab).locator("img.qr")) == link
    requests = "\n".join(lab.requests)
    assert "x=1." not in requests
    assert "watch=" not in requests


CHANGING = """() => [...document.querySelectorAll("transport-bar, .rail.recipe, loss-head, race-table")]
    .flatMap((part) => [...part.querySelectorAll("button, input, select")])
    .filter((each) => each.checkVisibility() && !each.disabled && !each.closest(":disabled"))
    .map((each) => each.getAttribute("aria-label") ?? each.textContent.trim())"""

LOOKING = re.compile(
    "^Data |^Network |Settings of|Time travel|Live|Axes|Line by line|Go to step|^Loss$|^Fall line$|^Make it mine"
)


def test_a_visitor_who_watches_sees_everything_live_and_changes_nothing(
    open_lab: OpenLab, visits: Visits
) -> None:
    lab = open_lab()
    lab.make_steps(30)
    guest = goes_to(visits, link_of(lab, "watch"))
    lab.page.keyboard.press("Escape")
    line = guest.page.locator("watch-line")
    expect(line).to_contain_text("You are watching. Only the owner can change it.")
    expect(guest.counter).to_have_attribute("title", "30")
    assert [name for name in guest.page.evaluate(CHANGING) if not LOOKING.search(name)] == []
    for key in (" ", "r", "g", "o", "ArrowRight"):
        guest.page.keyboard.press(key)
    # the owner's actions show
    lab.rate("GD").fill("0.02")
    lab.rate("GD").press("Enter")
    lab.play.click()
    guest.until(lambda: guest.step, lambda step: step > 40)
    lab.rest()
    guest.until(lambda: rows(guest), lambda value: value == rows(lab))
    expect(guest.rate("GD")).to_have_value("0.02")
    # an edited exhibit is an exhibit no more, and it is not the visitor's own
    for page, title in ((lab, "Your own experiment"), (guest, "Shared experiment")):
        heading = page.page.locator("exhibit-picker button")
        expect(heading).to_have_text(title)
    expect(heading).to_have_accessible_name("Shared experiment")
    # the view is one's own: past steps, other axes
    guest.page.keyboard.press("x")
    look_back_to(guest, 12)
    expect(guest.page.locator("race-table th.moment")).to_have_text("As of step 12")
    expect(pill(lab)).to_be_hidden()
    guest.page.keyboard.press("l")
    # the same, as an own experiment
    before = rows(guest)
    guest.page.locator("recipe-rail").get_by_role("button", name="Make it mine: a copy").click()
    expect(line).to_be_hidden()
    guest.wait()
    guest.until_is(lambda: rows(guest), before)
    assert guest.stored["id"] != lab.stored["id"]
    guest.make_steps(5)
    assert lab.step == guest.step - 5


def darkest(part: Locator) -> int:
    """Return the lightness of its darkest pixel, 0 to 255."""
    with Image.open(BytesIO(part.screenshot(animations="disabled"))) as image:
        return int(np.asarray(image.convert("L")).min())


def test_a_visitor_who_bets_waits_for_the_owners_play(open_lab: OpenLab, visits: Visits) -> None:
    lab = open_lab()
    guest = goes_to(visits, link_of(lab, "watch"))
    hint = guest.page.locator("exhibit-question .muted")
    expect(hint).to_have_text("Bet before the owner plays.")
    guest.page.locator("exhibit-question button").first.click()
    expect(hint).to_have_text("The owner presses play.")


def test_a_visitors_controls_are_visibly_locked(open_lab: OpenLab, visits: Visits) -> None:
    lab = open_lab()
    lab.make_steps(30)
    guest = goes_to(visits, link_of(lab, "watch"))
    lab.page.keyboard.press("Escape")
    expect(guest.counter).to_have_attribute("title", "30")
    padlock = guest.page.locator("[data-icon=lock]")
    # in place of play, one step, reset and speed
    deck = guest.page.get_by_role("region", name="Transport")
    watching = deck.get_by_role("button", name="Watching", exact=True)
    expect(watching).to_be_disabled()
    expect(watching.locator(padlock)).to_be_visible()
    for name in ("Play (Space)", "1 step (right arrow)", "Back to step 0 (R)"):
        expect(lab.button(name)).to_be_visible()
        expect(guest.button(name)).to_have_count(0)
    expect(lab.page.get_by_role("slider", name="Speed")).to_be_visible()
    expect(deck.get_by_role("slider", name="Speed")).to_have_count(0)
    # looking back, one's own view still goes on
    guest.page.keyboard.press("ArrowLeft")
    guest.page.keyboard.press("ArrowLeft")
    expect(guest.page.locator("race-table th.moment")).to_have_text("As of step 28")
    guest.button("1 step (right arrow)").click()
    expect(guest.page.locator("race-table th.moment")).to_have_text("As of step 29")
    guest.page.keyboard.press("l")
    expect(guest.button("1 step (right arrow)")).to_have_count(0)
    # a run's card: grey, and a padlock opens its settings to read
    for part in ("input[type=range]", "[role=radiogroup]", "input.number"):
        own, others = (each.card("gd").locator(part) for each in (lab, guest))
        assert darkest(own) < 45, part
        assert darkest(others) > 90, part
    underline = "(box) => getComputedStyle(box).borderBottomColor"
    assert guest.rate("GD").evaluate(underline) == "rgba(0, 0, 0, 0)" != lab.rate("GD").evaluate(underline)
    opener = guest.button("Settings of GD")
    expect(opener.locator(padlock)).to_be_visible()
    expect(lab.button("Settings of GD").locator("[data-icon=more]")).to_be_visible()
    opener.click()
    expect(guest.button("Fork here")).to_be_disabled()
    expect(guest.rate("GD")).to_be_disabled()
    guest.page.keyboard.press("Escape")
    # presenting
    guest.page.keyboard.press("p")
    controls = guest.page.get_by_role("group", name="Presenting")
    expect(controls.get_by_role("button", name="Watching", exact=True)).to_be_disabled()
    expect(controls.get_by_role("button", name="Play (Space)")).to_have_count(0)
    guest.page.keyboard.press("p")
    # a copy in place of another run
    rail = guest.page.get_by_role("complementary", name="Recipe")
    expect(rail.get_by_role("button", name="Add a run")).to_have_count(0)
    rail.get_by_role("button", name="Make it mine: a copy").click()
    guest.wait()
    expect(padlock).to_have_count(0)
    expect(rail.get_by_role("button", name="Add a run")).to_be_enabled()


def test_who_watches_a_deleted_experiment_is_offered_a_copy_and_stays_at_its_last_step(
    open_lab: OpenLab,
) -> None:
    lab, guest = open_lab(), open_lab()
    lab.make_steps(300)
    guest.page.goto(link_of(lab, "watch"))
    expect(guest.page.locator("watch-line")).to_be_visible()
    expect(guest.counter).to_have_text("300")
    lab.ask("DELETE")
    expect(guest.strip).to_contain_text("The server no longer has this experiment. The page shows its last")
    guest.page.keyboard.press(",")
    expect(guest.notice).to_contain_text("Looking back needs the server.")
    expect(guest.counter).to_have_text("300")
    guest.page.get_by_role("radio", name="Fall line").click()
    expect(guest.page.locator(".fall-waiting")).to_have_text("The fall line needs the server.")
    guest.strip.get_by_role("button", name="Make it mine: a copy").click()
    expect(guest.strip).to_have_count(0)
    expect(guest.play).to_be_enabled()
    expect(guest.counter).to_have_text("0")


def test_a_reload_keeps_watching_and_the_page_without_the_link_has_ones_own(
    open_lab: OpenLab, visits: Visits
) -> None:
    lab, guest = open_lab(), open_lab()
    mine = guest.stored["id"]
    guest.page.goto(link_of(lab, "watch"))
    line = guest.page.locator("watch-line")
    expect(line).to_be_visible()
    guest.page.keyboard.press("Tab")
    guest.page.locator(".skip").click()
    expect(guest.page).to_have_url(re.compile("#watch="))
    guest.page.reload()
    expect(line).to_be_visible()
    line.get_by_role("button", name="Back to mine").click()
    expect(line).to_be_hidden()
    assert "#" not in guest.page.url
    assert guest.wait().stored["id"] == mine
    guest.page.goto(f"{guest.address}/#watch=nobody")
    guest.allow("404")
    expect(guest.strip).to_contain_text("The experiment to watch is not there.")
    assert guest.stored["id"] == mine


def test_opening_a_link_over_ones_own_experiment_can_be_undone(open_lab: OpenLab, visits: Visits) -> None:
    lab, other = open_lab(), open_lab()
    lab.make_steps(8)
    other.make_steps(3)
    mine = other.stored["id"]
    other.page.goto(link_of(lab))
    other.until_is(lambda: other.step, 8)
    other.notice.get_by_role("button", name="Undo").click()
    other.until_is(lambda: (other.stored["id"], other.step), (mine, 3))
    other.page.goto(link_of(lab)[:-30])
    expect(other.strip).to_contain_text("This link cannot be opened. It is incomplete")
    assert (other.stored["id"], other.step) == (mine, 3)
    # the experiment left for it is still there
    other.page.keyboard.press("s")
    dialog(other).get_by_role("button", name="Back to the experiment before the link").click()
    other.until_is(lambda: other.step, 8)


def test_the_link_is_copied(open_lab: OpenLab) -> None:
    lab = open_lab(permissions=["clipboard-read", "clipboard-write"])
    link = link_of(lab)
    dialog(lab).get_by_role("button", name="Copy").click()
    expect(dialog(lab).locator(".said")).to_have_text("Copied.")
    assert lab.page.evaluate("navigator.clipboard.readText()") == link
    # a page loaded by http from another computer has no clipboard
    link = link_of(lab, "recipe")
    lab.page.evaluate("""() => {
        window.__clipboard = navigator.clipboard;
        Object.defineProperty(navigator, "clipboard", { value: undefined });
    }""")
    dialog(lab).get_by_role("button", name="Copy").click()
    expect(dialog(lab).locator(".said")).to_have_text("Copied.")
    assert lab.page.evaluate("window.__clipboard.readText()") == link
    lab.page.keyboard.press("Escape")
    assert lab.focused == "Share (S)"
