"""What every test of this project takes for granted."""

import os

from hypothesis import settings

from fallline.execution.code_cache import cache_directory, point_numba_at

# A shared machine stalls now and then: a slow example is no failure. The same examples every time, so that a red
# run can be repeated; `--hypothesis-profile=explore` tries ten times as many, other ones each time.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")

# Compiled code is kept under the name of everything that it was compiled from, so that no test meets that of yesterday.
if (directory := cache_directory(os.environ)) is not None:
    point_numba_at(directory)
