"""Subscribers of experiments, their pending messages, and the socket protocol."""
