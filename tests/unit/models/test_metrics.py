"""Figures of an evaluation beside those of SciPy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from models import metrics


@given(st.integers(1, 10**6).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_the_interval_is_scipys(counted: tuple[int, int]) -> None:
    right, rows = counted
    expected = binomtest(right, rows).proportion_ci(method="wilson")
    assert metrics.interval(right / rows, rows) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_no_rows_tell_nothing() -> None:
    assert metrics.interval(0.0, 0) == (0.0, 1.0)
