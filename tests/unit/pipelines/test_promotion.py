"""When a model takes the place of the last one."""

from __future__ import annotations

import pytest

from pipelines import promotion

LAST = {"macro_f1": 0.9, "accuracy": 0.91, "rows": 100}


@pytest.mark.parametrize(
    ("condition", "macro_f1", "promoted"),
    [
        ("macro_f1 > last + 0.002", 0.902, False),
        ("macro_f1 > last + 0.002", 0.9021, True),
        ("macro_f1 > last + 0.2%", 0.9021, True),
        ("macro_f1 >= last + 0.002", 0.902, True),
        ("macro_f1 >= last", 0.9, False),
        ("macro_f1 > last - 0.1", 0.89, False),
        ("macro_f1 > 95%", 0.94, False),
        ("macro_f1 > last and accuracy > 0.95", 0.95, False),
        ("macro_f1 > last and accuracy > 90%", 0.95, True),
        ("rows > 50", 0.9, False),
    ],
)
def test_a_model_is_promoted_only_above_the_last_one(condition: str, macro_f1: float, promoted: bool) -> None:
    decision = promotion.decide(condition, {**LAST, "macro_f1": macro_f1}, LAST)
    assert decision.promoted is promoted
    assert f"{macro_f1:.4f}" in decision.why or "accuracy" in decision.why


def test_the_first_model_has_nothing_to_beat_but_fixed_limits() -> None:
    assert promotion.decide("macro_f1 > last + 0.5", LAST, None).promoted
    assert not promotion.decide("macro_f1 > last and accuracy > 95%", LAST, None).promoted


@pytest.mark.parametrize(
    "text", ["", "f1 > last", "macro_f1 = last", "macro_f1 > last * 2", "__import__('os')", "last"]
)
def test_what_is_no_condition_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a condition such as"):
        promotion.parse(text)


MEASURED = {**LAST, "gold.macro_f1": 0.8, "gold.rows": 50, "newest.accuracy": 0.7}


@pytest.mark.parametrize(
    ("condition", "changed", "promoted", "why"),
    [
        ("gold.macro_f1 > last", {"gold.macro_f1": 0.81, "macro_f1": 0.1}, True, "gold.macro_f1 0.8100 against 0.8000"),
        ("gold.macro_f1 > last", {"gold.macro_f1": 0.8}, False, "the limit 0.8000"),
        ("gold.rows > 10 and newest.accuracy >= last", {"newest.accuracy": 0.7}, False, "a tie or less keeps the last"),
        ("gold.macro_f1 > last and newest.accuracy > 90%", {"gold.macro_f1": 0.9}, False, "newest.accuracy is 0.7000"),
    ],
)
def test_a_rule_may_speak_of_the_gold_set_and_of_the_newest_day(
    condition: str, changed: dict[str, float], promoted: bool, why: str
) -> None:
    decision = promotion.decide(condition, {**MEASURED, **changed}, MEASURED)
    assert decision.promoted is promoted and why in decision.why


def test_what_was_not_measured_promotes_nothing() -> None:
    assert "was not measured" in promotion.decide("newest.accuracy > 1%", LAST, None).why
    assert "the last version was not measured so" in promotion.decide("gold.macro_f1 > last", MEASURED, LAST).why
    assert "no gold.macro_f1 to be compared with" in promotion.decide("gold.macro_f1 > 0.1", MEASURED, LAST).why


def test_figures_of_sets_carry_their_name() -> None:
    measured = {
        **LAST,
        "labels": ["a"],
        "sets": {"gold": {"rows": 2, "accuracy": 0.5, "macro_f1": 0.4}, "newest": {"rows": 0}},
    }
    assert promotion.figures(measured) == {
        **LAST, "gold.rows": 2, "gold.accuracy": 0.5, "gold.macro_f1": 0.4, "newest.rows": 0,
    }  # fmt: skip
