"""Whatever is damaged in the outputs, there is a report, and it says what it can't show."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.pipelines.report.conftest import Sample
from tests.unit.pipelines.report.test_page import Outline, shown

FILES = (
    "clean/manifest.json",
    "tokens/manifest.json",
    "tensors/manifest.json",
    "tensors/tensors.json",
    "tensors/vocabulary.tsv",
    "train.m/history.json",
    "evaluate.m/metrics.json",
    "evaluate.m/predictions/00000.parquet",
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"\xff{"])
def test_a_broken_file_is_named_or_left_out(sample: Sample, name: str, content: bytes) -> None:
    file = sample.out.parent / name
    file.write_bytes(content)
    page = sample.page()
    if content != b"" and file.suffix != ".tsv":
        assert "Not shown" in shown(page)


@pytest.mark.parametrize("seed", range(2))
def test_values_of_any_shape(sample: Sample, seed: int) -> None:
    chance = random.Random(seed)
    for name in (name for name in FILES if name.endswith(".json")):
        file = sample.out.parent / name
        whole = json.loads(file.read_text(encoding="utf-8"))
        for places in chance.sample(list(_places(whole)), 2):
            file.write_text(json.dumps(_changed(whole, places, chance)), encoding="utf-8")
            Outline(sample.page())
        file.write_text(json.dumps(whole), encoding="utf-8")


@pytest.mark.parametrize("seed", range(2))
def test_a_record_of_any_shape(sample: Sample, seed: int) -> None:
    chance = random.Random(seed)
    whole = sample.record
    for places in chance.sample(list(_places(whole)), 6):
        sample.record = _changed(whole, places, chance)
        Outline(sample.page())


def test_the_old_report_stays_where_the_new_one_can_t_be_written(sample: Sample, tmp_path: Path) -> None:
    whole = sample.page()
    sample.out = tmp_path / "no folder" / "report.html"
    with pytest.raises(OSError):
        sample.page()
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == whole
    assert not list(tmp_path.glob("*.part"))


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*before, key)
        yield from _places(one, (*before, key))


def _changed(whole: Any, places: tuple[Any, ...], chance: random.Random) -> Any:
    """A copy with another value at one place, or none at all."""
    copy = json.loads(json.dumps(whole))
    at = copy
    for key in places[:-1]:
        at = at[key]
    other = chance.choice([None, -1, 1e300, float("nan"), "text", [], {}, [None], {"x": None}, True, "delete"])
    if other == "delete":
        del at[places[-1]]
    else:
        at[places[-1]] = other
    return copy
