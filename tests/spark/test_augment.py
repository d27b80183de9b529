"""text.augment: what changes, what never does, and how many copies there are."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.augment import SPANS, Augment
from spark_jobs.augment import Params as AugmentParams
from tests.spark.conftest import Bench, Done
from textmill.errors import DefinitionError

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


def augment(bench: Bench, rows: list[dict[str, Any]], schema: str = PLAIN, **params: Any) -> Done:
    resources = Augment().resources(AugmentParams.model_validate(params), {})
    return bench.run(Augment(), [bench.source(rows, "rows", schema)], resources, **params)


def made(done: Done) -> list[dict[str, Any]]:
    return [row for row in done.rows() if row["origin"] != "source"]


def test_copies_depend_on_the_seed_and_their_source_alone(bench: Bench) -> None:
    rows = sentences(60)
    first = augment(bench, rows, copies=3).contents()
    assert first == augment(bench, rows[::-1], copies=3).contents()
    assert first != augment(bench, rows, copies=3, seed=8).contents()


def test_every_copy_is_new_and_keeps_its_label(bench: Bench) -> None:
    rows = sentences(100)
    done = augment(bench, rows, copies=4)
    by_id = {row["id"]: row for row in rows}
    copies = made(done)
    texts = [row["text"] for row in done.rows()]
    assert len(set(texts)) == len(texts) and len(copies) > 380
    assert all(row["label"] == by_id[row["id"].partition("#")[0]]["label"] for row in copies)
    assert {row["origin"] for row in copies} == {f"augment:{name}" for name in ("swap", "delete", "spacing", "typo")}
    assert len(copies) + done.stats["reasons"].get("duplicate", 0) + done.stats["reasons"].get("unchanged", 0) == 400


@pytest.mark.parametrize(
    ("operation", "rate"), [("swap", 0.1), ("delete", 0.3), ("spacing", 0.2), ("typo", 0.1), ("typo", 0.5)]
)
def test_a_copy_changes_no_more_than_its_rate(bench: Bench, operation: str, rate: float) -> None:
    rows = sentences(80)
    by_id = {row["id"]: row["text"] for row in rows}
    for copy in made(augment(bench, rows, copies=2, **{**OFF, operation: rate})):
        before, after = by_id[copy["id"].partition("#")[0]], copy["text"]
        words = len(before.split())
        if operation == "swap":
            assert sorted(before.split()) == sorted(after.split())
        elif operation == "delete":
            lost = Counter(before.split()) - Counter(after.split())
            assert 1 <= lost.total() <= max(1, int(rate * words + 0.5)) and not Counter(after.split()) - Counter(before.split())
        elif operation == "spacing":
            assert before.replace(" ", "") == after.replace(" ", "")
            assert abs(before.count(" ") - after.count(" ")) <= max(1, int(rate * words + 0.5))
        else:
            assert len(before) == len(after)
            changed = sum(a != b for a, b in zip(before, after, strict=True))
            assert 1 <= changed <= max(1, int(rate * len(before) + 0.5))


def test_a_slip_of_the_finger_hits_a_key_beside(bench: Bench) -> None:
    rows = [{"id": str(n), "text": text, "label": "a"} for n, text in enumerate(["가", "밥", "s", "아이쇼핑"] * 1)]
    done = augment(bench, rows, copies=60, **{**OFF, "typo": 0.01})
    slips = {row["text"] for row in made(done)}
    assert {"d", "a", "w", "e", "x", "z"} == {slip for slip in slips if slip.isascii()}
    assert "까" in slips and "바" in slips and "하" not in slips
    assert all("가" <= letter <= "힣" for slip in slips if not slip.isascii() for letter in slip)


def test_entities_and_masks_stay_whole_wherever_they_move(bench: Bench) -> None:
    text = "혹시 나이키 에어맥스를 <phone> 번호로 파랑 색으로 바꿔 주실 수 있나요"
    spans = [(text.index(w), text.index(w) + len(w), kind) for w, kind in [("나이키 에어맥스", "P"), ("파랑", "C")]]
    rows = [{"id": str(n), "text": f"{text} {n}", "label": "a", "origin": "template:1", "spans": spans} for n in range(40)]
    done = augment(bench, rows, MADE, copies=8, swap=0.4, delete=0.5, spacing=0.5, typo=0.5)
    copies = made(done)
    assert len(copies) > 250
    for copy in copies:
        found = {span["entity"]: copy["text"][span["start"] : span["end"]] for span in copy["spans"]}
        assert found == {"P": "나이키 에어맥스", "C": "파랑"}
        assert [span["start"] for span in copy["spans"]] == sorted(span["start"] for span in copy["spans"])
        assert "<phone>" in copy["text"]
    assert any(copy["spans"][0]["entity"] == "C" for copy in copies)


def test_each_label_is_brought_to_its_target(bench: Bench) -> None:
    rows = [row for row in sentences(60) if row["label"] != "l2" or int(row["id"][1:]) < 9]
    labels = Counter(row["label"] for row in rows)
    done = augment(bench, rows, per_label=30, **{**OFF, "typo": 0.3})
    assert labels == {"l0": 20, "l1": 20, "l2": 3}
    assert Counter(row["label"] for row in done.rows()) == {"l0": 30, "l1": 30, "l2": 30}
    of_l2 = Counter(row["id"].partition("#")[0] for row in made(done) if row["label"] == "l2")
    assert of_l2.total() == 27 and set(of_l2.values()) == {9}


def test_synonyms_come_from_the_table(bench: Bench, tmp_path: Path) -> None:
    table = tmp_path / "synonyms.tsv"
    table.write_text("# word\tsynonyms\n배송\t배달, 택배\t0.9\n환불\t반품\n", encoding="utf-8")
    rows = [{"id": str(n), "text": f"{n}번 배송 취소", "label": "a"} for n in range(20)]
    rows += [{"id": "x", "text": "아무 것도 없음", "label": "a"}]
    done = augment(bench, rows, copies=2, synonym=0.3, synonyms=str(table), **OFF)
    assert {row["text"].split()[1] for row in made(done)} == {"배달", "택배"}
    dropped = Counter((row["reason"], row["id"].startswith("x")) for row in done.rows("dropped"))
    assert dropped["unchanged", True] == 2 and dropped["unchanged", False] == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("배송\n", r"t\.tsv:1 needs a word, a tab and another word"),
        ("a\tb\n배송\t배송\n", r"t\.tsv:2 '배송' is its own synonym"),
    ],
)
def test_a_bad_table_names_its_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "t.tsv").write_text(content, encoding="utf-8")
    params = AugmentParams(synonym=0.1, synonyms=str(tmp_path / "t.tsv"))
    with pytest.raises(DefinitionError) as raised:
        Augment().resources(params, {})
    assert re.search(message, " ".join(f"{p.where} {p.message}" for p in raised.value.problems))
