"""Raw input files: found before any JVM starts."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from textmill import places
from textmill.errors import TextmillError
from textmill.places import Place

_HIDDEN = ("_", ".")


class Unfit(ValueError):
    """An input that can't be read as the definition says."""


class Missing(Unfit):
    """There is no file where the definition says."""


def find(path: str) -> tuple[Place, ...]:
    """The files of an input's path (file, folder or pattern, local or a URI), sorted.

    What exists as it stands is that file or folder, whatever signs of patterns are in its name. Raises Missing where
    there is no file, Unfit where one can't be reached or read.
    """
    try:
        place = places.place(path)
        found = [place] if place.is_file() else _in_folder(place) or _matching(place)
    except (TextmillError, OSError) as error:
        raise Unfit(places.brief(error)) from error
    if not found:
        raise Missing(f"there is no file {path}")
    for file in found:
        if problem := places.unreadable(file, is_file=True):
            raise Unfit(problem)
    return tuple(sorted(found, key=lambda file: file.parts))


def _in_folder(folder: Place) -> list[Place]:
    """The files of a folder and of those in it; none that Hadoop would pass over as hidden."""
    if not folder.is_dir():
        return []
    if isinstance(folder, Path):
        return list(_walked(folder))
    names = [name for name in places.files(folder) if not any(map(_is_hidden, name.split("/")))]
    return [folder / name for name in names]


def _walked(top: Path) -> Iterator[Path]:
    """Also files of folders linked into it; a folder that is reached by several ways counts once, so no link loops.

    Raises OSError for what can't be looked into, Unfit for a link to nothing.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [top]
    for start in waiting:  # linked folders come after all others, which have the first right to their files
        for at, folders, names in os.walk(start, onerror=_raise):
            said = os.stat(at)
            folders[:] = sorted(name for name in folders if not _is_hidden(name))
            if (said.st_dev, said.st_ino) in seen:
                folders.clear()
                continue
            seen.add((said.st_dev, said.st_ino))
            waiting += [Path(at, name) for name in folders if Path(at, name).is_symlink()]
            yield from (Path(at, name) for name in names if not _is_hidden(name) and _is_file(Path(at, name)))


def _raise(error: OSError) -> None:
    raise error


def _is_file(path: Path) -> bool:
    if path.is_symlink() and not path.exists():
        raise Unfit(f"{path} is a link to {os.readlink(path)}, which is not there")
    return path.is_file()


def _matching(path: Place) -> list[Place]:
    """The files that match; where only folders do, the files in them."""
    if isinstance(path, Path):
        matches: dict[Place, bool] = {Path(name): Path(name).is_file() for name in glob.glob(_pattern(path), recursive=True)}
    else:
        said = path.fs.glob(_pattern(path), detail=True)
        matches = {path.with_segments(name): of_one["type"] == "file" for name, of_one in said.items()}
    shown = {match: is_file for match, is_file in matches.items() if not _is_hidden(match.name)}
    files = [match for match, is_file in shown.items() if is_file]
    return files or [file for folder in shown for file in _in_folder(folder)]


def _pattern(path: Place) -> str:
    """The path as a pattern of which the folders at its beginning that exist as they stand are no part."""
    whole = str(path) if isinstance(path, Path) else path.path
    for folder in path.parents:
        if not glob.has_magic(str(folder)):
            break
        if folder.is_dir():
            stands = str(folder) if isinstance(folder, Path) else folder.path
            return glob.escape(stands) + whole[len(stands) :]
    return whole


def _is_hidden(name: str) -> bool:
    return name.startswith(_HIDDEN)
