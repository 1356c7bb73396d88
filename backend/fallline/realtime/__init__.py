"""Subscribers of experiments: what each one still has to receive, and the socket protocol."""
