"""The server of the soak, with mutants planted in its process: `launch.py NAME,NAME FOLDER serve --port 0 ...`.

A mutant takes back what keeps one goal, and the row of that goal must show it. The product's code contains none.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fallline import cli
from soak.mutants import MUTANTS

if __name__ == "__main__":
    for name in filter(None, sys.argv[1].split(",")):
        MUTANTS[name].plant()
    sys.exit(cli.main(sys.argv[3:]))
