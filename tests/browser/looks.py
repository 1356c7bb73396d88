"""The screens of the page as images: which there are, and how a browser comes to each.

    python tests/browser/looks.py [TITLES]

takes them (else all) anew into tests/browser/screens. An image that still looks the same stays.

Each screen is a fresh page on an experiment at rest. So it depends on the experiment alone, and neither on the moment
of a frame nor on the page before.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

import httpx  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import BrowserType, Page, expect, sync_playwright  # noqa: E402

from browser.chromium import launch  # noqa: E402
from browser.dashboard import DESKTOP, PHONE, Dashboard  # noqa: E402
from browser.likeness import Place, differences  # noqa: E402
from browser.tabs import PHONES, Kind, new_profile  # noqa: E402
from fallline.runs.checks.recipe import check_recipe  # noqa: E402
from fallline.vocabulary.exhibits import EXHIBITS  # noqa: E402
from support.aliases import Json  # noqa: E402
from support.page import page_built  # noqa: E402
from support.serving import open_program, serving  # noqa: E402

IMAGES = ROOT / "tests" / "browser" / "screens"
FULL_DISK = ROOT / "tests" / "support" / "full_disk.py"

# --- experiments ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """An experiment that has made its steps."""

    recipe: str
    steps: int = 0
    bet: str | None = None
    is_unsaved: bool = False
    is_apart: bool = False
    """Made for one test that changes it."""


def _exhibit(name: str) -> Json:
    return check_recipe(EXHIBITS[name].recipe).as_json()


def _notebook(**parts: Any) -> Json:
    return {**_exhibit("notebook"), **parts}


def _relu(*units: int) -> Json:
    layers = [{"units": each, "activation": "relu"} for each in units]
    return {"layers": layers, "weights": "he_normal", "biases": "zeros", "seed": 1}


_GD: Json = {"name": "gd", "learning_rate": 0.1}
_SGD: Json = {"name": "sgd", "learning_rate": 0.1, "batch_size": 1}
_ADAM: Json = {"name": "adam", "optimizer": "adam", "learning_rate": 0.01, "batch_size": 32}
_ONE_INPUT: Json = {
    "data": {"name": "sine", "samples": 120, "features": 1, "noise": 0.1, "test_fraction": 0.25},
    "network": {"layers": [{"units": 8, "activation": "tanh"}], "weights": "xavier"},
    "runs": [_GD, {**_SGD, "learning_rate": 0.02}],
}

RECIPES: dict[str, Json] = {
    "notebook": _exhibit("notebook"),
    "momentum": _exhibit("momentum"),
    "spirals": _exhibit("spirals"),
    "sine": _ONE_INPUT,
    "surface": {**_ONE_INPUT, "data": {**_ONE_INPUT["data"], "features": 2}},
    "wide": _notebook(network=_relu(64, 64), runs=[{**_GD, "learning_rate": 0.06}]),
    "deep": _notebook(
        network=_relu(*[8] * 8), runs=[{**each, "learning_rate": 0.02} for each in (_GD, _SGD)]
    ),
    "eight": _notebook(
        runs=[
            _GD,
            _SGD,
            {"name": "mini", "learning_rate": 0.1, "batch_size": 32},
            {"name": "momentum", "optimizer": "momentum", "learning_rate": 0.02},
            _ADAM,
            {"name": "rmsprop", "optimizer": "rmsprop", "learning_rate": 0.005, "batch_size": 32},
            {"name": "adagrad", "optimizer": "adagrad", "learning_rate": 0.05},
            {"name": "gd-slow", "learning_rate": 0.01},
        ]
    ),
}

FIRST = Made("notebook")
PLAYED = Made("notebook", 300)
ENDED = Made("notebook", 500, bet="sgd")

# --- screens ----------------------------------------------------------------------------------------------------------

Size = tuple[int, int]
WALL: Size = (1920, 1080)
SHORT: Size = (1366, 650)
ZOOMED: Size = (960, 540)
TABLET: Size = (768, 1024)
LYING: Size = (844, 390)
SMALL: Size = (320, 568)
A4: Size = (794, 1123)
SIZES: tuple[Size, ...] = (WALL, DESKTOP, SHORT, ZOOMED, TABLET, LYING, PHONE, SMALL)

Reach = Callable[[Dashboard], object]


def _as_opened(_: Dashboard) -> None:
    """Leave the page as it opens."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A state of the page at a size. `reach` comes to it from the experiment's page, when all its steps are drawn."""

    name: str
    size: Size
    made: Made
    reach: Reach = _as_opened
    is_dark: bool = False
    address: str = "/"
    """What is opened, with `{id}` for the experiment's. With it in the address, it is watched."""

    @property
    def title(self) -> str:
        width, height = self.size
        return f"{self.name}-{width}x{height}{'-dark' if self.is_dark else ''}"

    @property
    def path(self) -> Path:
        return IMAGES / f"{self.title}.webp"

    @property
    def image(self) -> Image.Image:
        with Image.open(self.path) as image:
            return image.convert("RGB")


