"""Ranks are bound to cores of their own, but only where they take all there are."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from models.engines import cores


@pytest.fixture
def allowed() -> Iterator[list[int]]:
    """The cores of this process, which has them again afterwards."""
    before = os.sched_getaffinity(0)
    yield sorted(before)
    os.sched_setaffinity(0, before)


def test_ranks_that_take_all_cores_have_their_own(allowed: list[int]) -> None:
    count = len(allowed)
    if count < 2:
        pytest.skip("one core is not to be shared")
    cores.bind(count - 1, count, 1)
    assert os.sched_getaffinity(0) == {allowed[-1]}


@pytest.mark.parametrize("together", [1, 1000])
def test_others_may_use_all(allowed: list[int], together: int) -> None:
    cores.bind(0, together, len(allowed))
    assert os.sched_getaffinity(0) == set(allowed)
