"""One table of settings, read from the environment once and passed down as arguments. Must not know who uses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

PREFIX = "FALLLINE_"


class BadSetting(ValueError):
    """A setting in the environment that means nothing; the text says which and what would be right."""


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"a whole number from {low:,} to {high:,}")
        return int(text)

    return read


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError("a number greater than 0")
    return value


def _megabytes(text: str) -> int | None:
    """None named is left to what the machine has."""
    return _whole(16, 10_000_000)(text) if text else None


def _folder(text: str) -> Path:
    """None named is the platform's own place for what programs keep for a user."""
    return Path(text).expanduser().absolute() if text else user_data_path("fallline", appauthor=False)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def _level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("debug, info, warning or error")
    return text.lower()


def _kernel(text: str) -> str:
    if text.lower() not in ("auto", "numpy", "compiled"):
        raise ValueError("auto, numpy or compiled")
    return text.lower()


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: the name without its prefix, the default as one would write it, how to read it, a line of help."""

    name: str
    default: str
    read: Callable[[str], Any]
    help: str


TABLE = (
    Setting("HOST", "127.0.0.1", str, "address to listen on; 0.0.0.0 for every network of this machine"),
    Setting("PORT", "8000", _whole(0, 65535), "port to listen on; 0 takes a free one"),
    Setting(
        "DATA", "", _folder, "folder in which experiments are stored; by default the user's own for data"
    ),
    Setting("KEEP_DAYS", "30", _positive, "days after which an experiment that nobody used is deleted"),
    Setting(
        "EXPERIMENTS",
        "1000",
        _whole(1, 1_000_000),
        "experiments in memory at most; the oldest idle one is put away, and opened again when asked for",
    ),
    Setting(
        "MEMORY_MB",
        "",
        _megabytes,
        "megabytes for all open experiments and their readers; by default half of what this machine or container has",
    ),
    Setting(
        "LOOKBACK_MB",
        "256",
        _whole(0, 1_000_000),
        "megabytes for looking back quickly into long runs of larger networks, all runs together",
    ),
    Setting("IDLE_SECONDS", "600", _positive, "seconds after which an unwatched experiment is paused"),
    Setting("WORKERS", "1", _whole(1, 64), "threads that train"),
    Setting(
        "KERNEL",
        "auto",
        _kernel,
        "auto: compiled code as soon as it is there, NumPy until then; numpy; compiled: wait for it, or fail",
    ),
    Setting("HOSTS", "", _names, "further names by which browsers reach this server, with commas; * for any"),
    Setting(
        "ORIGINS",
        "",
        _names,
        "further origins (https://host:port) whose pages may change things, with commas",
    ),
    Setting(
        "PROXIES", "", _names, "addresses of proxies whose X-Forwarded headers are believed, with commas"
    ),
    Setting("REQUESTS_PER_SECOND", "100", _positive, "REST calls a second that one token may make"),
    Setting("COMMANDS_PER_SECOND", "5", _positive, "commands a second that one socket may send"),
    Setting("LOG_LEVEL", "info", _level, "debug, info, warning or error"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server. Without a folder for `data` nothing outlives it."""

    host: str = "127.0.0.1"
    port: int = 8000
    data: Path | None = None
    keep_days: float = 30.0
    experiments: int = 1000
    memory_mb: int | None = None
    lookback_mb: int = 256
    idle_seconds: float = 600.0
    workers: int = 1
    kernel: str = "auto"
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    requests_per_second: float = 100.0
    commands_per_second: float = 5.0
    log_level: str = "info"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment gives, defaults for the rest. Raises BadSetting."""
    return Settings(**{row.name.lower(): _read(row, environment) for row in TABLE})


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """Names that look like settings of ours and are none: most likely misspelt."""
    known = {PREFIX + row.name for row in TABLE}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def _read(row: Setting, environment: Mapping[str, str]) -> Any:
    try:
        return row.read(environment.get(PREFIX + row.name, row.default))
    except ValueError as error:
        raise BadSetting(f"{PREFIX}{row.name} should be {error}") from None


def as_text(settings: Settings) -> str:
    """The table for people: name, value in force, help."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    rows = [(PREFIX + row.name, _shown(values[row.name.lower()]), row.help) for row in TABLE]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {help}" for name, value, help in rows)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return ",".join(value) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
