"""Groups of fits by measured cost."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_sklearn.scheduling import LEAST_SECONDS, PROBE_SECONDS, TASK_SECONDS, FitQueue, Wave


def run(fits: int, slots: int, cost: float) -> list[Wave]:
    """Every wave until the queue is empty, where tasks end when their seconds are over."""
    queue, waves = FitQueue(fits), []
    while queue:
        wave = queue.take(slots)
        waves.append(wave)
        for group in wave.groups:
            done = max(1, min(len(group), int(wave.seconds / cost) + 1))
            for _ in group[:done]:
                queue.measured(cost)
            queue.give_back(group[done:])
    return waves


@given(st.integers(1, 500), st.integers(1, 20), st.floats(1e-6, 60))
def test_every_fit_is_taken_and_none_twice_unless_given_back(fits: int, slots: int, cost: float) -> None:
    waves = run(fits, slots, cost)
    begun = [group[: max(1, min(len(group), int(wave.seconds / cost) + 1))] for wave in waves for group in wave.groups]
    assert sorted(chain.from_iterable(begun)) == list(range(fits))


def test_first_tasks_are_short_probes() -> None:
    wave = FitQueue(300).take(2)
    assert (len(wave.groups), wave.seconds) == (2, PROBE_SECONDS)


def test_tiny_fits_share_tasks() -> None:
    _, *waves = run(300, slots=2, cost=0.01)
    groups = [group for wave in waves for group in wave.groups]
    assert len(groups) < 12
    assert all(len(group) * 0.01 >= 0.9 * LEAST_SECONDS for group in groups[:-1])


def test_long_fits_go_one_to_a_task() -> None:
    _, *waves = run(100, slots=4, cost=30)
    assert {len(group) for wave in waves for group in wave.groups} == {1}


def test_groups_of_a_long_search_last_the_seconds_of_a_task_and_shrink_at_its_end() -> None:
    _, *waves = run(4000, slots=2, cost=0.05)
    sizes = [len(group) for wave in waves for group in wave.groups]
    assert sizes[0] * 0.05 == pytest.approx(TASK_SECONDS)
    assert sizes[-2] < sizes[0] / 4


def test_unknown_cost_means_single_fits() -> None:
    queue = FitQueue(100)
    queue.take(2)
    assert {len(group) for group in queue.take(2).groups} == {1}


def test_a_failed_wave_is_tried_in_ever_smaller_parts() -> None:
    queue = FitQueue(1)
    queue.take(1)
    queue.set_apart(Wave(((4, 5), (6,)), 1.0))
    assert len(queue) == 3
    pair, lone = queue.take(1), queue.take(1)
    assert (pair.groups, lone.groups) == (((4, 5),), ((6,),))
    queue.set_apart(pair)
    assert [queue.take(1).groups for _ in range(2)] == [((4,),), ((5,),)]
    assert not queue
