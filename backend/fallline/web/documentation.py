"""The documentation: a static site that the build makes, served at `/docs/`."""

from __future__ import annotations

import mimetypes
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from fallline.vocabulary.errors import NotFound

PATHS = {"/docs": ("GET",), "/docs/{path:path}": ("GET",)}

# Some machines know other types for these names, or none. Browsers then refuse the files.
for suffix, media_type in ((".js", "text/javascript"), (".webp", "image/webp")):
    mimetypes.add_type(media_type, suffix)


class Documentation(StaticFiles):
    """The built site. Browsers ask each time whether a file has changed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)

    async def check_config(self) -> None:
        """Raise NotFound until the site has been built."""
        if self.directory is None or not Path(self.directory).is_dir():
            raise NotFound("the documentation has not been built: `make docs` builds it")

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def installed_site() -> Path:
    """The site that came with this installation, or lies beside it in a clone."""
    package = Path(str(resources.files("fallline")))
    included = package / "site"
    return included if included.is_dir() else package.parent.parent / "site"


def serve_documentation(app: FastAPI, folder: Path) -> None:
    """Add the site's addresses; they are no part of the API's description."""

    @app.get("/docs", include_in_schema=False)
    async def entry() -> Response:
        return RedirectResponse("docs/")

    app.mount("/docs", Documentation(folder))
