"""A store that is full or can only be read: what reads works, and what writes names the file and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.lineage import Lineage
from pipelines.versions import Versions
from tests.unit.pipelines.test_interleaving import prepared

pytestmark = pytest.mark.skipif(os.getuid() != 0 or os.environ.get("CI") == "true", reason="needs root, to mount")

VERBS = """
import contextlib, io, json, sys
from pipelines.cli import main
told = []
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    told.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""
DEFINITION = """
name: m
inputs: {chats: {path: chats.txt, format: text, label: null}}
steps: {clean: {do: text.clean, from: chats}}
"""


def verbs(root: Path, mount: str, *verbs: str) -> list[tuple[int, str, str]]:
    """Exit code, output and errors of each verb where the shell commands `mount` have been carried out."""
    (root.parent / "d.yaml").write_text(DEFINITION)
    (root.parent / "chats.txt").write_text("hello\nworld\n")
    words = json.dumps([verb.split() for verb in verbs])
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", f'{mount}; exec "$@"', "sh", sys.executable, "-c", VERBS, words],
        cwd=root.parent, env={**os.environ, "TEXTMILL_ROOT": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unshare failed" in done.stderr or "permission denied" in done.stderr:
        pytest.skip(f"needs to mount: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return [tuple(one) for one in json.loads(done.stdout)]


@pytest.fixture
def made(tmp_path: Path) -> list[Lineage]:
    return prepared(tmp_path / "runs")


def test_what_reads_works_where_nothing_can_be_written(made: list[Lineage], tmp_path: Path) -> None:
    root = tmp_path / "runs"
    mount = f"mount --bind {root} {root}; mount -o remount,bind,ro {root}"
    found = verbs(root, mount, "check d.yaml", "plan d.yaml", "runs", "show last", "versions m", "gc --dry-run")
    assert [(code, err) for code, _, err in found] == [(0, "")] * 6
    wrong = ["promote 20260103", "rollback m", "gc", "run d.yaml", "daily d.yaml"]
    for verb, (code, _, err) in zip(wrong, verbs(root, mount, *wrong), strict=True):
        assert code == 1 and "runs/" in err and "Read-only file system; it has to be written by" in err, (verb, err)
        assert "Traceback" not in err


def test_a_full_disk_is_named_and_house_keeping_makes_room(made: list[Lineage], tmp_path: Path) -> None:
    root = tmp_path / "runs"
    full = (
        f"mkdir {root}.copy; cp -r {root}/. {root}.copy; mount -t tmpfs -o size=600k,nr_inodes=500 none {root}; "
        f"cp -r {root}.copy/. {root}; touch -d '2 days ago' {root}/store/*/*/manifest.json; "
        f"cat /dev/zero > {root}/full 2>/dev/null || true"
    )
    wrong = ["rollback m", "promote 20260103", "run d.yaml"]
    found = verbs(root, full, *wrong, "plan d.yaml", "runs", "gc --keep 1 --json", "rollback m --json")
    for verb, (code, _, err) in zip(wrong, found[:3], strict=True):
        assert code == 1 and "runs/" in err and "No space left on device; make room" in err, (verb, err)
    assert [code for code, _, _ in found[3:]] == [0] * 4, found[3:]
    assert json.loads(found[-1][1])["version"] == 1
    assert Versions(root, "m").pointer()["version"] == 2, "the disk below is as it was"
