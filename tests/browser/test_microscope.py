"""The step inspector on the page: one step with every number."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Locator, Route, expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults

DEAD = 900
"""Long after the SGD run's second layer has died."""

EQUATION = """() => [...document.querySelector(".equation").children].map((each) => (
    each.matches(".sign") ? { sign: each.dataset.text } : {
        text: each.dataset.text,
        isBare: each.hasAttribute("data-bare"),
        values: [...each.querySelectorAll("tr:not(.mean)")].map((row) =>
            [...row.querySelectorAll("td[data-value]")].map((cell) => Number(cell.dataset.value)))
            .filter((row) => row.length),
    }))"""


# Number of step requests since that time, and the seconds since.
ASKED = """(began) => [
    performance.getEntriesByType("resource")
        .filter(({ name, startTime }) => name.includes("/inspect") && startTime >= began).length,
    (performance.now() - began) / 1000,
]"""


def inspector(lab: Dashboard) -> Locator:
    return lab.page.locator("step-inspector")


def lines(lab: Dashboard) -> Locator:
    return lab.page.get_by_role("listbox", name="One step in NumPy")


def chosen(lab: Dashboard) -> Locator:
    return lines(lab).locator("[aria-selected=true]")


def open_at(lab: Dashboard, step: int) -> None:
    lab.page.keyboard.press("i")
    expect(inspector(lab)).to_have_attribute("data-step", str(step))


def show(lab: Dashboard, run: str) -> None:
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name=run, exact=True).click()


def equation(lab: Dashboard) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = lab.page.evaluate(EQUATION)
    return parts


