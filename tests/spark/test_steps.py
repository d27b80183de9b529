"""Each operation on small data, at its boundary: rows in, files and statistics out."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceProcessor

from spark_jobs.base import Entity, InputFiles
from spark_jobs.clean import Clean
from spark_jobs.dedup import Dedup
from spark_jobs.encode import Encode
from spark_jobs.populate import Params as PopulateParams
from spark_jobs.populate import Populate
from spark_jobs.split import Split
from spark_jobs.tokenize import Tokenize
from tests.spark.conftest import Bench, Done
from textmill.errors import InputError

SCHEMA = "id string, text string, label string"
READING = {
    "format": "jsonl", "text": "text", "label": "label", "id": None, "delimiter": ",", "header": None,
    "max_record_bytes": 1 << 20, "sample": None, "seed": 7,
}  # fmt: skip


def row(number: int, text: str | None = None, label: str | None = None) -> dict[str, Any]:
    return {"id": str(number), "text": text or f"text {number}", "label": label or f"l{number % 3}"}


def clean(bench: Bench, lines: list[bytes], name: str = "in.jsonl", **reading: Any) -> Done:
    file = bench.new_folder() / name
    file.write_bytes(b"\n".join(lines) + b"\n")
    source = InputFiles("chats", "rows", (file,), {**READING, **reading})
    return bench.run(Clean(), [source], min_chars=2, max_chars=50)


def test_clean_sets_every_kind_of_bad_record_aside_with_its_reason(bench: Bench) -> None:
    good = json.dumps({"text": "  ｈello   world ", "label": "a"}).encode()
    done = clean(bench, [
        good, b"{broken", b'{"label": "a"}', b'{"text": "no label"}', b'{"text": "\xff\xfe", "label": "a"}',
        b'{"text": "x", "label": "a"}', json.dumps({"text": "y" * 51, "label": "a"}).encode(),
        b'{"text": "' + b"z" * 10_000_000 + b'", "label": "a"}',
    ])  # fmt: skip
    assert [(r["text"], r["label"]) for r in done.rows()] == [("hello world", "a")]
    reasons = dict.fromkeys(
        ["broken_json", "missing_text", "missing_label", "invalid_utf8", "too_short", "too_long", "record_too_long"], 1
    )
    assert done.stats["reasons"] == reasons
    dropped = {r["reason"]: r for r in done.rows("dropped")}
    assert set(dropped) == set(reasons)
    assert dropped["broken_json"]["text"] == "{broken" and dropped["broken_json"]["id"] == f"in.jsonl:{len(good) + 1}"
    assert len(dropped["record_too_long"]["text"]) <= 500


def test_clean_of_no_record_at_all(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"input chats: no record in .*in\.jsonl"):
        clean(bench, [b"", b"  "])


def test_clean_reads_parquet(bench: Bench) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = bench.new_folder() / "in.parquet"
    pq.write_table(pa.table({"q": ["one more", None, "third one"], "n": [1, 2, None]}), file)
    source = InputFiles("chats", "rows", (file,), {**READING, "format": "parquet", "text": "q", "label": "n"})
    done = bench.run(Clean(), [source])
    assert [(r["id"], r["text"], r["label"]) for r in done.rows()] == [("in.parquet:0", "one more", "1")]
    assert done.stats["reasons"] == {"missing_text": 1, "missing_label": 1}


def test_dedup_keeps_one_row_for_each_text_whatever_the_order(bench: Bench) -> None:
    rows = [row(1, "same", "b"), row(2, "same", "a"), row(3, "same", "a"), row(4, "other", "c")]
    outputs = []
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        done = bench.run(Dedup(), [bench.source(rows, "rows", SCHEMA)])
        assert sorted((r["id"], r["text"]) for r in done.rows()) == [("2", "same"), ("4", "other")]
        assert done.stats["reasons"] == {"duplicate": 1, "conflicting_label": 1}
        outputs.append(done.contents())
    assert outputs[0] == outputs[1] == outputs[2]


def test_split_is_exact_for_every_label_and_independent_of_order(bench: Bench) -> None:
    rows = [row(n, label="big" if n % 10 else "small") for n in range(1000)]
    done = bench.run(Split(), [bench.source(rows, "rows", SCHEMA)], parts={"train": 0.5, "valid": 0.2, "test": 0.3})
    labels = {part: described["labels"] for part, described in done.stats["parts"].items()}
    assert labels == {
        "train": {"big": 450, "small": 50}, "valid": {"big": 180, "small": 20}, "test": {"big": 270, "small": 30},
    }  # fmt: skip
    again = bench.run(
        Split(), [bench.source(rows[::-1], "rows", SCHEMA)], parts={"train": 0.5, "valid": 0.2, "test": 0.3}
    )
    for part in labels:
        assert {r["id"] for r in done.rows(part)} == {r["id"] for r in again.rows(part)}


def test_split_refuses_labels_with_one_example(bench: Bench) -> None:
    rows = [row(1, label="a"), row(2, label="a"), row(3, label="lonely")]
    with pytest.raises(InputError, match=r"1 label with fewer than min_per_label 2 examples: 'lonely' \(1\)"):
        bench.run(Split(), [bench.source(rows, "rows", SCHEMA)])
    done = bench.run(Split(), [bench.source(rows, "rows", SCHEMA)], min_per_label=1)
    assert "lonely" in done.stats["parts"]["train"]["labels"]


def populate(bench: Bench, sources: list[Any], amount: int, tmp_path: Path, text: str) -> Done:
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    params = {"templates": str(tmp_path / "t.txt"), "amount": {"per_intent": amount}}
    entities = {
        "P": Entity("P", ("연필", "지우개", "공책"), (1.0, 1.0, 2.0)),
        "C": Entity("C", ("빨강", "파랑"), None, False),
    }
    resources = Populate().resources(PopulateParams.model_validate(params), entities)
    return bench.run(Populate(), sources, resources, **params)


def test_populate_warns_of_a_label_that_no_source_row_has(bench: Bench, tmp_path: Path) -> None:
    source = bench.source([{"id": "1", "text": "포장할게요", "label": "takeout"}], "rows", "id string, text string, label string")
    done = populate(bench, [source], 4, tmp_path, "[takeout]\n{C} {P} 포장\n[takout]\n{C} {P} 포장해 주세요\n")
    assert done.stats["warnings"] == [
        "the templates' label 'takout' is on no source row, so it gets no valid or test rows, did you mean 'takeout'?"
    ]
    fine = populate(bench, [source], 4, tmp_path, "[takeout]\n{C} {P} 포장\n")
    assert "warnings" not in fine.stats


def test_populate_expands_templates_and_keeps_the_source(bench: Bench, tmp_path: Path) -> None:
    source = bench.source([row(1, "연필을 주세요", "other"), row(2, "안녕", "greeting")], "rows", SCHEMA)
    done = populate(bench, [source], 6, tmp_path, "[buy]\n{C} {P}{을/를} 주세요\n{P}{을/를} 주세요\n")
    texts = {r["text"]: r for r in done.rows()}
    assert len(texts) == len(done.rows()) and {"연필을 주세요", "안녕"} <= set(texts)
    assert texts["연필을 주세요"]["origin"] == "source" and done.stats["reasons"] == {"conflicting_label": 1}
    made = [r for r in texts.values() if r["origin"] != "source"]
    assert len(made) == 5 and {r["label"] for r in made} == {"buy"}
    for one in made:
        spans = [(one["text"][s["start"] : s["end"]], s["entity"]) for s in one["spans"]]
        assert len(spans) == 1 and spans[0][1] == "P" and spans[0][0] in ("연필", "지우개", "공책")


def tokens(bench: Bench, parts: dict[str, list[dict[str, Any]]], **params: Any) -> Done:
    sources = [bench.source(rows, role, SCHEMA) for role, rows in parts.items()]
    return bench.run(Tokenize(), sources, **params)


def test_tokenize_sets_held_out_texts_aside(bench: Bench) -> None:
    done = tokens(bench, {
        "train": [row(1, "Where is it"), row(2, "where IS it?"), row(3, "new one")],
        "valid": [row(4, "New one!"), row(5, "valid text")],
        "test": [row(6, "where is it"), row(7, "valid, text")],
    })  # fmt: skip
    assert {r["id"] for r in done.rows("dropped")} == {"1", "2", "3", "5"}
    assert [len(done.rows(part)) for part in ("train", "valid", "test")] == [0, 1, 2]
    assert done.stats["reasons"] == {"leak": 4}


def test_sentencepiece_is_fitted_on_train_alone_and_gives_the_text_back(bench: Bench) -> None:
    train = [row(n, f"주문한 상품 {n}번 배송이 언제 오나요 <phone>") for n in range(300)]
    test = [row(n + 300, f"zebra crossing {n}") for n in range(5)]
    sources = [bench.source(train, "train", SCHEMA), bench.source(test, "test", SCHEMA)]
    outputs = [bench.run(Tokenize(), sources, analyzer="sentencepiece", pieces=150) for _ in range(2)]
    assert outputs[0].contents() == outputs[1].contents()
    rows = outputs[0].rows("train")
    assert len(rows) == 300
    for found in rows:
        assert "".join(found["tokens"]).replace("\u2581", " ").strip() == found["text"]
        assert any("<phone>" in token for token in found["tokens"])
    model = SentencePieceProcessor(model_file=str(outputs[0].out / "sentencepiece.model"))
    pieces = {model.id_to_piece(number) for number in range(model.get_piece_size())}
    assert "송" in pieces and not any("z" in piece for piece in pieces)


def test_sentencepiece_needs_rows_to_be_fitted_on(bench: Bench) -> None:
    with pytest.raises(InputError, match="no train rows to fit sentencepiece on"):
        bench.run(Tokenize(), [bench.source([row(1)], "test", SCHEMA)], analyzer="sentencepiece")


def encode(bench: Bench, parts: dict[str, int], **params: Any) -> Done:
    schema = f"{SCHEMA}, tokens array<string>"
    sources = [
        bench.source([{**row(n, label="l"), "tokens": ["all", f"w{n % 7}", part]} for n in range(rows)], part, schema)
        for part, rows in parts.items()
    ]
    return bench.run(Encode(), sources, **{"vocabulary": {"min_count": 1}, "length": 4, **params})


@pytest.mark.parametrize(("rows", "shards"), [(30, 4), (32, 4), (3, 4), (1, 1), (1001, 8)])
def test_encode_makes_equal_shards_of_all_rows(bench: Bench, rows: int, shards: int) -> None:
    done = encode(bench, {"train": rows, "test": 3}, shards=shards)
    files = done.written.parts["train"]["files"]
    assert len(files) == shards
    padded = [r for r in done.rows("train") if r["weight"] == 0]
    described = json.loads((done.out / "tensors.json").read_text())["parts"]["train"]
    assert described["rows"] == described["rows_per_shard"] * shards == len(done.rows("train"))
    assert described["real_rows"] == rows and described["padded"] == len(padded)
    assert all(len(r["ids"]) == 4 for r in done.rows("train"))
    assert all(r["ids"] == [0, 0, 0, 0] for r in padded)


def test_encode_drops_the_remainder_of_train_alone_and_counts_it(bench: Bench) -> None:
    done = encode(bench, {"train": 30, "test": 5}, shards=4, remainder="drop")
    parts = json.loads((done.out / "tensors.json").read_text())["parts"]
    assert (parts["train"]["rows"], parts["train"]["dropped"], parts["train"]["padded"]) == (28, 2, 0)
    assert (parts["test"]["rows"], parts["test"]["dropped"], parts["test"]["padded"]) == (8, 0, 3)
    assert parts["train"]["steps"] == {"1": 28, "2": 14, "4": 7}


def test_encode_fits_the_vocabulary_on_train_alone(bench: Bench) -> None:
    done = encode(bench, {"train": 21, "test": 7}, shards=1)
    vocabulary = [line.split("\t")[0] for line in (done.out / "vocabulary.tsv").read_text().splitlines()]
    assert vocabulary == ["all", "train", *[f"w{n}" for n in range(7)]]
    assert done.stats["parts"]["test"]["unknown"] == 7
    assert all(r["ids"][0] == 2 and r["ids"][2] == 1 for r in done.rows("test"))


def test_encode_gives_unknown_tokens_ids_of_their_own_by_hash(bench: Bench) -> None:
    vocabulary = {"min_count": 4, "unknown_buckets": 3}
    done = encode(bench, {"train": 21, "test": 7}, shards=1, vocabulary=vocabulary)
    known = len((done.out / "vocabulary.tsv").read_text().splitlines())
    described = json.loads((done.out / "tensors.json").read_text())["vocabulary"]
    assert known == 2 and (described["size"], described["unknown_buckets"]) == (2 + known + 3, 3)
    ids = {value for part in ("train", "test") for r in done.rows(part) for value in r["ids"][1:3]}
    assert ids <= {0, 3, *range(2 + known, 2 + known + 3)} and len(ids & set(range(4, 7))) > 1
    assert done.stats["parts"]["test"]["unknown"] == 14


def test_encode_does_not_depend_on_order_or_partitions(bench: Bench, spark: Any) -> None:
    first = encode(bench, {"train": 500, "valid": 40, "test": 40}, shards=4).contents()
    spark.conf.set("spark.sql.shuffle.partitions", "3")
    try:
        second = encode(bench, {"test": 40, "valid": 40, "train": 500}, shards=4).contents()
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", "200")
    assert first == second


def test_encode_refuses_labels_that_train_lacks(bench: Bench) -> None:
    schema = f"{SCHEMA}, tokens array<string>"
    train = bench.source([{**row(1, label="a"), "tokens": ["x"]}], "train", schema)
    test = bench.source([{**row(2, label="b"), "tokens": ["x"]}], "test", schema)
    with pytest.raises(InputError, match="the test part has 1 labels that train lacks: b"):
        bench.run(Encode(), [train, test])
