"""text.augment: what changes, what never does, and how many copies there are."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.augment import SPANS, Augment
from spark_jobs.augment import Params as AugmentParams
from tests.spark.conftest import Bench, Done

PLAIN = "id string, text string, label string"
MADE = f"{PLAIN}, origin string, spans {SPANS}"
OFF = {"swap": 0, "delete": 0, "spacing": 0, "typo": 0}
WORDS = "주문한 상품이 아직 안 왔는데 배송 조회 좀 부탁드려요 내일까지 받을 수 있나요 교환 환불".split()


def sentences(count: int, seed: int = 1) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    return [
        {"id": f"r{n:03d}", "text": f"{' '.join(dice.choices(WORDS, k=dice.randint(3, 9)))} {n}", "label": f"l{n % 3}"}
        for n in range(count)
    ]


def augment(bench: Bench, rows: list[dict[str, Any]], schema: str = PLAIN, pieces: int = 1, **params: Any) -> Done:
    resources = Augment().resources(AugmentParams.model_validate(params), {})
    sources = [bench.source(rows[piece::pieces], "rows", schema) for piece in range(pieces)]
    return bench.run(Augment(), sources, resources, **params)


def made(done: Done) -> list[dict[str, Any]]:
    return [row for row in done.rows() if "#" in row["id"]]


def source_id(copy: dict[str, Any]) -> str:
    return copy["id"].rpartition("#")[0]


@pytest.mark.parametrize("amount", [{"copies": 3}, {"per_label": 70}])
def test_copies_depend_on_the_seed_and_their_source_alone(bench: Bench, amount: dict[str, int]) -> None:
    rows = sentences(60)
    first = augment(bench, rows, **amount).contents()
    bench.spark.conf.set("spark.sql.files.maxPartitionBytes", "1k")
    try:
        assert first == augment(bench, rows[::-1], pieces=3, **amount).contents()
    finally:
        bench.spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert first != augment(bench, rows, **amount, seed=8).contents()


def test_more_copies_begin_with_the_same(bench: Bench) -> None:
    rows = sentences(30)
    fewer, more = ({row["id"]: row["text"] for row in made(augment(bench, rows, copies=n))} for n in (2, 4))
    assert len(fewer) > 55 and fewer == {name: text for name, text in more.items() if name[-1] in "12"}


def test_every_copy_is_new_and_keeps_its_label(bench: Bench) -> None:
    rows = sentences(100)
    done = augment(bench, rows, copies=4)
    by_id = {row["id"]: row for row in rows}
    copies = made(done)
    texts = [row["text"] for row in done.rows()]
    assert len(set(texts)) == len(texts) and len(copies) > 380
    assert {row["id"]: row["text"] for row in done.rows() if row["origin"] == "source"} == {
        row["id"]: row["text"] for row in rows
    }
    assert all(row["label"] == by_id[source_id(row)]["label"] and row["spans"] is None for row in copies)
    assert {row["origin"] for row in copies} == {f"augment:{name}" for name in ("swap", "delete", "spacing", "typo")}
    reasons = done.stats["reasons"]
    assert len(copies) + reasons.get("duplicate", 0) + reasons.get("conflicting_label", 0) == 400


def test_equal_copies_and_those_nothing_changes_are_set_aside(bench: Bench) -> None:
    rows = [
        {"id": "1", "text": "a b", "label": "x"},
        {"id": "2", "text": "b a", "label": "x"},
        {"id": "3", "text": "c d", "label": "x"},
        {"id": "4", "text": "d c", "label": "y"},
        {"id": "5", "text": "alone", "label": "x"},
        {"id": "6", "text": "p q", "label": "x"},
    ]
    done = augment(bench, rows, copies=2, **{**OFF, "swap": 0.1})
    assert {row["id"]: row["text"] for row in made(done)} == {"6#1": "q p"}
    assert {row["id"]: row["reason"] for row in done.rows("dropped")} == {
        **dict.fromkeys(["1#1", "1#2", "2#1", "2#2", "6#2"], "duplicate"),
        **dict.fromkeys(["3#1", "3#2", "4#1", "4#2"], "conflicting_label"),
        **dict.fromkeys(["5#1", "5#2"], "unchanged"),
    }
    assert done.stats["reasons"] == {"duplicate": 5, "conflicting_label": 4, "unchanged": 2}


def test_without_the_source_rows(bench: Bench) -> None:
    rows = [{"id": "1", "text": "a b", "label": "x"}, {"id": "2", "text": "b a", "label": "x"}]
    done = augment(bench, rows, keep_source=False, **{**OFF, "swap": 0.1})
    assert {row["id"]: row["text"] for row in done.rows()} == {"1#1": "b a", "2#1": "a b"}


def test_copies_of_copies_give_way_to_their_sources(bench: Bench) -> None:
    rows = [
        {"id": "b#1", "text": "p q", "label": "x", "origin": "augment:typo", "spans": None},
        {"id": "a#1", "text": "q p", "label": "x", "origin": "augment:typo", "spans": None},
    ]
    done = augment(bench, rows, MADE, **{**OFF, "swap": 0.1})
    assert {row["id"] for row in done.rows()} == {"a#1", "b#1"}
    assert {row["id"] for row in done.rows("dropped")} == {"a#1#1", "b#1#1"}


def test_entities_stay_whole_wherever_they_move(bench: Bench) -> None:
    text = "혹시 나이키 에어맥스를 <phone> 번호로 파랑 색으로 바꿔 주실 수 있나요"
    spans = [(text.index(w), text.index(w) + len(w), kind) for w, kind in [("나이키 에어맥스", "P"), ("파랑", "C")]]
    rows = [
        {"id": str(n), "text": f"{text} {n}", "label": "a", "origin": "template:1", "spans": spans} for n in range(40)
    ]
    done = augment(bench, rows, MADE, copies=8, swap=0.4, delete=0.5, spacing=0.5, typo=0.5)
    copies = made(done)
    assert len(copies) > 250 and sum(row["origin"] == "template:1" for row in done.rows()) == 40
    for copy in copies:
        found = {span["entity"]: copy["text"][span["start"] : span["end"]] for span in copy["spans"]}
        assert found == {"P": "나이키 에어맥스", "C": "파랑"}
        assert [span["start"] for span in copy["spans"]] == sorted(span["start"] for span in copy["spans"])
        assert "<phone>" in copy["text"]
    assert any(copy["spans"][0]["entity"] == "C" for copy in copies)


def test_each_label_is_brought_to_its_target(bench: Bench) -> None:
    first = {"l0": 50, "l1": 30, "l2": 3}
    rows = [row for row in sentences(150) if int(row["id"][1:]) < 3 * first[row["label"]]]
    done = augment(bench, rows, per_label=40, **{**OFF, "typo": 0.3})
    assert Counter(row["label"] for row in rows) == first
    assert Counter(row["label"] for row in done.rows()) == {"l0": 50, "l1": 40, "l2": 40}
    of_source = Counter((row["label"], source_id(row)) for row in made(done))
    assert sorted(count for (label, _), count in of_source.items() if label == "l2") == [12, 12, 13]
    assert {count for (label, _), count in of_source.items() if label == "l1"} == {1}


def test_the_target_is_met_where_copies_and_sources_repeat_each_other(bench: Bench) -> None:
    texts = ["a b c d", "b a c d", "a b d c", "a b c d"]
    rows = [{"id": str(n), "text": text, "label": "x"} for n, text in enumerate(texts)]
    rows += [{"id": "y", "text": "single", "label": "y"}]
    done = augment(bench, rows, per_label=12, **{**OFF, "swap": 0.1})
    assert Counter(row["label"] for row in done.rows()) == {"x": 12, "y": 1}
    assert {row["reason"] for row in done.rows("dropped")} == {"duplicate", "unchanged"}


def test_the_target_counts_copies_alone_without_the_source(bench: Bench) -> None:
    done = augment(bench, sentences(30), per_label=25, keep_source=False)
    assert Counter(row["label"] for row in done.rows()) == {"l0": 25, "l1": 25, "l2": 25}


def test_no_rows(bench: Bench) -> None:
    assert augment(bench, [], per_label=5).rows() == augment(bench, [], copies=2).rows() == []


def test_synonyms_come_from_the_table(bench: Bench, tmp_path: Path) -> None:
    table = tmp_path / "synonyms.tsv"
    table.write_text("배송\t배달, 택배\t0.9\n환불\t반품\n", encoding="utf-8")
    rows = [{"id": str(n), "text": f"{n}번 배송이 취소", "label": "a"} for n in range(20)]
    rows += [{"id": "x", "text": "아무 것도 없음", "label": "a"}]
    done = augment(bench, rows, copies=2, insert=0, synonyms=str(table), **OFF)
    assert {row["text"].split()[1] for row in made(done)} == {"배달이", "택배가"}
    assert Counter(row["reason"] for row in done.rows("dropped") if row["id"][0] == "x") == {"unchanged": 2}
