"""Routes for monitoring: liveness and readiness."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from fastapi import APIRouter, Request

from fallline import __version__
from fallline.vocabulary.answers import Health, Readiness
from fallline.vocabulary.errors import Unavailable
from fallline.web.openapi import problem
from fallline.web.requests import StrictRoute, TheLab

router = APIRouter(tags=["health"], route_class=StrictRoute)


@router.get("/healthz", response_model=Health)
async def healthz(lab: TheLab) -> dict[str, Any]:
    """Report that the process is alive, with versions and the kernel in use."""
    versions = {"version": __version__, "python": platform.python_version(), "numpy": np.__version__}
    return {"status": "ok", **versions, **lab.health()}


@router.get("/readyz", response_model=Readiness, responses={503: problem("Service Unavailable")})
async def readyz(request: Request, lab: TheLab) -> dict[str, Any]:
    """Report whether worker, store and event loop answer and changes can be stored."""
    if not request.app.state.is_ready:
        raise Unavailable("the server is starting or stopping: retry", retry_after=2)
    return {"status": "ready", **await lab.ready()}
