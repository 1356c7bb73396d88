"""Hooks of the documentation's build: what the server's content security policy and its offline readers need."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.utils import get_relative_url

ROOT = Path(__file__).parents[2]
SCRIPTS = "assets/javascripts"
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)

# The theme brings them, and no reader of this site needs them: source maps, stemmers of other languages.
UNUSED = ("**/*.map", f"{SCRIPTS}/lunr", "404.html", "sitemap.xml*")


def on_post_page(output: str, page: Any, config: MkDocsConfig) -> str:
    """Move each inline script of a page into a file, since the policy allows none."""

    def moved(script: re.Match[str]) -> str:
        code = script[1].encode()
        name = f"{SCRIPTS}/inline.{hashlib.sha256(code).hexdigest()[:8]}.js"
        path = Path(config.site_dir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(code)
        return f'<script src="{get_relative_url(name, page.url)}"></script>'

    return INLINE.sub(moved, output)


def on_post_build(config: MkDocsConfig) -> None:
    """Add the page's icon and typeface, and remove what the site does not use."""
    site = Path(config.site_dir)
    shutil.copy(ROOT / "frontend/favicon.svg", site)
    for name in ("inter.woff2", "OFL.txt"):
        shutil.copy(ROOT / "frontend/fonts" / name, site / "assets")
    for path in (path for pattern in UNUSED for path in list(site.glob(pattern))):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
