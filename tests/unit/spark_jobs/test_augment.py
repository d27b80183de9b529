"""What text.augment accepts as parameters."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from spark_jobs.augment import Params


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"typo": 1.5}, "less than or equal to 1"),
        ({"delete": -0.1}, "greater than or equal to 0"),
        ({"copies": 101}, "less than or equal to 100"),
        ({"per_label": 0}, "greater than or equal to 1"),
        ({"mix": "some"}, "'one' or 'all'"),
        ({"keep": "words"}, "'entities' or 'none'"),
        ({"synonym": 0.2}, "synonym and insert need a table: synonyms: FILE"),
        ({"insert": 0.2}, "synonym and insert need a table: synonyms: FILE"),
        ({"synonyms": {"from": "vectors", "nearest": 0}}, "greater than or equal to 1"),
        ({"synonyms": {"nearest": 3}}, "synonyms.*from"),
        ({"copies": 2, "per_label": 10}, "give one of copies and per_label"),
        ({"swap": 0, "delete": 0, "spacing": 0, "typo": 0}, "every operation has the rate 0"),
        ({"swap": 0, "delete": 0, "spacing": 0, "typo": 0, "synonym": 0, "insert": 0, "synonyms": "t"}, "the rate 0"),
        ({"rate": 0.1}, "Extra inputs are not permitted"),
    ],
)
def test_what_can_not_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Params.model_validate(given)


def test_a_table_alone_turns_synonyms_and_insertion_on() -> None:
    params = Params.model_validate({"swap": 0, "delete": 0, "spacing": 0, "typo": 0, "synonyms": "t.tsv"})
    assert (params.synonym, params.insert) == (0.1, 0.1)


def test_without_a_table_a_rate_of_0_may_be_said() -> None:
    assert Params.model_validate({"synonym": 0, "insert": 0}).swap == 0.1
