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
