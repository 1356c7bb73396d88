"""The arithmetic of passes equals a plain loop."""

from hypothesis import given
from hypothesis import strategies as st

from fallline.engine.batches import batch_length, steps_until, steps_within
from fallline.vocabulary.run_settings import RunSettings

PLACES = {
    "samples_seen": st.integers(0, 400),
    "batch_size": st.one_of(st.none(), st.integers(1, 120)),
    "train_samples": st.integers(1, 90),
}


def next_batch(samples_seen: int, batch_size: int | None, train_samples: int) -> int:
    return batch_length(RunSettings("sgd", 0.1, batch_size, "shuffle"), samples_seen, train_samples)


def test_the_last_batch_of_a_pass_is_smaller_and_never_crosses_its_end() -> None:
    assert next_batch(samples_seen=896, batch_size=32, train_samples=900) == 4
    assert next_batch(samples_seen=900, batch_size=32, train_samples=900) == 32


def test_a_full_batch_is_all_samples_at_any_place_of_the_pass() -> None:
    assert next_batch(samples_seen=450, batch_size=None, train_samples=900) == 900


@given(most=st.integers(-5, 500), **PLACES)
def test_steps_within_a_number_of_samples_equal_a_plain_loop(
    most: int, samples_seen: int, batch_size: int | None, train_samples: int
) -> None:
    steps, paid = 0, 0
    while paid + (batch := next_batch(samples_seen + paid, batch_size, train_samples)) <= most:
        paid += batch
        steps += 1
    assert steps_within(most, samples_seen, batch_size, train_samples) == steps


@given(samples=st.integers(-5, 500), **PLACES)
def test_steps_until_a_number_of_samples_equal_a_plain_loop(
    samples: int, samples_seen: int, batch_size: int | None, train_samples: int
) -> None:
    steps, paid = 0, 0
    while paid < samples:
        paid += next_batch(samples_seen + paid, batch_size, train_samples)
        steps += 1
    assert steps_until(samples, samples_seen, batch_size, train_samples) == steps
