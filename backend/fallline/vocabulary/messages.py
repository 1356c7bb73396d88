"""What travels over the socket: the client's messages as strict models, and which codes end a connection.

Bodies of commands are those of `vocabulary.commands`; here is the envelope around them. Must not know
who sends what when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from fallline.vocabulary.commands import COMMANDS, NEEDS_RUN
from fallline.vocabulary.strict import LARGEST, RunName, StrictModel, at_most

MOST_BUCKETS = 10_000
MOST_SERIES = 128
"""Names of series that one may ask for at once; an experiment of the largest network has fewer."""

ExperimentId = Annotated[str, Field(min_length=1, max_length=64)]
CommandId = Annotated[str, Field(min_length=1, max_length=128)]
SeriesNames = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=MOST_SERIES)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]


class CloseCode(IntEnum):
    """Why the server ends a socket. After those below 4400 a client comes back, the others are final."""

    RESTART = 1012
    TOO_BIG = 1009
    TOO_SLOW = 4001
    TOO_MANY_MESSAGES = 4008
    PROTOCOL = 4400
    TOKEN = 4401
    UNKNOWN_EXPERIMENT = 4404


MOST_SINCE = 256
"""Runs that a client may hold something of: those that were removed meanwhile are among them."""


class Position(StrictModel):
    """What a client holds of a run: everything of this generation before `step`."""

    generation: Count
    step: Count


class Watch(StrictModel):
    """Tell me of this experiment from now on. Only `experiment` is required; `token` allows commands."""

    type: Literal["watch"]
    experiment: ExperimentId
    token: Annotated[str, Field(max_length=128)] | None = None
    fps: Annotated[float, Field(ge=1, le=30)] = 10.0
    since: Annotated[
        dict[RunName, Position], Field(max_length=MOST_SINCE, default_factory=dict), at_most(MOST_SINCE)
    ]
    series: SeriesNames | None = None
    buckets: Annotated[int, Field(ge=1, le=MOST_BUCKETS)] = 100
    encoding: Literal["json", "bdata"] = "json"


class Unwatch(StrictModel):
    """No more of this experiment."""

    type: Literal["unwatch"]
    experiment: ExperimentId


class Got(StrictModel):
    """All frames up to this one have arrived. Once sent, at most two frames are on their way unacknowledged."""

    type: Literal["got"]
    frame: Count


class Ping(StrictModel):
    """Answer me with a pong of the same id."""

    type: Literal["ping"]
    id: CommandId | Count


class Envelope(StrictModel):
    """A command's own fields; those of the REST body stand beside them."""

    type: Literal["command"]
    id: CommandId
    experiment: ExperimentId
    do: Literal["play", "pause", "step", "reset", "edit", "add_run", "remove_run"]


class EnvelopeWithRun(Envelope):
    """The same for commands that name their run in the REST path."""

    run: RunName


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it came: its id, what it is for, and the body as REST would have it."""

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
"""The client's messages by `type`, without `command`, which `read_command` reads."""


def read_command(message: dict[str, Any]) -> Command:
    """The command that a message says. Raises pydantic's ValidationError."""
    kind = EnvelopeWithRun if message.get("do") in NEEDS_RUN else Envelope
    outer = kind.model_validate({name: message[name] for name in kind.model_fields if name in message})
    body = {name: value for name, value in message.items() if name not in kind.model_fields}
    COMMANDS[outer.do].model_validate(body)
    return Command(outer.id, outer.experiment, outer.do, getattr(outer, "run", None), body)
