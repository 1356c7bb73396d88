"""A translation with words 40 % longer breaks nothing: the page is built with one, and looked at in its main states."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Visits
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_questions import HAPPENED
from browser.test_stage import HEIGHTS, PLACES, SIZES, TOLERANCE
from support.longer_words import ENGLISH, longer, translated_server

SHORT = (960, 540)

# Faults of visible texts and controls: they are outside the window, cut, over each other, or lack one of the marks «
# and » around each translated text. Some parts are cut by design and do not count: `.fitting` hides whole parts at
# its end. Code and tables scroll in their own boxes, and a link in a sentence reaches into the lines around it.
FAULTS = """(within) => {
    const faults = new Set();
    const wide = document.documentElement.clientWidth;
    const name = (each) => `${each.localName}.${each.className?.baseVal ?? each.className}`;
    const isUnseen = (each) => each && (getComputedStyle(each).clipPath !== "none" || isUnseen(each.parentElement));
    const { scrollWidth } = document.documentElement;
    const isSeen = (each) =>
        each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !isUnseen(each);
    if (scrollWidth > wide) faults.add(`the page scrolls sideways: ${scrollWidth}`);
    for (const each of document.querySelectorAll(`${within}, ${within} *`)) {
        const { overflowX } = getComputedStyle(each);
        if (/auto|scroll/.test(overflowX) && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 1
            && !each.matches("pre, .equation, .preview, .line-view, .line-list, .grid"))
            faults.add(`scrolls sideways: ${name(each)}`);
    }
    /** What can be seen of a box, and what cuts it across or down. */
    const seenOf = (element, { left, right, top, bottom }) => {
        const seen = { left, right, top, bottom, cutBy: null, isLeftOut: false };
        let [isScrolledAcross, isScrolledDown] = [false, false];
        let { position } = getComputedStyle(element);
        for (let at = element; at && at !== document.body; at = at.parentElement) {
            const look = getComputedStyle(at);
            const isOut = position === "fixed" || (position === "absolute" && look.position === "static");
            if (!(isOut && at !== element) && look.display !== "contents" && look.display !== "inline") {
                const box = at.getBoundingClientRect();
                if (look.overflowX !== "visible") {
                    const isCut = seen.right > box.right + 1 || seen.left < box.left - 1;
                    if (/auto|scroll/.test(look.overflowX)) isScrolledAcross = true;
                    else if (isCut && !isScrolledAcross && !at.matches(".fitting")) seen.cutBy ??= at;
                    seen.left = Math.max(seen.left, box.left);
                    seen.right = Math.min(seen.right, box.right);
                }
                if (look.overflowY !== "visible") {
                    const isCut = seen.bottom > box.bottom + 4 || seen.top < box.top - 4;
                    if (/auto|scroll/.test(look.overflowY)) isScrolledDown = true;
                    else if (isCut && !isScrolledDown && !at.matches(".fitting")) seen.cutBy ??= at;
                    seen.top = Math.max(seen.top, box.top);
                    seen.bottom = Math.min(seen.bottom, box.bottom);
                    seen.isLeftOut ||= at.matches(".fitting") && seen.bottom - seen.top <= 4;
                }
                position = look.position === "static" ? position : look.position;
            }
        }
        return seen;
    };
    const isOver = (one, other, across, down) =>
        Math.min(one.right, other.right) - Math.max(one.left, other.left) > across &&
        Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > down;
    /** The bar, or the controls of a presentation, under which the rest moves. */
    const isLayer = (each) => each.matches(".present-controls") || /sticky|fixed/.test(getComputedStyle(each).position);
    const layerOf = (each) => (!each || isLayer(each) ? each : layerOf(each.parentElement));
    const isApart = (one, other) => layerOf(one) !== layerOf(other);

    const texts = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode;
        const element = text.parentElement;
        if (!text.data.trim() || !element.closest(within)) continue;
        if (element.closest("script, style, option, noscript, title") || !isSeen(element)) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        const boxes = [...range.getClientRects()].filter(({ width }) => width > 1);
        const isWord = !/[\\s-]/.test(text.data.trim()) && !element.closest(".block"); // narrow by design
        if (isWord && boxes.length > 1 && boxes[0].top !== boxes[1].top)
            faults.add(`a word on two lines: ${text.data}`);
        for (const box of boxes) {
            const seen = seenOf(element, box);
            if (seen.cutBy && !seen.isLeftOut) faults.add(`cut by ${name(seen.cutBy)}: ${text.data}`);
            if (seen.right - seen.left <= 1 || seen.bottom - seen.top <= 4) continue;
            if (seen.right > wide + 1 || seen.left < -1) faults.add(`outside the window: ${text.data}`);
            const control = element.closest("button, .switch, th, td, h1, h2")?.getBoundingClientRect();
            if (control && (seen.right > control.right + 1 || seen.left < control.left - 1))
                faults.add(`outside its control: ${text.data}`);
            if (!element.closest("svg")) texts.push({ text, element, seen });
        }
        if (/[«»]/.test(text.data)) {
            const isWhole = ({ textContent }) => textContent.split("«").length === textContent.split("»").length;
            let at = element;
            for (let k = 0; k < 4 && !isWhole(at); k++) at = at.parentElement;
            if (!isWhole(at)) faults.add(`without its end: ${text.data}`);
        }
    }
    for (const [k, one] of texts.entries())
        for (const other of texts.slice(k + 1)) {
            if (one.text === other.text || !isOver(one.seen, other.seen, 1, 4)) continue;
            if (isApart(one.element, other.element)) continue;
            faults.add(`over each other: ${one.text.data} | ${other.text.data}`);
        }

    const controls = [...document.querySelectorAll(`:is(${within}) :is(button, a[href], input, select, summary)`)]
        .filter((each) => isSeen(each) && !each.closest(".skip, time-scrubber, svg") && !each.matches("p .as-link"))
        .filter((each) => getComputedStyle(each).pointerEvents !== "none")
        .flatMap((each) => [...each.getClientRects()].map((box) => ({ each, seen: seenOf(each, box) })))
        .filter(({ seen }) => seen.right > seen.left && seen.bottom > seen.top);
    const named = ({ each }) => each.getAttribute("aria-label") ?? (each.textContent.trim() || name(each));
    for (const [k, one] of controls.entries())
        for (const other of controls.slice(k + 1)) {
            if (one.each.contains(other.each) || !isOver(one.seen, other.seen, 1.5, 2.5)) continue;
            if (isApart(one.each, other.each)) continue;
            faults.add(`controls over each other: ${named(one)} | ${named(other)}`);
        }
    for (const { text, element, seen } of texts)
        for (const one of controls) {
            if (one.each.contains(element) || element.contains(one.each) || !isOver(seen, one.seen, 1, 4)) continue;
            if (isApart(one.each, element)) continue;
            faults.add(`under a control: ${text.data} | ${named(one)}`);
        }
    return [...faults];
}"""

# Words outside « and », in texts and in names that are read aloud. Code is in the language of programs.
STRAY = """() => {
    const aria = ["label", "description", "roledescription", "valuetext"].map((name) => `aria-${name}`);
    const READ = [...aria, "title", "placeholder", "alt"];
    const own = (text) => {
        let rest = text;
        for (let before = ""; before !== rest; ) rest = (before = rest).replace(/«[^«»]*»/g, "·");
        return rest.split("·").map((part) => part.trim()).filter((part) => /\\p{L}{2}/u.test(part));
    };
    const wordsOf = (node) => node.nodeType === 3 ? node.data
        : node.matches?.("pre, code, kbd, script, style, noscript") ? " " : [...node.childNodes].map(wordsOf).join("");
    const found = new Set();
    for (const each of document.querySelectorAll("body *")) {
        if (each.closest("script, style, noscript")) continue;
        for (const name of READ) own(each.getAttribute(name) ?? "").forEach((text) => found.add(text));
        if (getComputedStyle(each).fontFamily.includes("monospace") || each.closest("pre, code, kbd")) continue;
        if (![...each.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim())) continue;
        const around = each.closest(".term")?.parentElement; // of which a term is a piece
        const isSentence = around && [...around.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim());
        const whole = isSentence ? around : each;
        own(wordsOf(whole)).forEach((text) => found.add(text));
    }
    return [...found];
}"""

# In every language the same: names of programs, methods and files, and what stands for numbers.
SAME = re.compile(
    r"fallline|S?GD[\d.]*|Adam|NumPy|PyTorch|LeCun|XOR|CSV|PNG|SVG|JSON|QR|relu|identity|tanh|sigmoid|ms|lr|y_pred|log|R²|Σ|Xβ"
    r"|d?[WbzaxXyPN]\d*"
)
CODE = re.compile(r"\w+ -?= .+")


@pytest.fixture(scope="session")
def translation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the translated page."""
    with translated_server(tmp_path_factory.mktemp("translation")) as address:
        yield address


