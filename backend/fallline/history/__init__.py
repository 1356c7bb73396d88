"""What a run remembers of its past: every series at several resolutions, in memory that does not grow with the run."""

from fallline.history.run_history import RunHistory

__all__ = ["RunHistory"]
