"""The same definition with its root and its input on HDFS: the same keys and bytes, and it can be killed."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from models.tensors import opened
from tests.e2e.conftest import TEXTMILL, DevCluster, Project
from textmill.places import Place, place, remove

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="session")
def hdfs(request: pytest.FixtureRequest) -> Iterator[str]:
    """hdfs://host:port of $TEXTMILL_TEST_HDFS, or of a cluster that is started."""
    given = os.environ.get("TEXTMILL_TEST_HDFS")
    if given:
        yield given
        return
    cluster: DevCluster = request.getfixturevalue("cluster")
    with pytest.MonkeyPatch.context() as patched:
        # The client configuration says that data nodes are reached by their names, which on loopback differ.
        patched.setenv("HADOOP_CONF_DIR", cluster.environ()["HADOOP_CONF_DIR"])
        yield str(cluster.record["hdfs"])


@pytest.fixture
def shared(hdfs: str) -> Iterator[Place]:
    """A folder there."""
    pytest.importorskip("hdfs_native")
    folder = place(f"{hdfs}/textmill-test-{uuid.uuid4().hex[:8]}")
    folder.mkdir(parents=True)
    yield folder
    remove(folder)


def on(shared: Place, project: Project) -> tuple[str, str]:
    """The words that put root and input there; the input as two files in a folder of its day."""
    day = shared / "chats" / "dt=2026-01-02"
    day.mkdir(parents=True)
    lines = (project.folder / "chats.jsonl").read_bytes().splitlines(keepends=True)
    (day / "a.jsonl").write_bytes(b"".join(lines[:25]))
    (day / "b.jsonl").write_bytes(b"".join(lines[25:]))
    (day / "_SUCCESS").write_bytes(b"")
    local = project.folder / "chats" / "dt=2026-01-02"
    local.mkdir(parents=True)
    for name in ("a.jsonl", "b.jsonl"):
        (local / name).write_bytes((day / name).read_bytes())
    return f"root={shared}/runs", f"inputs.chats.path={shared}/chats/dt=${{run.date}}"


def textmill(project: Project, *words: str) -> str:
    done = subprocess.run([str(TEXTMILL), *words], cwd=project.folder, env=project.environ("runs"), capture_output=True,
                          text=True, timeout=500, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def checksums(root: Place) -> dict[str, dict[str, str]]:
    manifests = [json.loads(file.read_text(encoding="utf-8")) for file in (root / "store").glob("*/*/manifest.json")]
    return {one["step"]: {name: file["sha256"] for name, file in one["files"].items()} for one in manifests}


def killed_in(project: Project, step_before: str, *words: str) -> str:
    """SIGKILL the run when the step after `step_before` has begun; the command that resumes it."""
    process = subprocess.Popen([str(TEXTMILL), "run", *words], cwd=project.folder, env=project.environ("runs"),
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout is not None
    resume = ""
    for line in process.stdout:
        resume = line.removeprefix("resume ").strip() if line.startswith("resume ") else resume
        if line.startswith(f"{step_before} "):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return resume


def test_root_and_input_on_hdfs_give_the_local_bytes_also_after_a_kill(project: Project, shared: Place) -> None:
    root, path = on(shared, project)
    there = ("small.yaml", "--date", "2026-01-02", "--set", root, "--set", path)
    here = (*there[:3], "--set", "root=runs", "--set", "inputs.chats.path=chats/dt=2026-01-02")
    textmill(project, "run", *here)

    resume = killed_in(project, "split", *there)
    assert "interrupted" in textmill(project, "runs", "--root", f"{shared}/runs")
    textmill(project, *shlex.split(resume)[1:])
    found = checksums(shared / "runs")
    assert found == project.checksums("runs")
    assert not [left for left in (shared / "runs" / "store").glob("*/*") if left.name.endswith((".part", ".old"))]

    planned = json.loads(textmill(project, "plan", *there, "--json"))
    assert {step["action"] for step in planned} == {"reuse"}
    locally = json.loads(textmill(project, "plan", *here, "--json"))
    assert [step["key"] for step in planned] == [step["key"] for step in locally]

    shown = json.loads(textmill(project, "show", "--root", f"{shared}/runs", "--json"))
    assert place(shown["report"]).read_bytes().startswith(b"<!")
    assert place(shown["log"]).is_file()
    assert len(json.loads(textmill(project, "peek", *there[:1], "tokens", *there[1:], "-n", "3", "--json"))) == 3
    assert "key " in textmill(project, "why", *there[:1], "tensors", *there[1:])


def test_damage_on_hdfs_is_noticed_and_rebuilt(project: Project, shared: Place) -> None:
    root, path = on(shared, project)
    words = ("small.yaml", "--date", "2026-01-02", "--to", "dedup", "--set", root, "--set", path)
    textmill(project, "run", *words)
    before = checksums(shared / "runs")
    file = next((shared / "runs" / "store" / "text.dedup").glob("*/rows/*.parquet"))
    content = file.read_bytes()
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert f"output damaged: rows/{file.name} has changed" in textmill(project, "plan", *words)
    textmill(project, "run", *words)
    assert checksums(shared / "runs") == before


def test_a_bundle_goes_to_hdfs_from_a_root_there(project: Project, shared: Place) -> None:
    root, path = on(shared, project)
    words = ("small.yaml", "--date", "2026-01-02", "--to", "tensors", "--set", root, "--set", path)
    textmill(project, "run", *words)
    bundle = f"{shared}/bundle"
    export = ("export", "last", bundle, "--ranks", "3", "--root", f"{shared}/runs", "--json")
    first = json.loads(textmill(project, *export))
    assert first["sent_files"] == first["files"] > 18
    (place(bundle) / "tensors/train/00004.tfrecord").write_bytes(b"half a sha")
    failed = subprocess.run([str(TEXTMILL), "export", "--verify", bundle], capture_output=True, text=True, timeout=300,
                            check=False)  # fmt: skip
    assert failed.returncode == 1 and "    tensors/train/00004.tfrecord has 10 bytes instead of " in failed.stderr
    assert json.loads(textmill(project, *export))["sent_files"] == 1
    assert textmill(project, "export", "--verify", bundle).startswith("whole: ")
    tensors = opened(place(bundle) / "tensors")
    assert tensors.problems(3) == []
    rows = [tensors.read(file) for file in tensors.files("train")]
    assert len({len(shard.label) for shard in rows}) == 1 and len(rows) == 6
    assert sum(int(shard.weight.sum()) for shard in rows) == tensors.described["parts"]["train"]["real_rows"]
