"""A server with shorter timeouts, for tests of timeouts.

python impatient.py serve ...
"""

from __future__ import annotations

import sys

from fallline import cli
from fallline.web import protocols, requests, socket

if __name__ == "__main__":
    protocols.REQUEST_SECONDS = requests.BODY_SECONDS = 2.0
    socket.SEND_SECONDS = 1.0
    sys.exit(cli.main(sys.argv[1:]))
