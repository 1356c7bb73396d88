"""A lab for tests of connections, in which every experiment exists."""

from __future__ import annotations

from typing import Any

from fallline.services.meters import Meters


class ListedLab:
    """The lab: in it every experiment exists, with the token "right"."""

    def __init__(self) -> None:
        self.acknowledgements: list[str] = []
        self.meters = Meters()
        self.charged: list[tuple[str, float]] = []
        """Shares and seconds."""

    async def watch(self, id: str, *_: Any, **__: Any) -> dict[str, Any]:
        return {"id": id}

    def owner_of(self, id: str) -> str:
        return id

    def unwatch(self, *_: Any) -> None: ...

    def share_of_watcher(self, id: str | None, address: str | None) -> str:
        return f"address:{address}" if id is None else f"owner of {id}"

    def charge(self, share: str, seconds: float) -> None:
        self.charged.append((share, seconds))

    def acknowledged(self, id: str) -> None:
        self.acknowledgements.append(id)
