"""What all fits of a search have in common: broadcast once, memory-mapped by the workers of an executor.

Spark keeps a broadcast as one file per executor, in its own temporary folder, and gives Python workers the path. The
file is a pickle of one bytes object, as Spark expects; inside it lie a table of contents, a pickle (protocol 5), and
the buffers of arrays, frames and sparse matrices, each where the processor's cache lines begin.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from pyspark import Broadcast, SparkContext, cloudpickle

_ALIGNMENT = 64
_PREFIX = b"\x80\x04\x8e"  # protocol 4, BINBYTES8; eight bytes of length follow
_HEADER = len(_PREFIX) + 8
_IN_BAND = 1 << 14  # smaller buffers are copied: a page each would cost more


@dataclass(frozen=True)
class Place:
    """Stands in a call for an argument that lies in a table."""

    table: int
    item: int


class _Table(Broadcast[Any]):
    """A broadcast that writes its value in the layout above, straight from the arrays' memory."""

    def dump(self, value: Any, f: BinaryIO) -> None:
        with f:
            for piece in _layout(value):
                f.write(piece)


def broadcast(context: SparkContext, values: Sequence[object]) -> Broadcast[Any]:
    """A table of `values`, to be read by `load` on the executors. Raises PicklingError and TypeError as pickle does."""
    return _Table(context, list(values), context._pickled_broadcast_vars)  # type: ignore[attr-defined]


def load(table: Broadcast[Any]) -> list[Any]:
    """The values; their arrays are read-only views of the file."""
    view = _view(table)
    (count,) = struct.unpack_from("<Q", view, _HEADER)
    spans = [struct.unpack_from("<QQ", view, _HEADER + 8 + 16 * number) for number in range(count)]
    pickled, *buffers = [view[start : start + size] for start, size in spans]
    values: list[Any] = pickle.loads(pickled, buffers=buffers)
    return values


def _layout(value: object) -> list[bytes | memoryview]:
    """The pieces of the file in order."""
    sink = io.BytesIO()
    outside = _pickled_into(value, sink)
    pieces = [sink.getbuffer(), *(buffer.raw() for buffer in outside)]
    end, spans = _HEADER + 8 + 16 * len(pieces), []
    laid: list[bytes | memoryview] = []
    for piece in pieces:
        gap = -end % _ALIGNMENT
        laid += [bytes(gap), piece]
        spans.append((end + gap, piece.nbytes))
        end += gap + piece.nbytes
    contents = struct.pack("<Q", len(spans)) + b"".join(struct.pack("<QQ", *span) for span in spans)
    return [_PREFIX, struct.pack("<Q", end - _HEADER), contents, *laid, b"."]


def _pickled_into(value: object, sink: io.BytesIO) -> list[pickle.PickleBuffer]:
    """Pickles into `sink`; the large buffers that stay outside."""
    outside: list[pickle.PickleBuffer] = []

    def keep_inside(buffer: pickle.PickleBuffer) -> bool:
        if buffer.raw().nbytes < _IN_BAND:
            return True
        outside.append(buffer)
        return False

    cloudpickle.CloudPickler(sink, protocol=5, buffer_callback=keep_inside).dump(value)
    return outside


def _view(table: Broadcast[Any]) -> memoryview:
    """The file in memory: mapped, or copied where Spark encrypts its files and hands out the content instead."""
    path = getattr(table, "_path", None)
    if path is not None:
        with open(path, "rb") as file:
            _refuse_foreign(file)
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    content = table.value
    copied = mmap.mmap(-1, _HEADER + len(content))
    copied[_HEADER:] = content
    return memoryview(copied).toreadonly()


def _refuse_foreign(file: BinaryIO) -> None:
    """A pickle is code: it must come from this application, whose user alone may write the file."""
    status = os.fstat(file.fileno())
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{file.name}: not read, another user owns it or may write to it")
