"""A server without deadlines for silent connections, for tests of the limit on their number.

python patient.py serve ...
"""

from __future__ import annotations

import sys

from fallline import cli
from fallline.web import protocols, requests

if __name__ == "__main__":
    protocols.REQUEST_SECONDS = requests.BODY_SECONDS = 3_600.0
    sys.exit(cli.main(sys.argv[1:]))
