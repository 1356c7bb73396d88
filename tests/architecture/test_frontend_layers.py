"""The browser's modules import downward, as ARCHITECTURE.md draws it."""

import posixpath
import re
from pathlib import Path

from hatch_build import sources_of

FRONTEND = Path(__file__).parents[2] / "frontend"

LAYERS = [
    {"main.ts", "check.ts", "first-paint.ts"},
    {"app.ts", "page"},
    {
        "features/check",
        "features/doctor",
        "features/exhibits",
        "features/fallline",
        "features/figures",
        "features/inspector",
        "features/network",
        "features/predictions",
        "features/questions",
        "features/recipe",
        "features/runs",
        "features/sharing",
        "features/transport",
        "features/words",
    },
    {"charts", "ui"},
    {"core/net"},
    {"core"},
    {"words"},
]
"""From the top. Folders of one layer do not import each other."""

DEPTH = {name: depth for depth, names in enumerate(LAYERS) for name in names}
COMMENTS = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
LIT = re.compile(r"lit(?:/directives/[a-z-]+\.js)?")
"""Elements are written with it."""

IMPORTS = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']""")


def imports_of(source: str) -> list[str]:
    """Return what a module imports, types included."""
    return IMPORTS.findall(COMMENTS.sub("", source))


def folder_of(path: str) -> str:
    """Return the folder in LAYERS that holds a file, or the file itself at the top."""
    parts = path.split("/")
    two = "/".join(parts[:2])
    return two if two in DEPTH or parts[0] == "features" else parts[0]


def faults(sources: dict[str, str]) -> list[str]:
    """Return the imports in `sources` (path below frontend/ -> text) that do not point down."""
    faults = []
    for path, source in sources.items():
        here = folder_of(path)
        for target in imports_of(source):
            there = folder_of(posixpath.normpath(posixpath.join(posixpath.dirname(path), target)))
            if LIT.fullmatch(target):
                if here in ("core", "core/net", "charts"):
                    faults.append(f"{path} imports {target}: {here} has no elements")
            elif not target.startswith("."):
                faults.append(f"{path} imports {target}, which is not a file of the frontend")
            elif here not in DEPTH or there not in DEPTH:
                faults.append(f"{path} -> {target}: {here if here not in DEPTH else there} has no layer")
            elif there != here and DEPTH[there] <= DEPTH[here]:
                faults.append(f"{path} imports {target}: {here} must not know {there}")
    return faults


def frontend_sources() -> dict[str, str]:
    return {
        path.relative_to(FRONTEND).as_posix(): path.read_text()
        for path in sources_of(FRONTEND)
        if path.suffix == ".ts"
    }


def test_the_browsers_modules_import_downward() -> None:
    sources = frontend_sources()
    assert sum(len(imports_of(source)) for source in sources.values()) > 50
    assert faults(sources) == []


def test_an_upward_a_sideways_and_a_foreign_import_are_noticed() -> None:
    planted = {
        "core/store.ts": 'import { app } from "../app.ts";\nimport type { State } from "./types.ts";',
        "core/series.ts": 'import { createApi } from "./net/api.ts";',
        "core/net/api.ts": 'const bind = await import("../../charts/bind.ts");\nimport "../store.ts";',
        "charts/bind.ts": 'import {\n  x,\n} from "https://elsewhere/x.js";\nimport "../ui/dom.ts";',
        "features/doctor/remedies.ts": 'import type { Link } from "../sharing/links.ts";\nimport "./doctor.ts";',
        "features/runs/run-card.ts": 'import { KEYS } from "../../page/keys.ts";\nimport "../../ui/dom.ts";',
        "core/words.ts": 'import { html } from "lit";',
        "ui/icons.ts": 'import { svg } from "lit";\nimport { live } from "lit/directives/live.js";',
        "features/weather/rain.ts": 'import "../../core/store.ts";',
        "page/keys.ts": 'import "../features/runs/run-card.ts";\n// import "../main.ts";',
    }
    assert [fault.split()[0] for fault in faults(planted)] == [
        "core/store.ts",
        "core/series.ts",
        "core/net/api.ts",
        "charts/bind.ts",
        "charts/bind.ts",
        "features/doctor/remedies.ts",
        "features/runs/run-card.ts",
        "core/words.ts",
        "features/weather/rain.ts",
    ]


def test_only_the_chart_element_touches_plotly() -> None:
    touching = re.compile(r"\bPlotly\s*[.\[]")
    faults = {
        path for path, source in frontend_sources().items() if touching.search(COMMENTS.sub("", source))
    }
    assert faults <= {"charts/plotly-chart.ts"}
