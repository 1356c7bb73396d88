"""Attackers in a separate process, so that their computing does not delay the measuring person.

python force.py MODULE FUNCTION PORT SECONDS JSON

The function is `async def function(port, **arguments)`. It may print JSON lines with `say`. The process ends after
SECONDS in any case.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
NICE = 5


class Force:
    """A running attack."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self._process = process
        self._output = output

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    @property
    def said(self) -> list[Any]:
        """The JSON lines that the attackers have printed so far."""
        lines = self._output.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    async def over(self) -> None:
        """Wait until the attack is over."""
        while not self.is_over:
            await asyncio.sleep(0.05)

    async def until_said(self, many: int, seconds: float) -> list[Any]:
        """Wait until that many lines are there, or a timeout."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self.said) < many and not self.is_over:
                    await asyncio.sleep(0.05)
        return self.said


@asynccontextmanager
async def force(attack: Any, port: int, seconds: float, **arguments: Any) -> AsyncIterator[Force]:
    """Run `attack`, an async function of a module, against the port for at most that long."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "said"
        with output.open("wb") as sink:
            process = subprocess.Popen(
                [
                    sys.executable,
                    __file__,
                    attack.__module__,
                    attack.__name__,
                    str(port),
                    str(seconds),
                    json.dumps(arguments),
                ],
                stdout=sink,
            )
        try:
            yield Force(process, output)
        finally:
            process.kill()
            process.wait()


def say(line: Any) -> None:
    """Report to the siege."""
    print(json.dumps(line), flush=True)


async def _strike(module: str, function: str, port: int, seconds: float, arguments: dict[str, Any]) -> None:
    attack = getattr(importlib.import_module(module), function)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await attack(port, **arguments)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    from support.parents import end_with_parent

    end_with_parent()
    os.nice(NICE)
    asyncio.run(
        _strike(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), json.loads(sys.argv[5]))
    )
