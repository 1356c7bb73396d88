"""Ids and tokens: unguessable, and only the token's hash is kept. Must not know what they open."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_id() -> str:
    """An experiment's id: 128 random bits; whoever has it may read."""
    return secrets.token_urlsafe(16)


def new_token() -> str:
    """The right to change an experiment: 192 random bits, told once."""
    return secrets.token_urlsafe(24)


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def opens(token: str | None, stored: bytes) -> bool:
    """Whether the token is the one that was hashed; compared in constant time."""
    return token is not None and hmac.compare_digest(hash_of(token), stored)
