"""Parameters of table rows: data sets, activations, optimizers, ..."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number that a method takes.

    - `minimum` and `maximum` bound it; `open_minimum` and `open_maximum` exclude the bound itself.
    - `unit` is empty for a pure number, `help` is one line of text, `source` says where it was published.
    - With `off` it may be null, which switches it off and is the default in recipes. Then `default` is a number that
      switches it on.
    - With `each`, the value is a list with a number for each of these. An empty list, the default in recipes, stands
      for the defaults.
    """

    name: str
    default: float
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False
    integer: bool = False
    unit: str = ""
    help: str = ""
    source: str = ""
    off: bool = False
    each: str = ""

    def allows(self, value: float) -> bool:
        low, high = self.minimum, self.maximum
        above = low is None or (value > low if self.open_minimum else value >= low)
        below = high is None or (value < high if self.open_maximum else value <= high)
        return above and below

    def range_in_words(self) -> str:
        low = (
            ""
            if self.minimum is None
            else f"{'above' if self.open_minimum else 'of at least'} {self.minimum:g}"
        )
        high = (
            "" if self.maximum is None else f"{'below' if self.open_maximum else 'at most'} {self.maximum:g}"
        )
        return " and ".join(part for part in (low, high) if part) or "of any size"

    def schema(self) -> dict[str, object]:
        """Return the parameter as JSON Schema (draft 2020-12), for the catalog."""
        kind = "integer" if self.integer else "number"
        schema: dict[str, object] = {"type": [kind, "null"] if self.off else kind}
        schema["default"] = None if self.off else self.default
        if self.minimum is not None:
            schema["exclusiveMinimum" if self.open_minimum else "minimum"] = self.minimum
        if self.maximum is not None:
            schema["exclusiveMaximum" if self.open_maximum else "maximum"] = self.maximum
        return {"type": "array", "items": schema, "default": []} if self.each else schema

    def as_json(self) -> dict[str, object]:
        """Return the catalog entry; `when_on` if null switches it off."""
        entry: dict[str, object] = {
            "name": self.name,
            "schema": self.schema(),
            "default": [] if self.each else None if self.off else self.default,
            "range": [self.minimum, self.maximum],
            "unit": self.unit,
            "help": self.help,
            "source": self.source,
        }
        return {**entry, "when_on": self.default} if self.off else entry
