"""URLs, status codes, the socket's pump and static files.

Must not know how a network is trained.
"""
