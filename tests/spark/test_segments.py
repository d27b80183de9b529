"""Tensors in segments: what earlier dates have is copied, and is what encoding it again gives."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.tensors import Tensors
from pipelines.board.tested import _placed
from spark_jobs import records
from spark_jobs.base import Resources, Sibling, Work
from spark_jobs.encode import Encode
from spark_jobs.tokenize import Tokenize
from tests.spark.conftest import Bench, Done
from textmill.errors import InputError
from textmill.ids import FIRST_TOKEN

PARTS, SCHEMA, SHARDS = ("train", "valid", "test"), "id string, text string, label string", 4
DATES = [
    [("a b", "x"), ("b c", "y"), ("c d", "x"), ("d e", "y"), ("e f", "x")],
    [("a c", "x"), ("b d", "y")],
    [("a d", "y"), ("b e", "x"), ("c f", "y")],
]


def tokenized(bench: Bench, number: int, texts: Sequence[tuple[str, str]]) -> Done:
    """A date: all texts are train, the first of them valid and test too, with other ids."""
    given = {"train": texts, "valid": texts[:1], "test": texts[:2]}
    sources = [
        bench.source([{"id": f"{number}{part}{n}", "text": text, "label": label} for n, (text, label) in enumerate(of)],
                     part, SCHEMA)
        for part, of in given.items()
    ]  # fmt: skip
    return bench.run(Tokenize(), sources, analyzer="whitespace", leaks="keep")


@pytest.fixture
def dates(bench: Bench) -> list[Done]:
    return [tokenized(bench, number, texts) for number, texts in enumerate(DATES)]


@pytest.fixture
def last(bench: Bench, dates: list[Done]) -> Path:
    """A version that knows the words of the first date."""
    return encoded(bench, dates[:1], rule="refit").out


def encoded(
    bench: Bench, dates: Sequence[Done], last: Path | None = None, beside: Sequence[Sibling] = (), rule: str = "fixed"
) -> Done:
    params = {"vocabulary": {"rule": rule, "min_count": 1}, "length": 3, "shards": SHARDS}
    sources = [date.source(part, part) for part in PARTS for date in dates]
    work = Work(bench.spark, bench.new_folder(), Encode.Params.model_validate(params), tuple(sources),
                Resources({} if last is None else {"last": str(last)}), lambda: beside)  # fmt: skip
    return Done(work.out, Encode().run(work))


def sibling(done: Done) -> Sibling:
    return Sibling(done.out, done.written.parts, sums(done))


def sums(done: Done) -> dict[str, str]:
    files = {file.relative_to(done.out).as_posix(): file for file in done.out.rglob("*") if file.is_file()}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def everything(done: Done) -> dict[str, Any]:
    files = ("tensors.json", "labels.json", "segments.json", "vocabulary.tsv")
    return {**done.contents(), **{name: (done.out / name).read_bytes() for name in files},
            "parts": done.written.parts, "stats": done.stats}  # fmt: skip


def lose(date: Done) -> None:
    """Nobody can read its rows any more."""
    for file in date.out.rglob("*.parquet"):
        file.write_bytes(b"")


def test_every_row_is_in_the_segment_of_its_date(bench: Bench, dates: list[Done], last: Path) -> None:
    done = encoded(bench, dates, last)
    assert (done.out / "vocabulary.tsv").read_bytes() == (last / "vocabulary.tsv").read_bytes()
    words = [line.partition("\t")[0] for line in (last / "vocabulary.tsv").read_text().splitlines()]
    for number, texts in enumerate(DATES):
        files = [name for name in done.written.parts["train"]["files"] if name.startswith(f"train/{number:05d}-")]
        of_segment = {**done.written.parts["train"], "files": files}
        rows = Done(done.out, replace(done.written, parts={"train": of_segment})).rows("train")
        found = [" ".join(words[id - FIRST_TOKEN] for id in row["ids"] if id) for row in rows if row["weight"]]
        assert Counter(found) == Counter(text for text, _ in texts)
        assert len(files) == SHARDS and len(rows) == -(-len(texts) // SHARDS) * SHARDS
    described = Tensors(done.out).described["parts"]["train"]
    assert (described["rows"], described["real_rows"], described["rows_per_shard"]) == (16, 10, 4)
    assert done.stats["parts"]["train"]["rows"] == 16 and done.stats["parts"]["train"]["labels"] == {"x": 5, "y": 5}
    for ranks in (1, 2, 4):
        assert Tensors(done.out).problems(ranks) == []
        shared = [[len(Tensors(done.out).read(file).label) for file in Tensors(done.out).shards("train", rank, ranks)]
                  for rank in range(ranks)]  # fmt: skip
        assert len({tuple(rows) for rows in shared}) == 1, "equal steps"


def test_a_new_date_costs_its_own_rows(bench: Bench, dates: list[Done], last: Path) -> None:
    before, anew = encoded(bench, dates[:2], last), encoded(bench, dates, last)
    for date in dates[:2]:
        lose(date)
    after = encoded(bench, dates, last, [sibling(before)])
    assert everything(after) == everything(anew)
    lose(dates[2])
    assert everything(encoded(bench, dates, last, [sibling(before), sibling(after)])) == everything(anew)
    assert everything(encoded(bench, dates[:2], last, [sibling(after)])) == everything(before), "a date less"
    late = encoded(bench, [dates[2], dates[0]], last, [sibling(after)])
    assert Tensors(late.out).problems() == [] and Tensors(late.out).described["segments"][0]["train"]["real_rows"] == 3


def test_the_first_run_is_in_segments_too(bench: Bench, dates: list[Done], last: Path) -> None:
    first = encoded(bench, dates[:1])
    assert (first.out / "vocabulary.tsv").read_bytes() == (last / "vocabulary.tsv").read_bytes(), "fitted"
    anew = encoded(bench, dates, first.out)
    lose(dates[0])
    assert everything(encoded(bench, dates, first.out, [sibling(first)])) == everything(anew)


def test_segments_of_another_vocabulary_are_not_taken(bench: Bench, dates: list[Done], last: Path) -> None:
    other = encoded(bench, dates[1:2])
    assert (other.out / "vocabulary.tsv").read_bytes() != (last / "vocabulary.tsv").read_bytes()
    anew = encoded(bench, dates[:2], last)
    assert everything(encoded(bench, dates[:2], last, [sibling(other)])) == everything(anew)


def test_damaged_segments_are_made_again(bench: Bench, dates: list[Done], last: Path) -> None:
    before, anew = encoded(bench, dates[:2], last), encoded(bench, dates, last)
    told = sibling(before)
    (before.out / "train/00000-00002.parquet").write_bytes(b"PAR1")
    (before.out / "test/00001-00000.parquet").unlink()
    after = encoded(bench, dates, last, [told])
    assert everything(after) == everything(anew)
    others = [sibling(after), Sibling(bench.new_folder(), told.parts, told.checksums)]
    (after.out / "segments.json").write_text("{}")
    assert everything(encoded(bench, dates, last, others)) == everything(anew)


def test_a_new_label_numbers_all_rows_anew(bench: Bench, dates: list[Done], last: Path) -> None:
    before = encoded(bench, dates[:2], last)
    dates[2] = tokenized(bench, 9, [("a b", "w"), ("b c", "x")])
    anew = encoded(bench, dates, last)
    assert json.loads((anew.out / "labels.json").read_text()) == ["w", "x", "y"]
    assert everything(encoded(bench, dates, last, [sibling(before)])) == everything(anew)


def test_a_label_of_a_copied_segment_that_train_lacks_is_named(bench: Bench, last: Path) -> None:
    first, second = tokenized(bench, 1, [("a", "x")]), tokenized(bench, 2, [("b", "y"), ("c", "z")])
    there = encoded(bench, [first, second], last)
    sources = [first.source("train", "train"), second.source("test", "test"), first.source("test", "test")]
    work = Work(bench.spark, bench.new_folder(), Encode.Params.model_validate({"vocabulary": {"rule": "fixed"}}),
                tuple(sources), Resources({"last": str(last)}))  # fmt: skip
    assert there.stats["parts"]["test"]["labels"] == {"x": 1, "y": 1, "z": 1}
    with pytest.raises(InputError, match="the test part has 2 labels that train lacks: y, z"):
        Encode().run(work)


@pytest.mark.parametrize("shards", [4, 6])
def test_records_of_segments_have_the_same_rows(
    bench: Bench, dates: list[Done], last: Path, tmp_path: Path, shards: int
) -> None:
    tf = pytest.importorskip("tensorflow")
    done = encoded(bench, dates, last)
    out = tmp_path / "records"
    out.mkdir()
    records.write(bench.spark, done.out, out, shards)
    from models.tensors import opened

    assert opened(out).problems(2) == []
    for part in PARTS:
        found = [tf.train.Example.FromString(record).features.feature["ids"].int64_list.value[:]
                 for file in opened(out).files(part) for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator()]
        real = [row["ids"] for row in done.rows(part) if row["weight"]]
        assert Counter(tuple(ids) for ids in found if any(ids)) == Counter(map(tuple, real))
        if shards != SHARDS:
            assert [list(ids) for ids in found if any(ids)] == real, "in their order"


def test_the_board_knows_the_place_of_each_row(bench: Bench, dates: list[Done], last: Path) -> None:
    done = encoded(bench, dates, last)
    files = [[date.out / name for name in date.written.parts["test"]["files"]] for date in dates]
    table, order = _placed(files, 7)
    words = [line.partition("\t")[0] for line in (last / "vocabulary.tsv").read_text().splitlines()]
    written = [" ".join(words[id - FIRST_TOKEN] for id in row["ids"] if id) for row in done.rows("test") if row["weight"]]
    assert [written[place] for place in order] == table["text"].to_pylist()
