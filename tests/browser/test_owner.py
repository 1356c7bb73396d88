"""The owner key of a browser: the server gets it where something is made, and it stands nowhere else."""

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
    """From now on each call with its key, where it has one."""
    sent: list[tuple[str, str | None]] = []

    def note(request: Request) -> None:
        path = request.url.removeprefix(f"{lab.address}/")
        if path.startswith("api/"):
            sent.append((f"{request.method} /{path}", request.headers.get("fallline-owner")))

    lab.page.on("request", note)
    return sent


def test_what_a_browser_makes_is_made_under_one_key_that_no_link_and_no_export_holds(visits: Visits) -> None:
    context = visits.profile()
    lab = visits.page(context)
    sent = keys_sent(lab)
    lab.open()
    key = lab.page.evaluate(KEPT)
    assert re.fullmatch(r"[0-9a-f]{32}", key)
    lab.page.get_by_label("Noise", exact=True).fill("0.25")
    lab.page.get_by_label("Noise", exact=True).press("Enter")
    lab.until(lambda: lab.kept["recipe"]["data"].get("noise"), lambda noise: noise == 0.25)
    lab.make_steps(5)
    made = [each for each in sent if each[1] is not None]
    assert made == [("POST /api/v1/experiments", key)] * 2
    assert len(sent) > 5
    # the same browser again, and another one
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
    here = f"{lab.address}/api/v1/experiments/{lab.kept['id']}"
    for name in ("", "/recipe", "/export/report.html", "/export/script.py", "/export/notebook.ipynb"):
        answer = httpx.get(here + name).raise_for_status()
        links[name] = answer.text
    assert [name for name, text in links.items() if key in text] == []
    # who watches makes nothing, and gets no key
    other = visits.page(visits.profile())
    looks = keys_sent(other)
    other.page.goto(links["watch"])
    other.page.wait_for_selector("watch-line:not([hidden])")
    assert other.page.evaluate(KEPT) is None
    assert looks
    assert {owner for _, owner in looks} == {None}
