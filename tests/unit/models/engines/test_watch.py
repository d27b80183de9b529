"""The process of a rank and what it has started: its output, its end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models import subprocesses
from models.engines.watch import Watch

APART = """
import os, signal, subprocess, sys, time
code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
def apart(session):
    subprocess.Popen([sys.executable, "-c", code, sys.argv[1]], start_new_session=session)
    while not os.path.exists(sys.argv[1]) or not open(sys.argv[1]).read():
        time.sleep(0.01)
print("before", flush=True)
"""
WORK = "from models.engines.worker import work\nwork(lambda report: apart(True) or {'value': 1})\n"


def _run(code: str, child: Path) -> tuple[int | None, list[dict[str, Any]]]:
    """Status and messages of a process, which is ended as engines end theirs."""
    said: list[dict[str, Any]] = []
    command = [sys.executable, "-c", APART + code, str(child)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocesses.started(command, env=subprocesses.environ(), **pipes)
    try:
        status = Watch(process, lambda **message: said.append(message)).until_it_ends()
    finally:
        subprocesses.end(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return status, [message for message in said if "alive" not in message]


def _gone(child: Path) -> bool:
    try:
        return Path(f"/proc/{child.read_text()}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_what_a_worker_has_started_ends_with_it_whatever_its_session(tmp_path: Path) -> None:
    status, said = _run(WORK, tmp_path / "pid")
    assert status == 0 and {"done": {"value": 1}} in said and _gone(tmp_path / "pid")


def test_what_a_crashed_worker_leaves_in_its_group_is_ended(tmp_path: Path) -> None:
    started = time.monotonic()
    status, said = _run("apart(False)\nos.kill(os.getpid(), 9)\n", tmp_path / "pid")
    assert status == -9 and said == [{"log": "before"}] and _gone(tmp_path / "pid")
    assert time.monotonic() - started < 60, "its child holds its output open, for ten minutes"


def test_what_a_worker_that_is_killed_has_started_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"{APART}apart(True)\ntime.sleep(600)", str(tmp_path / "pid")]
    process = subprocesses.started(command, stdout=subprocess.DEVNULL)
    _until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    subprocesses.end(process)
    assert process.returncode == -9 and _gone(tmp_path / "pid")
    assert process.stdin is not None
    process.stdin.close()


def test_a_line_without_an_end_is_passed_on_in_pieces(tmp_path: Path) -> None:
    status, said = _run("sys.stdout.write('x' * (5 << 20))\n", tmp_path / "pid")
    lines = [message["log"] for message in said]
    assert status == 0 and "".join(lines) == "before" + "x" * (5 << 20) and max(map(len, lines)) < 2 << 20


def test_the_end_of_a_long_log_is_read_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as stream:
        stream.truncate(8 << 30)  # a hole: nobody could read it whole
        stream.seek(0, 2)
        stream.write("\nlast but one\n\udcff끝\n".encode("utf-8", "surrogateescape"))
    assert subprocesses.tail(log, 2) == ["last but one", "\ufffd끝"]
    assert subprocesses.tail(tmp_path / "none", 2) == []


def _until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, pytest.fail
        time.sleep(0.02)
