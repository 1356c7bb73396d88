"""The rate limit of a token, and addresses of callers."""

import pytest

from fallline.realtime import limits
from fallline.realtime.limits import RateLimiter
from fallline.vocabulary.errors import TooManyRequests
from fallline.web.requests import address_of


def test_each_token_has_its_own_hundred_a_second() -> None:
    limiter = RateLimiter(100)
    for _ in range(100):
        limiter.count("one", 0.0)
    with pytest.raises(TooManyRequests):
        limiter.count("one", 0.0)
    limiter.count("other", 0.0)
    limiter.count("one", 0.02)


def test_tokens_that_come_once_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_REMEMBERED", 10)
    limiter = RateLimiter(100)
    for number in range(1_000):
        limiter.count(f"guess {number}", 0.0)
    assert len(limiter._budgets) == 10


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::2", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a socket of the system", "a socket of the system"),
        (None, None),
    ],
)
def test_callers_of_one_network_of_ipv6_have_one_address(host: str | None, address: str | None) -> None:
    assert address_of(host) == address
