"""Checks of recipes and edits: values, defaults and costs. Knows no run."""
