"""Storing an experiment and restoring it."""
