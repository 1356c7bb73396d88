"""Shared frozen types, from the engine to the socket.

They validate and do nothing else.
"""