def _pressed(*keys: str) -> Reach:
    def reach(lab: Dashboard) -> None:
        for key in keys:
            lab.page.keyboard.press(key)
            settle(lab)

    return reach


def _fall_line(lab: Dashboard) -> None:
    picture = lab.page.get_by_role("radiogroup", name="Picture", exact=True)
    picture.get_by_role(
        "radio", name="Both" if lab.page.evaluate("innerWidth > 1680") else "Fall line"
    ).click()
    _measured_anew(lab)


def _measured_anew(lab: Dashboard) -> None:
    """Wait for the terrain, and for the one that fits the present paths alone."""
    step = str(lab.page.locator("plotly-chart[kind=loss]").get_attribute("data-last-step"))
    expect(lab.page.locator(".fall-ground")).to_have_attribute("data-plane-steps", f"{step} {step}")
    settle(lab)
    _blurred(lab)
    lab.page.keyboard.press("0")
    settle(lab)


def _blurred(lab: Dashboard) -> None:
    lab.page.evaluate("document.activeElement.blur()")


def _data_picture(lab: Dashboard) -> None:
    """Show the data's own picture, which stands beside the loss on wide pages."""
    if lab.page.evaluate("innerWidth >= 960"):
        return
    picture = lab.page.get_by_role("radiogroup", name="Picture", exact=True)
    picture.get_by_role("radio", name="Fit").or_(picture.get_by_role("radio", name="Map")).click()
    _blurred(lab)


def _looked_back(step: int) -> Reach:
    def reach(lab: Dashboard) -> None:
        lab.page.get_by_label("Time travel").fill(str(step))
        expect(lab.page.locator("race-table th.moment")).to_contain_text(f"As of step {step}")
        expect(lab.page.locator("doctor-list .head .end")).to_have_text(f"as of step {step}")
        _blurred(lab)

    return reach


def _happened(lab: Dashboard) -> None:
    expect(lab.page.locator("what-happened .outcome")).to_have_text("You bet on SGD. It got stuck.")


def _presented(*keys: str) -> Reach:
    def reach(lab: Dashboard) -> None:
        _pressed("p", *keys)(lab)
        if lab.page.locator(".fall-ground").is_visible():
            _measured_anew(lab)

    return reach


def _word(key: str) -> Reach:
    def reach(lab: Dashboard) -> None:
        lab.page.locator(f'race-table thead tr:not(.again) [data-term="{key}"]').focus()
        lab.page.keyboard.press("Enter")
        expect(lab.page.locator(".popover.word")).to_be_visible()

    return reach


def _why_no_factor(lab: Dashboard) -> None:
    _pressed("i")(lab)
    lab.page.get_by_role("option").filter(has_text="dy_pred =").first.click()
    lab.page.get_by_role("button", name="Why no factor 2?").click()
    expect(lab.page.locator(".popover.word")).to_be_visible()


def _settings(of: str) -> Reach:
    return lambda lab: lab.settings(of)


def _axes(lab: Dashboard) -> None:
    lab.button("Axes").click()
    expect(lab.page.get_by_role("menu")).to_be_visible()


def _shared(lab: Dashboard) -> None:
    lab.button("Share (S)").click()
    expect(lab.page.get_by_role("dialog", name="Share").get_by_label("Link", exact=True)).not_to_have_value(
        ""
    )


def _shared_in_the_network(lab: Dashboard) -> None:
    there = {"addresses": ["http://192.168.1.20:8000"]}
    lab.page.route("**/api/v1/addresses", lambda route: route.fulfill(json=there))
    _shared(lab)
    expect(lab.page.locator("img.qr")).to_be_visible()
    lab.page.unroute("**/api/v1/addresses")


