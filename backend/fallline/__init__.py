"""fallline: watch gradient descent happen.

Honest numbers of a training run, step by step.
"""

__version__ = "0.1.0"
