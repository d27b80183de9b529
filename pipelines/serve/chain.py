"""The analysis chain in a Java process of its own: from texts to ids, by the same code as in training."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from spark_jobs import installation
from textmill.errors import EnvironmentProblem, TextmillError

_MAIN = "io.textmill.serve.Chain"
_OPTIONS = ("-Xmx512m", "-Xss4m", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8")
_NEEDS = ("jackson-core-2*.jar", "jackson-databind-2*.jar", "jackson-annotations-2*.jar")
_PIECES = "sentencepiece.model"
_START_SECONDS = 120.0
_log = logging.getLogger("textmill.serve")


class Chain:
    """The chain of the version in `folder`; one caller at a time.

    A process that ends, or gives no answer within `seconds`, is started again and asked once more. One that can't be
    started is the chain's `problem`: nothing is asked then until `revive` has started it. Raises EnvironmentProblem
    where Java or the jar is missing, TextmillError where the process does not start or ends twice.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self._seconds = folder, seconds
        self.problem: str | None = None
        self.restarts = 0
        self._pieces = _processor(folder / _PIECES)
        self._process = self._start()

    def encode(self, texts: list[str]) -> tuple[np.ndarray, list[str | None]]:
        """ids int32 [texts, length], and for each text why it would be set aside, or None."""
        answer = self._ask({"texts": texts})
        if self._pieces is not None:
            answer["ids"] = self._ask({"tokens": self._pieces.encode(answer["texts"], out_type=str)})["ids"]
        return np.array(answer["ids"], dtype=np.int32), answer["reasons"]

    def revive(self) -> None:
        """Start the process where it has ended."""
        if self._process.poll() is not None:
            self._again()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # the end of its input is its end
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.problem is not None:
            raise TextmillError(self.problem)
        line = json.dumps(request).encode() + b"\n"
        try:
            return self._exchange(line)
        except (OSError, ValueError):
            self._again()
        try:
            return self._exchange(line)
        except (OSError, ValueError) as error:
            raise TextmillError(f"the analysis process ended twice with status {self._process.poll()}") from error

    def _exchange(self, line: bytes) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        with _killed_after(self._seconds, self._process):
            self._process.stdin.write(line)
            self._process.stdin.flush()
            return dict(json.loads(self._process.stdout.readline()))

    def _again(self) -> None:
        self.close()
        _log.warning("the analysis process ended with status %s: it is started again", self._process.poll())
        self.restarts += 1
        try:
            self._process = self._start()
        except Exception as error:
            self.problem = str(error)
            raise
        self.problem = None

    def _start(self) -> subprocess.Popen[bytes]:
        # A group of its own: Ctrl-C at a terminal is the server's to handle, which answers what it has first.
        process = subprocess.Popen(
            self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0, cwd=installation.CHECKOUT
        )
        assert process.stdin is not None and process.stdout is not None
        with _killed_after(_START_SECONDS, process):
            ready = process.stdout.readline()
        if not ready:
            process.stdin.close()
            process.stdout.close()
            raise TextmillError(f"the analysis process ended with status {process.wait()} at its start")
        return process

    def _command(self) -> list[str]:
        java, _ = installation.java()
        return [str(java), *_OPTIONS, "-cp", _classpath(), _MAIN, str(self.folder)]


@contextlib.contextmanager
def _killed_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill a process that keeps its caller waiting: then the caller reads the end of its output."""
    timer = threading.Timer(seconds, _kill, (seconds, process))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _kill(seconds: float, process: subprocess.Popen[bytes]) -> None:
    _log.error("the analysis process gave no answer within %g s: it is killed", seconds)
    process.kill()


def _classpath() -> str:
    """Our jar, and the JSON library that Spark brings."""
    pyspark = find_spec("pyspark")
    jars = Path(str(pyspark.origin)).parent / "jars" if pyspark else Path()
    found = [next(jars.glob(pattern), None) for pattern in _NEEDS]
    if missing := [pattern for pattern, jar in zip(_NEEDS, found, strict=True) if jar is None]:
        raise EnvironmentProblem(f"{jars} lacks {', '.join(missing)}: is pyspark installed whole?")
    return ":".join(str(path) for path in (installation.jar(), *found))


def _processor(model: Path) -> Any:
    if not model.is_file():
        return None
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_file=str(model))
