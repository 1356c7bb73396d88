"""Randomness has an address: (seed, purpose, position)."""

import itertools

import numpy as np

from fallline.engine.randomness import PURPOSES, rng_for


def test_an_address_always_gives_the_same_numbers() -> None:
    assert np.array_equal(rng_for(7, "order", 3).random(5), rng_for(7, "order", 3).random(5))


def test_different_addresses_give_different_numbers() -> None:
    addresses = itertools.product((0, 1, 2**32 - 1), PURPOSES, (0, 1, 2**32, 2**40))
    firsts = [rng_for(*address).integers(2**63) for address in addresses]
    assert len(set(firsts)) == len(firsts)


def test_purposes_do_not_share_a_number() -> None:
    assert len(set(PURPOSES.values())) == len(PURPOSES)


def test_the_global_generator_is_never_used() -> None:
    before = np.random.get_state(legacy=False)["state"]["key"].tobytes()
    rng_for(0, "inputs").random()
    assert np.random.get_state(legacy=False)["state"]["key"].tobytes() == before
