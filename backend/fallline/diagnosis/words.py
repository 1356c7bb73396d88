"""Numbers in the text of findings, and shared sentences.

Must not know rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from fallline.diagnosis.view import Edge


def number(value: float) -> str:
    """ "0.0439", "1,280", "1e−5" below 0.0001, "1.9e7" from a million on; a true minus sign. Words for
    values that are not finite.
    """
    if not math.isfinite(value):
        return "undefined" if math.isnan(value) else "infinite" if value > 0 else "−infinite"
    if value == 0.0:
        return "0"
    size = abs(value)
    sign = "−" if value < 0 else ""
    exponent = math.floor(math.log10(float(f"{size:.2e}")))
    if exponent < -4 or exponent >= 6:
        return sign + _power(size)
    return f"{sign}{round(size, 2 - exponent):,.{max(2 - exponent, 0)}f}"


def _power(size: float) -> str:
    digits, exponent = f"{size:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}".replace("e-", "e−")


def plain(value: float) -> float:
    """Round a setting to offer to two significant digits."""
    return float(f"{value:.2g}")


def setting(value: float) -> str:
    """Format a setting as the page does, without rounding: "0.03", "1,000", "1.5e−5" below 0.0001, "1e6"."""
    if value and not 1e-4 <= abs(value) < 1e6:
        digits, exponent = f"{value:.5e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", "−")
    return f"{float(f'{value:.6g}'):,.15g}".replace("-", "−")


def percent(share: float) -> str:
    """ "0.3 %", "69 %"; never 100 % for a smaller share."""
    size = min(100 * share, 99.9) if share < 1 else 100 * share
    return f"{size:.1f} %" if abs(size) < 9.95 or 99 < size < 100 else f"{size:.0f} %"


def count(number: int, one: str, several: str | None = None) -> str:
    """ "1 step", "1,284 steps"."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def every(number: int, one: str) -> str:
    """ "all 900 samples", "the only sample"."""
    return f"the only {one}" if number == 1 else f"all {count(number, one)}"


def listed(items: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def batch_of(rows: Sequence[int], batch: int) -> str:
    """ "sample 4", "a batch of 32": the samples of a step, from its rows and their number."""
    return f"sample {rows[0]:,}" if batch == 1 else f"a batch of {batch:,}"


def sharpness_sentence(edge: Edge | None, step: int) -> str:
    """Return the sentence on the steepest bend, with its step if that is an earlier one."""
    if edge is None:
        return ""
    at = (
        f"was {number(edge.sharpness)} at step {edge.step:,}"
        if edge.step < step
        else f"is {number(edge.sharpness)}"
    )
    return f" The steepest bend {at}; stable below {number(edge.limit)}."
