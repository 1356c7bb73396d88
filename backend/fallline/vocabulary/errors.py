"""What can be wrong with a request, each kind with a stable code.

Knows nothing of HTTP: `web.errors` maps codes to statuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class FalllineError(Exception):
    """A request that cannot be served. `code` is stable, `title` names the kind, `detail` says what would be right."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request cannot be served"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def members(self) -> dict[str, object]:
        """Further members of the problem details (RFC 9457, section 3.2)."""
        return {}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a body: its JSON pointer (RFC 6901) and what would be right."""

    pointer: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail}


class InvalidRequest(FalllineError):
    """The body or query does not say anything that could be done. `more`: further fields are wrong than those named."""

    code = "invalid-request"
    title = "The request is not valid"

    def __init__(self, *errors: FieldError, more: bool = False) -> None:
        named = [f"{error.pointer or 'body'}: {error.detail}" for error in errors]
        super().__init__("; ".join([*named, "and more"] if more else named))
        self.errors = errors
        self.more = more

    def members(self) -> dict[str, object]:
        told: dict[str, object] = {"errors": [error.as_json() for error in self.errors]}
        return {**told, "more_errors": True} if self.more else told


class TooExpensive(FalllineError):
    """The recipe would cost more than this server gives to one experiment. Raised before anything is allocated."""

    code = "too-expensive"
    title = "The recipe would cost too much"

    def __init__(self, bound: str, limit: float, asked: float) -> None:
        words = bound.replace("_", " ")
        super().__init__(f"{words}: at most {_plain(limit)}, and {_plain(asked)} would be needed")
        self.bound, self.limit, self.asked = bound, limit, asked

    def members(self) -> dict[str, object]:
        return {"bound": self.bound, "limit": self.limit, "asked": self.asked}


def _plain(number: float) -> str:
    """Whole numbers in full, others to three digits."""
    return f"{int(number):,}" if number == int(number) else f"{number:,.3g}"


class UnusableTable(FalllineError):
    """A CSV that no table can be made of. `line` and `offset` (in bytes) say where, as far as that is one place;
    `skipped` tells the first rows that cannot be used, each with its line and reason.
    """

    code = "unusable-table"
    title = "The CSV cannot be used"

    def __init__(
        self,
        detail: str,
        *,
        line: int | None = None,
        offset: int | None = None,
        skipped: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(detail)
        self.line, self.offset, self.skipped = line, offset, skipped

    def members(self) -> dict[str, object]:
        found = {"line": self.line, "offset": self.offset, "skipped": list(self.skipped) or None}
        return {name: value for name, value in found.items() if value is not None}


class UnusableParameters(FalllineError):
    """A file of which no parameters can be made."""

    code = "unusable-parameters"
    title = "The parameters cannot be used"


class KeyReused(FalllineError):
    """An idempotency key that stood for another command before."""

    code = "key-reused"
    title = "The idempotency key belongs to another command"


class NotAuthorized(FalllineError):
    """The token that allows changes is missing or wrong."""

    code = "not-authorized"
    title = "A token is needed to change this experiment"


class NotFound(FalllineError):
    """No experiment, run, figure or instrument of that name."""

    code = "not-found"
    title = "There is nothing of that name"


class Conflict(FalllineError):
    """A command that is well formed but impossible in the present state, like a step of a diverged run."""

    code = "conflict"
    title = "That is not possible in the present state"


class TooNew(Conflict):
    """What is stored was written by a newer program, in a shape that this one does not know."""

    code = "too-new"
    title = "A newer fallline wrote this experiment"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"what is stored of it has version {found}, and this fallline knows {known}: update it. Nothing was changed"
        )


class Failed(FalllineError):
    """The server made a mistake while it worked on one experiment, and closed that one."""

    code = "experiment-failed"
    title = "The experiment was closed after a fault of the server"

    def __init__(self) -> None:
        super().__init__("ask for it again: it opens paused, where it was stored last. The log has the cause")


class Damaged(Conflict):
    """What is stored of an experiment, or of a table or parameters that were sent, cannot be read any more."""

    code = "damaged"
    title = "What is stored of this is damaged"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}, as the file on the server's disk is damaged; others are not affected. Of an experiment, "
            "GET .../export/recipe.json returns as much as can be read; post it to make the experiment again"
        )


class TooLarge(FalllineError):
    """A body longer than this server reads."""

    code = "too-large"
    title = "The body is too large"


class TooManyRequests(FalllineError):
    """More commands a second than one visitor may send. `retry_after` is in seconds."""

    code = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    def members(self) -> dict[str, object]:
        return {"retry_after": self.retry_after}


class Unavailable(FalllineError):
    """The server is full or stopping. `retry_after` is in seconds."""

    code = "unavailable"
    title = "The server cannot take this now"

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unattended(Unavailable):
    """Steps that were asked for and stopped, since nobody waited for them any more."""

    code = "unattended"
    title = "The steps were paused since nobody waited for them"

    def __init__(self) -> None:
        super().__init__(
            "send the command again with the same key: it goes on to where it was going", retry_after=1
        )


class ReadOnly(Unavailable):
    """Nothing can be stored at present, so no change is taken: it might be lost."""

    code = "read-only"
    title = "The server takes no changes at present"

    def __init__(self) -> None:
        super().__init__("it cannot write to its data folder; what is stored can be read", retry_after=5)