def _printed(lab: Dashboard) -> None:
    _happened(lab)
    lab.page.emulate_media(media="print")
    expect(lab.page.locator("print-sheet h1")).to_be_visible()


def _unsaved(lab: Dashboard) -> None:
    expect(lab.strip).to_contain_text("the server cannot write to its data folder")


def _in_dark(screen: Screen) -> tuple[Screen, Screen]:
    return screen, replace(screen, is_dark=True)


_ALL: tuple[Screen, ...] = (
    # before play and in it, at every size
    *(Screen("first", size, FIRST) for size in SIZES),
    Screen("first", DESKTOP, FIRST, is_dark=True),
    *(Screen("play", size, PLAYED) for size in SIZES),
    Screen("play", DESKTOP, PLAYED, is_dark=True),
    *(Screen("happened", size, ENDED, _happened) for size in (DESKTOP, PHONE)),
    # pictures
    *(Screen("fall", size, PLAYED, _fall_line) for size in SIZES),
    Screen("fall", DESKTOP, PLAYED, _fall_line, is_dark=True),
    *(Screen("fit", size, Made("sine", 200), _data_picture) for size in SIZES),
    *(Screen("map", size, Made("spirals", 750), _data_picture) for size in SIZES),
    Screen("map", DESKTOP, Made("spirals", 750), is_dark=True),
    Screen("surface", DESKTOP, Made("surface", 200)),
    Screen("wide", DESKTOP, Made("wide", 400)),
    Screen("deep", DESKTOP, Made("deep", 400)),
    *_in_dark(Screen("lanes", DESKTOP, Made("eight", 200))),
    Screen("lanes", PHONE, Made("eight", 200)),
    # time
    *(Screen("back", size, Made("notebook", 420), _looked_back(120)) for size in (DESKTOP, PHONE)),
    Screen("long", DESKTOP, Made("notebook", 3_000), _pressed("x")),
    # presenting, paper, and another page
    Screen("present", WALL, ENDED, _presented()),
    Screen("present-fall", WALL, ENDED, _presented("v"), is_dark=True),
    Screen("present-momentum", WALL, Made("momentum", 300), _presented("v")),
    Screen("print", A4, ENDED, _printed),
    Screen("embed", (900, 520), PLAYED, address="/?embed=loss,gradients#watch={id}"),
    # words, errors and edges
    Screen("word-r2", DESKTOP, PLAYED, _word("r2")),
    Screen("word-half", DESKTOP, PLAYED, _why_no_factor),
    Screen("not-saved", DESKTOP, replace(FIRST, is_unsaved=True), _unsaved),
    *(Screen("locked", size, PLAYED, address="/#watch={id}") for size in (DESKTOP, PHONE)),
    Screen("share", DESKTOP, PLAYED, _shared_in_the_network),
    Screen("share-here", PHONE, PLAYED, _shared),
    # what opens from the first screen
    Screen("data", DESKTOP, FIRST, _settings("data")),
    Screen("network", DESKTOP, FIRST, _settings("network")),
    Screen("run", DESKTOP, PLAYED, _settings("run sgd")),
    Screen("recipe", SHORT, PLAYED, _pressed("b")),
    Screen("axes", DESKTOP, PLAYED, _axes),
    Screen("lines", DESKTOP, PLAYED, _pressed("i")),
)
SCREENS = {screen.title: screen for screen in _ALL}
"""The screens without whose images no change is taken. The others are compared once their image is stored."""

# --- the browser ------------------------------------------------------------------------------------------------------

DRAWING = ("--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb")
"""Letters at fractions of a pixel and without colours at their edges, whatever the system's settings."""

# Kept out: what differs from one run to the next (addresses in links and codes, the Doctor's cost), what moves, and
# letters that fallline does not ship. The controls of Present fade after three seconds.
STYLE = """
    *, ::before, ::after { animation: none !important; transition: none !important; }
    * { caret-color: transparent !important; }
    :root { --mono: var(--font); }
    doctor-list .looked + .hint { display: none !important; }
    share-dialog .take input { color: transparent !important; }
    share-dialog img.qr { filter: brightness(0); background: #000; }
    .present-controls { opacity: 1 !important; }
"""

