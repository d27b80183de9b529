"""text.embed on made corpora whose structure is known."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession

from pipelines.definition import load
from spark_jobs.augment import Augment
from spark_jobs.base import Folder, Source
from spark_jobs.embed import Embed
from spark_jobs.encode import Encode
from tests.spark.conftest import Bench, Done
from textmill.errors import DefinitionError, InputError

SCHEMA = "id string, text string, label string, tokens array<string>"
TOPICS, WORDS = 12, 10
SMALL: dict[str, Any] = {"size": 24, "epochs": 20, "seed": 7}


def topics(rows: int = 2000, length: int = 8) -> list[list[str]]:
    """Rows of words mostly of one topic, with words in between that all topics share.

    One word in ten is of any topic: GloVe knows nothing of pairs that never occur, and where topics have no pair in
    common it has no reason to hold them apart.
    """
    dice = random.Random(1)
    made = []
    for _ in range(rows):
        topic = dice.randrange(TOPICS)
        of = [dice.randrange(TOPICS) if dice.random() < 0.1 else topic for _ in range(length)]
        words = [f"t{number}w{dice.randrange(WORDS)}" for number in of]
        common = dice.choices(["the", "of", "and"], k=length)
        made.append([word for pair in zip(words, common, strict=True) for word in pair if dice.random() < 0.8])
    return made


def tokens(bench: Bench, rows: list[list[str]]) -> Source:
    given = [{"id": str(n), "text": " ".join(row), "label": "l", "tokens": row} for n, row in enumerate(rows)]
    return bench.source(given, "train", SCHEMA)


def tensors(bench: Bench, train: Source, **vocabulary: Any) -> Folder:
    done = bench.run(Encode(), [train], vocabulary={"min_count": 1, **vocabulary}, length=4, shards=1)
    return Folder("tensors", done.out)


def embed(bench: Bench, rows: list[list[str]], vocabulary: dict[str, Any] | None = None, **params: Any) -> Done:
    train = tokens(bench, rows)
    return bench.run(Embed(), [tensors(bench, train, **(vocabulary or {})), train], **params)


def neighbours(done: Done) -> dict[str, list[list[Any]]]:
    return json.loads((done.out / "neighbours.json").read_text(encoding="utf-8"))


def same_topic(done: Done, nearest: int) -> float:
    """The share of nearest neighbours that are of the asked word's topic."""
    found = neighbours(done)
    assert len(found) == TOPICS * WORDS
    near = [other.split("w")[0] == word.split("w")[0] for word, others in found.items()
            for other, _ in others[:nearest]]  # fmt: skip
    return float(np.mean(near))


SHOW = [f"t{topic}w{word}" for topic in range(TOPICS) for word in range(WORDS)]


@pytest.mark.parametrize(
    "params",
    [{"method": "word2vec"}, {"method": "word2vec", "partition_tokens": 5000, "epochs": 30}, {"method": "glove"}],
)
def test_neighbours_are_of_the_same_topic(bench: Bench, params: dict[str, Any]) -> None:
    assert same_topic(embed(bench, topics(), **{**SMALL, **params}, show=SHOW), WORDS - 1) >= 0.95


def test_items_of_a_row_are_near_each_other_however_far_apart(bench: Bench) -> None:
    """Nothing but the row holds these together: filler of random words, longer than any window, is in between."""
    dice = random.Random(2)
    rows = []
    for _ in range(1500):
        topic = dice.randrange(TOPICS)
        rows.append([f"t{topic}w{dice.randrange(WORDS)}"] + [f"x{dice.randrange(300)}" for _ in range(8)]
                    + [f"t{topic}w{dice.randrange(WORDS)}"])  # fmt: skip
    whole = embed(bench, rows, **SMALL, window="row", show=SHOW)
    near = embed(bench, rows, **SMALL, window=1, show=SHOW)
    assert same_topic(whole, 3) >= 0.95
    assert same_topic(near, 3) < 0.5


