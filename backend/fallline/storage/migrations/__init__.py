"""Alembic migrations of older files, one for each version.

A released migration never changes.
"""
