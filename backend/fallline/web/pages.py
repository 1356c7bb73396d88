"""The page and its files, as the build wrote them, and the documentation, a static site served at `/docs/`.

The page's file names contain a hash of the contents, so that browsers cache them for ever. Must not know what the files
contain.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from fallline.vocabulary.errors import NotFound
from fallline.web.requests import StrictRoute

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""Compressed forms of a file, by content coding; the preferred one first."""

FOR_GOOD = "public, max-age=31536000, immutable"
INDEX, CHECK = "index.html", "check.html"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served: plain, and by content coding."""

    body: bytes
    media_type: str
    encoded: dict[str, bytes]

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


class Pages:
    """All files that a browser loads, in memory, by their built names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built_at: int | None = None
        self._files: dict[str, File] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the files again if the page was built since."""
        index = self._folder / INDEX
        built_at = index.stat().st_mtime_ns if index.is_file() else None
        if built_at != self._built_at:
            self._files = _files_of(self._folder)
            self._built_at = built_at

    def page(self, name: str) -> File:
        """Return a page. Raises NotFound if it is not built."""
        if name not in self._files:
            raise NotFound("the page is not built: `make page` builds it")
        return self._files[name]

    def asset(self, name: str) -> File:
        """Return the file of this name.

        Raises NotFound, also for files of another version of the page.
        """
        try:
            return self._files[f"assets/{name}"]
        except KeyError:
            raise NotFound("no such file in this version of the page: reload the page") from None


def _files_of(folder: Path) -> dict[str, File]:
    return {
        path.relative_to(folder).as_posix(): _file(path)
        for path in (folder / INDEX, folder / CHECK, *(folder / "assets").rglob("*"))
        if path.suffix in MEDIA_TYPES and path.is_file()
    }


def _file(path: Path) -> File:
    packed = {coding: path.with_name(path.name + suffix) for coding, suffix in SUFFIXES.items()}
    encoded = {coding: form.read_bytes() for coding, form in packed.items() if form.is_file()}
    return File(path.read_bytes(), MEDIA_TYPES[path.suffix], encoded)


@cache
def installed_pages() -> Pages:
    """Return the page of this installation, or of its clone.

    It is read once per process, and again after a build.
    """
    return Pages(_installed("frontend", "frontend/dist"))


def _installed(name: str, in_clone: str) -> Path:
    """Return a folder that came with this installation, or lies beside it in a clone."""
    package = Path(str(resources.files("fallline")))
    included = package / name
    return included if included.is_dir() else package.parent.parent / in_clone


def page_routes(pages: Pages) -> APIRouter:
    """Return the routes of the page and its files.

    They are not in the OpenAPI document.
    """
    router = APIRouter(include_in_schema=False, route_class=StrictRoute)

    @router.get("/")
    async def index(request: Request) -> Response:
        return page(INDEX, request)

    @router.get("/check")
    async def check(request: Request) -> Response:
        return page(CHECK, request)

    def page(name: str, request: Request) -> Response:
        pages.refresh()
        file = pages.page(name)
        headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
        tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if file.etag in tags or "*" in tags:
            return Response(status_code=304, headers=headers)
        return response_of(file, request, headers)

    @router.get("/assets/{name}")
    async def asset(request: Request, name: str) -> Response:
        return response_of(pages.asset(name), request, {"Cache-Control": FOR_GOOD})

    return router


def response_of(file: File, request: Request, headers: dict[str, str]) -> Response:
    """Return the file in the first of its codings that the client accepts, or plain."""
    headers["Vary"] = "Accept-Encoding"
    accepted = _codings(request.headers.get("accept-encoding", ""))
    for coding, body in file.encoded.items():
        if coding in accepted:
            return Response(body, headers={**headers, "Content-Encoding": coding}, media_type=file.media_type)
    return Response(file.body, headers=headers, media_type=file.media_type)


def _codings(accepted: str) -> set[str]:
    """Return the content codings that the client accepts; a weight matters only if it is 0."""
    choices = (part.lower().replace(" ", "").partition(";q=") for part in accepted.split(","))
    return {coding for coding, _, weight in choices if not weight or weight.strip("0.")}


# ---------------------------------------------------------------------- documentation

DOCUMENTATION_PATHS = {"/docs": ("GET",), "/docs/{path:path}": ("GET",)}

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
    """The built documentation."""
    return _installed("site", "site")


def serve_documentation(app: FastAPI, folder: Path) -> None:
    """Add the site's addresses; they are no part of the API's description."""

    @app.get("/docs", include_in_schema=False)
    async def entry() -> Response:
        return RedirectResponse("docs/")

    app.mount("/docs", Documentation(folder))
