"""The page and its files.

`/` refers to all files by a hash of their contents, so that browsers cache them for ever.

They are compressed once, in a thread after the start. Must not know what is in the files.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from fallline.vocabulary.errors import NotFound

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
COMPRESSED_ALREADY = frozenset({".ico", ".png", ".woff2"})
NOT_SERVED = frozenset({"package.json", "package-lock.json", "jsconfig.json", "index.html"})
FOR_GOOD = "public, max-age=31536000, immutable"
TEMPLATE = "figures/plotly-template.json"
PLOTLY = "plotly.min.js"


@dataclass(slots=True)
class File:
    """A file as it is served.

    `packed` is its gzip form, once it exists, if it is smaller.
    """

    body: bytes
    media_type: str
    packable: bool = True
    packed: bytes | None = None

    def pack(self) -> None:
        """Compress the file. This takes a while: call it in a thread."""
        packed = gzip.compress(self.body, mtime=0)
        self.packed = packed if len(packed) < len(self.body) else None


class Pages:
    """All files that a browser loads, in memory, by URL."""

    def __init__(self, frontend: Path, package: Path, plotly: bytes) -> None:
        files = _files_of(frontend)
        if (package / TEMPLATE).is_file():
            files[TEMPLATE] = _file(package / TEMPLATE)
        self.assets = f"/assets/{_hash_of(files)}"
        bundle = {PLOTLY: File(plotly, MEDIA_TYPES[".js"])}
        self.plotly = f"/assets/{_hash_of(bundle)}/{PLOTLY}"
        self.index = File(self._filled((frontend / "index.html").read_text("utf-8")), MEDIA_TYPES[".html"])
        self.etag = f'"{hashlib.sha256(self.index.body).hexdigest()[:16]}"'
        self._served = {f"{self.assets}/{name}": file for name, file in files.items()}
        self._served[self.plotly] = bundle[PLOTLY]

    def _filled(self, page: str) -> bytes:
        return page.replace("{{assets}}", self.assets).replace("{{plotly}}", self.plotly).encode()

    def find(self, url: str) -> File:
        """Return the file at a URL.

        Raises NotFound, also for files of another version of the page.
        """
        try:
            return self._served[url]
        except KeyError:
            raise NotFound("no such file in this version of the page: reload the page") from None

    async def pack(self) -> None:
        """Compress all files, small ones first."""
        for file in sorted((self.index, *self._served.values()), key=lambda file: len(file.body)):
            if file.packable and file.packed is None:
                await asyncio.to_thread(file.pack)


def _files_of(folder: Path) -> dict[str, File]:
    return {
        path.relative_to(folder).as_posix(): _file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and _is_served(path.relative_to(folder))
    }


def _is_served(path: Path) -> bool:
    hidden = any(part.startswith(".") or part in ("tests", "node_modules") for part in path.parts)
    return not hidden and path.name not in NOT_SERVED and path.suffix in MEDIA_TYPES


def _file(path: Path) -> File:
    return File(path.read_bytes(), MEDIA_TYPES[path.suffix], path.suffix not in COMPRESSED_ALREADY)


def _hash_of(files: dict[str, File]) -> str:
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        digest.update(f"{name}\0{len(file.body)}\0".encode())
        digest.update(file.body)
    return digest.hexdigest()[:16]


@cache
def installed_pages() -> Pages:
    """Return the pages of this installation, or of its clone, and Plotly's script from the Python package.

    They are read and compressed once per process.
    """
    package = Path(str(resources.files("fallline")))
    frontend = next(
        folder
        for folder in (package / "frontend", package.parent.parent / "frontend")
        if (folder / "index.html").is_file()
    )
    return Pages(frontend, package, (resources.files("plotly") / "package_data" / PLOTLY).read_bytes())


def page_routes(pages: Pages) -> APIRouter:
    """Return the routes of the page and its files.

    They are not in the OpenAPI document.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def index(request: Request) -> Response:
        headers = {"ETag": pages.etag, "Cache-Control": "no-cache"}
        cached = [
            tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")
        ]
        if pages.etag in cached or "*" in cached:
            return Response(status_code=304, headers=headers)
        return _response(pages.index, request, headers)

    @router.get("/assets/{version}/{path:path}")
    async def asset(request: Request, version: str, path: str) -> Response:
        return _response(pages.find(f"/assets/{version}/{path}"), request, {"Cache-Control": FOR_GOOD})

    return router


def _response(file: File, request: Request, headers: dict[str, str]) -> Response:
    headers["Vary"] = "Accept-Encoding"
    if file.packed is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.media_type)
    return Response(file.body, headers=headers, media_type=file.media_type)


def _takes_gzip(accepted: str) -> bool:
    choices = [part.strip().lower().replace(" ", "") for part in accepted.split(",")]
    return any(
        choice == "gzip" or (choice.startswith("gzip;q=") and choice != "gzip;q=0") for choice in choices
    )
