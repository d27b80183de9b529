"""Classes that a Spark driver loads, parsed and verified once for all: python -m spark_jobs.class_archive makes the archive.

Half of what a cold JVM does in a short run is to load some 20,000 classes. Class-data sharing (JEP 350) maps them from a
file instead. The JVM looks whether the file fits its version and class path, and loads as ever where it does not.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from spark_jobs import installation

_DYNAMIC_SINCE = 13
"""The first Java that archives what a program has loaded."""
_QUIET = ("-Xlog:cds=off", "-Xlog:cds+dynamic=off", "-Xlog:class+path=off")
_DEFINITION = """
name: warm
inputs:
  chats: {path: chats.jsonl, format: jsonl}
steps:
  clean:    {do: text.clean, from: chats, mask: [phone, url]}
  dedup:    {do: text.dedup, from: clean}
  split:    {do: data.split, from: dedup, parts: {train: 0.6, valid: 0.2, test: 0.2}}
  populate: {do: text.populate, from: split.train, templates: templates.txt, amount: {per_intent: 4}}
  tokens:   {do: text.tokenize, from: [populate, split.valid, split.test], analyzer: nori}
  tensors:  {do: tensor.encode, from: tokens, vocabulary: {min_count: 1}, length: 8, shards: 2}
profiles:
  local: {spark: {master: "local[2]", memory: 1g}}
"""


def path() -> Path:
    """Where the archive is or should be: beside the jar."""
    return installation.jar_path().with_suffix(".jsa")


def options() -> list[str]:
    """What a JVM is given to use the archive; empty where there is none."""
    return [f"-XX:SharedArchiveFile={path()}", *_QUIET] if path().is_file() else []


def make() -> str:
    """Make the archive anew; what was done. scripts/setup.sh knows when that is due."""
    path().unlink(missing_ok=True)
    _, version = installation.java()
    if version < _DYNAMIC_SINCE:
        return f"no archive of classes: Java {version} makes none"
    beside = path().with_suffix(".part")
    _run(beside)
    beside.replace(path())
    return f"{path()}, {path().stat().st_size >> 20} MiB"


def _run(archive: Path) -> None:
    """Prepare some rows in a JVM that archives its classes as it ends. Raises RuntimeError where it leaves none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = ({"text": f"택배가 {n}일에 와요 010-1234-{n:04d}", "label": "ab"[n % 2]} for n in range(60))
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "chats.jsonl").write_text("".join(lines), encoding="utf-8")
        (folder / "templates.txt").write_text("[a]\n(환불|취소)(해 주세요|할래요)\n[b]\n(언제|어디) (와요|가요)\n", encoding="utf-8")
        (folder / "warm.yaml").write_text(_DEFINITION, encoding="utf-8")
        options = ["-XX:TieredStopAtLevel=1", f"-XX:ArchiveClassesAtExit={archive}", *_QUIET]
        command = [str(Path(sys.executable).with_name("textmill")), "run", "warm.yaml"]
        done = subprocess.run(  # its pipes are closed when the JVM has ended
            command, cwd=folder, env={**os.environ, "SPARK_SUBMIT_OPTS": shlex.join(options), "TEXTMILL_ROOT": str(folder / "runs")},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode or not archive.is_file():
        raise RuntimeError(f"no archive of classes was made:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    print(make())
