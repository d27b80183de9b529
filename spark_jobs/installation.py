"""What the operations need of the machine: Java and the jar."""

from __future__ import annotations

import os
import shutil
import subprocess
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


def java() -> tuple[Path, int]:
    """The `java` that Spark will start and its major version; raises EnvironmentProblem where none fits."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if not found:
        place = f"JAVA_HOME={home}" if home else "PATH"
        raise EnvironmentProblem(f"no java in {place}: install OpenJDK 17 (Debian: openjdk-17-jdk-headless)")
    version = _version(found)
    if version not in SUPPORTED_JAVA:
        raise EnvironmentProblem(f"{found} is Java {version}; Spark 3.5 and the jar need Java 11 or 17: set JAVA_HOME")
    return Path(found), version


def _version(java: str) -> int:
    command = [java, "-XshowSettings:properties", "-version"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    for line in answer.stderr.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "java.specification.version":
            return int(value.strip().removeprefix("1."))
    return 0