def reckoned(pieces: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Return NumPy's result for the equation on the page, and the result shown."""
    numbers = [
        each["values"][0][0] if each.get("isBare") else np.array(each.get("values", [])) for each in pieces
    ]
    text = " ".join(each.get("sign") or f"shown[{k}]" for k, each in enumerate(pieces[:-2]))
    return eval(text, {"np": np, "shown": numbers}), numbers[-1]


def test_opening_on_a_dead_layer_selects_the_line_where_everything_became_0(open_lab: OpenLab) -> None:
    lab = open_lab()
    show(lab, "SGD")
    lab.make_steps(DEAD)
    strip = lab.page.get_by_role("button", name=re.compile("^Line by line"))
    words = "SGD, step 900: W2 -= lr \\* dW2 dW2 is exactly 0, so W2 stays as it is"
    expect(strip).to_have_attribute("title", re.compile(words))
    open_at(lab, DEAD)
    expect(strip).to_have_attribute("aria-expanded", "true")
    expect(chosen(lab)).to_have_accessible_name(
        "a2 = maximum(z2, 0) exactly 0 in all 4, here everything became exactly 0"
    )
    sentence = "All 4 entries of z2 are negative: relu returns exactly 0, and no gradient passes."
    expect(lab.page.locator(".say")).to_have_text(sentence)
    expect(lab.page.locator(".partner")).to_contain_text("dz2 = da2 * (z2 > 0)")
    expect(lab.page.locator(".follows")).to_contain_text("the only gradient left")
    expect(lab.page.locator(".equation .zero")).to_have_text(["0"] * 4)
    expect(lab.page.locator(".drawer .batch")).to_have_text(
        re.compile(r"^batch: sample \d+ of 1,200 \(300 for tests\), m = 1, lr = 0.1$")
    )
    lab.page.keyboard.press("ArrowUp")
    expect(chosen(lab)).to_have_attribute("title", "z2 = a1 @ W2 + b2")
    expect(lab.page.locator(".say")).to_have_text(sentence)
    lab.page.keyboard.press("ArrowDown")
    expect(chosen(lab)).to_contain_text("a2 = maximum(z2, 0)")


def test_arrows_move_through_steps_with_each_steps_numbers(open_lab: OpenLab) -> None:
    lab = open_lab()
    show(lab, "SGD")
    lab.make_steps(12)
    open_at(lab, 12)
    values = []
    for key, step in (
        ("ArrowLeft", 11),
        ("ArrowLeft", 10),
        ("ArrowRight", 11),
        ("ArrowRight", 12),
        ("ArrowRight", 13),
    ):
        lab.page.keyboard.press(key)
        expect(inspector(lab)).to_have_attribute("data-step", str(step))
        answer = lab.ask("GET", "/runs/sgd/inspect", step=step)
        assert equation(lab)[-1]["values"] == answer["lines"][0]["values"]
        values.append(equation(lab)[-1]["values"])
    assert values[0] == values[2]
    assert values[0] != values[1]


@pytest.mark.parametrize(
    "change",
    [
        {},
        pytest.param(
            {"optimizer": "adamw", "clip_norm": 0.5, "l2": 0.01, "schedule": "cosine"}, marks=pytest.mark.long
        ),
        pytest.param({"optimizer": "nesterov"}, marks=pytest.mark.long),
        pytest.param({"optimizer": "radam", "layer_rates": [1, 0.5, 0.1]}, marks=pytest.mark.long),
    ],
    ids=["plain", "adamw", "nesterov", "radam"],
)
def test_every_lines_result_follows_from_the_numbers_shown(open_lab: OpenLab, change: dict[str, Any]) -> None:
    lab = open_lab()
    show(lab, "SGD")
    if change:
        lab.ask("PATCH", "/runs/sgd", change)
    lab.make_steps(4)
    open_at(lab, 4)
    count = lines(lab).get_by_role("option").count()
    assert count == len(lab.ask("GET", "/runs/sgd/inspect")["lines"])
    for place in range(count):
        expect(lines(lab)).to_have_attribute("aria-activedescendant", f"line-{place}")
        here, there = reckoned(equation(lab))
        np.testing.assert_allclose(here, there, rtol=1e-12, atol=1e-300)
        lab.page.keyboard.press("ArrowDown")


def test_the_doctors_why_leads_to_its_line(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(DEAD)
    lab.button("Why? SGD: layer 2 is dead.").click()
    lab.page.get_by_role("button", name="Show the line: dz2").click()
    expect(inspector(lab)).to_have_attribute("data-line", "backward dz2")
    expect(inspector(lab)).to_have_attribute("data-run", "sgd")
    expect(lab.page.locator(".say")).to_have_text(
        "No entry of z2 is above 0, so (z2 > 0) is 0 everywhere: dz2 is exactly 0, and with it every gradient behind."
    )
    assert faults(lab) == []
    lab.page.keyboard.press("i")
    lab.until_is(lambda: lab.focused, "Show the line: dz2 = da2 * (z2 > 0)")


def too_large(address: str) -> str:
    """Create an experiment with a finite loss and an infinite gradient of W2; return its id."""
    file = io.BytesIO()
    sizes = {"W1": ((5, 4), 1e9), "W2": ((4, 4), 1e-9), "W3": ((4, 1), 1e150)}
    weights = {name: np.full(shape, value) for name, (shape, value) in sizes.items()}
    np.savez(
        file, allow_pickle=False, b1=np.zeros((1, 4)), b2=np.zeros((1, 4)), b3=np.zeros((1, 1)), **weights
    )
    api = f"{address}/api/v1"
    kind = {"Content-Type": "application/octet-stream"}
    response = httpx.post(f"{api}/parameters", content=file.getvalue(), headers=kind).raise_for_status()
    recipe = {"network": {"start": response.json()["id"]}, "runs": [{"batch_size": None}]}
    return str(httpx.post(f"{api}/experiments", json=recipe).raise_for_status().json()["id"])


def test_the_first_line_that_is_not_finite_opens_with_its_kinds_of_numbers(
    open_lab: OpenLab,
) -> None:
    lab = open_lab()
    lab.page.goto(f"{lab.address}/#watch={too_large(lab.address)}")
    lab.page.reload()
    lab.page.wait_for_selector("watch-line:not([hidden])")
    lab.page.keyboard.press("i")
    expect(lab.button("One step on (right arrow)")).to_be_disabled()
    expect(chosen(lab)).to_have_accessible_name(
        "dW2 = a1.T @ dz2 not finite, the first line that is not finite"
    )
    expect(chosen(lab)).to_have_attribute("data-mark", "cross")
    expect(lab.page.locator(".say")).to_have_text(
        "This is the first line that is not finite: 16 inf of 16. Numbers have become too large for a float."
    )
    expect(lab.page.locator(".equation .matrix").last.locator(".odd")).to_have_text(["∞"] * 16)
    assert faults(lab) == []


def test_a_large_batch_shows_four_numbered_samples_or_one_at_a_time(
    open_lab: OpenLab,
) -> None:
    lab = open_lab()
    lab.make_steps(3)
    open_at(lab, 3)
    result = lab.page.locator(".equation .matrix").last
    batch = lab.ask("GET", "/runs/gd/inspect")["batch"]
    expect(result.get_by_role("row")).to_have_count(6)
    expect(result.get_by_role("rowheader")).to_have_text([*map(str, batch[:4]), "mean"])
    expect(result).to_contain_text("896 more rows")
    here, there = reckoned(equation(lab))
    np.testing.assert_allclose(here, there, rtol=1e-12)
    lab.button("Samples after").click()
    expect(result.get_by_role("rowheader")).to_have_text([*map(str, batch[4:8]), "mean"])
    lab.button("Sample by sample").click()
    expect(lab.page.locator(".drawer .samples")).to_contain_text(f"row 5: sample {batch[4]}")
    expect(result).to_contain_text("899 more rows")
    lab.button("Samples after").click()
    expect(lab.page.locator(".drawer .samples")).to_contain_text(f"row 6: sample {batch[5]}")
    answer = lab.ask("GET", "/runs/gd/inspect", rows=1, first=5)
    lab.until(
        lambda: equation(lab)[-1]["values"], lambda values: values[0] == answer["lines"][0]["values"][0]
    )


def test_copied_code_reproduces_the_step_with_numpy_alone(visits: Visits) -> None:
    context = visits.profile(permissions=["clipboard-read", "clipboard-write"])
    lab = visits.page(context).open()
    show(lab, "SGD")
    lab.make_steps(30)
    lab.page.keyboard.press("i")
    lab.page.keyboard.press("ArrowLeft")
    expect(inspector(lab)).to_have_attribute("data-step", "29")
    lab.button("Copy as NumPy").click()
    expect(inspector(lab).get_by_role("status")).to_have_text("Copied.")
    script = lab.page.evaluate("navigator.clipboard.readText()")
    suffix = "\nimport json\nprint(json.dumps({name: globals()[name].tolist() for name in after}))\n"
    result = subprocess.run(
        [sys.executable, "-"], input=script + suffix, capture_output=True, text=True, check=True
    )
    there = lab.ask("GET", "/runs/sgd/snapshot", step=30)["parameters"]
    here = json.loads(result.stdout.splitlines()[-1])
    assert set(here) == set(there)
    for name, values in there.items():
        np.testing.assert_allclose(here[name], values, rtol=1e-12, atol=1e-14)


def test_the_inspector_replaces_the_gradients_and_returns_focus_and_room(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)

    def height(selector: str) -> float:
        box = lab.page.locator(selector).bounding_box()
        # to a hundredth: the browser computes in 64ths of a pixel
        return round(box["height"], 2) if box else 0.0

    assert height("step-inspector") == 0
    loss = height(".plot.loss")
    lab.page.get_by_role("button", name=re.compile("^Line by line")).click()
    expect(lines(lab)).to_be_focused()
    assert height("step-inspector") == 398
    assert height(".plot.loss") >= 150
    expect(lab.chart("gradients")).to_be_hidden()
    lab.page.keyboard.press("Escape")
    expect(lines(lab)).to_be_hidden()
    expect(lab.page.get_by_role("button", name=re.compile("^Line by line"))).to_be_focused()
    expect(lab.chart("gradients")).to_be_visible()
    assert height(".plot.loss") == loss
    for size in ((1440, 700), (1000, 620)):
        lab.page.set_viewport_size({"width": size[0], "height": size[1]})
        lab.page.keyboard.press("i")
        assert height(".plot.loss") >= 150
        assert height("step-inspector") >= 150
        lab.button("Close (I)").click()


def test_opening_keeps_focus_however_late_the_answer(open_lab: OpenLab) -> None:
    lab = open_lab()
    routes: list[Route] = []
    lab.page.route("**/moment?*inspect=*", lambda route: routes.append(route))
    strip = lab.page.get_by_role("button", name=re.compile("^Line by line"))
    strip.press("Enter")
    lab.until(lambda: len(routes), lambda count: count > 0)
    # while the answer is late, content of another step is hidden
    title = lab.page.locator(".line-view h3")
    lab.until_is(lambda: title.evaluate("(each) => getComputedStyle(each).visibility"), "hidden")
    expect(lines(lab)).to_be_focused()
    routes[0].continue_()
    lab.page.unroute("**/moment?*inspect=*")
    expect(inspector(lab)).to_have_attribute("data-step", "0")
    expect(lines(lab)).to_be_focused()
    lab.page.keyboard.press("Escape")
    expect(strip).to_be_focused()


def test_in_one_column_the_loss_keeps_150_px_between_table_and_transport(open_lab: OpenLab) -> None:
    lab = open_lab((900, 800), drawn=True)
    lab.make_steps(5)
    open_at(lab, 5)

    def seen() -> float:
        return float(
            lab.page.evaluate("""() => {
                const place = (name) => document.querySelector(name).getBoundingClientRect();
                return Math.min(place(".plot.loss").bottom, place("transport-bar").top) - place(".plot.loss").top;
            }""")
        )

    assert seen() >= 150
    for name in ("one", "other"):
        lab.ask("POST", "/runs", {"name": name, "fork_of": "sgd", "at_step": 0})
        expect(lab.row(name)).to_be_visible()
        assert seen() >= 150, name
    for size in ((760, 640), (900, 1000)):
        lab.page.set_viewport_size({"width": size[0], "height": size[1]})
        assert seen() >= 150, size


CUT = """() => {
    const view = document.querySelector(".line-view");
    const { right } = view.getBoundingClientRect();
    const beyond = [...view.querySelectorAll(".matrix, .chain")]
        .filter((each) => each.getBoundingClientRect().right > right);
    const places = [...view.querySelectorAll(".equation .matrix")].map((each) => each.getBoundingClientRect());
    const wraps = places.some(({ left }, k) => k && left < places[k - 1].left);
    return [view.scrollHeight > view.clientHeight, beyond.length, wraps];
}"""
"""Whether a line of the inspector is higher than its view, how much reaches out of it, whether its equation wraps."""


def looked_at(lab: Dashboard, line: str) -> list[Any]:
    """Return the hidden parts of a selected line."""
    lines(lab).locator("[role=option]").filter(has_text=re.compile(rf"^{line} -?=")).click()
    expect(lab.page.locator(".equation")).to_have_attribute("data-line", line)
    expect(lab.page.locator(".partner")).to_be_visible()
    cut: list[Any] = lab.page.evaluate(CUT)
    return cut


def test_a_batch_of_900_keeps_equation_result_partner_and_followers_visible(
    open_lab: OpenLab,
) -> None:
    lab = open_lab((1440, 900))
    open_at(lab, 0)
    for line in ("z1", "a1", "z2", "y_pred", "loss"):
        assert looked_at(lab, line) == [False, 0, False], line


def test_a_single_sample_keeps_them_visible_on_narrow_pages_too(open_lab: OpenLab) -> None:
    lab = open_lab((1440, 900))
    show(lab, "SGD")
    lab.make_steps(12)
    open_at(lab, 12)
    three = ("a1", "a2", "dW3", "da2", "dz2", "dz1")
    for size, more in (
        ((1440, 900), ("z1", "z2", "dW2", "W2", "W1")),
        ((1024, 768), ("z2", "dW2", "W2")),
        ((900, 800), ("W2", "b2")),
    ):
        lab.page.set_viewport_size({"width": size[0], "height": size[1]})
        for line in ("y_pred", "loss", "dy_pred", *three, *more):
            assert looked_at(lab, line) == [False, 0, False], (size, line)
        # an outer product beside its partner of four matrices does not fit: it scrolls, in one row
        assert looked_at(lab, "dW1")[1:] == [0, False], size


def test_the_inspector_follows_play_and_stepping_pauses(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_own()
    lab.page.keyboard.press("i")
    lab.page.keyboard.press("Space")
    lab.until(lambda: int(inspector(lab).get_attribute("data-step") or 0), lambda step: step > 20)
    began = lab.page.evaluate("performance.now()")
    lab.page.wait_for_timeout(1500)
    requests, seconds = lab.page.evaluate(ASKED, began)
    assert requests <= 4 * seconds + 2
    lab.page.keyboard.press("ArrowLeft")
    expect(lab.play).to_be_visible()
    lab.until(
        lambda: (
            lab.page.locator("race-table th.moment").inner_text(),
            inspector(lab).get_attribute("data-step"),
        ),
        lambda texts: texts[0] == f"As of step {int(texts[1] or 0):,}",
    )


def test_wide_and_deep_networks_fit_the_page(open_lab: OpenLab) -> None:
    lab = open_lab()
    layers = [{"units": 64, "activation": "tanh"}] * 6
    created = lab.page.evaluate(
        """(recipe) => fetch("/api/v1/experiments", { method: "POST", body: JSON.stringify(recipe) })
            .then((answer) => answer.json())""",
        {"network": {"layers": layers}, "runs": [{"optimizer": "adam", "batch_size": 32}]},
    )
    lab.page.goto(f"{lab.address}/#watch={created['id']}")
    lab.page.reload()
    lab.page.wait_for_selector("watch-line:not([hidden])")
    lab.page.keyboard.press("i")
    expect(lines(lab).get_by_role("option")).to_have_count(85)
    for _ in range(4):
        lab.page.keyboard.press("ArrowDown")
    expect(lab.page.locator(".equation")).to_contain_text("56 more rows")
    for width in (1440, 1121, 760):
        lab.resize(width, 800)
        for box in (inspector(lab), lab.page.locator(".line-view")):
            assert box.evaluate("(each) => each.scrollWidth <= each.clientWidth")


def test_on_a_phone_the_inspector_fills_the_page_without_axe_or_touch_faults(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    lab.make_steps(DEAD)
    show(lab, "SGD")
    lab.button("Line by line (I)").tap()
    expect(inspector(lab)).to_have_attribute("data-line", "forward a2")
    expect(lab.page.locator("race-table")).to_be_hidden()
    expect(lab.page.locator(".say")).to_be_in_viewport()
    assert faults(lab) == []
    assert lab.page.evaluate(SMALL_TARGETS) == []
    for width in (320, 390):
        lab.resize(width, 844)
    # the list stands below the line: choosing far down scrolls to the chosen line
    lines(lab).get_by_text("dW2 = a1.T @ dz2").tap()
    expect(inspector(lab)).to_have_attribute("data-line", "backward dW2")
    title = lab.page.locator(".line-view h3")
    expect(title).to_be_in_viewport(ratio=1)
    bar = lab.page.locator("top-bar").bounding_box()
    box = title.bounding_box()
    assert bar
    assert box
    assert box["y"] >= bar["y"] + bar["height"]
    lab.button("Line by line (I)").tap()
    expect(lines(lab)).to_have_count(0)
    expect(lab.page.locator("race-table")).to_be_visible()


def test_axe_finds_nothing_in_the_inspector(open_lab: OpenLab) -> None:
    lab = open_lab()
    show(lab, "SGD")
    lab.make_steps(DEAD)
    open_at(lab, DEAD)
    assert faults(lab) == []
    lab.page.get_by_role("radiogroup", name="Run inspected").get_by_role(
        "radio", name="GD", exact=True
    ).click()
    expect(inspector(lab)).to_have_attribute("data-run", "gd")
    lines(lab).get_by_text("dW2 = a1.T @ dz2").click()
    assert faults(lab, axe_in=("dark",)) == []
