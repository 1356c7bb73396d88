"""Errors of requests, each with a stable code; `web.errors` has their statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class FalllineError(Exception):
    """A request that the server refuses.

    `code` is stable, `title` names the kind, `detail` describes the error and a correct value.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request failed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def members(self) -> dict[str, object]:
        """Return further members of the problem details (RFC 9457, section 3.2)."""
        return {}


@dataclass(frozen=True, slots=True)
class FieldError:
    """An invalid field of a body: its JSON pointer (RFC 6901) and what would be right."""

    pointer: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail}


class InvalidRequest(FalllineError):
    """The body or query is not valid. `more`: there are more errors than those listed."""

    code = "invalid-request"
    title = "The request is not valid"

    def __init__(self, *errors: FieldError, more: bool = False) -> None:
        messages = [f"{error.pointer or 'body'}: {error.detail}" for error in errors]
        super().__init__("; ".join([*messages, "and more"] if more else messages))
        self.errors = errors
        self.more = more

    def members(self) -> dict[str, object]:
        members: dict[str, object] = {"errors": [error.as_json() for error in self.errors]}
        return {**members, "more_errors": True} if self.more else members


def invalid(pointer: str, detail: str) -> InvalidRequest:
    """Return the error of one field: its JSON pointer, and what would be right."""
    return InvalidRequest(FieldError(pointer, detail))


class TooExpensive(FalllineError):
    """A recipe, an edit or a table exceeds a bound of this server. Raised before anything is allocated."""

    code = "too-expensive"
    title = "Above a limit of this server"

    def __init__(self, bound: str, limit: float, asked: float) -> None:
        words = bound.replace("_", " ")
        super().__init__(f"{words}: {_plain(asked)}; the limit is {_plain(limit)}")
        self.bound, self.limit, self.asked = bound, limit, asked

    def members(self) -> dict[str, object]:
        return {"bound": self.bound, "limit": self.limit, "asked": self.asked}


def _plain(number: float) -> str:
    """Write whole numbers in full and others with three digits."""
    return f"{int(number):,}" if number == int(number) else f"{number:,.3g}"


class UnusableTable(FalllineError):
    """A CSV file that cannot be parsed as a table.

    `line` and `offset` (in bytes) locate the error, if it has one place. `skipped` lists the first unusable rows, each
    with its line and reason.
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
        members = {"line": self.line, "offset": self.offset, "skipped": list(self.skipped) or None}
        return {name: value for name, value in members.items() if value is not None}


class UnusableParameters(FalllineError):
    """A file that cannot be read as parameters."""

    code = "unusable-parameters"
    title = "The parameters cannot be used"


class KeyReused(FalllineError):
    """An idempotency key that was used before for another command."""

    code = "key-reused"
    title = "The idempotency key was used for another command"


class NotAuthorized(FalllineError):
    """The token for changes, or the key of a line, is missing or wrong."""

    code = "not-authorized"
    title = "The token or key is missing or wrong"


class NotFound(FalllineError):
    """No experiment, run, figure or instrument has this name."""

    code = "not-found"
    title = "Not found"


class Gone(FalllineError):
    """It was there, but is not stored any more."""

    code = "gone"
    title = "It is not kept any more"


class Conflict(FalllineError):
    """A valid command that is impossible now, such as a step of a diverged run."""

    code = "conflict"
    title = "The command is not possible now"


class TooNew(Conflict):
    """An experiment stored by a newer version, in a format unknown here."""

    code = "too-new"
    title = "A newer fallline stored this experiment"

    def __init__(self, stored: int, supported: int) -> None:
        super().__init__(
            f"its format is version {stored}, newer than {supported}: update fallline. Nothing was changed"
        )


class Failed(FalllineError):
    """A fault of the server in one experiment, which was closed."""

    code = "experiment-failed"
    title = "The experiment was closed after a server fault"

    def __init__(self) -> None:
        super().__init__(
            "request it again: it opens paused at its last stored step. The server log has the cause"
        )


class Damaged(Conflict):
    """A stored experiment, table or parameter file that cannot be read any more. `what` names the damage."""

    code = "damaged"
    title = "The stored data is damaged"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"{what}: the file on the server's disk is damaged. Other experiments are not affected. "
            "GET .../export/recipe.json returns the readable part of an experiment; post it to create it again"
        )


class TooLarge(FalllineError):
    """A body above the size limit."""

    code = "too-large"
    title = "The body is too large"


class RetryLater(FalllineError):
    """A request that may succeed after `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    def members(self) -> dict[str, object]:
        return {"retry_after": self.retry_after}


class TooManyRequests(RetryLater):
    """A client exceeds the rate limit."""

    code = "too-many-requests"
    title = "Too many requests"


class Unavailable(RetryLater):
    """The server is full or stopping."""

    code = "unavailable"
    title = "The server cannot take this now"


class StorageFull(Unavailable):
    """New data does not fit. The limit is for one owner or address; with `is_whole`, for all data."""

    code = "storage-full"
    title = "The storage for this is full"

    def __init__(
        self, what: str, bytes: float, most: float, retry_after: float, *, is_whole: bool = False
    ) -> None:
        size, limit = (f"{each / (1 << 20):,.1f} MB" for each in (bytes, most))
        super().__init__(
            f"{what} hold {size}; the limit is {limit}. Export what you need and delete experiments, or ask the "
            "operator for more. Nothing was deleted",
            retry_after,
        )
        self.is_whole = is_whole


class Unattended(Unavailable):
    """Requested steps that were paused because no client waited for them."""

    code = "unattended"
    title = "The steps were paused because no client waited"

    def __init__(self) -> None:
        super().__init__(
            "send the command again with the same key to continue to its last step", retry_after=1
        )


class ReadOnly(Unavailable):
    """Storing is not possible now, so changes are refused."""

    code = "read-only"
    title = "The server is read-only now"

    def __init__(self) -> None:
        super().__init__("it cannot write to its data folder, so it refuses changes", retry_after=5)
