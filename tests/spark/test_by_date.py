"""Steps date by date, and what goes on from an earlier version: the same rules whichever date comes when."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spark_jobs.base import EARLIER, KEY, Folder, Resources
from spark_jobs.dedup import Dedup
from spark_jobs.embed import Embed
from spark_jobs.encode import Encode
from spark_jobs.split import Split
from spark_jobs.tokenize import Tokenize
from tests.spark.conftest import Bench, Done
from textmill.errors import InputError

SCHEMA = "id string, text string, label string"
PARTS = ("train", "valid", "test")


def row(number: int, text: str, label: str = "a") -> dict[str, Any]:
    return {"id": str(number), "text": text, "label": label}


def before(done: list[Done], parts: tuple[str, ...]) -> list[Any]:
    return [date.source(part, f"{EARLIER}{part}") for part in parts for date in done]


def test_of_equal_texts_the_one_of_the_earliest_date_stays(bench: Bench) -> None:
    dates = [
        [row(1, "z"), row(2, "y"), row(3, "y", "b")],
        [row(4, "y"), row(5, "z", "b"), row(6, "x"), row(7, "x")],
        [row(8, "x"), row(9, "z")],
    ]
    done: list[Done] = []
    for rows in dates:
        sources = [bench.source(rows, "rows", SCHEMA), *before(done, ("rows",))]
        done.append(bench.run(Dedup(), sources, keep="earliest"))
    assert [[one["id"] for one in sorted(date.rows(), key=lambda one: one["id"])] for date in done] == [
        ["1", "2"], ["6"], [],
    ]  # fmt: skip
    reasons = [date.stats["reasons"] for date in done]
    assert reasons == [{"conflicting_label": 1}, {"duplicate": 2, "conflicting_label": 1}, {"duplicate": 2}]
    assert [len(date.rows()) + len(date.rows("dropped")) for date in done] == [3, 4, 2]


def test_a_text_is_split_the_same_whatever_comes_with_it(bench: Bench) -> None:
    rows = [row(number, f"text {number}", f"l{number % 3}") for number in range(2000)]
    whole, half = (
        bench.run(Split(), [bench.source(given, "rows", SCHEMA)], exact=False) for given in (rows, rows[::2])
    )
    where = {one["text"]: part for part in PARTS for one in whole.rows(part)}
    assert all(where[one["text"]] == part for part in PARTS for one in half.rows(part))
    assert len(where) == 2000 and 0.76 < len(whole.rows("train")) / 2000 < 0.84
    assert 0.07 < len(whole.rows("test")) / 2000 < 0.13


def test_no_row_of_any_date_equals_one_of_another_part(bench: Bench) -> None:
    dice, done, given = random.Random(1), [], 0
    for _ in range(3):
        texts = {part: [f"{dice.randrange(12)} {dice.choice('!?.')}" for _ in range(8)] for part in PARTS}
        given += sum(map(len, texts.values()))
        sources = [
            bench.source([row(number, text) for number, text in enumerate(texts[part])], part, SCHEMA) for part in PARTS
        ]
        done.append(bench.run(Tokenize(), [*sources, *before(done, PARTS)], analyzer="standard"))
    tokens = {part: {tuple(one["tokens"]) for date in done for one in date.rows(part)} for part in PARTS}
    assert not tokens["train"] & tokens["test"] and not tokens["train"] & tokens["valid"]
    assert not tokens["valid"] & tokens["test"] and all(tokens.values())
    kept = sum(len(date.rows(part)) for date in done for part in (*PARTS, "dropped"))
    assert kept == given, "set aside, never lost"


def test_what_dates_are_compared_by_stays_with_the_step(bench: Bench) -> None:
    deduped = bench.run(Dedup(), [bench.source([row(1, "x y"), row(2, "z")], "rows", SCHEMA)], keep="earliest")
    split = bench.run(Split(), [deduped.source("rows", "rows")], parts={"train": 1.0})
    tokens = bench.run(Tokenize(), [split.source("train", "train")], analyzer="standard")
    tensors = bench.run(Encode(), [tokens.source("train", "train")], length=3, shards=1)
    where = [KEY in done.rows(part)[0] for done, part in
             ((deduped, "rows"), (split, "train"), (tokens, "train"), (tensors, "train"))]  # fmt: skip
    assert where == [True, False, True, False]
    (taken,) = [one[KEY] for one in deduped.rows() if one["text"] == "x y"]
    assert taken != next(one[KEY] for one in tokens.rows("train") if one["text"] == "x y"), "of tokens, not of texts"


def test_a_date_of_nothing_new_gives_an_empty_output_that_can_be_taken(bench: Bench) -> None:
    first = bench.run(Dedup(), [bench.source([row(1, "x")], "rows", SCHEMA)], keep="earliest")
    again = [bench.source([row(2, "x")], "rows", SCHEMA), *before([first], ("rows",))]
    second = bench.run(Dedup(), again, keep="earliest")
    split = bench.run(Split(), [second.source("rows", "rows")], exact=False)
    assert not split.rows("train") and not bench.run(Split(), [split.source("train", "rows")], exact=False).rows("test")


def encoded(bench: Bench, texts: list[str], last: Path | None = None, **vocabulary: Any) -> Done:
    schema = f"{SCHEMA}, tokens array<string>"
    rows = [{**row(number, text), "tokens": text.split()} for number, text in enumerate(texts)]
    resources = Resources({} if last is None else {"last": str(last)})
    sources = [bench.source(rows, "train", schema)]
    return bench.run(Encode(), sources, resources, length=3, shards=1, vocabulary={"min_count": 1, **vocabulary})


def vocabulary(done: Done) -> list[str]:
    return (done.out / "vocabulary.tsv").read_text().splitlines()


def test_a_vocabulary_stays_or_is_extended(bench: Bench) -> None:
    first = encoded(bench, ["b b b a a c", "b a"])
    assert vocabulary(first) == ["b\t4", "a\t3", "c\t1"]
    texts = ["d d d d a", "e e a", "f"]
    assert vocabulary(encoded(bench, texts, rule="refit")) == ["d\t4", "a\t2", "e\t2", "f\t1"]
    fixed = encoded(bench, texts, first.out, rule="fixed")
    assert vocabulary(fixed) == ["b\t4", "a\t3", "c\t1"], "the very file"
    assert [one["ids"] for one in fixed.rows("train") if one["weight"]].count([1, 0, 0]) == 1
    assert vocabulary(encoded(bench, texts, first.out, rule="extend")) == [
        "b\t0", "a\t2", "c\t0", "d\t4", "e\t2", "f\t1",
    ]  # fmt: skip
    assert vocabulary(encoded(bench, texts, first.out, rule="extend", max=4)) == ["b\t0", "a\t2", "c\t0", "d\t4"]
    assert len(vocabulary(encoded(bench, texts, first.out, rule="extend", max=2))) == 3, "none loses its id"
    described = json.loads((fixed.out / "tensors.json").read_text())
    assert described["vocabulary"]["size"] == 5


def embedded(bench: Bench, texts: list[str], tensors: Done, last: Path | None = None, **params: Any) -> Done:
    rows = [{**row(number, text), "tokens": text.split()} for number, text in enumerate(texts)]
    sources = [Folder("tensors", tensors.out), bench.source(rows, "train", f"{SCHEMA}, tokens array<string>")]
    resources = Resources({} if last is None else {"last": str(last)})
    done = bench.run(Embed(), sources, resources, **{"size": 4, "sample": 0, **params})
    for name in ("vocabulary.tsv", "tensors.json"):  # a version holds these beside the vectors
        (done.out / name).write_bytes((tensors.out / name).read_bytes())
    return done


@pytest.mark.parametrize("rule", ["fixed", "extend"])
def test_vectors_stay_and_new_ones_come_to_them(bench: Bench, rule: str) -> None:
    texts = ["a b c d", "b c d e"] * 10, ["a b new", "new c d"] * 10
    first = embedded(bench, texts[0], encoded(bench, texts[0]))
    tensors = encoded(bench, texts[1], first.out, rule="extend")
    then, now = (
        np.load(done.out / "matrix.npy") for done in (first, embedded(bench, texts[1], tensors, first.out, rule=rule))
    )
    assert now.shape == (8, 4) and (now[2:7] == then[2:7]).all(), "a to e keep theirs"
    assert (now[7] == now[1]).all() == (rule == "fixed"), "the new one has one of its own only if extended"
    with pytest.raises(InputError, match="have 4 numbers, not 3"):
        embedded(bench, texts[1], tensors, first.out, rule=rule, size=3)
