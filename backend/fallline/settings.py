"""The settings.

They are read from the environment once and passed as arguments.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "FALLLINE_"


class BadSetting(ValueError):
    """A setting with an invalid value. The text says what would be right."""


def _own_folder() -> Path:
    return user_data_path("fallline", appauthor=False)


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _split(value: Any) -> Any:
    return (
        [name.strip() for name in value.lower().split(",") if name.strip()]
        if isinstance(value, str)
        else value
    )


ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?", re.ASCII)
"""An origin as a browser writes it. It has no character that a header could read as more than a name."""


HOST = re.compile(r"\*|\[[0-9a-f:.]+\]|[a-z0-9._-]+", re.ASCII)
"""A name as in a Host header, without its port; or any name."""

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def _each(is_right: Callable[[str], object], expected: str) -> AfterValidator:
    """Return a check of each entry of a list. Its ValueError says what would be right."""

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(is_right, values)):
            raise ValueError(expected)
        return values

    return AfterValidator(check)


def _is_host(value: str) -> bool:
    return HOST.fullmatch(value) is not None or ("/" not in value and _is_address(value))


def _is_address(value: str) -> bool:
    """Return whether it is an IP address, or a network such as 10.0.0.0/8."""
    try:
        ipaddress.ip_network(value) if "/" in value else ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _without_default_ports(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return origins as browsers write them."""
    return tuple(value.removesuffix(DEFAULT_PORTS[value.partition(":")[0]]) for value in values)


