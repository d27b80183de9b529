"""The same definition with its root and its input on S3: the same keys and bytes, through Spark and Python alike."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from spark_jobs import installation
from tests.e2e.conftest import Project
from tests.e2e.test_hdfs import checksums, on, textmill
from textmill.places import Place, place

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def bucket() -> Iterator[Place]:
    """A folder of a bucket that an S3 server of this process holds in memory; clients remember where it listens."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch = pytest.MonkeyPatch()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        place("s3://bucket").mkdir()
        yield place("s3://bucket/textmill")
    finally:
        server.stop()
        monkeypatch.undo()


@pytest.fixture
def shared(bucket: Place) -> Place:
    """The same for Spark too."""
    if not installation.s3_jars():
        pytest.skip("Spark's client of S3 is not there: scripts/setup.sh --with s3test")
    return bucket


def test_a_definition_on_s3_has_the_keys_and_bytes_of_one_on_disk(shared: Place, project: Project) -> None:
    root, chats = on(shared, project)
    words = ("small.yaml", "--date", "2026-01-02", "--to", "tensors")
    textmill(project, "run", *words, "--set", root, "--set", chats)
    planned = json.loads(textmill(project, "plan", *words, "--set", root, "--set", chats, "--json"))
    assert {step["action"] for step in planned} == {"reuse", "skip"}
    textmill(project, "run", *words, "--set", "root=here", "--set", "inputs.chats.path=chats/dt=${run.date}")
    assert checksums(shared / "runs") == project.checksums("here")


def test_a_bundle_goes_to_s3(bucket: Place, project: Project) -> None:
    textmill(project, "run", "small.yaml", "--to", "tensors", "--set", "root=runs")
    export = ("export", "last", f"{bucket}/bundle", "--ranks", "2", "--json")
    first = json.loads(textmill(project, *export))
    assert first["sent_files"] == first["files"]
    shard = bucket / "bundle/tensors/valid/00001.tfrecord"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + b"!")
    failed = project.textmill("export", "--verify", f"{bucket}/bundle")
    assert failed.returncode == 1 and "    tensors/valid/00001.tfrecord has changed" in failed.stderr
    again = json.loads(textmill(project, *export))
    assert (again["sent_files"], again["sent_bytes"]) == (1, len(content))
    assert textmill(project, "export", "--verify", f"{bucket}/bundle").startswith("whole: ")