# Runs before the page's scripts. `quiet` says how many requests wait for an answer, and for how many frames nothing has
# changed: a busy machine draws fewer frames in a second, and so waits longer.
QUIET = f"""(() => {{
    const sheet = new CSSStyleSheet();
    sheet.replaceSync({json.dumps(STYLE)});
    document.adoptedStyleSheets = [sheet];
    const quiet = (window.__quiet = {{ asked: 0, frames: 0 }});
    const stir = () => (quiet.frames = 0);
    const count = () => (quiet.frames++, requestAnimationFrame(count));
    const {{ fetch }} = window;
    window.fetch = async (...request) => {{
        quiet.asked++;
        try {{ return await fetch(...request); }} finally {{ quiet.asked--; stir(); }}
    }};
    const all = {{ subtree: true, childList: true, attributes: true, characterData: true }};
    new MutationObserver(stir).observe(document, all);
    count();
}})()"""

FRAMES = 10
"""Frames without a change after which nothing more comes: requests that wait for others start within six."""

IS_QUIET = f"""() => window.__quiet.asked === 0 && window.__quiet.frames >= {FRAMES}
    && document.fonts.status === "loaded" && document.fonts.check("13px Inter")"""

# All that says which step it shows has the experiment's, and the Doctor has looked at every one.
IS_DRAWN = """(step) => {
    const all = (selector, name) =>
        [...document.querySelectorAll(selector)].every((each) => each.dataset[name] === step);
    const charts = "plotly-chart:is([kind=loss], [kind=gradients])";
    return document.querySelector(charts) && !document.querySelector(`${charts}:not([data-state=drawn])`)
        && all(charts, "lastStep")
        && all("race-table tbody tr, network-drawing[data-step], doctor-list[data-step]", "step")
        && !document.querySelector("doctor-list .looked")?.textContent.trim();
}"""


def settle(lab: Dashboard) -> None:
    """Wait until the page asks for nothing and changes nothing."""
    lab.until(lambda: lab.page.evaluate(IS_QUIET), bool)


def shoot(lab: Dashboard) -> Image.Image:
    """Return what can be seen, once nothing changes."""
    settle(lab)
    png = lab.page.screenshot(animations="allow", caret="initial", scale="css")
    return Image.open(BytesIO(png)).convert("RGB")


class Studio:
    """A browser and servers on which each screen can be reached. Experiments are made once."""

    def __init__(self, engine: BrowserType, address: str, stack: ExitStack) -> None:
        self._browser = launch(engine, *DRAWING)
        stack.callback(self._browser.close)
        self._stack = stack
        self._address = address
        self._unsaving: str | None = None
        self._pages: dict[bool, Page] = {}
        self._experiments: dict[Made, Json] = {}
        stack.callback(self._delete)

    @contextmanager
    def show(self, screen: Screen) -> Iterator[Dashboard]:
        """Open a fresh page on the screen."""
        is_phone = screen.size[0] <= PHONES
        address, experiment = self._made(screen.made)
        page = self._page(is_phone)
        lab = Dashboard(page, address)
        try:
            self._open(lab, screen, experiment)
            yield lab
            lab.look_through()
            assert lab.left == [], lab.left
        except BaseException:
            del self._pages[is_phone]
            page.context.close()
            raise
        finally:
            lab.leave()

    def _open(self, lab: Dashboard, screen: Screen, experiment: Json) -> None:
        page, (width, height) = lab.page, screen.size
        page.goto(f"{lab.address}/healthz")
        page.set_viewport_size({"width": width, "height": height})
        theme: Any = "dark" if screen.is_dark else "light"
        page.emulate_media(media="screen", color_scheme=theme, reduced_motion="reduce")
        page.mouse.move(0, 0)
        is_own = "{id}" not in screen.address
        stored: Json = {"fallline.experiment": experiment} if is_own else {}
        if screen.made.bet:
            bet = {"experiment": experiment["id"], "exhibit": screen.made.recipe, "answer": screen.made.bet}
            stored["fallline.bets"] = [bet]
        page.evaluate(
            """(kept) => {
                localStorage.clear();
                for (const [name, value] of Object.entries(kept)) localStorage.setItem(name, JSON.stringify(value));
            }""",
            stored,
        )
        page.goto(lab.address + screen.address.format(id=experiment["id"]))
        lab.until(lambda: page.evaluate(IS_DRAWN, str(screen.made.steps)), bool)
        settle(lab)
        # axes and labels that only grow or stay start anew, as with the key for a person
        page.keyboard.press("0")
        settle(lab)
        screen.reach(lab)

    def _page(self, is_phone: bool) -> Page:
        """Return a tab, which is used again: it keeps compiled scripts, which saves a third of the time to load."""
        page = self._pages.get(is_phone)
        if page is None:
            context = new_profile(self._browser, Kind(is_phone, plotted=True), locale="en-US")
            context.add_init_script(QUIET)
            page = self._pages[is_phone] = context.new_page()
        return page

    def _made(self, experiment: Made) -> tuple[str, Json]:
        """Return the server's address and the experiment as a browser stores it."""
        address = self._unsaving_server() if experiment.is_unsaved else self._address
        key = replace(experiment, bet=None)
        if key not in self._experiments:
            stored = self._experiments[key] = _make(address, RECIPES[experiment.recipe], experiment.steps)
            if experiment.is_unsaved:
                self._full.touch()
                # the server notices with the next change
                assert _change(address, stored, "step", {}).is_server_error
        return address, self._experiments[key]

    def _unsaving_server(self) -> str:
        """Start a server that cannot save once an experiment is made."""
        if self._unsaving is None:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
            self._full = folder / "full"
            server = self._stack.enter_context(open_program((str(FULL_DISK), str(self._full))))
            self._unsaving = server.url.rstrip("/")
        return self._unsaving

    def _delete(self) -> None:
        for experiment, stored in self._experiments.items():
            if not experiment.is_unsaved:
                token = {"Authorization": f"Bearer {stored['token']}"}
                httpx.delete(f"{self._address}/api/v1/experiments/{stored['id']}", headers=token)


