"""Runs and experiments. Pure: receives the time and reads no clock."""
