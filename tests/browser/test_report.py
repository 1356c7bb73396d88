"""The report opened from its file alone: no network, no server."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Dialog, Request

from browser.conftest import OpenLab
from browser.test_accessibility import AXE, RULES

EVIL = "<script>alert(1)</script><b>x</b>"

DRAWN = """() => [...document.querySelectorAll("figure")].map((place) => {
    const box = place.getBoundingClientRect();
    const wide = [...place.querySelectorAll("path.js-line")].filter((line) => line.getBBox().width > 0.13 * box.width);
    return { id: place.dataset.of, lines: wide.length, size: Math.min(box.width, box.height) };
})"""

FAULTS = """(rules) => axe.run({ runOnly: rules }).then(({ violations }) => violations.map(({ id }) => id))"""


def test_a_report_opens_from_a_file_without_network_and_shows_its_figures(
    open_lab: OpenLab, chromium: Browser, tmp_path: Path
) -> None:
    lab = open_lab()
    lab.make_steps(120)
    lab.ask("PATCH", "/runs/gd", {"label": EVIL})
    lab.choose("More: files, theme, keys", "Files")
    with lab.page.expect_download() as coming:
        lab.page.get_by_role("link", name="report.html").click()
    path = tmp_path / "report.html"
    coming.value.save_as(path)

    context = chromium.new_context(offline=True)
    page = context.new_page()
    messages: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        messages.append(f"a script spoke: {dialog.message}")
        dialog.dismiss()

    def note(request: Request) -> None:
        if not request.url.startswith("file:"):
            messages.append(request.url)

    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", dismissed)
    page.on("request", note)
    page.goto(path.as_uri())
    page.locator("figure path.js-line").nth(6).wait_for(state="attached")
    drawn = {each["id"]: each for each in page.evaluate(DRAWN)}
    assert drawn.keys() == {"figure-loss", "figure-gradients"}
    assert min(each["size"] for each in drawn.values()) > 250
    assert drawn["figure-loss"]["lines"] >= 2
    assert drawn["figure-gradients"]["lines"] >= 3
    faces = page.evaluate(
        "() => [...document.fonts].map((face) => [face.family.replaceAll('\"', ''), face.status])"
    )
    assert faces == [["Inter", "loaded"]]
    # a typed label appears as typed in the table and in the legend, where Plotly could take it for markup
    assert page.locator("tbody th").first.inner_text() == EVIL
    assert f"{EVIL} train" in page.locator(".legendtext").all_text_contents()
    page.evaluate(AXE.read_text())
    assert page.evaluate(FAULTS, RULES) == []
    assert messages == []
    context.close()
