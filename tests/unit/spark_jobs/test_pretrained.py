"""Files of vectors in the formats that other programs write, whole and damaged."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spark_jobs.embeddings import pretrained, subword
from textmill.errors import InputError

VECTORS = {"영화": [0.5, -1.25, 3.0], "the": [1.0, 2.0, -0.125], "x": [0.0, 0.25, 1e-3]}


def glove(vectors: dict[str, list[float]]) -> bytes:
    return "".join(f"{token} {' '.join(map(str, values))}\n" for token, values in vectors.items()).encode()


def word2vec(vectors: dict[str, list[float]]) -> bytes:
    return f"{len(vectors)} {len(next(iter(vectors.values())))}\n".encode() + glove(vectors)


def fasttext(vectors: dict[str, list[float]]) -> bytes:
    return word2vec(vectors).replace(b"\n", b" \n").replace(b" \n", b"\n", 1)


def binary(vectors: dict[str, list[float]], end: bytes = b"\n") -> bytes:
    head = f"{len(vectors)} {len(next(iter(vectors.values())))}\n".encode()
    return head + b"".join(
        token.encode() + b" " + struct.pack(f"<{len(values)}f", *values) + end for token, values in vectors.items()
    )


def file(folder: Path, content: bytes, name: str = "v") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("written", [glove, word2vec, fasttext, binary, lambda vectors: binary(vectors, b"")])
def test_every_format_gives_the_wanted_vectors(
    tmp_path: Path, written: Callable[[dict[str, list[float]]], bytes], packed: bool
) -> None:
    content = written(VECTORS)
    path = file(tmp_path, gzip.compress(content) if packed else content)
    found = pretrained.load(path, {"영화", "x", "absent"}, 3)
    assert set(found) == {"영화", "x"}
    for token, vector in found.items():
        assert vector.dtype == np.float32
        np.testing.assert_array_equal(vector, np.array(VECTORS[token], np.float32))


def test_a_binary_file_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    vectors = {f"w{n}": [float(n)] * 99 + [-float(n)] for n in range(6_000)}
    found = pretrained.load(file(tmp_path, binary(vectors)), {"w0", "w2999", "w5999"}, 100)
    assert {token: vector.tolist() for token, vector in found.items()} == {
        token: vectors[token] for token in ("w0", "w2999", "w5999")
    }


def test_tokens_with_spaces_and_tokens_twice(tmp_path: Path) -> None:
    found = pretrained.load(file(tmp_path, b"a 1 2\n. . . 3 4\na 5 6\n"), {"a", ". . ."}, 2)
    assert {token: vector.tolist() for token, vector in found.items()} == {"a": [1, 2], ". . .": [3, 4]}


LAST = len(binary(VECTORS)) - len(binary({"x": [0.0, 0.25, 1e-3]})) + len(b"1 3\n") - 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"v:1: neither a header"),
        (b"\x00\x01\x02\n\n", r"v:1: neither a header"),
        (glove({"a": [1.0, 2.0]}), r"v:1: vectors of 2 numbers, and size is 3"),
        (word2vec({"a": [1.0, 2.0]}), r"v:1: vectors of 2 numbers, and size is 3"),
        (b"a 1 2 3\nb 1 2\n", r"v:2: 2 numbers where 3 are needed"),
        (b"2 3\na 1 2 3\n", r"v:2: ends after 1 vectors, its first line says 2"),
        (b"1 3\na 1 2 3\nb 1 2 3\n", r"v:3: ends after 2 vectors, its first line says 1"),
        (b"b 1 2 3\nx 1 2 three\n", r"v:2: no number"),
        (b"b 1 2 3\nx 1 nan 3\n", r"v:2: .* not finite"),
        (binary(VECTORS)[:-3], rf"v:byte {LAST}: ends in vector 3 of 3"),
        (gzip.compress(glove(VECTORS) * 1000)[:-20], r"v:\d+: the compressed file is damaged or ends early"),
        (struct.pack("<i", 793712314) + b"\0" * 20, r"take the \.vec file"),
    ],
)
def test_a_file_that_does_not_fit_is_told_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pretrained.load(file(tmp_path, content), {"x"}, 3)


def test_subword_vectors_are_near_those_of_tokens_with_the_same_stem() -> None:
    dice = np.random.default_rng(0)
    stems = [f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in ("lmn", "rst", "vwx", "kpq")]
    tokens = [f"{stem}{ending}" for stem in stems for ending in ("ing", "ed", "er")]
    ofstem = {stem: dice.normal(size=20) for stem in stems}
    truth = np.array([ofstem[stem] for stem in stems for _ in range(3)], dtype=np.float32)
    own = np.array([token[-2:] != "er" for token in tokens])
    vectors = np.where(own[:, None], truth, 0).astype(np.float32)
    made = subword.complete(tokens, vectors, own, seed=7)
    assert (made == ~own).all()
    assert np.array_equal(vectors[own], truth[own])
    cosines = (vectors @ truth.T) / np.linalg.norm(vectors, axis=1)[:, None] / np.linalg.norm(truth, axis=1)
    nearest = [tokens[row][:5] for row in cosines[made].argmax(axis=1)]
    assert np.mean([near == tokens[row][:5] for near, row in zip(nearest, np.flatnonzero(made), strict=True)]) >= 0.9


def test_a_token_that_shares_nothing_gets_no_subword_vector() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    made = subword.complete(["apple", "영화"], vectors, np.array([True, False]), seed=7)
    assert not made.any() and vectors[1].tolist() == [0, 0]