def _make(address: str, recipe: Json, steps: int) -> Json:
    """Create an experiment, make its steps, and wait for the Doctor."""
    created = httpx.post(f"{address}/api/v1/experiments", json=recipe, timeout=60).raise_for_status().json()
    stored = {"id": created["id"], "token": created["token"], "recipe": recipe}
    if steps:
        _change(address, stored, "step", {"steps": steps}, wait=20).raise_for_status()
    return stored


def _change(address: str, stored: Json, what: str, body: Json, **query: Any) -> httpx.Response:
    return httpx.post(
        f"{address}/api/v1/experiments/{stored['id']}/{what}",
        json=body,
        params=query,
        headers={"Authorization": f"Bearer {stored['token']}"},
        timeout=90,
    )


@contextmanager
def open_studio(engine: BrowserType, address: str) -> Iterator[Studio]:
    with ExitStack() as stack:
        yield Studio(engine, address, stack)


def compared(
    studio: Studio, screen: Screen, image: Image.Image, patience: float
) -> tuple[list[Place], Image.Image]:
    """Return where the screen differs from its image, and what was seen; until it looks the same or patience ends."""
    give_up = time.monotonic() + patience
    with studio.show(screen) as lab:
        while (places := differences(image, picture := shoot(lab))) and time.monotonic() < give_up:
            lab.page.wait_for_timeout(200)
    return places, picture


# --- taking the images ------------------------------------------------------------------------------------------------

LOOK_TWICE = 600
"""Milliseconds after which a screen must still look the same."""


def take(studio: Studio, screen: Screen) -> bool:
    """Store the screen's image, unless the one there looks the same. Returns whether it was stored."""
    with studio.show(screen) as lab:
        picture = shoot(lab)
        while True:
            lab.page.wait_for_timeout(LOOK_TWICE)
            before, picture = picture, shoot(lab)
            if before.tobytes() == picture.tobytes():
                break
    if screen.path.exists() and not differences(screen.image, picture):
        return False
    save(picture, screen.path)
    return True


STEP = 8
"""Distance of the stored levels, of 255: half the bytes, and an error of half of it at most."""


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    rounded = image.point(lambda level: min(255, STEP * round(level / STEP)))
    rounded.save(path, lossless=True, quality=80, method=4)


def main(titles: Sequence[str]) -> None:
    page_built()
    with (
        serving() as address,
        sync_playwright() as playwright,
        open_studio(playwright.chromium, address) as studio,
    ):
        for title in titles:
            if take(studio, screen := SCREENS[title]):
                print(f"{title}: {screen.path.stat().st_size / 1024:.0f} kB", flush=True)
    for path in IMAGES.glob("*.webp"):
        if path.stem not in SCREENS:
            path.unlink()
            print(f"{path.stem}: removed")


if __name__ == "__main__":
    main(sys.argv[1:] or [*SCREENS])
