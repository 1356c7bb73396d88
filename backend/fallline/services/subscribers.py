"""The interfaces of watchers and of the hub that serves them.

Knows no implementation.
"""

from __future__ import annotations

from typing import Any, Protocol

from fallline.execution.interface import Sink
from fallline.vocabulary.columns import Buckets


class Watcher(Protocol):
    """One reader of one experiment.

    It gets its first buckets here, the later ones from the hub.
    """

    history_key: object

    @property
    def past_limit(self) -> int: ...

    def share(self, other: Any) -> None: ...

    def add_history(self, run: str, header: dict[str, Any], buckets: Buckets | None) -> None: ...


class Subscribers(Sink, Protocol):
    """All watchers, by experiment. Called on the event loop."""

    @property
    def bytes(self) -> int:
        """Bytes of all data that watchers have not received yet."""

    @property
    def past_bytes(self) -> int: ...

    def peer(self, experiment: str, history_key: object) -> Any: ...

    def join(self, experiment: str, watcher: Any) -> None: ...

    def leave(self, experiment: str, watcher: Any) -> None: ...

    def watchers(self, experiment: str) -> int: ...

    def closed(self, experiment: str) -> None: ...

    def interrupted(self, experiment: str) -> None: ...

    def broadcast(self, news: dict[str, Any]) -> None: ...
