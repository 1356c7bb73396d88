"""`python -m fallline` is `fallline`."""

import sys

from fallline.cli import main

sys.exit(main())
