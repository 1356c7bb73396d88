"""Ids and tokens cannot be guessed, not even from response times."""

from __future__ import annotations

import base64
import hmac

import pytest

from fallline.services.registry import hash_of, new_token, opens
from fallline.services.uploads import new_id


def bits(text: str) -> int:
    return 8 * len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_an_id_has_128_bits_a_token_192_and_none_comes_twice() -> None:
    assert bits(new_id()) == 128
    assert bits(new_token()) == 192
    assert len({new_id() for _ in range(1_000)} | {new_token() for _ in range(1_000)}) == 2_000


def test_only_its_token_opens_an_experiment() -> None:
    token = new_token()
    stored = hash_of(token)
    assert opens(token, stored)
    for other in (None, "", token[:-1], token + "A", token.swapcase(), new_token(), stored.hex(), "ü"):
        assert not opens(other, stored)


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert not opens("right", hash_of("right"))
    assert compared == [(hash_of("right"), hash_of("right"))]
