"""The path under which the server is reached: `FALLLINE_BASE_PATH`, or the `X-Forwarded-Prefix` of a trusted proxy.

Answers add it with `here`, and `web.middleware` takes it off requests. Must not know which routes there are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

LONGEST_LOGGED = 80

log = logging.getLogger("fallline.web")

_base: ContextVar[str] = ContextVar("base_path", default="")


def here(path: str) -> str:
    """Return a path of the server as the client of the present request must write it."""
    return _base.get() + path


def named_here(answer: Any) -> Any:
    """Return an answer whose texts name the API's paths as the client of the present request must write them."""
    if not _base.get():
        return answer
    if isinstance(answer, str):
        return answer.replace("/api/v1/", here("/api/v1/"))
    if isinstance(answer, dict):
        return {key: named_here(value) for key, value in answer.items()}
    return [named_here(value) for value in answer] if isinstance(answer, list) else answer


@contextmanager
def under(base: str) -> Iterator[None]:
    """Answer under this base path."""
    before = _base.set(base)
    try:
        yield
    finally:
        _base.reset(before)


def log_ignored(source: str, prefix: str) -> None:
    """Log that a prefix cannot be a base path, and what would be right."""
    log.warning(
        "%s is ignored: %r must be up to four segments such as /fallline, the first one no URL of the server",
        source,
        prefix[:LONGEST_LOGGED],
    )
