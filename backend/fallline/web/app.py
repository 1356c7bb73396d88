"""The application: its routes and the middleware around them.

Must not know how anything is done.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI, WebSocket
from starlette.middleware import Middleware

from fallline import __version__
from fallline.realtime.limits import RateLimiter
from fallline.services.lab import Lab
from fallline.settings import Settings
from fallline.vocabulary.errors import NotFound, Unavailable
from fallline.web import (
    errors,
    experiment_routes,
    file_routes,
    line_routes,
    server_routes,
)
from fallline.web.addresses import is_loopback
from fallline.web.base_path import here
from fallline.web.errors import UpgradeRequired, problem_response
from fallline.web.lines import Line, Lines
from fallline.web.metrics import serve_metrics
from fallline.web.middleware import Charged, FinalSlash, Forwarded, Guard, LastResort, Methods, table_of
from fallline.web.open_sockets import OpenSockets
from fallline.web.openapi import OTHER_PROBLEMS, describe
from fallline.web.openapi import serve as serve_openapi
from fallline.web.pages import (
    DOCUMENTATION_PATHS,
    Pages,
    installed_site,
    page_routes,
    serve_documentation,
)
from fallline.web.requests import StrictRoute
from fallline.web.socket import Socket

MOST_SOCKETS = 1_000
"""Sockets and lines that watch an experiment. Each takes some 50 KB, and a page needs one."""

PAGE_PATHS = {
    "/": ("GET",),
    "/api/v1/stream": ("GET",),
    "/check": ("GET",),
    "/openapi.json": ("GET",),
    "/assets/{name}": ("GET",),
}


def build_app(
    lab: Lab, pages: Pages, settings: Settings, beside: Sequence[AbstractAsyncContextManager[None]]
) -> FastAPI:
    """Return the application around a lab, which it starts and stops, and what runs `beside` it."""
    app = FastAPI(
        title="fallline",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        responses=OTHER_PROBLEMS,
        lifespan=_lifespan,
    )
    app.router.route_class = StrictRoute
    sockets = OpenSockets(MOST_SOCKETS)
    if settings.metrics_port:
        beside = (*beside, serve_metrics(lab, sockets, settings.metrics_host, settings.metrics_port))
    app.state.lab, app.state.is_ready, app.state.beside = lab, False, beside
    app.state.catalog = experiment_routes.catalog_files(lab)
    lines = app.state.lines = Lines(
        lambda address: Line(lab, settings.commands_per_second, sockets, address), sockets
    )
    app.state.rate_limiter = RateLimiter(settings.requests_per_second)
    app.state.guess_limiter = RateLimiter(
        settings.wrong_tokens_per_second, "wrong tokens per second from each address"
    )
    for router in (
        server_routes.router,
        experiment_routes.router,
        experiment_routes.changes,
        file_routes.router,
        line_routes.opening,
        line_routes.router,
        page_routes(pages),
    ):
        app.include_router(router)
    serve_documentation(app, installed_site())

    @app.websocket("/api/v1/stream")
    async def stream(websocket: WebSocket) -> None:
        connection = Socket(websocket, lab, settings.commands_per_second, sockets)
        try:
            sockets.enter(connection.open_socket, time.monotonic())
        except Unavailable as full:
            lab.meters.count_error(full)
            await websocket.send_denial_response(problem_response(full))
            return
        try:
            await connection.run()
        finally:
            sockets.leave(connection.open_socket)

    @app.get("/api/v1/stream", include_in_schema=False)
    async def no_upgrade() -> None:
        raise UpgradeRequired(
            "send a WebSocket handshake; a proxy between must pass Upgrade and Connection. "
            f"POST {here('/api/v1/lines')} opens a line over plain HTTP"
        )

    @app.websocket("/{path:path}")
    async def nowhere(websocket: WebSocket) -> None:
        await websocket.send_denial_response(
            problem_response(NotFound(f"no socket at this URL: use {here('/api/v1/stream')}"))
        )

    async def stop() -> None:
        """Finish before the server closes its connections."""
        lines.close()
        await lab.stop()

    app.state.stop = stop
    errors.install(app)
    document = describe(app)
    serve_openapi(app, document)
    app.state.server_urls = None
    app.user_middleware = [
        Middleware(Forwarded, proxies=settings.proxies, base=settings.base_path),
        Middleware(Charged, lab=lab, refusals_per_second=settings.refusals_per_second),
        Middleware(
            Guard,
            hosts=settings.hosts,
            takes_local_names=not is_loopback(settings.host),
            origins=settings.origins,
            frame_ancestors=settings.frame_ancestors,
        ),
        Middleware(FinalSlash),
        Middleware(LastResort),
        Middleware(Methods, table=table_of(_paths(document))),
    ]
    return app


def _paths(document: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    documented = {
        path: tuple(method.upper() for method in calls) for path, calls in document["paths"].items()
    }
    return {**documented, **PAGE_PATHS, **DOCUMENTATION_PATHS}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await app.state.lab.start()
    async with AsyncExitStack() as stack:
        for each in app.state.beside:
            await stack.enter_async_context(each)
        app.state.is_ready = True
        yield
        app.state.is_ready = False
    await app.state.lines.stop()
    await app.state.lab.stop()
