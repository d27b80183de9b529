"""Copies on this machine's disk, for programs that read and write local files alone, such as TensorFlow."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from textmill import owners, places
from textmill.errors import EnvironmentProblem
from textmill.places import Place

_MANIFEST = "manifest.json"
_KEPT_SECONDS = 7 * 86400
_PATTERN = frozenset("*?[]\\")


def cache() -> Path:
    """The folder of local copies: $TEXTMILL_CACHE, or textmill in this user's folder of caches.

    Where that can't be made, as for a user without a home, it is in the folder for temporary files. Raises
    EnvironmentProblem where it is another user's.
    """
    if given := os.environ.get("TEXTMILL_CACHE"):
        return _private(Path(given))
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return _private((Path(home) if home.startswith("/") else Path.home() / ".cache") / "textmill")
    except (OSError, RuntimeError):
        return _private(Path(tempfile.gettempdir()) / f"textmill-{os.getuid()}")


def _private(folder: Path) -> Path:
    """The folder, made where there is none, that this user alone can write: nobody else's link or file is met in it.

    Raises EnvironmentProblem where it is, or may be, another user's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for told in (folder.lstat(), folder.stat()):  # a link, and what it leads to
        if told.st_uid != os.getuid():
            raise EnvironmentProblem(f"{folder} belongs to another user: set TEXTMILL_CACHE to a folder of your own")
    if told.st_mode & 0o022:
        raise EnvironmentProblem(f"{folder} can be written by other users: chmod go-w {folder}, or set TEXTMILL_CACHE")
    return folder


def for_logs(run: Place) -> Path:
    """Where a run's logs are written as they come: its folder, or one of this machine where that is remote."""
    if isinstance(run, Path):
        return run
    folder = cache() / "runs" / run.parent.name / run.name
    folder.mkdir(parents=True, exist_ok=True)
    forget(cache(), "runs/*/*")
    return folder


def local_copy(folder: Place) -> Path:
    """The output folder of a step on the local disk: itself, or a copy that other processes of this machine share.

    Copies are named by the manifest's content, so that a rebuilt output is copied anew; those not used for a week are
    removed. Raises OSError where the folder can't be read, or its files are not those of the manifest.
    """
    if isinstance(folder, Path):
        return folder.absolute()
    manifest = folder / _MANIFEST
    copies = cache() / "copies"
    copy = copies / places.checksum(manifest)[:32]
    if not copy.is_dir():
        forget(copies, "*")
        _fetch(folder, copy)
    used(copy)
    return copy


def _fetch(folder: Place, to: Path) -> None:
    beside = owners.beside(to)
    try:
        download(folder, beside)
        beside.rename(to)
    except OSError:
        if not to.is_dir():  # else another process was faster with the same content
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def used(copy: Path) -> None:
    """Keep it for another week."""
    os.utime(copy)


def forget(folder: Path, kind: str) -> None:
    """Remove the folders of this pattern that were not used for a week, and what killed processes left among them."""
    for old in folder.glob(kind):
        with suppress(OSError):
            if owners.is_abandoned(old) or time.time() - old.lstat().st_mtime > _KEPT_SECONDS:
                places.remove(old, folder)


def copy(file: Place, to: Place) -> None:
    """Copy one file into a folder that is there. Raises OSError."""
    with file.open("rb") as source, to.open("wb") as sink:
        shutil.copyfileobj(source, sink, 8 << 20)


def download(folder: Place, to: Path) -> None:
    """Copy all files under a folder. Raises OSError."""

    def one(name: str) -> None:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        copy(folder / name, to / name)

    list(places.in_threads(one, places.files(folder)))


def upload(folder: Path, to: Place) -> None:
    """Copy all files under a local folder. Raises OSError."""
    names = list(places.files(folder))
    for parent in sorted({(to / name).parent for name in names}, key=str):
        parent.mkdir(parents=True, exist_ok=True)
    list(places.in_threads(lambda name: copy(folder / name, to / name), names))


@contextmanager
def plain(folder: Path) -> Iterator[str]:
    """A path of the folder without signs of patterns, for TensorFlow: it looks for `[v2]/variables` as for a pattern.

    It is good within the block and this process, and is the folder's own where the system has no such paths.
    """
    descriptors = Path("/proc/self/fd")
    if not _PATTERN.intersection(str(folder)) or not descriptors.is_dir():
        yield str(folder)
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(descriptors / str(descriptor))
    finally:
        os.close(descriptor)


@contextmanager
def filling(folder: Place) -> Iterator[Path]:
    """A local folder whose files are in `folder` once the block has ended well: itself where it is local."""
    if isinstance(folder, Path):
        yield folder.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="fill-", dir=cache()) as made:
        yield Path(made)
        upload(Path(made), folder)
