"""Successive halving: who is promoted, whatever the order in which trials come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.sweep.asha import Halving, Ladder, ranked


def test_rungs_grow_by_the_reduction_up_to_the_whole_training() -> None:
    assert Halving.of(27, 1, 3).rungs == (1, 3, 9, 27)
    assert Halving.of(10, 2, 4).rungs == (2, 8, 10)
    assert Halving.of(2, 5, 3).rungs == (2,)


def test_nobody_goes_on_before_a_rung_holds_as_many_as_the_reduction() -> None:
    ladder = Ladder(Halving.of(9, 1, 3))
    for trial, value in enumerate([0.2, 0.9]):
        ladder.reached(trial, 0, value)
        assert ladder.promotable() is None
    ladder.reached(2, 0, 0.5)
    assert ladder.promotable() == (1, 1)
    ladder.begin(1, 1)
    assert ladder.promotable() is None


def test_a_higher_rung_goes_first_and_failed_ones_never() -> None:
    ladder = Ladder(Halving.of(9, 1, 3))
    for trial in range(9):
        ladder.reached(trial, 0, trial / 10)
    for trial in (8, 7, 6):
        ladder.reached(trial, 1, trial / 10)
    assert ladder.promotable() == (8, 2)
    ladder.failed.add(8)
    assert ladder.promotable() is None


def test_of_few_trials_the_best_is_still_trained_to_the_end() -> None:
    ladder = Ladder(Halving.of(4, 1, 2))
    ladder.reached(0, 0, 0.5)
    assert ladder.promotable() is None
    assert ladder.last_chance() == (0, 1)
    ladder.reached(0, 1, 0.6)
    assert ladder.last_chance() == (0, 2)
    ladder.reached(0, 2, 0.7)
    ladder.done.add(0)
    assert ladder.last_chance() is None


def test_of_equal_values_the_lower_number_is_better() -> None:
    assert ranked({3: 0.5, 1: 0.5, 2: 0.9}) == [2, 1, 3]


@given(st.integers(1, 40), st.integers(1, 6), st.integers(2, 5), st.randoms(use_true_random=False), st.data())
def test_any_order_of_ends_keeps_to_the_rules(n: int, slots: int, reduction: int, dice, data: st.DataObject) -> None:
    """As the driver does it: fill the slots, let any running one end, sometimes badly."""
    halving = Halving.of(data.draw(st.integers(1, 30)), 1, reduction)
    ladder, running, waiting, ran = Ladder(halving), [], list(range(n)), []
    while True:
        while len(running) < slots:
            work = ladder.promotable() or ((waiting.pop(0), 0) if waiting else None)
            if work is None and not running:
                work = ladder.last_chance()
            if work is None:
                break
            ladder.begin(*work)
            running.append(work)
            ran.append(work)
        if not running:
            break
        trial, rung = running.pop(dice.randrange(len(running)))
        if dice.random() < 0.1:
            ladder.failed.add(trial)
            continue
        ladder.reached(trial, rung, dice.random())
        if rung == halving.top or dice.random() < 0.1:
            ladder.done.add(trial)
    assert len(ran) == len(set(ran)), "a step was run twice"
    assert {trial for trial, rung in ran if rung == 0} == set(range(n))
    for rung in range(1, len(halving.rungs)):
        assert all((trial, rung - 1) in ran for trial, at in ran if at == rung), "a rung was left out"
        at_most = max(1, len(ladder.values[rung - 1]))
        assert sum(at == rung for _, at in ran) <= at_most
    assert ladder.done or ladder.failed == {trial for trial, _ in ran}
