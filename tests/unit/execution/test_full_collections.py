"""The time of full garbage collections, which is no thread's own work."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from time import thread_time

import pytest

from fallline.execution import full_collections as module
from fallline.execution.full_collections import full_collections, note_collections, thread_seconds
from support.clocks import work_for

MANY = 400_000


@pytest.fixture
def objects() -> Iterator[list[list[int]]]:
    """Objects that a full collection has to look at."""
    before = list(gc.callbacks)
    note_collections()
    yield [[number] for number in range(MANY)]
    gc.callbacks[:] = before


def own_seconds() -> float:
    return thread_seconds() - full_collections.seconds


@pytest.mark.usefixtures("objects")
def test_a_full_collection_is_nobodys_work() -> None:
    began, own = thread_time(), own_seconds()
    work_for(0.01)
    gc.collect()
    took, cost = thread_time() - began, own_seconds() - own
    assert 0.01 <= cost < took
    collected = thread_time()
    gc.collect()
    assert took - cost > (thread_time() - collected) / 4


@pytest.mark.usefixtures("objects")
def test_collections_of_young_objects_count() -> None:
    began, own = thread_time(), own_seconds()
    for _ in range(20):
        gc.collect(1)
    work_for(0.005)
    assert own_seconds() - own == pytest.approx(thread_time() - began, abs=0.002)


@pytest.mark.usefixtures("objects")
def test_a_collection_in_another_thread_changes_nothing_here() -> None:
    began, own = thread_time(), own_seconds()
    other = threading.Thread(target=gc.collect)
    other.start()
    other.join()
    assert own_seconds() - own == pytest.approx(thread_time() - began, abs=0.002)


def test_collections_are_noted_once() -> None:
    before = list(gc.callbacks)
    try:
        note_collections()
        note_collections()
        assert gc.callbacks.count(module._note) == 1
    finally:
        gc.callbacks[:] = before
