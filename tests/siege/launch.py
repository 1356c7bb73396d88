"""The server of the siege, with faults or mutants planted in its process.

python launch.py NAME,NAME FOLDER serve --port 0 ...

The product must survive or report a fault. A mutant reverts one fix, and the siege must detect it. The product's code
contains neither.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fallline import cli
from siege.faults import FAULTS
from siege.mutants import MUTANTS
from support.parents import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    names, folder = [name for name in sys.argv[1].split(",") if name], Path(sys.argv[2])
    for name in names:
        if name in FAULTS:
            FAULTS[name](folder)
        else:
            MUTANTS[name].plant()
    sys.exit(cli.main(sys.argv[3:]))
