"""Raw input files: found before any JVM starts."""

from __future__ import annotations

import glob
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

    Raises Missing where there is none, Unfit where they can't be reached.
    """
    try:
        place = places.place(path)
        found = _in_folder(place) or _matching(place)
    except (TextmillError, OSError) as error:
        raise Unfit(places.brief(error)) from error
    if not found:
        raise Missing(f"there is no file {path}")
    return tuple(sorted(found, key=lambda file: file.parts))


def _in_folder(folder: Place) -> list[Place]:
    """The files of a folder and of those in it; none that Hadoop would pass over as hidden."""
    if not folder.is_dir():
        return []
    names = [name for name in places.files(folder) if not any(map(_is_hidden, name.split("/")))]
    return [folder / name for name in names]


def _matching(pattern: Place) -> list[Place]:
    """The files that match; where only folders do, the files in them."""
    if isinstance(pattern, Path):
        matches = {Path(name): Path(name).is_file() for name in glob.glob(str(pattern), recursive=True)}
    else:
        said = pattern.fs.glob(pattern.path, detail=True)
        matches = {pattern.with_segments(name): of_one["type"] == "file" for name, of_one in said.items()}
    shown = {match: is_file for match, is_file in matches.items() if match == pattern or not _is_hidden(match.name)}
    files = [match for match, is_file in shown.items() if is_file]
    return files or [file for folder in shown for file in _in_folder(folder)]


def _is_hidden(name: str) -> bool:
    return name.startswith(_HIDDEN)
