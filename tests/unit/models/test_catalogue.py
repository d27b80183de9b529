"""The catalogue's descriptions, the schedule, hashed n-grams and models of the user's own: without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models import catalogue, custom, ngrams
from models.layers import MULTIPLIER, PRIME, Dense, Embedding, HashedNgrams
from models.schedule import Schedule
from textmill.errors import InputError

BUILD = """
from mine_parts import tail
from models.layers import Embedding, MaxPool

def build(vocabulary: int, labels: int, units: int = 8):
    return [Embedding(vocabulary, units), MaxPool(), tail(labels)]
"""
PARTS = "from models.layers import Dense\ndef tail(labels):\n    return Dense(labels, 'softmax')\n"


@pytest.mark.parametrize("name", [name for name in catalogue.NAMES if name != "linear"])
def test_every_network_ends_in_its_labels_and_every_parameter_is_described(name: str) -> None:
    assert catalogue.layers(name, {}, 100, 7)[-1] == Dense(7, "softmax")
    assert all(field.description for field in catalogue.params(name).model_fields.values())


def test_frozen_embeddings_are_frozen_and_the_rest_is_as_it_was() -> None:
    layers = catalogue.layers("lstm", {}, 100, 7)
    frozen = catalogue.frozen(layers)
    assert [layer.trainable for layer in frozen if isinstance(layer, Embedding)] == [False]
    assert [layer for layer in frozen if not isinstance(layer, Embedding)] == [
        layer for layer in layers if not isinstance(layer, Embedding)
    ]


@pytest.mark.parametrize(("name", "half"), [("constant", 1.0), ("linear", 0.5), ("cosine", 0.5)])
def test_the_rate_rises_in_the_warmup_and_falls_as_the_schedule_says(name: str, half: float) -> None:
    schedule = Schedule(name, 1.0, 110, 10 / 110)  # type: ignore[arg-type]
    assert [schedule.at(step) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert schedule.at(60) == pytest.approx(half)


@given(st.lists(st.integers(1, 99), min_size=1, max_size=6))
def test_ngrams_are_hashed_as_documented(row: list[int]) -> None:
    ids = np.array([[*row, *[0] * (7 - len(row))]], dtype=np.int32)
    found = ngrams.hashed(HashedNgrams(100, 50, 3), ids)[0]
    bigrams = [100 + (a * MULTIPLIER + b) % PRIME % 50 for a, b in zip(row, row[1:], strict=False)]
    assert found[:7].tolist() == ids[0].tolist()
    assert found[7:14].tolist() == bigrams + [0] * (7 - len(bigrams))
    assert np.count_nonzero(found[14:]) == max(0, len(row) - 2)


def test_a_user_model_is_read_with_all_its_files_and_built_from_their_text(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BUILD)
    (tmp_path / "mine_parts.py").write_text(PARTS)
    found = custom.read(tmp_path, "mine:build")
    assert sorted(found.code) == ["mine.py", "mine_parts.py"]
    assert found.params.model_validate({}).canonical() == {"units": 8}
    with pytest.raises(ValidationError, match="units"):
        found.params.model_validate({"units": "many"})
    built = custom.build(found.code, "mine:build", {"units": 3}, vocabulary=20, labels=4, length=9)
    assert built[0] == Embedding(20, 3) and built[-1] == Dense(4, "softmax")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def build(vocabulary labels): pass", r"mine.py:1: "),
        ("\nimport nothing_of_this_name", r"mine.py:2: ModuleNotFoundError"),
        ("def built(vocabulary, labels): pass", r"no function 'build'; it has: built"),
        ("def build(labels): pass", r"mine.py:1: build must take vocabulary"),
        ("def build(vocabulary, labels, *more): pass", r"mine.py:1: parameter \*more can't be given"),
    ],
)
def test_what_is_wrong_with_a_user_model_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InputError, match=message):
        custom.read(tmp_path, "mine:build")


def test_a_user_function_that_gives_neither_layers_nor_a_model_is_named() -> None:
    code = {"mine.py": "def build(vocabulary, labels):\n    return 3\n"}
    with pytest.raises(InputError, match=r"mine.py:1: mine:build returned int"):
        custom.build(code, "mine:build", {}, vocabulary=2, labels=2, length=2)
