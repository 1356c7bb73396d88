"""The history of a run: every series at several resolutions."""

from fallline.history.run_history import RunHistory

__all__ = ["RunHistory"]
