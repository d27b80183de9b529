"""A definition on YARN with its data on HDFS: what a laptop makes is made there too, whatever is killed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models import engines
from tests.e2e.conftest import DevCluster, Project, started, utterances
from tests.e2e.test_dev_cluster import needs_root, wait_for, wait_until_whole
from tests.e2e.test_hdfs import checksums, textmill
from tests.e2e.test_submit import run, start
from textmill.places import Place, place

pytestmark = pytest.mark.cluster

PROFILE = """\
  yarn:
    engine: {engine}
    spark: {{master: yarn, memory: 768m, conf: {{spark.textmill.train.wait: "240"}}}}
    root: hdfs:///textmill/runs
    inputs: {{chats: hdfs:///textmill/raw}}
"""
PREPARE = ("run", "small.yaml", "--to", "tensors")


@pytest.fixture(params=["loopback", pytest.param("hosts", marks=needs_root)])
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DevCluster]:
    """A cluster of its own in each form, which programs of this test find by HADOOP_CONF_DIR."""
    cluster = started(tmp_path / "c", *(["--hosts"] if request.param == "hosts" else []))
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("HADOOP_CONF_DIR", cluster.environ()["HADOOP_CONF_DIR"])
            yield cluster
    finally:
        cluster.command("stop")


def steps(root: Place) -> set[str]:
    """The steps whose output is published."""
    return set(checksums(root))


@pytest.mark.parametrize("engine", ["local", "tensorflowonspark"])
def test_raw_text_on_hdfs_becomes_a_model_and_a_report_on_hdfs(
    engine: str, whole: DevCluster, project: Project
) -> None:
    if not engines.probe(engine).available:
        pytest.skip(engines.probe(engine).reason)
    project.definition.write_text(project.definition.read_text(encoding="utf-8") + PROFILE.format(engine=engine), "utf-8")
    there = place(f"{whole.record['hdfs']}/textmill")
    (there / "raw").mkdir(parents=True)
    (there / "raw" / "chats.jsonl").write_bytes((project.folder / "chats.jsonl").read_bytes())

    done = run(project, whole, "run", "small.yaml", "--profile", "yarn")
    assert done.returncode == 0, done.stdout + done.stderr
    two = "1 of 2, prepare: executors as there is work" in done.stdout and "2 of 2, train: holds 2" in done.stdout
    assert two == engines.on_executors(engine)
    planned = json.loads(textmill(project, "plan", "small.yaml", "--profile", "yarn", "--json"))
    assert {step["action"] for step in planned} == {"reuse"}

    textmill(project, "run", "small.yaml", "--to", "tensors")
    here, found = project.checksums(), checksums(there / "runs")
    assert {step: found[step] for step in here} == here
    locally = json.loads(textmill(project, "plan", "small.yaml", "--json"))
    keys = [{step["step"]: step["key"] for step in plan} for plan in (planned, locally)]
    assert [keys[0][step] for step in here] == [keys[1][step] for step in here]
    assert "tensors" in here and (keys[0] == keys[1]) == (engine == "local")

    shown = json.loads(textmill(project, "show", "--root", "hdfs:///textmill/runs", "--json"))
    assert shown["status"] == "done" and set(shown["metrics"]) == {"bigru"}
    assert (there / "runs" / "small" / shown["run"] / "report.html").read_bytes().startswith(b"<!")
    trained = next(step for step in planned if step["step"] == "train.bigru")
    assert (there / "runs/store/model.train" / trained["key"][:32] / "saved_model/saved_model.pb").is_file()


@pytest.fixture
def damaged(cluster: DevCluster) -> Iterator[DevCluster]:
    """The cluster of the session, made whole again."""
    yield cluster
    for number in (1, 2):
        if f"nodemanager-{number}" in missing(cluster):
            cluster.command("restart", "nodemanager", str(number))
    assert wait_until_whole(cluster)


def missing(cluster: DevCluster) -> list[str]:
    """The daemons that do not run."""
    shown = cluster.command("status").stdout.splitlines()
    return [line.split()[0] for line in shown if len(line.split()) > 1 and line.split()[1] == "-"]


def node_of_master(cluster: DevCluster) -> str:
    """The number of the node on which the application master runs."""
    shown = cluster.command("status").stdout.splitlines()
    address = next(line.split()[2] for line in shown if line.startswith("ApplicationMaster"))
    return next(str(n) for n in (1, 2) if cluster.record["nodes"][f"node{n}"]["address"] == address)


def other_node(cluster: DevCluster) -> str:
    return str(3 - int(node_of_master(cluster)))


KILLS: dict[str, Callable[[DevCluster], tuple[str, ...]]] = {
    "executor": lambda cluster: ("executor", "1"),
    "application master": lambda cluster: ("appmaster",),
    "node manager of executors": lambda cluster: ("nodemanager", other_node(cluster)),
    "node manager of the application master": lambda cluster: ("nodemanager", node_of_master(cluster)),
}


@pytest.mark.parametrize("what", KILLS)
def test_preparing_goes_on_to_the_same_output_after_a_kill(what: str, damaged: DevCluster, project: Project) -> None:
    if what == "node manager of the application master":  # a node is lost after 20 s, and its containers work till then
        project.records([json.dumps(record, ensure_ascii=False).encode() for record in utterances(300_000)])
    root = project.folder / "yarn"
    job = start(project, damaged, *PREPARE, "--set", f"root={root}")
    try:
        # In the midst of it: one step is finished, others are not, and both executors work.
        assert wait_for(lambda: "dedup" in steps(root) and damaged.command("status").stdout.count("Executor") == 2)
        killed = damaged.command("kill", *KILLS[what](damaged))
        assert killed.returncode == 0, killed.stderr
        left = {"populate", "tokens", "tensors"} - steps(root)
        output, _ = job.communicate(timeout=400)
    finally:
        job.kill()
    assert job.returncode == 0, output
    assert left, "it was over before anything was killed"
    assert ("submitting again" in output) == (what in ("application master", "node manager of the application master"))
    assert project.textmill(*PREPARE, root="here").returncode == 0
    assert project.checksums("yarn") == project.checksums("here")
