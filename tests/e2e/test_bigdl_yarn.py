"""Engine bigdl on a real YARN: the executors that prepared the data train, and one of them is killed meanwhile."""

from __future__ import annotations

import json

import pytest

from models import bigdl_jvm
from models.engines import probe
from tests.e2e.conftest import DevCluster, Project
from tests.e2e.test_dev_cluster import wait_for
from tests.e2e.test_submit import start

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not probe("bigdl").available, reason=probe("bigdl").reason),
]
SETTINGS = ("engine: bigdl, model: bigru", "epochs: 40", "stop: {patience: 40}")
CONF = ("--conf", f"spark.serializer={bigdl_jvm.JAVA_SERIALIZER}")


def test_a_killed_executor_is_survived_and_the_record_says_so(project: Project, cluster: DevCluster) -> None:
    text = project.definition.read_text(encoding="utf-8")
    given = text.replace("model: bigru", SETTINGS[0]).replace("epochs: 3", ", ".join(SETTINGS[1:]))
    project.definition.write_text(given, encoding="utf-8")
    root = project.folder / "yarn"
    job = start(project, cluster, *CONF, "run", "small.yaml", "--set", f"root={root}")
    try:
        assert wait_for(lambda: any(root.rglob("latest.npz")), 300), "no epoch has ended"
        killed = cluster.command("kill", "executor", "1")
        assert killed.returncode == 0, killed.stderr
        output, _ = job.communicate(timeout=400)
    finally:
        job.kill()
    assert job.returncode == 0, output
    trained = [json.loads(file.read_text(encoding="utf-8"))["train.bigru"] for file in root.rglob("stats.json")]
    assert [(one["restarts"], len(one["steps"])) for one in trained] == [(1, 2)]
    assert trained[0]["resumed_from_epoch"] >= 1
    shown = json.loads(project.textmill("show", "--root", str(root), "--json").stdout)
    assert shown["status"] == "done" and shown["metrics"]["bigru"]["accuracy"] > 0.9