class Reader:
    """Looks at the translated page, and collects the words that are not translated."""

    def __init__(self, lab: Dashboard) -> None:
        self.lab = lab
        self.stray: set[str] = set()
        self.sent: set[str] = set()

    def look(self, state: str, within: str = "body", *, stage: bool = False) -> None:
        """Wait until nothing is wrong, as a page needs a moment to lay out what came."""
        page = self.lab.page
        try:
            self.lab.until(lambda: page.evaluate(FAULTS, within), lambda faults: not faults, patience=4)
        except AssertionError:
            faults = page.evaluate(FAULTS, within)
            assert not faults, "\n".join([f"{state}:", *faults])
        self.stray.update(page.evaluate(STRAY))
        if stage:
            self.lab.until_is(lambda: (state, self._misplaced()), (state, []))

    def _misplaced(self) -> list[str]:
        """Return the parts of the stage that have too little room."""
        size = self.lab.page.viewport_size
        assert size
        width, height = size["width"], size["height"]
        places: dict[str, Any] = self.lab.page.evaluate(PLACES)
        fits = {
            "height of the transport": places["transport"]["height"] <= height / 6,
            "end of the transport": places["transport"]["bottom"] <= height + 0.5,
            "height of the loss chart": places["loss"] >= HEIGHTS[width, height] - TOLERANCE,
        }
        return [f"{what}: {places}" for what, fit in fits.items() if not fit]

    def hear(self) -> None:
        """Note every text of the server's answers at present."""
        self.sent.update(sent_by(self.lab))

    def left(self) -> list[str]:
        """The words that neither the server sends nor all languages share."""
        texts = self.sent

        whole = sorted({text for text in texts if " " in text}, key=len, reverse=True)

        def is_known(text: str) -> bool:
            for sentence in whole:
                text = text.replace(sentence, " ")
            words = re.findall(r"(?<![\w.])[^\W\d_][\w.]*", text)
            return all(SAME.fullmatch(word) or word in texts for word in words)

        return sorted(text for text in self.stray if not CODE.fullmatch(text) and not is_known(text))


