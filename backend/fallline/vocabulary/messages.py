"""The client's messages on the socket as strict models, and the close codes.

`vocabulary.commands` has the bodies of commands; here is the envelope around them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from fallline.vocabulary.commands import COMMANDS, NEEDS_RUN
from fallline.vocabulary.strict import LARGEST, RunName, StrictModel, at_most

MOST_BUCKETS = 10_000
MOST_SERIES = 128
"""Series in one request; an experiment of the largest network has fewer."""

ExperimentId = Annotated[str, Field(min_length=1, max_length=64)]
CommandId = Annotated[str, Field(min_length=1, max_length=128)]
SeriesNames = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=MOST_SERIES)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]


class CloseCode(IntEnum):
    """Why the server closes a socket. Codes below 4400 mean: reconnect.

    The others are final.
    """

    RESTART = 1012
    TOO_BIG = 1009
    TOO_SLOW = 4001
    TOO_MANY_MESSAGES = 4008
    PROTOCOL = 4400
    TOKEN = 4401
    UNKNOWN_EXPERIMENT = 4404


MOST_POSTED = 1_000
"""Messages in one request on a line."""

MOST_SINCE = 256
"""Runs in `since`; a client may also list runs that have been removed."""


class Position(StrictModel):
    """The part of a run that a client has: all steps of this generation before `step`."""

    generation: Count
    step: Count


class Watch(StrictModel):
    """Subscribe to an experiment.

    Only `experiment` is required; `token` allows commands.
    """

    type: Literal["watch"]
    experiment: ExperimentId
    token: Annotated[str, Field(max_length=128)] | None = None
    fps: Annotated[float, Field(ge=1, le=30)] = 10.0
    since: Annotated[dict[RunName, Position], Field(max_length=MOST_SINCE), at_most(MOST_SINCE)] = Field(
        default_factory=dict
    )
    series: SeriesNames | None = None
    buckets: Annotated[int, Field(ge=1, le=MOST_BUCKETS)] = 100
    encoding: Literal["json", "bdata", "packed", "binary", "brief"] = "json"

    @model_validator(mode="after")
    def _names_series(self) -> Watch:
        if self.encoding == "packed" and self.series is None:
            raise ValueError("must name series with the encoding packed: its columns have only their places")
        return self


class Unwatch(StrictModel):
    """Unsubscribe from an experiment."""

    type: Literal["unwatch"]
    experiment: ExperimentId


class Got(StrictModel):
    """Acknowledge all frames up to this one.

    From then on, at most two frames are unacknowledged.
    """

    type: Literal["got"]
    frame: Count


class Ping(StrictModel):
    """Request a pong with the same id."""

    type: Literal["ping"]
    id: CommandId | Count


class Posted(StrictModel):
    """A client's messages on a line, which has no socket to send them on."""

    seq: Annotated[Count, Field(description="rises with each request; a repeated one is not done again")]
    messages: Annotated[list[Any], Field(max_length=MOST_POSTED, description="messages as on the WebSocket")]
    after: Annotated[
        Count | None, Field(description="the newest message that the client has: the line drops up to it")
    ] = None


class Envelope(StrictModel):
    """The common fields of a command, beside the fields of the REST body."""

    type: Literal["command"]
    id: CommandId
    experiment: ExperimentId
    do: Literal["play", "pause", "step", "reset", "edit", "add_run", "remove_run"]


class EnvelopeWithRun(Envelope):
    """The envelope of commands with their run in the REST path."""

    run: RunName


@dataclass(frozen=True, slots=True)
class Command:
    """A received command: its id, its target, and the body as in REST."""

    id: str
    experiment: str
    do: str
    run: str | None
    body: dict[str, Any]


ClientMessage: TypeAlias = Watch | Unwatch | Got | Ping | Command

MESSAGES: Mapping[str, type[Watch] | type[Unwatch] | type[Got] | type[Ping]] = {
    "watch": Watch,
    "unwatch": Unwatch,
    "got": Got,
    "ping": Ping,
}
"""The client's messages by `type`; `read_command` parses the type `command`."""


def read_command(message: dict[str, Any]) -> Command:
    """Parse a command message. Raises pydantic's ValidationError."""
    kind = EnvelopeWithRun if message.get("do") in NEEDS_RUN else Envelope
    outer = kind.model_validate({name: message[name] for name in kind.model_fields if name in message})
    body = {name: value for name, value in message.items() if name not in kind.model_fields}
    COMMANDS[outer.do].model_validate(body)
    return Command(outer.id, outer.experiment, outer.do, getattr(outer, "run", None), body)
