"""Own data: choose or drop a file, check it and train on it; refusals appear in place."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import FilePayload, JSHandle, Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults

TOWNS = ("Bonn", "Ulm", "Jena")
HOUSES = "size,street,town,price\n" + "".join(
    f"{40 + k * 3 % 90},Street {k},{TOWNS[k % 3]},{100 + k * 7 % 300}\n" for k in range(60)
)
GAPS = ",Street x,Ulm,5\n1,2,3\n"


def dialog(lab: Dashboard) -> Locator:
    return lab.page.get_by_role("dialog", name="Your own data")


def choose_file(lab: Dashboard, text: str | bytes, name: str = "houses.csv") -> None:
    """Choose a file as in the system's dialog."""
    with lab.page.expect_file_chooser() as opened:
        dialog(lab).get_by_role("button", name="file").click()
    body = text.encode() if isinstance(text, str) else text
    opened.value.set_files([FilePayload(name=name, mimeType="text/csv", buffer=body)])


def hear_of_choosers(lab: Dashboard) -> None:
    """Handle file choosers from now on: a handler set on pressing may come too late."""
    lab.page.on("filechooser", lambda _: None)


def dragged(lab: Dashboard, text: str, name: str = "houses.csv") -> JSHandle:
    return lab.page.evaluate_handle(
        """([text, name]) => {
            const dragged = new DataTransfer();
            dragged.items.add(new File([text], name, { type: "text/csv" }));
            return dragged;
        }""",
        [text, name],
    )


def bring(lab: Dashboard) -> None:
    hear_of_choosers(lab)
    lab.settings("data")
    lab.page.get_by_role("combobox", name="Data set").select_option("csv")
    expect(dialog(lab).get_by_role("button", name="Choose a file")).to_be_focused()


def target(lab: Dashboard) -> Locator:
    return dialog(lab).get_by_role("combobox", name="Target column")


def task(lab: Dashboard) -> Locator:
    return dialog(lab).get_by_role("combobox", name="Predict it as")


def data_of(lab: Dashboard) -> dict[str, Any]:
    data: dict[str, Any] = lab.ask("GET", "/recipe")["data"]
    return data


def use(lab: Dashboard) -> None:
    dialog(lab).get_by_role("button", name="Use this data").click()
    expect(dialog(lab)).to_have_count(0)


def test_a_file_is_chosen_looked_at_and_trained_on(open_lab: OpenLab) -> None:
    lab = open_lab()
    before = lab.stored["id"]
    bring(lab)
    choose_file(lab, HOUSES + GAPS)
    expect(dialog(lab)).to_contain_text("houses.csv: 60 rows can be used.")
    dialog(lab).locator("summary").click()
    expect(dialog(lab).get_by_role("listitem")).to_have_text(
        ["Line 62: no value in size", "Line 63: 3 fields instead of 4"]
    )
    table = dialog(lab).get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(
        ["sizenumber", "streetnot used", "towncategory", "priceto learn"]
    )
    expect(table.get_by_role("row").nth(1).get_by_role("cell")).to_have_text(
        ["40", "Street 0", "Bonn", "100"]
    )
    expect(table.get_by_role("row")).to_have_count(9)
    # nothing has started yet
    assert lab.stored["id"] == before

    # the suggestion follows the column, and can be changed where both tasks are possible
    expect(target(lab)).to_have_value("price")
    expect(task(lab)).to_have_value("regression")
    target(lab).select_option("town")
    expect(task(lab)).to_have_value("classification")
    expect(task(lab).locator("option[value=regression]")).to_be_disabled()
    expect(dialog(lab)).to_contain_text("Inputs: size, price. Not used: street")
    use(lab)
    expect(lab.notice).to_contain_text("New data: both runs start again at step 0.")
    expect(lab.page.locator("data-fields .end")).to_have_text("3 classes, 2 inputs")
    data = data_of(lab)
    assert (data["name"], data["target"], data["task"]) == ("csv", "town", "classification")
    assert (data["samples"], data["standardize"]) == (60, "inputs")
    lab.make_steps(3)
    expect(lab.row("gd")).not_to_contain_text("diverged")
    # drawn values are standardized, and say so
    lab.button("Predicted and true").click()
    hint = lab.page.locator("predicted-true .hint")
    expect(hint).to_have_text(re.compile(r"^Across: size, .* Up: price, .*\. Both standardized\.$"))
    expect(lab.page.locator(".decision .map").first).to_have_attribute(
        "aria-label", re.compile("Plane of size and price, both standardized: ")
    )

    # the same table again, for another column
    lab.button("Change the target or the file").click()
    expect(target(lab)).to_have_value("town")
    target(lab).select_option("price")
    use(lab)
    expect(lab.page.locator("data-fields .own-table")).to_contain_text("price, as a number")
    again = data_of(lab)
    assert (again["dataset"], again["target"], again["standardize"]) == (data["dataset"], "price", "both")
    lab.make_steps(1)
    expect(hint).to_have_text("price, standardized: 0 is the mean, 1 a standard deviation.")
    expect(lab.chart("scatter")).to_have_attribute("aria-label", re.compile("true standardized values"))
    lab.button("Undo").click()
    expect(lab.page.locator("data-fields .own-table")).to_contain_text("town, as classes")
    expect(lab.counter).to_have_text("3")


