"""Where files are: local paths, and URIs of what fsspec reaches (hdfs://, s3://, …) as paths with the same methods."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, TypeVar

from textmill import owners
from textmill.errors import EnvironmentProblem, InputError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem
    from upath import UPath

Place: TypeAlias = "Path | UPath"
"""A local path is a pathlib.Path; a URI is a UPath, which has pathlib's methods."""
T = TypeVar("T")
U = TypeVar("U")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PATTERN = re.compile(r"[][{}*?\\]")
_SERVICE = re.compile(r"[^:]+://[^/]*")
_EXTRAS = {"hdfs": "hdfs", "s3": "s3", "s3a": "s3"}
_RENAMING = ("hdfs", "viewfs")
_SPARK_SCHEMES = {"s3": "s3a"}
_ANSWER_SECONDS = 20
_THREADS = 16
_LISTED_FROM = 50


def is_uri(text: str) -> bool:
    """Whether the text is a URI rather than a local path."""
    return _SCHEME.match(text) is not None


def place(text: str | Path) -> Place:
    """The path or URI as a path that can be read: like `named`, and EnvironmentProblem where nothing answers there."""
    found = named(text)
    if not isinstance(found, Path):
        service = _SERVICE.match(str(text))[0]  # type: ignore[index]  # it has a scheme
        if problem := _problem(service):
            raise EnvironmentProblem(f"{service}: {problem}")
    return found


def named(text: str | Path) -> Place:
    """The path or URI as a path; nothing is asked there.

    Raises InputError for an unknown scheme, EnvironmentProblem where its package is missing.
    """
    found = _SCHEME.match(str(text))
    if found is None:
        return Path(text)
    if found[1] == "file":
        return Path(str(text)[found.end() :])
    return _remote(str(text), found[1])


def _remote(uri: str, scheme: str) -> UPath:
    import fsspec
    from upath import UPath
    from upath.registry import register_implementation

    known = fsspec.available_protocols()
    if scheme not in known:
        raise InputError(f"{uri}: unknown scheme {scheme}://; hdfs://, s3:// and others of fsspec can be used")
    try:
        if scheme == "hdfs":
            fsspec.register_implementation("hdfs", "textmill.hdfs.HdfsFiles", clobber=True)
            register_implementation("hdfs", "textmill.hdfs.HdfsPlace", clobber=True)
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        install = f"install it with: pip install 'textmill[{extra}]'" if extra else str(error)
        raise EnvironmentProblem(f"{uri}: the package for {scheme}:// is not installed; {install}") from error
    # hdfs-native takes options for settings of Hadoop; of the others, listings remembered would miss what Spark writes
    return UPath(uri) if scheme in _RENAMING else UPath(uri, use_listings_cache=False)


