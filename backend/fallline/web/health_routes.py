"""Routes for monitoring: liveness and readiness."""

from __future__ import annotations

import platform

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from fallline import __version__
from fallline.vocabulary.answers import Health, Readiness
from fallline.vocabulary.errors import Unavailable
from fallline.web.answers import Answer
from fallline.web.dependencies import TheLab
from fallline.web.openapi import answers_of

router = APIRouter(tags=["health"])


@router.get("/healthz", responses=answers_of(model=Health))
async def healthz(lab: TheLab) -> Response:
    """Report that the process is alive, with versions and the kernel in use."""
    versions = {"version": __version__, "python": platform.python_version(), "numpy": np.__version__}
    return Answer({"status": "ok", **versions, **lab.health()})


@router.get("/readyz", responses=answers_of(503, model=Readiness))
async def readyz(request: Request, lab: TheLab) -> Response:
    """Report whether worker, store and event loop answer and changes can be stored."""
    if not request.app.state.is_ready:
        raise Unavailable("the server is starting or stopping: retry", retry_after=2)
    return Answer({"status": "ready", **await lab.ready()})
