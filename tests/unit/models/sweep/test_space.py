"""What a sweep's entries stand for: combinations, draws, ranges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sweep.space import Choices, Entry, Point, Range, axis, draws, grid
from textmill.errors import InputError

CNN = Entry("cnn", {"filters": Choices((100, 200)), "dropout": Choices((0.3, 0.5, 0.7))}, {"batch": Choices((64,))})
LSTM = Entry("lstm")
WIDE = Entry("cnn", {"dropout": Range(0.1, 0.6), "filters": Range(10, 400, log=True)})


def test_a_grid_has_every_combination_of_every_entry_in_order() -> None:
    points = grid([CNN, LSTM])
    assert len(points) == 7
    assert points[1] == Point("cnn", {"filters": 100, "dropout": 0.5}, {"batch": 64})
    assert points[-1] == Point("lstm")


def test_a_grid_has_no_ranges_and_an_end() -> None:
    with pytest.raises(InputError, match=r"params.dropout, params.filters: a range .* `draw: \{n: …\}`"):
        grid([WIDE])
    with pytest.raises(InputError, match="1,000,000 combinations are too many"):
        grid([Entry("cnn", {"a": Choices(tuple(range(1000))), "b": Choices(tuple(range(1000)))})])


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_draws_are_different_within_their_ranges_and_the_same_for_a_seed(n: int, seed: int) -> None:
    points = draws([WIDE, LSTM], n, seed)
    assert len({repr(point) for point in points}) == len(points) == n
    assert points == draws([WIDE, LSTM], n, seed)
    for point in points:
        if point.model == "cnn":
            assert 0.1 <= point.params["dropout"] <= 0.6
            assert isinstance(point.params["filters"], int) and 10 <= point.params["filters"] <= 400


def test_draws_of_a_grid_are_some_of_its_combinations() -> None:
    assert sorted(map(repr, draws([CNN], 6, 1))) == sorted(map(repr, grid([CNN])))
    with pytest.raises(InputError, match="7 draws are wanted and there are 6 combinations"):
        draws([CNN], 7, 1)


def test_a_logarithmic_range_is_even_over_its_logarithm() -> None:
    entry = Entry("cnn", {"learning_rate": Range(1e-4, 1e-2, log=True)})
    drawn = [point.params["learning_rate"] for point in draws([entry], 400, 3)]
    assert 0.4 < sum(value < 1e-3 for value in drawn) / len(drawn) < 0.6


@given(st.integers(-5, 5), st.integers(1, 10), st.integers(0, 99))
def test_whole_ranges_reach_both_ends(low: int, width: int, seed: int) -> None:
    entry = Entry("cnn", {"n": Range(low, low + width)})
    assert {point.params["n"] for point in draws([entry], width + 1, seed)} <= set(range(low, low + width + 1))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (3, Choices((3,))),
        ([1, 2], Choices((1, 2))),
        ([[1, 2], [3]], Choices(([1, 2], [3]))),
        ({"low": 1, "high": 3}, Range(1, 3)),
        ({"low": 0.1, "high": 3, "log": True}, Range(0.1, 3, True)),
    ],
)
def test_how_an_axis_is_written(said: object, found: object) -> None:
    assert axis(said) == found


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([], "is an empty list"),
        ({"low": 1}, "is no range"),
        ({"low": 1, "high": 2, "step": 1}, "is no range"),
        ({"low": 2, "high": 1}, "low is below high"),
        ({"low": "a", "high": 1}, "are numbers"),
        ({"low": 0, "high": 1, "log": True}, "low must be above 0"),
    ],
)
def test_what_is_no_axis_says_why(said: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        axis(said)


def test_an_entry_with_a_range_has_no_end_of_combinations() -> None:
    assert (CNN.combinations, WIDE.combinations) == (6, math.inf)
