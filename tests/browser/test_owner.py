"""A browser's owner key: only requests that create something carry it."""

from __future__ import annotations

import base64
import json
import re
import zlib

import httpx
from playwright.sync_api import Request

from browser.conftest import Visits
from browser.dashboard import Dashboard
from browser.test_share import link_of

KEPT = "JSON.parse(localStorage.getItem('fallline.owner'))"


def keys_sent(lab: Dashboard) -> list[tuple[str, str | None]]:
    """Collect each request from now on with its key, if any."""
    requests: list[tuple[str, str | None]] = []

    def note(request: Request) -> None:
        path = request.url.removeprefix(f"{lab.address}/")
        if path.startswith("api/"):
            requests.append((f"{request.method} /{path}", request.headers.get("fallline-owner")))

    lab.page.on("request", note)
    return requests


def test_a_browser_creates_under_one_key_that_no_link_or_export_contains(visits: Visits) -> None:
    context = visits.profile()
    lab = visits.page(context)
    requests = keys_sent(lab)
    lab.open()
    key = lab.page.evaluate(KEPT)
    assert re.fullmatch(r"[0-9a-f]{32}", key)
    lab.settings("data")
    lab.page.get_by_label("Noise", exact=True).fill("0.25")
    lab.page.get_by_label("Noise", exact=True).press("Enter")
    lab.until_is(lambda: lab.stored["recipe"]["data"].get("noise"), 0.25)
    lab.make_steps(5)
    creations = [each for each in requests if each[1] is not None]
    assert creations == [("POST /api/v1/experiments", key)] * 2
    assert len(requests) > 5
    # the same browser again, then another one
    again = visits.page(context)
    again.open()
    assert again.page.evaluate(KEPT) == key
    links = {kind: link_of(lab, kind) for kind in ("moment", "recipe", "watch")}
    for kind in ("moment", "recipe"):
        packed = links[kind].split("#x=1.")[1]
        links[kind] = zlib.decompress(
            base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), -15
        ).decode()
        assert json.loads(links[kind])
    here = f"{lab.address}/api/v1/experiments/{lab.stored['id']}"
    for name in ("", "/recipe", "/export/report.html", "/export/script.py", "/export/notebook.ipynb"):
        answer = httpx.get(here + name).raise_for_status()
        links[name] = answer.text
    assert [name for name, text in links.items() if key in text] == []
    # a visitor who watches creates nothing, and gets no key
    other = visits.page(visits.profile())
    looks = keys_sent(other)
    other.page.goto(links["watch"])
    other.page.wait_for_selector("watch-line:not([hidden])")
    assert other.page.evaluate(KEPT) is None
    assert looks
    assert {owner for _, owner in looks} == {None}