def texts_in(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, dict):
        for name, value in answer.items():
            yield name.replace("_", " ")
            yield from texts_in(value)
    elif isinstance(answer, list):
        for each in answer:
            yield from texts_in(each)


def sent_by(lab: Dashboard) -> list[str]:
    """Every text of the server's answers, also as the page begins a sentence with it."""
    catalog = httpx.get(f"{lab.address}/api/v1/catalog").json()
    story = httpx.get(
        f"{lab.address}/api/v1/exhibits/notebook/story", params={"experiment": lab.stored["id"]}
    )
    texts = [*texts_in(catalog), *texts_in(lab.ask("GET")), *texts_in(story.json())]
    texts += [text.replace("_", " ") for text in texts] + [text.rstrip(".") for text in texts]
    return [*texts, *(text[:1].upper() + text[1:] for text in texts)]


OpenTranslation = Callable[..., Reader]


@pytest.fixture
def open_translation(visits: Visits, translation: str) -> OpenTranslation:
    def opened(size: tuple[int, int]) -> Reader:
        lab = visits.page(visits.profile(size), translation).open(drawn=True)
        return Reader(lab)

    return opened


def at_rest(lab: Dashboard) -> None:
    """Wait for the steps made before a pause."""
    lab.until(
        lambda: (lab.step, lab.ask("GET")["runs"]),
        lambda now: (
            all(run["status"] != "playing" for run in now[1]) and now[0] == max(run["step"] for run in now[1])
        ),
    )


