"""Plans of merges: their order, and that the same steps are planned once."""

from __future__ import annotations

from itertools import chain

import pytest

from fallline.vocabulary import merge_plans
from fallline.vocabulary.merge_plans import MergePlan, coarsened, into_one, widened


def pairs_of(plan: MergePlan) -> list[tuple[int, int]]:
    return list(zip(plan.lefts.tolist(), plan.rights.tolist(), strict=True))


def steps(first: int, stop: int) -> tuple[int, ...]:
    return tuple(range(first, stop))


def test_halves_are_merged_from_the_narrowest_on() -> None:
    plan = widened(steps(3, 13), steps(3, 13), 8)
    # Steps 3 | 4 to 7 | 8 to 11 | 12: a bucket of eight would begin at 8 and end after 12.
    assert pairs_of(plan) == [(1, 2), (3, 4), (5, 6), (7, 8), (1, 3), (5, 7)]
    assert (plan.kept.tolist(), plan.ends.tolist()) == ([0, 1, 5, 9], [0, 4, 8, 9])


def test_a_bucket_is_no_half_if_its_neighbour_is_not() -> None:
    plan = widened((0, 1, 2, 4), (0, 1, 3, 7), 8)
    assert pairs_of(plan) == [(0, 1), (0, 2), (0, 3)]
    assert pairs_of(widened((0, 1, 4), (0, 3, 7), 8)) == []


def test_of_a_newest_bucket_that_is_cut_short_all_parts_become_one() -> None:
    plan = coarsened(steps(0, 7), steps(0, 7), 2)
    # Whole ones would be 0 to 3, 4 to 5, and 6.
    assert pairs_of(plan) == [(0, 1), (2, 3), (4, 5), (0, 2), (4, 6)]
    assert (plan.kept.tolist(), plan.ends.tolist()) == ([0, 4], [3, 6])


def test_neighbours_of_any_width_become_one_pair_by_pair() -> None:
    plan = into_one(5)
    assert pairs_of(plan) == [(0, 1), (2, 3), (0, 2), (0, 4)]
    assert (plan.kept.tolist(), plan.ends.tolist()) == ([0], [4])


def test_pairs_of_one_round_do_not_wait_for_each_other() -> None:
    plan = coarsened(steps(0, 7), steps(0, 7), 1)
    earlier_rights: set[int] = set()
    rounds = [list(zip(lefts.tolist(), rights.tolist(), strict=True)) for lefts, rights in plan.rounds()]
    assert sorted(chain(*rounds)) == sorted(pairs_of(plan))
    for pairs in rounds:
        places = [place for pair in pairs for place in pair]
        assert len(set(places)) == len(places)
        assert earlier_rights.isdisjoint(right for _, right in pairs)
        earlier_rights.update(right for _, right in pairs)


@pytest.mark.parametrize(("buckets", "times"), [(merge_plans.SMALL, 1), (merge_plans.SMALL + 1, 0)])
def test_only_plans_of_few_buckets_are_kept(buckets: int, times: int) -> None:
    first = steps(70_000, 70_000 + buckets)
    before = merge_plans._kept_plan.cache_info()
    plans = [coarsened(first, first, 5) for _ in range(8)]
    after = merge_plans._kept_plan.cache_info()
    assert after.misses - before.misses == times
    assert len({id(plan) for plan in plans}) == (1 if times else 8)
