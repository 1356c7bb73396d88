"""Stores of experiments: one interface, in memory or in a database."""