def drawn(lab: Dashboard) -> None:
    """Wait until the charts and the Doctor show the page's step."""
    lab.ask("GET", wait=20)
    step = str(lab.step)
    for kind in ("loss", "gradients"):
        lab.until_is(lambda: lab.chart(kind).get_attribute("data-last-step"), step)  # noqa: B023


def test_every_text_becomes_longer_and_holes_stay() -> None:
    assert longer('export const play = "Play";') == 'export const play = "«Plàÿöö»";'
    assert longer("export const stepX = (step: Part) => `Step ${step} of ${of}.`;") == (
        "export const stepX = (step: Part) => `«Stépöö ${step} ôfö ${of}.»`;"
    )
    assert longer('export const tail = " ${n === 1 ? \\"is\\" : 2}";').startswith('export const tail = " «')
    assert longer('export const formulaOfHalf =\n  "half = loss / 2  # shown";') == (
        'export const formulaOfHalf =\n  "half = loss / 2  # «shôwnöö»";'
    )
    for line in (
        'export const language = "en";',
        'const A = new Intl.NumberFormat("en-US");',
        '/** "Play" */',
        'const b = { "as is": /x y/ };',
    ):
        assert longer(line) == line
    english = ENGLISH.read_text()
    names = re.compile(r"^export const (\w+)", re.MULTILINE)
    assert names.findall(longer(english)) == names.findall(english)
    assert len(re.findall("«", longer(english))) > 1000


def flow_base(reader: Reader) -> None:
    lab = reader.lab
    reader.look("the question", stage=True)
    lab.page.locator("button.play").click()
    lab.until(lambda: lab.step, lambda step: step > 0)
    reader.look("playing", stage=True)
    lab.page.locator("button.play[data-playing=true]").click()
    at_rest(lab)
    lab.make_steps(300)
    drawn(lab)
    expect(lab.page.locator("doctor-list .finding").first).to_be_attached()
    reader.look("paused, with findings", stage=True)
    reader.hear()


def flow_panels(reader: Reader) -> None:
    lab, page = reader.lab, reader.lab.page
    press = page.keyboard.press
    for _ in range(20):
        press("]")
    page.locator("button.play").click()
    expect(page.locator("what-happened")).to_have_attribute("data-open", "", timeout=HAPPENED)
    at_rest(lab)
    drawn(lab)
    reader.look("what happened")
    reader.hear()

    for key, dialog in (("s", "share-dialog"), ("?", "help-dialog"), ("a", "summary-dialog")):
        press(key)
        expect(page.get_by_role("dialog").first).to_be_visible()
        reader.look(dialog, f"{dialog} dialog")
        if dialog == "help-dialog":
            page.locator("help-dialog [role=radio]").first.click()
            reader.look("all words", "help-dialog dialog")
        press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)

    def toggled(key: str, opens: str, what: str, closes: str = "Escape", **where: Any) -> None:
        press(key)
        expect(page.locator(opens).first).to_be_visible()
        reader.look(what, **where)
        press(closes)
        expect(page.locator(opens).first).not_to_be_visible()

    toggled("y", "[role=menu]", "the axes", within="[role=menu]")
    toggled("v", ".fall-ground", "the fall line", "v", stage=False)
    toggled("i", ".equation", "line by line", "i", within="step-inspector")
    toggled("p", ".present-controls", "presenting", within=":is(present-view, .stage)")

    opener = page.locator("transport-bar .on-sheet")
    for of in ("data", "network", "run sgd"):
        if opener.is_visible() and not page.locator(f'[data-opens="{of}"]').is_visible():
            opener.click()
        page.locator(f'[data-opens="{of}"]').click()
        expect(page.locator("recipe-rail .settings")).to_be_visible()
        reader.look(f"settings of {of}", "recipe-rail")
        press("Escape")
        expect(page.locator("recipe-rail .settings")).to_have_count(0)
    if page.locator("[data-sheet]").count():
        press("Escape")

    lab.ask("PATCH", "/runs/gd", {"learning_rate": 100.0})
    lab.ask("POST", "/step", {"steps": 20})
    expect(page.locator("status-strip .strip")).to_be_visible()
    reader.look("a diverged run")
    reader.hear()
    lab.ask("POST", "/reset", {})
    lab.until_is(lambda: lab.step, 0)
    reader.look("an experiment of one's own, before the first step")


