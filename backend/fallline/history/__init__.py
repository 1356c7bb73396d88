"""The history of a run: every series at several resolutions."""