@pytest.mark.parametrize("method", ["word2vec", "glove"])
def test_vectors_do_not_depend_on_order_or_files_of_the_rows(bench: Bench, spark: SparkSession, method: str) -> None:
    params = {**SMALL, "method": method, "epochs": 2, "partition_tokens": 3000}
    rows = topics(600)
    first = embed(bench, rows, **params)
    random.Random(3).shuffle(rows)
    spark.conf.set("spark.sql.files.minPartitionNum", "7")
    try:
        second = embed(bench, rows, **params)
    finally:
        spark.conf.set("spark.sql.files.minPartitionNum", "4")
    other = embed(bench, rows, **{**params, "seed": 8})
    content = [(done.out / "matrix.npy").read_bytes() for done in (first, second, other)]
    assert content[0] == content[1] != content[2]


def test_the_matrix_has_a_row_for_every_id(bench: Bench) -> None:
    rows = [["a", "b"]] * 4 + [["a", "c"]] * 3 + [["a", "rare"]]
    done = embed(bench, rows, {"max": 4, "unknown_buckets": 3}, **SMALL, min_count=2)
    matrix = np.load(done.out / "matrix.npy")
    assert matrix.shape == (2 + 4 + 3, 24) and matrix.dtype == np.float32
    assert not matrix[0].any()
    mean = matrix[2:5].mean(axis=0)
    for row in (1, 5, 6, 7, 8):  # unknown, the rare token, the buckets
        np.testing.assert_allclose(matrix[row], mean, rtol=1e-5)
    described = json.loads((done.out / "embed.json").read_text(encoding="utf-8"))
    assert described["own"] == 3 and described["hit_rate"] == {"vocabulary": 0.75, "running": 0.9375}
    assert described["records"] == 8 and described["method"] == "word2vec"


