"""Write the curves of the exhibits' thumbnails.

PYTHONPATH=backend:tests python tests/golden/make_exhibit_curves.py

A test trains the exhibits and compares the file with the result, so the script only runs again when an exhibit
changes.
"""

from __future__ import annotations

from pathlib import Path

from fallline.vocabulary.exhibits import EXHIBITS
from support.exhibit_curves import curves_of

TARGET = Path(__file__).parents[2] / "backend/fallline/vocabulary/exhibit_curves.py"
HEAD = '''"""Train losses of each exhibit's runs, for its thumbnail.

Written by tests/golden/make_exhibit_curves.py. Losses are evenly spaced along the exhibit's axis up to
`view.until`; None after a run diverged. A test compares them with training.
"""

# fmt: off
CURVES: dict[str, dict[str, tuple[float | None, ...]]] = {
'''


def main() -> None:
    lines = [HEAD.rstrip("\n")]
    for name, exhibit in EXHIBITS.items():
        lines.append(f'    "{name}": {{')
        for run, losses in curves_of(exhibit).items():
            lines.append(f'        "{run}": (')
            rows = (losses[first : first + 9] for first in range(0, len(losses), 9))
            lines += [f"            {', '.join(map(repr, row))}," for row in rows]
            lines.append("        ),")
        lines.append("    },")
    TARGET.write_text("\n".join([*lines, "}", ""]))


if __name__ == "__main__":
    main()
