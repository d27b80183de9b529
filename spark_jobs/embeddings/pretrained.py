"""Vectors from files in the formats of word2vec (text and binary), GloVe and fastText's `.vec`, gzipped or not.

A file is read as a stream: only the vectors of wanted tokens are kept, however large it is.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from textmill.errors import InputError

_GZIP, _FASTTEXT_MODEL = b"\x1f\x8b", struct.pack("<i", 793712314)
_LONGEST_TOKEN = 4096
Vectors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Header:
    """What the first line says."""

    vectors: int | None
    """How many the file holds; GloVe's files don't say."""
    size: int
    """Numbers per vector."""


def load(path: Path, wanted: Collection[str], size: int) -> Vectors:
    """The vectors, float32 [size], of the `wanted` tokens that the file has; of a token twice in it the first.

    Raises InputError naming the line (text) or the byte (binary; of the unpacked content where it is gzipped) for a
    vector of another size, for what is no number, and for a file that ends early.
    """
    tokens = {token.encode(): token for token in wanted}
    with path.open("rb") as raw:
        magic = raw.read(4)
    if magic == _FASTTEXT_MODEL:
        raise InputError(f"{path}: a model of fastText's program; take the .vec file beside it")
    with gzip.open(path, "rb") if magic[:2] == _GZIP else path.open("rb") as stream:
        reader = _Reader(path, stream, tokens, size)
        try:
            return reader.read()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{path}:{reader.place}: the compressed file is damaged or ends early ({error})") from None


@dataclass
class _Reader:
    path: Path
    stream: BinaryIO
    wanted: Mapping[bytes, str]
    size: int
    place: str = "1"
    """Where reading has got to: a line, or `byte` and an offset."""

    def read(self) -> Vectors:
        first = self.stream.readline(1 << 20)
        header = self._header(first)
        if header.size != self.size:
            raise InputError(f"{self.path}:1: vectors of {header.size} numbers, and size is {self.size}; set size")
        if header.vectors is None:
            return self._text(header, first, 1)
        second = self.stream.readline(1 << 20)
        return self._text(header, second, 2) if self._is_text(second) else self._binary(header, first, second)

    def _header(self, line: bytes) -> Header:
        fields = line.split()
        if len(fields) == 2 and fields[0].isdigit() and fields[1].isdigit():
            return Header(int(fields[0]), int(fields[1]))
        if len(fields) < 2 or not self._is_numbers(fields[1:]):
            raise InputError(f"{self.path}:1: neither a header (vectors and size) nor a token and its numbers")
        return Header(None, len(fields) - 1)

    def _is_text(self, line: bytes) -> bool:
        """A line of numbers; a binary file has whatever bytes there."""
        return not line or self._is_numbers(line.split()[1:])

    @staticmethod
    def _is_numbers(fields: list[bytes]) -> bool:
        try:
            return np.array(fields, dtype=np.float32).size > 0
        except ValueError:
            return False

    def _text(self, header: Header, line: bytes, number: int) -> Vectors:
        found: Vectors = {}
        vectors = 0
        while line:
            self.place = str(number)
            vectors += 1
            self._take(line.rstrip(), found)
            line, number = self.stream.readline(), number + 1
        if header.vectors is not None and vectors != header.vectors:
            raise InputError(
                f"{self.path}:{self.place}: ends after {vectors:,} vectors, its first line says {header.vectors:,}"
            )
        return found

    def _take(self, line: bytes, found: Vectors) -> None:
        if (missing := self.size - line.count(b" ")) > 0:
            raise self._wrong(f"{self.size - missing} numbers where {self.size} are needed")
        token = line[: line.find(b" ")]
        if line.count(b" ") > self.size:  # GloVe has tokens with spaces in them
            token = line.rsplit(b" ", self.size)[0]
        if (name := self.wanted.get(token)) is None or name in found:
            return
        try:
            found[name] = np.array(line[len(token) + 1 :].split(b" "), dtype=np.float32)
        except ValueError as error:
            raise self._wrong(f"no number: {error}") from None
        self._check_finite(found[name])

    def _check_finite(self, vector: np.ndarray) -> None:
        if not np.isfinite(vector).all():
            raise self._wrong("a vector with a number that is not finite")

    def _wrong(self, message: str) -> InputError:
        return InputError(f"{self.path}:{self.place}: {message}")

    def _binary(self, header: Header, first: bytes, second: bytes) -> Vectors:
        found: Vectors = {}
        for token, values in self._entries(header, len(first), second):
            if (name := self.wanted.get(token)) is not None and name not in found:
                found[name] = np.frombuffer(values, dtype="<f4").astype(np.float32)
                self._check_finite(found[name])
        return found

    def _entries(self, header: Header, offset: int, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Token and bytes of each vector; a line break may stand before a token, as word2vec's program writes it."""
        width = 4 * self.size
        for number in range(header.vectors or 0):
            self.place = f"byte {offset}"
            while len(data) < _LONGEST_TOKEN + width and (more := self.stream.read(1 << 20)):
                data += more
            space = data.find(b" ", 0, _LONGEST_TOKEN)
            if space < 0 or len(data) < space + 1 + width:
                raise self._wrong(f"ends in vector {number + 1:,} of {header.vectors:,}, or its size is another")
            yield data[:space].lstrip(b"\n"), data[space + 1 : space + 1 + width]
            data, offset = data[space + 1 + width :], offset + space + 1 + width
