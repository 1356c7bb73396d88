"""Measurements of states, as plain JSON. Changes nothing."""
