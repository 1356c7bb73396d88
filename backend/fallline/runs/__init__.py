"""Runs and experiments: where the engine and the history meet. Pure: told the time, never reading a clock."""
