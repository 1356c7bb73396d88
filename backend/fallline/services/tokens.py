"""Ids and tokens: they cannot be guessed."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_id() -> str:
    """Return an id, which gives the right to read: 128 random bits."""
    return secrets.token_urlsafe(16)


def new_token() -> str:
    """Return a token for an experiment: 192 random bits. It gives the right to change."""
    return secrets.token_urlsafe(24)


def hash_of(token: str) -> bytes:
    """Return the hash that is stored instead of the token."""
    return hashlib.sha256(token.encode()).digest()


def opens(token: str | None, stored: bytes) -> bool:
    """Return whether `stored` is the hash of this token, in constant time."""
    return token is not None and hmac.compare_digest(hash_of(token), stored)