def test_a_file_can_be_dropped_on_the_data_only(open_lab: OpenLab) -> None:
    lab = open_lab()
    line = lab.page.locator("data-line")
    line.dispatch_event("drop", {"dataTransfer": dragged(lab, HOUSES)})
    expect(target(lab)).to_have_value("price")
    lab.page.keyboard.press("Escape")
    lab.settings("data")
    data = lab.page.locator("data-fields")
    address = lab.page.url
    lab.page.locator("main").dispatch_event("drop", {"dataTransfer": dragged(lab, HOUSES)})
    expect(dialog(lab)).to_have_count(0)
    assert lab.page.url == address
    data.dispatch_event("dragover", {"dataTransfer": dragged(lab, HOUSES)})
    expect(data).to_have_class("section dropping")
    data.locator("select").first.dispatch_event("drop", {"dataTransfer": dragged(lab, HOUSES)})
    expect(data).to_have_class("section")
    expect(target(lab)).to_have_value("price")
    # another file, dropped on the open dialog
    dialog(lab).dispatch_event("drop", {"dataTransfer": dragged(lab, "x,y\n1,2\n2,4\n3,7\n", "small.csv")})
    expect(dialog(lab)).to_contain_text("small.csv: 3 rows can be used.")
    use(lab)
    expect(lab.page.locator("data-fields .own-table")).to_contain_text("y, as a number")
    assert data_of(lab)["target"] == "y"


def test_an_unusable_file_is_refused_in_the_dialog_and_another_can_follow(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.allow("Failed to load resource")
    bring(lab)
    for text, why in (
        (b"a,b\n" + b"1,2\n" * 5_001, "Too many rows: 5,001; the limit is 5,000."),
        (b"1" * (1 << 20) + b"23", "The file has more than 1 MiB; the limit is 1 MiB."),
        (b"PK\x03\x04\x14\x00\x06\x00", "spreadsheet"),
        (b"just words", "only one column"),
        (b"", "empty"),
    ):
        choose_file(lab, text, "odd.csv")
        alert = dialog(lab).get_by_role("alert")
        expect(alert).to_contain_text(why)
        expect(alert).to_contain_text("odd.csv: ")
        expect(lab.strip).to_have_count(0)
    choose_file(lab, HOUSES)
    expect(target(lab)).to_be_visible()
    expect(dialog(lab).get_by_role("alert")).to_have_count(0)
    # the server's refusal of the experiment appears here too
    lab.page.route("**/api/v1/experiments", lambda route: route.fulfill(status=422, json=TOO_WIDE))
    dialog(lab).get_by_role("button", name="Use this data").click()
    expect(dialog(lab).get_by_role("alert")).to_have_text("Too many inputs: 99; the limit is 64.")
    lab.page.keyboard.press("Escape")
    expect(dialog(lab)).to_have_count(0)
    expect(lab.page.get_by_role("combobox", name="Data set")).to_have_value("log_linear")


TOO_WIDE = {
    "title": "Above a limit of this server",
    "status": 422,
    "bound": "features",
    "limit": 64,
    "asked": 99,
}


def test_the_dialog_works_by_keyboard_and_axe_finds_nothing(open_lab: OpenLab) -> None:
    lab = open_lab()
    press = lab.page.keyboard.press
    hear_of_choosers(lab)
    lab.settings("data")
    lab.page.get_by_role("combobox", name="Data set").focus()
    press("End")
    press("Enter")
    expect(dialog(lab).get_by_role("button", name="Choose a file")).to_be_focused()
    assert faults(lab) == []
    with lab.page.expect_file_chooser() as opened:
        press("Enter")
    opened.value.set_files(
        [FilePayload(name="houses.csv", mimeType="text/csv", buffer=(HOUSES + GAPS).encode())]
    )
    expect(target(lab)).to_be_focused()
    assert faults(lab) == []
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        press(key)
    expect(target(lab)).to_be_focused()
    expect(target(lab)).to_have_value("town")
    names = []
    for _ in range(4):
        press("Tab")
        names.append(lab.focused)
    assert names == ["Predict it as", "The first rows", "Use this data", "Another file"]
    press("Shift+Tab")
    press("Enter")
    expect(dialog(lab)).to_have_count(0)
    expect(lab.page.locator("data-fields .own-table")).to_contain_text("town, as classes")
    assert faults(lab) == []


def test_on_a_phone_the_dialog_lies_over_the_sheet(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    lab.button("Recipe (B)").tap()
    bring(lab)
    assert lab.page.evaluate(SMALL_TARGETS_IN_DIALOG) == []
    choose_file(lab, HOUSES + GAPS)
    expect(target(lab)).to_be_focused()
    assert lab.page.evaluate(SMALL_TARGETS_IN_DIALOG) == []
    assert faults(lab) == []
    # the sheet below does not take the Tab
    lab.page.keyboard.press("Tab")
    assert lab.focused == "Predict it as"
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    use(lab)
    expect(lab.page.locator("data-fields .own-table")).to_contain_text("price, as a number")
    assert lab.page.evaluate(SMALL_TARGETS) == []


SMALL_TARGETS_IN_DIALOG = SMALL_TARGETS.replace("[...document", "[...document.querySelector('dialog')")