def test_pretrained_vectors_take_the_places_of_their_tokens(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "v.txt"
    file.write_text("walking 1 0\nwalked 1 0.1\nsinging 0 1\nsinged 0.1 1\nother 5 5\n", encoding="utf-8")
    rows = [["walking", "walked", "walker"], ["singing", "singed", "singer", "walking"], ["꽃"]]
    done = embed(
        bench, rows, method="pretrained", path=str(file), size=2, subword=True, show=["walker", "singer", "꽃"]
    )
    vocabulary = {line.split("\t")[0]: number + 2 for number, line in enumerate(
        (next(tmp_path.rglob("vocabulary.tsv"))).read_text(encoding="utf-8").splitlines())}  # fmt: skip
    matrix = np.load(done.out / "matrix.npy")
    assert matrix[vocabulary["walked"]].tolist() == [1, np.float32(0.1)]
    near = neighbours(done)
    assert near["walker"][0][0] in ("walking", "walked") and near["singer"][0][0] in ("singing", "singed")
    assert "꽃" not in near and matrix[vocabulary["꽃"]].tolist() == pytest.approx([0.525, 0.525])
    assert done.stats["own"] == 4 and done.stats["subword"] == 2
    assert done.stats["hit_rate"] == {"vocabulary": round(4 / 7, 6), "running": 0.625}


def test_pretrained_vectors_of_other_words_are_an_error(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("other 5 5\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no token of the vocabulary has a vector: .*v\.txt has none of its tokens"):
        embed(bench, [["a", "b"]], method="pretrained", path=str(tmp_path / "v.txt"), size=2)


DEFINITION = """
name: vectors
root: runs
inputs:
  chats: {path: chats.jsonl, format: jsonl}
steps:
  clean:   {do: text.clean, from: chats}
  split:   {do: data.split, from: clean}
  tokens:  {do: text.tokenize, from: [split.train, split.valid, split.test]}
  tensors: {do: tensor.encode, from: tokens}
  vectors: {do: text.embed, from: FROM, method: METHOD}
"""


def definition(folder: Path, source: str, method: str) -> Path:
    (folder / "chats.jsonl").write_text('{"text": "a", "label": "b"}\n', encoding="utf-8")
    path = folder / "d.yaml"
    path.write_text(DEFINITION.replace("FROM", source).replace("METHOD", method), encoding="utf-8")
    return path


def test_a_definition_takes_the_tensors_and_the_train_rows_behind_them(tmp_path: Path) -> None:
    node = load(definition(tmp_path, "tensors", "glove")).nodes["vectors"]
    assert [(taken.node, taken.parts, taken.role) for taken in node.takes] == [
        ("tensors", (), "tensors"), ("tokens", ("train",), "train"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "method", "message"),
    [
        ("tokens", "glove", r"d\.yaml:11 steps\.vectors\.from: .* 'tokens' is none"),
        ("tensors.train", "glove", "'tensors.train' is none"),
        ("[tensors, tensors]", "glove", "text.embed takes one tensor.encode step"),
        ("tensors", "pretrained", "path belongs to method: pretrained, which needs one"),
        ("tensors", "pretrained, path: absent.vec", r"vectors\.path: .*absent\.vec: No such file"),
        ("tensors", "glove, window: 0", "window is at least 1, or row"),
        ("tensors", "glove, negative: 5", "method glove has no use for negative"),
        ("tensors", "word2vec, x_max: 5", "method word2vec has no use for x_max"),
    ],
)
def test_what_is_wrong_with_an_embed_step_is_told_before_spark_starts(
    tmp_path: Path, source: str, method: str, message: str
) -> None:
    with pytest.raises(DefinitionError, match=message):
        load(definition(tmp_path, source, method))


AUGMENTED = (
    DEFINITION
    + """
  more: {do: text.augment, from: clean, synonyms: {from: STEP, nearest: 3, similarity: 0.5}}
"""
)


def augmented(folder: Path, step: str) -> Path:
    path = definition(folder, "tensors", "glove")
    path.write_text(
        AUGMENTED.replace("FROM", "tensors").replace("METHOD", "glove").replace("STEP", step), encoding="utf-8"
    )
    return path


def test_a_definition_takes_synonyms_from_vectors(tmp_path: Path) -> None:
    node = load(augmented(tmp_path, "vectors")).nodes["more"]
    assert [(taken.node, taken.role) for taken in node.takes] == [
        ("clean", "rows"), ("vectors", "synonyms"), ("tensors", "synonyms.tensors"),
    ]  # fmt: skip
    assert node.keyed["synonyms"] == {"from": "vectors", "nearest": 3, "similarity": 0.5}


@pytest.mark.parametrize("step", ["tensors", "vector"])
def test_synonyms_of_another_step_are_refused(tmp_path: Path, step: str) -> None:
    with pytest.raises(DefinitionError, match=rf"steps\.more\.synonyms\.from: '{step}' is no text\.embed step"):
        load(augmented(tmp_path, step))


def test_words_are_replaced_by_their_neighbours(bench: Bench) -> None:
    """Words of letters alone, as only these are taken for synonyms of one another."""
    rows = [["".join("abcdefghij"[int(c)] if c.isdigit() else c for c in word) for word in row] for row in topics()]
    train = tokens(bench, rows)
    folder = tensors(bench, train)
    vectors = Folder("synonyms", bench.run(Embed(), [folder, train], **SMALL).out)
    off = {"swap": 0, "delete": 0, "spacing": 0, "typo": 0, "insert": 0}
    given = [train, vectors, Folder("synonyms.tensors", folder.path)]
    source = [replace(train, role="rows"), *given[1:]]
    done = bench.run(Augment(), source, synonyms={"from": "vectors", "nearest": 3}, keep_source=False, **off)
    texts = {str(number): row for number, row in enumerate(rows)}
    changed = [
        (old, new)
        for row in done.rows()
        for old, new in zip(texts[row["id"].partition("#")[0]], row["text"].split(), strict=True)
        if old != new
    ]
    topical = [(old, new) for old, new in changed if old[0] == "t" and old != "the"]
    assert len(topical) > 1000
    assert np.mean([old.split("w")[0] == new.split("w")[0] for old, new in topical]) > 0.95
