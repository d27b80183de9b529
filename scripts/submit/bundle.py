"""The zips that are shipped: the code with its jar, and a definition with the files it names.

`python -m scripts.submit.bundle textmill.zip` makes the first, for --py-files of a plain spark-submit.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.submit.command import JAR_IN_CODE
from spark_jobs import installation
from textmill import archives
from textmill.errors import InputError

PACKAGES = ("pipelines", "spark_jobs", "models", "textmill", "spark_sklearn")


def code(folder: Path) -> Path:
    """The packages and the jar in one zip; unpacked on the nodes, for modules read files that lie beside them."""
    root = installation.CHECKOUT
    files = archives.packages(root, PACKAGES)
    jars = [installation.jar(), *filter(Path.is_file, [installation.bigdl_jar_path()])]
    inside = Path(JAR_IN_CODE).parent
    return make(folder, "textmill-code", {**files, **{str(inside / jar.name): jar for jar in jars}})


def definition(folder: Path, file: Path, named: Iterable[Path]) -> tuple[Path, str]:
    """A zip of a definition and the files it names, and the definition's place in it.

    They keep their places relative to each other. Raises InputError naming a file that is missing.
    """
    whole = [Path(os.path.normpath(path.absolute())) for path in (file, *named)]
    for path in whole:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file, but {file} names it")
    base = Path(os.path.commonpath([path.parent for path in whole]))
    files = {str(path.relative_to(base)): path for path in whole}
    return make(folder, "definition", files), str(whole[0].relative_to(base))


def make(folder: Path, name: str, files: Mapping[str, Path]) -> Path:
    """A zip of these files, named by their content: the same files give the same bytes under the same name."""
    digest = hashlib.sha256()
    for inside, path in sorted(files.items()):
        digest.update(f"{inside}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    made = folder / f"{name}-{digest.hexdigest()[:12]}.zip"
    if made.is_file():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    beside = made.with_suffix(f".{os.getpid()}")
    archives.write_zip(beside, files)
    beside.replace(made)
    return made


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made_in:
        shutil.copyfile(code(Path(made_in)), sys.argv[1])
