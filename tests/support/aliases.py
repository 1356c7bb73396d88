"""Types that many tests and benchmarks name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Json = dict[str, Any]
"""A JSON object. Its values have any type, so that a test can read a nested value in one expression."""
