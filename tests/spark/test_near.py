"""Near-duplicates: what is found, what stays, and that clusters are kept together."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs.components import IN_ONE_TASK, components
from spark_jobs.dedup import Dedup
from spark_jobs.near import Near, NearPairs, banding
from spark_jobs.split import Split
from tests.spark.conftest import Bench, Done

NUMBERS = [random.Random(n).getrandbits(63) - 2**62 for n in range(300)]
SCHEMA = "id string, text string, label string"


def shingles(text: str, n: int = 3) -> set[str]:
    return {text[i : i + n] for i in range(max(1, len(text) - n + 1))}


def jaccard(a: str, b: str) -> float:
    one, two = shingles(a), shingles(b)
    return len(one & two) / len(one | two)


def corpus(originals: int, copies: int, seed: int = 1) -> list[dict[str, Any]]:
    """Random sentences, each followed by copies with a few letters changed."""
    rng = random.Random(seed)
    texts = []
    for _ in range(originals):
        text = "".join(rng.choice("abcdefghij ") for _ in range(rng.randint(20, 120)))
        texts.append(text)
        for _ in range(copies):
            letters = list(text)
            for _ in range(rng.randint(1, 4)):
                letters[rng.randrange(len(letters))] = rng.choice("xyz")
            texts.append("".join(letters))
    rows = [{"id": f"{n:05d}", "text": text, "label": "a"} for n, text in enumerate(dict.fromkeys(texts))]
    rng.shuffle(rows)
    return rows


def dedup(bench: Bench, rows: list[dict[str, Any]], **near: Any) -> Done:
    given = Near.model_validate(near)
    source = bench.source(rows, "rows", SCHEMA)
    pairs = bench.run(NearPairs(), [source], **given.search().model_dump())
    return bench.run(Dedup(), [source, pairs.source("pairs", "pairs")], near=given.model_dump())


def truth(rows: list[dict[str, Any]], threshold: float) -> set[tuple[str, str]]:
    ordered = sorted(rows, key=lambda row: row["id"])
    return {
        (one["id"], two["id"])
        for one, two in itertools.combinations(ordered, 2)
        if jaccard(one["text"], two["text"]) >= threshold
    }


@pytest.mark.parametrize("floor", [0.3, 0.5, 0.7, 0.8, 0.9, 0.99, 1.0])
def test_banding_finds_nineteen_of_twenty_at_the_floor(floor: float) -> None:
    bands, rows = banding(floor)
    assert bands * rows <= 128
    assert 1 - (1 - floor**rows) ** bands >= 0.95


def test_pairs_have_their_exact_similarity_and_few_are_missed(bench: Bench) -> None:
    rows = corpus(150, 3)
    source = bench.source(rows, "rows", SCHEMA)
    pairs = bench.run(NearPairs(), [source], floor=0.7)
    expected = truth(rows, 0.7)
    similarities = sorted(pair["similarity"] for pair in pairs.rows("pairs"))
    by_text = {row["id"]: row["text"] for row in rows}
    exact = sorted(jaccard(by_text[a], by_text[b]) for a, b in expected)
    assert len(exact) > 200
    assert 0.97 * len(exact) <= len(similarities) <= len(exact)
    assert not {round(value, 9) for value in similarities} - {round(value, 9) for value in exact}


def test_one_row_of_each_cluster_stays_and_the_others_name_it(bench: Bench) -> None:
    rows = [
        {"id": "3", "text": "배송이 언제쯤 도착하는지 알고 싶어요", "label": "a"},
        {"id": "1", "text": "배송이 언제쯤 도착하는지 알고 싶어요!", "label": "a"},
        {"id": "2", "text": "배송이 언제쯤 도착하는지 알고 싶어요?", "label": "b"},
        {"id": "0", "text": "환불은 어떻게 하나요", "label": "b"},
        {"id": "9", "text": "환불은 어떻게 하나요", "label": "b"},
    ]
    done = dedup(bench, rows, threshold=0.8)
    assert {(row["id"], row["cluster"] is None) for row in done.rows()} == {("1", False), ("0", True)}
    reasons = {row["id"]: (row["reason"], row["similar_to"]) for row in done.rows("dropped")}
    assert reasons == {
        "3": ("near_duplicate", "1"), "2": ("near_conflicting_label", "1"), "9": ("duplicate", None),
    }  # fmt: skip


def test_a_corpus_without_similar_texts_stays_as_it_is(bench: Bench) -> None:
    done = dedup(bench, [{"id": "1", "text": "하나뿐인 문장", "label": "a"}], threshold=0.8)
    assert [row["id"] for row in done.rows()] == ["1"] and not done.rows("dropped")


def test_rows_without_a_label_are_deduplicated_too(bench: Bench) -> None:
    rows = [{"id": str(n), "text": f"the same long sentence with a number {n}", "label": None} for n in range(5)]
    done = dedup(bench, rows, threshold=0.8)
    assert [row["id"] for row in done.rows()] == ["0"]
    assert done.stats["reasons"] == {"near_duplicate": 4}


def test_the_result_depends_neither_on_order_nor_on_partitions(bench: Bench) -> None:
    rows = corpus(60, 2)
    outputs = []
    for seed in range(2):
        random.Random(seed).shuffle(rows)
        outputs.append(dedup(bench, rows, threshold=0.7).contents())
    assert outputs[0] == outputs[1]


def test_a_giant_cluster_of_mass_copies_becomes_one(bench: Bench) -> None:
    body = "이 상품 정말 좋아요 배송도 빠르고 포장도 꼼꼼해서 아주 만족합니다 다음에도 또 주문할게요 " * 2
    rows = [{"id": f"{n:04d}", "text": f"{body}{n}", "label": "a"} for n in range(3000)]
    done = dedup(bench, rows, threshold=0.9)
    assert len(done.rows()) == 1
    assert done.stats["reasons"] == {"near_duplicate": 2999}


def test_marked_clusters_stay_together_in_the_split(bench: Bench) -> None:
    rows = corpus(120, 2)
    for number, row in enumerate(rows):
        row["label"] = "ab"[number % 2]
    marked = dedup(bench, rows, threshold=0.7, keep="all")
    assert len(marked.rows()) == len(rows) and not marked.rows("dropped")
    split = bench.run(Split(), [marked.source("rows", "rows")], parts={"train": 0.5, "valid": 0.2, "test": 0.3})
    parts: dict[int, set[str]] = {}
    for part in ("train", "valid", "test"):
        assert len(split.rows(part)) > 40
        for row in split.rows(part):
            if row["cluster"] is not None:
                parts.setdefault(row["cluster"], set()).add(part)
    assert len(parts) > 60 and all(len(where) == 1 for where in parts.values())


GRAPHS = {
    "chain": list(itertools.pairwise(NUMBERS)),
    "star": [(NUMBERS[0], other) for other in NUMBERS[1:]],
    "random": [tuple(random.Random(n).sample(NUMBERS, 2)) for n in range(200)],
    "none": [],
}


@pytest.mark.parametrize("shape", GRAPHS)
@pytest.mark.parametrize("count", [1, IN_ONE_TASK + 1], ids=["in one task", "by stars"])
def test_components_equal_those_of_a_graph_search(
    few_partitions: SparkSession, tmp_path: Path, shape: str, count: int
) -> None:
    edges = GRAPHS[shape]
    frame = few_partitions.createDataFrame(edges, "a long, b long")
    found = components(frame, count, str(tmp_path / "rounds")).collect()
    assert {(row["key"], row["cluster"]) for row in found} == searched(edges)
    assert len(found) == len({row["key"] for row in found})


@pytest.fixture
def few_partitions(spark: SparkSession) -> Iterator[SparkSession]:
    spark.conf.set("spark.sql.shuffle.partitions", "2")
    yield spark
    spark.conf.unset("spark.sql.shuffle.partitions")


def searched(edges: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """(node, smallest node of its component)."""
    neighbours: dict[int, set[int]] = {}
    for a, b in edges:
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    found: dict[int, int] = {}
    for start in sorted(neighbours):
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found[node] = start
                waiting += neighbours[node]
    return set(found.items())
