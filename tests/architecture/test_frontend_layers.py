"""The browser's modules import downward, as ARCHITECTURE.md draws it."""

import posixpath
import re
from pathlib import Path

from hatch_build import sources_of

FRONTEND = Path(__file__).parents[2] / "frontend"

LAYERS = [{"main.ts", "first-paint.ts"}, {"pages"}, {"components"}, {"app.ts"}, {"charts", "net"}, {"state"}]
"""From the top. Modules of one layer do not import each other."""

NOT_RUN = re.compile(r"/\*.*?\*/|^\s*//[^\n]*|^(?:import|export) type [^;]*;", re.DOTALL | re.MULTILINE)
IMPORTS = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']""")


def imports_of(source: str) -> list[str]:
    return IMPORTS.findall(NOT_RUN.sub("", source))


def faults(sources: dict[str, str]) -> list[str]:
    """Return the imports in `sources` (path below frontend/ -> text) that do not point down."""
    layer_of = {name: depth for depth, names in enumerate(LAYERS) for name in names}
    faults = []
    for path, source in sources.items():
        here = path.split("/")[0]
        for target in imports_of(source):
            there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).split("/")[0]
            if not target.startswith("."):
                faults.append(f"{path} imports {target}, which is not a file of the frontend")
            elif here not in layer_of or there not in layer_of:
                faults.append(f"{path} -> {target}: {here if here not in layer_of else there} has no layer")
            elif there != here and layer_of[there] <= layer_of[here]:
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
        "state/store.ts": 'import { app } from "../app.ts";',
        "net/api.ts": 'const bind = await import("../charts/bind.ts");',
        "charts/bind.ts": 'import {\n  x,\n} from "https://elsewhere/x.js";',
        "pages/dashboard.ts": 'import type { Page } from "../main.ts";\nimport "../components/knob.ts";',
    }
    assert len(faults(planted)) == 3


def test_only_the_chart_element_touches_plotly() -> None:
    touching = re.compile(r"\bPlotly\s*[.\[]")
    faults = {path for path, source in frontend_sources().items() if touching.search(NOT_RUN.sub("", source))}
    assert faults <= {"charts/plotly-chart.ts"}
