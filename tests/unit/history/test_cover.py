import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.history.cover import Cover, Zone, count, cover

# 64 single steps, then widths of 4, 8 and 4, and the last 5 steps singly.
ZONES = [Zone(0, 64, 1), Zone(64, 128, 4), Zone(128, 512, 8), Zone(512, 520, 4), Zone(520, 525, 1)]
COUNTED = 64 + 16 + 48 + 2 + 5


def buckets(start: int, stop: int, width: int) -> list[tuple[int, int]]:
    """Return the buckets that `count` counts, one by one."""
    spans, step = [], start
    while step < stop:
        zone = next(zone for zone in ZONES if step < zone.stop)
        wide = max(zone.width, width)
        while wide > zone.width and (
            step % wide
            or step + wide > stop
            or any(zone.width > wide for zone in ZONES if zone.start < step + wide and zone.stop > step)
        ):
            wide //= 2
        spans.append((step, step + wide))
        step += wide
    return spans


def test_buckets_are_as_fine_as_they_are_stored() -> None:
    assert count(ZONES, 0, 525, 1) == COUNTED
    assert cover(ZONES, 0, 524, COUNTED) == Cover(0, 525, 525, 1)


@given(st.integers(0, 524), st.integers(0, 524), st.integers(0, 10))
def test_buckets_are_counted_without_reading_them(one: int, other: int, exponent: int) -> None:
    first, last = sorted((one, other))
    start = next(first // zone.width * zone.width for zone in ZONES if first < zone.stop)
    stop = next(-(-(last + 1) // zone.width) * zone.width for zone in ZONES if last < zone.stop)
    assert count(ZONES, start, stop, 1 << exponent) == len(buckets(start, stop, 1 << exponent))


@given(st.integers(0, 524), st.integers(0, 524), st.integers(1, 200))
def test_a_cover_has_at_most_the_requested_buckets_and_the_whole_range(
    one: int, other: int, at_most: int
) -> None:
    first, last = sorted((one, other))
    plan = cover(ZONES, first, last, at_most)
    spans = buckets(plan.start, plan.whole, plan.width)
    if plan.whole < plan.stop:
        spans.append((plan.whole, plan.stop))
    assert len(spans) <= at_most
    assert spans[0][0] <= first < spans[0][1]
    assert spans[-1][0] <= last < spans[-1][1]


@given(st.integers(0, 524), st.integers(0, 524), st.integers(1, 200))
def test_the_next_finer_width_would_be_too_many(one: int, other: int, at_most: int) -> None:
    first, last = sorted((one, other))
    plan = cover(ZONES, first, last, at_most)
    if plan.width > 1 and plan.whole == plan.stop:
        finer = cover(ZONES, first, last, 10_000)
        assert count(ZONES, finer.start, finer.stop, plan.width // 2) > at_most or plan.start < finer.start


def test_the_start_is_exact_where_single_steps_are_stored() -> None:
    assert cover(ZONES, 3, 60, 58).start == 3
    assert cover(ZONES, 67, 500, 200).start == 64


@pytest.mark.parametrize("at_most", [1, 2, 3, 4])
def test_the_newest_bucket_ends_early_only_if_necessary(at_most: int) -> None:
    plan = cover(ZONES, 0, 524, at_most)
    ragged = plan.whole < plan.stop
    assert ragged == (at_most < 4)
