"""What every test of this project takes for granted."""

import os

from hypothesis import settings

from fallline.execution.code_cache import cache_directory, point_numba_at

# A shared machine stalls now and then: a slow example is no failure. The same examples every time, so that a red
# run can be repeated; `--hypothesis-seed` explores.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# Compiled code is kept under the name of everything that it was compiled from, so that no test meets that of yesterday.
if (directory := cache_directory(os.environ)) is not None:
    point_numba_at(directory)