def _proxies(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the proxies. Raises ValueError for `*` beside others, where it would have no effect."""
    if values != ("*",) and not all(map(_is_address, values)):
        raise ValueError(
            "addresses or networks such as 10.0.0.5 or 10.0.0.0/8, separated by commas; or * alone for any"
        )
    return values


BASE_PATH = re.compile(r"(/[A-Za-z0-9._~-]+){0,4}", re.ASCII)
"""A base path: up to four segments of characters that need no escape anywhere."""

OWN_PATHS = frozenset({"api", "assets", "check", "docs", "healthz", "openapi.json", "problems", "readyz"})
"""First segments of the server's own URLs. With one of them as base path, a URL could mean two things."""


def usable_base_path(prefix: str) -> str | None:
    """Return a prefix without a final slash; None if it cannot be a base path."""
    base = prefix.removesuffix("/")
    segments = base.split("/")[1:]
    if BASE_PATH.fullmatch(base) is None or {".", ".."} & {*segments} or OWN_PATHS & {*segments[:1]}:
        return None
    return base


def _base_path(value: str) -> str:
    base = usable_base_path(value)
    if base is None:
        raise ValueError(
            "a path such as /fallline: up to four segments of letters, digits and . _ ~ -, without . and .. alone, the "
            "first one no URL of the server such as /api"
        )
    return base


HOSTS = _each(
    _is_host, "names such as lab.example, without https:// and port, separated by commas; or * for any"
)
ORIGINS = _each(
    ORIGIN.fullmatch,
    "origins such as https://example.org or http://localhost:8080, separated by commas; * is refused",
)

Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), HOSTS]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), ORIGINS]
Proxies = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_proxies)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """The settings of one server. With `data=None` it stores nothing.

    Each field is an environment variable, in capitals behind `FALLLINE_`; arguments win over the environment.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    host: str = Field(
        default="127.0.0.1", description="address to listen on; 0.0.0.0 for all networks of this machine"
    )
    port: int = Field(default=8000, ge=0, le=65_535, description="port to listen on; 0 chooses a free one")
    data: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default_factory=_own_folder,
        description="folder that stores the experiments; by default the user's data folder",
    )
    backup_hours: int = Field(
        default=0, ge=0, le=8_760, description="hours between two backups by the server; 0 makes none"
    )
    backup_folder: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None, description="folder for backups; by default the folder backups in FALLLINE_DATA"
    )
    backups: int = Field(
        default=7, ge=1, le=1000, description="backups that stay in a folder: those made last"
    )
    keep_days: Positive = Field(
        default=30.0, description="days without use after which an experiment is deleted"
    )
    stored_mb: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="megabytes for all stored experiments and uploads; by default the megabytes stored at the start "
        "and half of the free disk",
    )
    experiments: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="experiments in memory; more are stored, and opened again for the next request",
    )
    memory_mb: int | None = Field(
        default=None,
        ge=16,
        le=10_000_000,
        description="megabytes for all open experiments and their readers; by default half of the machine's or "
        "container's memory",
    )
    lookback_mb: int = Field(
        default=256,
        ge=0,
        le=1_000_000,
        description="megabytes of checkpoints of larger networks, for all runs: more makes looking back faster",
    )
    idle_seconds: Positive = Field(
        default=600.0, description="seconds after which an unwatched experiment is paused"
    )
    workers: int = Field(default=1, ge=1, le=64, description="number of training threads")
    kernel: Annotated[Literal["auto", "numpy", "compiled"], BeforeValidator(_lower)] = Field(
        default="auto",
        description="auto: NumPy until the compiled kernel is ready; numpy; compiled: wait for it, or fail",
    )
    hosts: Hosts = Field(
        default=(), description="further host names of this server, separated by commas; * for any"
    )
    origins: Annotated[Origins, AfterValidator(_without_default_ports)] = Field(
        default=(),
        description="further origins (https://host:port) whose pages may change experiments, separated by commas",
    )
    frame_ancestors: Origins = Field(
        default=(),
        description="origins (https://host:port) whose pages may frame charts of this server, separated by "
        "commas; nobody by default",
    )
    proxies: Proxies = Field(
        default=(),
        description="addresses or networks of proxies whose X-Forwarded headers are trusted, separated by commas; * "
        "for any",
    )
    base_path: Annotated[str, AfterValidator(_base_path)] = Field(
        default="", description="path under which a proxy serves this server, such as /fallline"
    )
    requests_per_second: Positive = Field(
        default=100.0, description="limit on REST calls per second for each token"
    )
    wrong_tokens_per_second: Positive = Field(
        default=10.0, description="limit on calls with a wrong token per second from each address"
    )
    refusals_per_second: Positive = Field(
        default=20.0, description="refused calls per second and share that are answered without delay"
    )
    commands_per_second: Positive = Field(
        default=5.0, description="limit on commands per second for each socket"
    )
    unused_creations: int = Field(
        default=600,
        ge=1,
        le=1_000_000,
        description="new experiments and uploads in 10 minutes that nobody uses, for each address",
    )
    exports: int = Field(
        default=32,
        ge=2,
        le=10_000,
        description="exported files on their way at the same time; each takes up to 15 MB of memory, a history up to "
        "12 MB for each run that is not sent yet",
    )
    silent_connections: int = Field(
        default=2000,
        ge=10,
        le=60_000,
        description="connections without a request; beyond it the longest silent one is closed",
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65_535, description="port of the metrics for Prometheus; 0 serves none"
    )
    metrics_host: str = Field(default="127.0.0.1", description="address of the metrics")
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = Field(
        default="text", description="text, or json: one object for each line of the log"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        default="info", description="debug, info, warning or error"
    )


VARIABLES = {PREFIX + name.upper(): field for name, field in Settings.model_fields.items()}
"""The environment variable of each setting."""


def read_settings() -> Settings:
    """Read the settings from the environment, with defaults. Raises BadSetting."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = PREFIX + str(first["loc"][0]).upper()
        own = first["ctx"]["error"] if first["type"] == "value_error" else None
        raise BadSetting(f"{variable} must be {own or _expected(VARIABLES[variable])}") from None


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """List unknown variables with our prefix: most likely misspelled settings."""
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in VARIABLES)


def _expected(field: FieldInfo) -> str:
    """Describe the values of a setting without a list."""
    if field.annotation is float:
        return "a number greater than 0"
    if choices := [each for each in get_args(field.annotation) if isinstance(each, str)]:
        return f"{', '.join(choices[:-1])} or {choices[-1]}"
    (low,) = (each.ge for each in field.metadata if hasattr(each, "ge"))
    (high,) = (each.le for each in field.metadata if hasattr(each, "le"))
    return f"a whole number from {low:,} to {high:,}"


def as_text(settings: Settings) -> str:
    """Return the table as text: name, present value, help."""
    values = settings.model_dump()
    rows = [
        (PREFIX + name.upper(), _formatted(values[name]), field.description)
        for name, field in Settings.model_fields.items()
    ]
    widths = [max(len(str(row[column])) for row in rows) for column in (0, 1)]
    return "\n".join(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {help}" for name, value, help in rows)


def _formatted(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return ",".join(value) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value) or "-"