@cache
def _problem(service: str) -> str:
    """Why nothing can be read there, and empty where it can. Clients retry for minutes, so they get a limit."""
    from upath import UPath

    answer: list[str] = []

    def ask() -> None:
        try:
            UPath(f"{service}/").exists()
            answer.append("")
        except Exception as error:  # whatever the client of that scheme raises
            answer.append(brief(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_ANSWER_SECONDS)
    silent = f"no answer within {_ANSWER_SECONDS} s; is it running, is the address right?"
    return answer[0] if answer else silent


def brief(error: BaseException) -> str:
    """The first line of an error: those of a remote file system go on with the stack of its server."""
    text = getattr(error, "strerror", None) or str(error)
    return text.strip().splitlines()[0].strip() if text.strip() else type(error).__name__


def absolute(found: Place) -> Place:
    """The same place for a process in another folder."""
    return found.absolute() if isinstance(found, Path) else found


def spark_uri(found: Place) -> str:
    """What Spark and Hadoop call it: with a scheme, for without one it is on the cluster's default file system."""
    if isinstance(found, Path):
        return f"file://{os.path.abspath(found)}"
    scheme, _, rest = str(found).partition("://")
    return f"{_SPARK_SCHEMES.get(scheme, scheme)}://{rest}"


def spark_pattern(uri: str) -> str:
    """A path for `spark.read`, which takes it for a pattern; its internal option against that reads files twice."""
    return _PATTERN.sub(r"\\\g<0>", uri)


def unreadable(found: Place, *, is_file: bool = False) -> str:
    """Why Hadoop can't read or write it under its name, and empty where it can: names with a colon look like URIs."""
    path = os.path.abspath(found) if isinstance(found, Path) else found.path
    if ":" not in path:
        return ""
    if is_file and isinstance(found, Path) and ":" in found.name:
        return f"{path!r}: Hadoop reads no file with a colon in its name; rename it"
    if not isinstance(found, Path) and found.protocol == "hdfs":
        return f"{path!r}: HDFS allows no colon in a path; choose another name"
    if _PATTERN.search(path):
        return f"{path!r}: Spark reads no path that has a colon and one of []{{}}*?\\ too; rename one of its folders"
    return ""


def arrow(found: Place) -> tuple[str, AbstractFileSystem | None]:
    """The path and the file system that pyarrow reads it by."""
    return (str(found), None) if isinstance(found, Path) else (found.path, found.fs)


def renames(found: Place) -> bool:
    """Whether a folder gets another name there in one step: not in object stores, which copy file by file."""
    return isinstance(found, Path) or found.protocol in _RENAMING


def write_bytes(file: Place, content: bytes) -> None:
    """Write so that a reader never sees a part."""
    with replacing(file) as stream:
        stream.write(content)


@contextmanager
def replacing(file: Place) -> Iterator[IO[bytes]]:
    """A stream whose content is that of `file` once the block has ended well, and never a part of it.

    Written beside and renamed; an object store shows a file when it is closed. Remote files can't be written out of
    order, as archives are, so their content is gathered on the local disk first.
    """
    if isinstance(file, Path):
        beside = owners.beside(file)
        try:
            with beside.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(file)
        except OSError as error:
            if error.filename in (None, str(beside)):  # a full disk is no file's fault to the kernel
                error.filename, error.filename2 = str(file), None
            raise
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        return
    with tempfile.TemporaryFile() as gathered:
        yield gathered
        gathered.seek(0)
        beside = owners.beside(file) if renames(file) else file
        with beside.open("wb") as stream:
            shutil.copyfileobj(gathered, stream, 8 << 20)
        if beside != file:
            beside.replace(file)


def rename_folder(folder: Place, to: Place) -> None:
    """Give a folder another name in one step; raises OSError where there is something of that name."""
    if isinstance(folder, Path):
        folder.rename(to)  # type: ignore[arg-type]
    else:
        folder.fs.mv(folder.path, to.path)  # type: ignore[union-attr]


def remove(found: Place, under: Place | None = None) -> None:
    """Remove a file, or a folder and all in it; nothing where there is none. Nothing is ever removed through a link.

    Of a link itself what it points to stays. Where `under` is given, no folder from there to `found` may be a link;
    each is opened by its name in the one before, so that none becomes one meanwhile. Raises OSError.
    """
    if isinstance(found, Path):
        with suppress(FileNotFoundError), _opened(found.parent, found.parent if under is None else under) as parent:
            if stat.S_ISDIR(os.lstat(found.name, dir_fd=parent).st_mode):
                shutil.rmtree(found.name, dir_fd=parent, onerror=_unless_gone)
            else:
                os.unlink(found.name, dir_fd=parent)
    elif found.exists():
        found.fs.rm(found.path, recursive=True)
        found.fs.invalidate_cache()


@contextmanager
def _opened(folder: Path, under: Place) -> Iterator[int]:
    """A descriptor of a local folder, reached from `under` through no link."""
    how = os.O_RDONLY | os.O_DIRECTORY
    at = os.open(under, how)  # type: ignore[arg-type]  # local, as what is under it is
    try:
        for part in folder.relative_to(under).parts:
            try:
                inner = os.open(part, how | os.O_NOFOLLOW, dir_fd=at)
            except OSError as error:
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise
                problem = f"{part} is a link, and nothing is removed through one"
                raise OSError(errno.ELOOP, problem, str(folder)) from error
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


def _unless_gone(function: object, path: str, problem: Any) -> None:
    """Another process may remove the same."""
    if not isinstance(problem[1], FileNotFoundError):
        raise problem[1]


def inside(folder: Place) -> list[Place]:
    """What is in a folder; nothing where there is none."""
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_link(found: Place) -> bool:
    """Whether it is a symbolic link of the local file system."""
    return isinstance(found, Path) and found.is_symlink()


@dataclass(frozen=True)
class Info:
    """What a file system says of a file: its size in bytes, and a stamp that is another when the content is."""

    size: int
    stamp: str
    modified: float = 0.0
    """Seconds since 1970; 0 where that is not known."""


def _of_local(file: Path) -> Info:
    told = file.stat()
    return Info(told.st_size, f"{told.st_mtime_ns}-{told.st_ino}", told.st_mtime)


def _of_remote(said: Mapping[str, Any]) -> Info:
    stamps = (said[key] for key in ("ETag", "modification_time", "LastModified", "created", "mtime") if key in said)
    at = said.get("modification_time", 0) / 1000 if isinstance(said.get("modification_time"), int) else 0.0
    for moment in (said.get(key) for key in ("LastModified", "created")):
        at = moment.timestamp() if hasattr(moment, "timestamp") else at
    return Info(said["size"], str(next(stamps, "")), at)


def info(file: Place) -> Info:
    """What is said of one file or folder; raises OSError."""
    return _of_local(file) if isinstance(file, Path) else _of_remote(file.fs.info(file.path))


def infos(files: Iterable[Place]) -> dict[Place, Info]:
    """Of each file that is there. Many files of one remote folder are listed, not asked for one by one."""
    wanted: dict[Place, list[Place]] = {}
    for file in files:
        wanted.setdefault(file.parent, []).append(file)
    found: dict[Place, Info] = {}
    for of_folder in in_threads(_infos, wanted.items()):
        found.update(of_folder)
    return found


def _infos(of_folder: tuple[Place, list[Place]]) -> dict[Place, Info]:
    folder, files = of_folder
    if isinstance(folder, Path) or len(files) < _LISTED_FROM:
        return {file: known for file in files if (known := _attempt(info, file)) is not None}
    listed = {said["name"].rstrip("/").rpartition("/")[2]: said for said in folder.fs.ls(folder.path, detail=True)}
    return {file: _of_remote(listed[file.name]) for file in files if file.name in listed}


def _attempt(read: Callable[[Place], T], file: Place) -> T | None:
    try:
        return read(file)
    except FileNotFoundError:
        return None


def files(folder: Place) -> dict[str, Info]:
    """All files under a folder, by their name relative to it, in the order of their names."""
    if isinstance(folder, Path):
        found = {file.relative_to(folder).as_posix(): _of_local(file) for file in folder.rglob("*") if file.is_file()}
    else:
        listed = folder.fs.find(folder.path, detail=True)
        start = len(folder.path.rstrip("/")) + 1
        found = {name[start:]: _of_remote(said) for name, said in listed.items()}
    return dict(sorted(found.items()))


def checksum(file: Place) -> str:
    """SHA-256 of the content; raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def in_threads(do: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """What `do` gives for each item, in their order, several at a time: remote file systems answer in milliseconds."""
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(do, items)
