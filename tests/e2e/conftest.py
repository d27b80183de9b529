"""The command line as a user runs it: a process of its own, on files of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TEXTMILL = Path(sys.executable).with_name("textmill")
CONF = Path(__file__).resolve().parents[2] / "conf"

SMALL = """
name: small
inputs:
  chats: {path: chats.jsonl, format: jsonl, label: intent, max_bad: 10%}
entities:
  PRODUCT: [연필, 지우개, 공책, 가방, 우산, 모자, 장갑, 양말]
  COLOR: [빨강, 파랑, 검정, 노랑]
steps:
  clean:    {do: text.clean, from: chats, mask: [phone]}
  dedup:    {do: text.dedup, from: clean}
  split:    {do: data.split, from: dedup, parts: {train: 0.6, valid: 0.2, test: 0.2}}
  populate: {do: text.populate, from: split.train, templates: t.txt, amount: {per_intent: 300}}
  tokens:   {do: text.tokenize, from: [populate, split.valid, split.test], analyzer: nori, user_dict: PRODUCT}
  tensors:  {do: tensor.encode, from: tokens, vocabulary: {min_count: 1}, length: 16, shards: 4}
train:
  bigru: {model: bigru, from: tensors, epochs: 3, batch: 32, params: {embedding: 16, units: 8}}
profiles:
  local: {spark: {master: "local[2]", memory: 1g}}
"""
TEMPLATES = """
[delivery]
(|혹시 |저기요 ){COLOR} {PRODUCT}{은/는} 언제 (와요|오나요|도착해요|배송되나요)
{PRODUCT} 배송이 (어디까지 왔나요|아직이에요|늦네요|궁금해요) (부탁해요|알려 주세요|확인해 주세요|)
[refund]
(|혹시 |저기요 ){COLOR} {PRODUCT} 환불 (해 주세요|되나요|받고 싶어요|신청할게요)
{PRODUCT}{을/를} (반품하고|돌려보내고|취소하고) 돈을 (받을래요|돌려받고 싶어요|언제 주나요)
[stock]
(|혹시 |저기요 ){COLOR} {PRODUCT} 재고 (있나요|남았어요|있을까요|얼마나 있어요)
{PRODUCT}{이/가} (품절인가요|다 팔렸나요|더 들어오나요) (궁금해요|알려 주세요|)
"""


def utterances(number: int = 60) -> list[dict[str, str]]:
    """Short utterances of three intents, all different."""
    said = {
        "delivery": "택배가 언제 오는지 궁금해요",
        "refund": "환불을 받고 싶습니다",
        "stock": "재고가 있는지 알고 싶어요",
    }
    return [
        {"text": f"{text} {n}번째 {intent}", "intent": intent}
        for n in range(number // 3)
        for intent, text in said.items()
    ]


class Project:
    """A folder with a definition, and the command line started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.definition = folder, folder / "small.yaml"
        self.definition.write_text(SMALL, encoding="utf-8")
        (folder / "t.txt").write_text(TEMPLATES, encoding="utf-8")
        self.records([json.dumps(record, ensure_ascii=False).encode() for record in utterances()])

    def records(self, lines: list[bytes]) -> None:
        """Write the input."""
        (self.folder / "chats.jsonl").write_bytes(b"\n".join(lines) + b"\n")

    def environ(self, root: str) -> dict[str, str]:
        """The environment of the command line."""
        return {**os.environ, "TEXTMILL_ROOT": root, "COLUMNS": "200"}

    def textmill(self, *words: str, root: str = "runs") -> subprocess.CompletedProcess[str]:
        """The finished command."""
        command = [str(TEXTMILL), *words]
        if "--set" not in words and words[0] in ("run", "plan", "peek", "why"):
            command += ["--set", f"root={root}"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environ(root), capture_output=True, text=True, timeout=300, check=False
        )

    def start(self, *words: str, root: str) -> subprocess.Popen[str]:
        """The command as a process of its own group, to be killed."""
        return subprocess.Popen(
            [str(TEXTMILL), *words, "--set", f"root={root}"],
            cwd=self.folder, env=self.environ(root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def checksums(self, root: str = "runs") -> dict[str, dict[str, str]]:
        """SHA-256 of every file of every published step output."""
        found: dict[str, dict[str, str]] = {}
        for manifest in sorted((self.folder / root / "store").glob("*/*/manifest.json")):
            described: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
            found[described["step"]] = {name: file["sha256"] for name, file in described["files"].items()}
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


class DevCluster:
    """A cluster of scripts/dev_cluster.sh in a folder of its own."""

    COMMAND = str(CONF.parent / "scripts/dev_cluster.sh")

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The finished command."""
        words = (self.COMMAND, words[0], "--folder", str(self.folder), *words[1:])
        return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)

    @property
    def record(self) -> dict[str, Any]:
        """What cluster.json says."""
        return dict(json.loads((self.folder / "cluster.json").read_text(encoding="utf-8")))

    def environ(self) -> dict[str, str]:
        """The environment after `source env.sh`."""
        sourced = ["bash", "-c", '. "$1" && env -0', "bash", str(self.folder / "env.sh")]
        answer = subprocess.run(sourced, capture_output=True, text=True, check=True).stdout
        pairs = (entry.partition("=") for entry in answer.split("\0") if entry)
        return {name: value for name, _, value in pairs}

    def processes(self) -> list[str]:
        """Command lines of all processes that have anything to do with the folder."""
        found = []
        for path in Path("/proc").iterdir():
            try:
                told = (path / "environ").read_bytes() + (path / "cmdline").read_bytes()
            except (OSError, ValueError):
                continue
            if path.name.isdigit() and os.fsencode(self.folder) in told:
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200])
        return found


def started(folder: Path, *options: str) -> DevCluster:
    """A cluster that runs; fails with the command's words where it does not start."""
    cluster = DevCluster(folder)
    done = cluster.command("start", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevCluster]:
    """YARN and HDFS, shared by the tests of a session: leave it whole."""
    running = started(tmp_path_factory.mktemp("cluster"))
    yield running
    running.command("stop")
    shutil.rmtree(running.folder)
