"""Data sets, uploaded tables and uploaded parameters."""