@pytest.mark.parametrize("size", SIZES)
def test_words_40_percent_longer_leave_the_charts_their_room(
    open_translation: OpenTranslation, size: tuple[int, int]
) -> None:
    reader = open_translation(size)
    flow_base(reader)
    assert reader.left() == []


@pytest.mark.parametrize("size", [DESKTOP, SHORT, PHONE])
def test_words_40_percent_longer_break_no_panel_no_dialog_and_no_message(
    open_translation: OpenTranslation, size: tuple[int, int]
) -> None:
    reader = open_translation(size)
    flow_panels(reader)
    assert reader.left() == []


@pytest.mark.parametrize("size", [DESKTOP, SHORT, PHONE])
def test_words_40_percent_longer_leave_a_long_run_and_eight_runs_whole(
    open_translation: OpenTranslation, size: tuple[int, int]
) -> None:
    reader = open_translation(size)
    lab = reader.lab
    lab.ask("PATCH", "/runs/gd", {"l2": 0.0})
    lab.make_steps(3_000)
    drawn(lab)
    expect(lab.page.locator("run-overview")).to_be_visible()
    reader.look("a long run")
    lab.ask("POST", "/reset", {})
    for rate in range(1, 7):
        lab.ask(
            "POST", "/runs", {"name": f"run-{rate}", "label": f"Rate {rate}", "learning_rate": rate / 100}
        )
    lab.until_is(lambda: lab.step, 0)
    lab.make_steps(100)
    drawn(lab)
    reader.look("eight runs")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_page_of_the_check_holds_words_40_percent_longer(
    visits: Visits, translation: str, size: tuple[int, int]
) -> None:
    page: Page = visits.profile(size).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{translation}/check")
    expect(page.locator(".button:not(:disabled)").first).to_be_visible()
    assert page.evaluate(FAULTS, "body") == []
    assert page.title().startswith("«")
    own = [text for text in page.evaluate(STRAY) if not re.search(r"^(WebSocket|Chromium|[\w.:/]+)\b", text)]
    assert own == []
    assert complaints == []


def test_the_measure_finds_planted_faults(open_translation: OpenTranslation) -> None:
    reader = open_translation(DESKTOP)
    page = reader.lab.page
    reader.look("the question")
    plant = """([style, text, of]) => {
        const made = Object.assign(document.createElement("div"), { id: "planted", innerHTML: text });
        made.style.cssText = style;
        document.querySelector(of).append(made);
    }"""
    rail, line = ".rail.recipe", "overflow: hidden; white-space: nowrap"
    beyond = "position: fixed; top: 500px; left: 1400px; white-space: nowrap"
    pair = "<button>one</button><button style='margin-left: -20px'>two</button>"
    for style, text, of, expected in (
        (beyond, "«words beyond it»", "body", "outside the window"),
        (f"width: 40px; {line}", "«words that are cut»", rail, "cut by div."),
        ("height: 14px; overflow: hidden; width: 90px", "«words on the lines below»", rail, "cut by div."),
        ("position: relative; top: -40px; height: 0", "«over other words»", "recipe-rail", "over each other"),
        ("", "«words without an e…", rail, "without its end"),
        ("", pair, rail, "controls over"),
        ("width: 80px; overflow: auto; white-space: nowrap", "«words that go on»", rail, "scrolls sideways"),
    ):
        page.evaluate(plant, [style, text, of])
        faults = page.evaluate(FAULTS, "body")
        assert any(expected in fault for fault in faults), (expected, faults)
        page.evaluate("document.querySelector('#planted').remove()")
    page.evaluate(plant, ["", "Words of no <i title='nor this'>file</i>", ".rail.recipe"])
    reader.stray.update(page.evaluate(STRAY))
    reader.hear()
    assert reader.left() == ["Words of no file", "file", "nor this"]
