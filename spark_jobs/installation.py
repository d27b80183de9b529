"""What the operations need of the machine: Java and the jar."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from textmill.errors import EnvironmentProblem

CHECKOUT = Path(__file__).resolve().parent.parent
SUPPORTED_JAVA = (11, 17)
"""Spark 3.5 runs on 8, 11 and 17; Lucene 9 needs 11 or later."""


def jar_path() -> Path:
    """Where the jar of textmill's Java functions is or should be: built in the checkout, else packaged."""
    built, packaged = CHECKOUT / "build/libs/textmill.jar", CHECKOUT / "textmill/jars/textmill.jar"
    return packaged if packaged.is_file() and not built.is_file() else built


def jar() -> Path:
    """The jar; raises EnvironmentProblem where it is missing."""
    path = jar_path()
    if not path.is_file():
        raise EnvironmentProblem(f"the jar {path} is missing: run scripts/setup.sh, or `gradle jar` in {CHECKOUT}")
    return path


def bigdl_jar_path() -> Path:
    """Where what is compiled against BigDL is or should be: beside the jar."""
    return jar_path().with_name("textmill-bigdl.jar")


def bigdl_jar() -> Path:
    """What is compiled against BigDL; raises EnvironmentProblem where it is missing."""
    path = bigdl_jar_path()
    if not path.is_file():
        raise EnvironmentProblem(f"the jar {path} is missing: run scripts/setup.sh --with bigdl")
    return path


def misplaced() -> str | None:
    """Why nothing can run from where textmill, Spark or this Python is installed, if that is so.

    Java and Python split lists of paths at colons, and neither knows a way to write a colon that is part of a path.
    """
    for path in (CHECKOUT, Path(sys.prefix), _spark_home()):
        if any(sign in str(path) for sign in (os.pathsep, "\n")):
            return f"{str(path)!r}: Java and Python split paths at `{os.pathsep}` and line breaks; install it elsewhere"
    return None


def _spark_home() -> Path:
    if given := os.environ.get("SPARK_HOME"):
        return Path(given)
    found = importlib.util.find_spec("pyspark")
    return Path((found and found.origin) or "")


def s3_jars() -> list[Path]:
    """Spark's client of S3 where `scripts/setup.sh --with s3` has put it."""
    return sorted((CHECKOUT / "build/s3").glob("*.jar"))


def java() -> tuple[Path, int]:
    """A `java` that fits and its major version: JAVA_HOME's, the PATH's, or another that is installed.

    Raises EnvironmentProblem where none fits, naming what was found.
    """
    found: dict[Path, int] = {}
    for path in _candidates():
        found[path] = _version(path)
        if found[path] in SUPPORTED_JAVA:
            return path, found[path]
    seen = ", ".join(f"{path} is Java {version}" for path, version in found.items()) or "no java is installed"
    raise EnvironmentProblem(
        f"Spark 3.5 and the jar need Java 11 or 17 ({seen}): install OpenJDK 17 (Debian: openjdk-17-jdk-headless) or set "
        "JAVA_HOME"
    )


def _candidates() -> Iterator[Path]:
    """In the order of preference; one at a time, for asking a java its version takes a quarter of a second."""
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    if home and Path(home, "bin/java").is_file():
        yield Path(home, "bin/java")
    if on_path:
        yield Path(on_path).resolve()
    yield from sorted(Path("/usr/lib/jvm").glob("*/bin/java"))


def _version(java: Path) -> int:
    command = [str(java), "-XshowSettings:properties", "-version"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    for line in answer.stderr.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "java.specification.version":
            return int(value.strip().removeprefix("1."))
    return 0
