"""Zip files whose bytes depend on their content alone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

_LEFT_OUT = ("__pycache__", "jars")


def packages(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """All files of Python packages in a folder, by their names in it; not what is compiled from them."""
    return {
        str(path.relative_to(folder)): path
        for name in names
        for path in sorted((folder / name).rglob("*"))
        if path.is_file() and not set(path.parts) & set(_LEFT_OUT)
    }


def write_zip(file: Path, files: Mapping[str, Path]) -> None:
    """A zip of these files, by their names in it."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for inside, path in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(inside, date_time=(1980, 1, 1, 0, 0, 0)), path.read_bytes())
