"""The table of settings.

They are read from the environment once and passed as arguments. Must not know who uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

PREFIX = "FALLLINE_"


class BadSetting(ValueError):
    """A setting with an invalid value; the text says which one and what would be right."""


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
    """Read a size in megabytes; an empty text is None, for a default that depends on the machine."""
    return _whole(16, 10_000_000)(text) if text else None


def _folder(text: str) -> Path:
    """Read a folder; an empty text is the platform's folder for user data."""
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
    """A row: name without prefix, default as text, parser, and a line of help."""

    name: str
    default: str
    read: Callable[[str], Any]
    help: str


TABLE = (
    Setting("HOST", "127.0.0.1", str, "address to listen on; 0.0.0.0 for all networks of this machine"),
    Setting("PORT", "8000", _whole(0, 65535), "port to listen on; 0 chooses a free one"),
    Setting("DATA", "", _folder, "folder that stores the experiments; by default the user's data folder"),
    Setting("KEEP_DAYS", "30", _positive, "days without use after which an experiment is deleted"),
    Setting(
        "EXPERIMENTS",
        "1000",
        _whole(1, 1_000_000),
        "experiments in memory; more are stored, and opened again for the next request",
    ),
    Setting(
        "MEMORY_MB",
        "",
        _megabytes,
        "megabytes for all open experiments and their readers; by default half of the machine's or container's memory",
    ),
    Setting(
        "LOOKBACK_MB",
        "256",
        _whole(0, 1_000_000),
        "megabytes of checkpoints of larger networks, for all runs together: more makes looking back faster",
    ),
    Setting("IDLE_SECONDS", "600", _positive, "seconds after which an unwatched experiment is paused"),
    Setting("WORKERS", "1", _whole(1, 64), "number of training threads"),
    Setting(
        "KERNEL",
        "auto",
        _kernel,
        "auto: NumPy until the compiled kernel is ready; numpy; compiled: wait for it, or fail",
    ),
    Setting("HOSTS", "", _names, "further host names of this server, separated by commas; * for any"),
    Setting(
        "ORIGINS",
        "",
        _names,
        "further origins (https://host:port) whose pages may change experiments, separated by commas",
    ),
    Setting(
        "PROXIES",
        "",
        _names,
        "addresses of proxies whose X-Forwarded headers are trusted, separated by commas",
    ),
    Setting("REQUESTS_PER_SECOND", "100", _positive, "limit on REST calls per second for each token"),
    Setting("COMMANDS_PER_SECOND", "5", _positive, "limit on commands per second for each socket"),
    Setting("LOG_LEVEL", "info", _level, "debug, info, warning or error"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server. Without a folder for `data` nothing is stored."""

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
    """Read the settings from the environment, with defaults. Raises BadSetting."""
    return Settings(**{row.name.lower(): _read(row, environment) for row in TABLE})


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """List environment variables with our prefix that are no settings: most likely misspelled."""
    names = {PREFIX + row.name for row in TABLE}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in names)


def _read(row: Setting, environment: Mapping[str, str]) -> Any:
    try:
        return row.read(environment.get(PREFIX + row.name, row.default))
    except ValueError as error:
        raise BadSetting(f"{PREFIX}{row.name} must be {error}") from None


def as_text(settings: Settings) -> str:
    """Return the table as text: name, present value, help."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    rows = [(PREFIX + row.name, _formatted(values[row.name.lower()]), row.help) for row in TABLE]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {help}" for name, value, help in rows)


def _formatted(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return ",".join(value) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
