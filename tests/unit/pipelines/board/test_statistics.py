from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipelines.board import statistics
from pipelines.board.statistics import Paired

counts = st.integers(0, 3000)


@given(counts, counts)
def test_the_exact_test_is_scipys(first: int, second: int) -> None:
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert statistics.mcnemar(first, second) == pytest.approx(expected, rel=1e-8, abs=1e-280)


def test_the_exact_test_of_millions_of_rows_stays_in_range() -> None:
    assert statistics.mcnemar(2_000_000, 2_000_000) == 1.0
    assert statistics.mcnemar(2_000_000, 1_996_000) == pytest.approx(binomtest(1_996_000, 3_996_000).pvalue, rel=1e-6)
    assert statistics.mcnemar(0, 1_000_000) == 0.0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_pairs_are_counted(rows: list[tuple[bool, bool]]) -> None:
    first, second = (np.array([row[side] for row in rows], dtype=bool) for side in (0, 1))
    paired = Paired.of(first, second)
    assert paired.rows == len(rows)
    assert (paired.first, paired.second) == (rows.count((True, False)), rows.count((False, True)))
    assert (paired.both, paired.neither) == (rows.count((True, True)), rows.count((False, False)))


def test_the_interval_of_a_difference_is_that_of_drawing_pairs_again() -> None:
    noise = np.random.default_rng(3)
    first = noise.random(500) < 0.8
    second = first ^ (noise.random(500) < 0.15)
    drawn = np.random.default_rng(4).integers(0, 500, size=(20_000, 500))
    expected = np.percentile(second[drawn].mean(axis=1) - first[drawn].mean(axis=1), [2.5, 97.5])
    assert Paired.of(first, second).interval() == pytest.approx(tuple(expected), abs=0.005)


def test_no_rows_tell_nothing() -> None:
    assert Paired(0, 0, 0, 0).interval() == (-1.0, 1.0)


def test_holm_multiplies_the_smallest_by_their_number_and_keeps_the_order() -> None:
    assert statistics.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert statistics.holm([0.9, 0.8]) == [1.0, 1.0]
    assert statistics.holm([]) == []
