"""hdfs:// for fsspec and UPath, over hdfs-native: a client in Rust that needs neither Java nor libhdfs."""

from __future__ import annotations

import io
import re
from typing import Any

from hdfs_native import FileReader
from hdfs_native.fsspec import HdfsFileSystem
from upath.implementations.hdfs import HDFSPath

_AUTHORITY = re.compile(r"^hdfs:/{2}[^/]*")

_CLIENTS: list[Any] = []
"""Keeps all clients. fsspec forgets its file systems in a forked process, and the end of a client waits there, without
end, for threads that were not forked: so did every subprocess started before Spark's."""


class _Reader(FileReader):
    """hdfs-native's reader as buffering, gzip, hashlib, numpy and pyarrow want it."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, which is returned."""
        super().seek(offset, whence)
        return self.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the file goes; the number of bytes."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


class HdfsFiles(HdfsFileSystem):
    """The file system of one name service; the names of files may hold any character."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _CLIENTS.append(self.client)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return _AUTHORITY.sub("", str(path)).rstrip("/") or cls.root_marker

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        opened = super()._open(path, mode, **options)
        return io.BufferedReader(_Reader(opened.inner), 1 << 20) if mode == "rb" else opened


class HdfsPlace(HDFSPath):
    """A path that is written with its name service, so that its text names the same file everywhere."""

    def __str__(self) -> str:
        if self._relative_base is not None:
            return super().__str__()
        host, port = (self.storage_options.get(name) for name in ("host", "port"))
        return f"hdfs://{host or ''}{f':{port}' if port else ''}{self.path}"

    def replace(self, target: Any) -> Any:
        """Rename in one step, in place of what has that name."""
        self.fs.mv(self.path, target.path, overwrite=True)
        return target
