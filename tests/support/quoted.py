"""Lines of a step as the step inspector shows them."""

from __future__ import annotations

from collections.abc import Iterable

from fallline.engine.inspection.sheet import Line


def line_text(line: Line) -> str:
    """Write a line as `lineText` does (frontend/features/inspector/expressions.ts): "W2 -= lr * dW2"."""
    own = f"{line.name} - "
    if line.expression.startswith(own):
        return f"{line.name} -= {line.expression.removeprefix(own)}"
    return f"{line.name} = {line.expression}"


def is_line(code: str, lines: Iterable[Line]) -> bool:
    """Return whether a finding's code is one of the lines, or the name of one."""
    return any(code in (line_text(line), line.name) for line in lines)
