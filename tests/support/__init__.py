"""Shared test code: small recipes, a manual clock, a lab without a network."""
