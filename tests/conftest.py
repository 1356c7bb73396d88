"""What every test of this project takes for granted."""

from hypothesis import settings

# A shared machine stalls now and then: a slow example is no failure. The same examples every time, so that a red
# run can be repeated; `--hypothesis-seed` explores.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
