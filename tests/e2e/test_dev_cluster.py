"""scripts/dev_cluster.sh: HDFS holds files, YARN runs Spark on both nodes, and nothing is left afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import hdfs_native
import pytest

from tests.e2e.conftest import DevCluster, started

pytestmark = pytest.mark.cluster

BIN = Path(sys.executable).parent
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are for root")

WHERE = """
import json, os, socket, sys, time
from pyspark.sql import SparkSession

def where(_):
    time.sleep(1)  # long enough for both executors to get their share
    yield os.environ["NM_HOST"], socket.gethostname()

spark = SparkSession.builder.appName("where").getOrCreate()
hosts = sorted(set(spark.sparkContext.parallelize(range(8), 8).mapPartitions(where).collect()))
spark.createDataFrame([(json.dumps(hosts),)], "hosts string").coalesce(1).write.text(sys.argv[1])
"""
SLEEP = """
import time
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("sleep").getOrCreate()
spark.sparkContext.parallelize(range(2), 2).foreach(lambda _: time.sleep(600))
"""


def submit(cluster: DevCluster, program: Path, mode: str, *words: str) -> list[str]:
    """The command that runs a Python program on two executors."""
    conf = {
        "spark.yarn.jars": f"local:{BIN.parent}/lib/python3.11/site-packages/pyspark/jars/*",
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON": sys.executable,
        "spark.executorEnv.PYSPARK_PYTHON": sys.executable,
        "spark.yarn.maxAppAttempts": "1",
        "spark.ui.enabled": "false",
    }
    sizes = ["--num-executors", "2", "--executor-cores", "1", "--executor-memory", "512m", "--driver-memory", "512m"]
    settings = [word for pair in conf.items() for word in ("--conf", "=".join(pair))]
    return [f"{BIN}/spark-submit", "--master", "yarn", "--deploy-mode", mode, *sizes, *settings, str(program), *words]


def environ(cluster: DevCluster) -> dict[str, str]:
    """What spark-submit needs to find the cluster and this Python's Spark."""
    return {**cluster.environ(), "PYSPARK_PYTHON": sys.executable}


def on_hdfs(cluster: DevCluster) -> Any:
    """A client of its HDFS that needs no Java."""
    settings = {"dfs.client.use.datanode.hostname": "true"}
    return hdfs_native.Client(cluster.record["hdfs"], settings)


def addresses(cluster: DevCluster) -> list[str]:
    return [cluster.record["nodes"][name]["address"] for name in ("node1", "node2")]


def run_where(cluster: DevCluster, folder: Path, mode: str) -> list[list[str]]:
    """(address, host name) of the nodes on which executors ran."""
    program = folder / "where.py"
    program.write_text(WHERE, encoding="utf-8")
    command = submit(cluster, program, mode, f"/tmp/where-{mode}")
    done = subprocess.run(command, env=environ(cluster), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    client = on_hdfs(cluster)
    part = next(file.path for file in client.list_status(f"/tmp/where-{mode}") if file.length)
    with client.read(part) as file:
        return list(json.loads(bytes(file.read())))


def test_files_go_to_hdfs_and_back(cluster: DevCluster) -> None:
    data, client = os.urandom(40 << 20), on_hdfs(cluster)
    with client.create("/tmp/data.bin") as file:
        file.write(data)
    with client.read("/tmp/data.bin") as file:
        assert bytes(file.read()) == data


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_spark_runs_on_both_nodes(cluster: DevCluster, tmp_path: Path, mode: str) -> None:
    assert [address for address, _ in run_where(cluster, tmp_path, mode)] == addresses(cluster)


def test_a_second_start_is_refused_and_names_the_first(cluster: DevCluster) -> None:
    done = cluster.command("start")
    assert done.returncode == 2
    assert f"namenode {cluster.record['daemons']['namenode']['pid']}" in done.stderr


def test_a_killed_daemon_shows_and_can_be_started_again(cluster: DevCluster) -> None:
    before = cluster.record["daemons"]["datanode-1"]
    assert str(before["pid"]) in cluster.command("kill", "datanode", "1").stdout
    shown = cluster.command("status").stdout
    assert next(line for line in shown.splitlines() if line.startswith("datanode-1")).split()[1] == "-"
    assert cluster.command("restart", "datanode", "1").returncode == 0
    assert cluster.record["daemons"]["datanode-1"]["pid"] != before["pid"]
    assert wait_until_whole(cluster)


def test_a_record_with_recycled_pids_kills_nobody(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        daemon = {"name": "namenode", "node": "master", "pid": stranger.pid, "log": "", "web": ""}
        record = {"form": "loopback", "mark": "0" * 32, "nodes": {}, "addresses": {}, "gateway": "127.0.0.1"}
        text = json.dumps({**record, "daemons": {"namenode": daemon}})
        (tmp_path / "cluster.json").write_text(text, encoding="utf-8")
        assert DevCluster(tmp_path).command("stop").returncode == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("form", [(), pytest.param(("--hosts",), marks=needs_root)], ids=["loopback", "hosts"])
def test_stop_leaves_nothing_even_with_a_running_job_and_a_killed_node_manager(
    tmp_path: Path, form: tuple[str, ...]
) -> None:
    before = links_and_namespaces()
    cluster = started(tmp_path / "c", *form)
    program = tmp_path / "sleep.py"
    program.write_text(SLEEP, encoding="utf-8")
    command = submit(cluster, program, "cluster")
    job = subprocess.Popen(command, env=environ(cluster), stderr=subprocess.DEVNULL)
    try:
        assert wait_for(lambda: cluster.command("status").stdout.count("YarnCoarseGrainedExecutorBackend") == 2)
        assert cluster.command("kill", "nodemanager", "1").returncode == 0
        assert cluster.command("stop").returncode == 0
    finally:
        job.kill()
        job.wait()
        cluster.command("stop")
    assert cluster.processes() == []
    assert links_and_namespaces() == before
    assert cluster.command("stop").returncode == 0


@needs_root
def test_executors_in_namespaces_are_on_hosts_of_their_own(tmp_path: Path) -> None:
    cluster = started(tmp_path / "c", "--hosts")
    try:
        nodes = [[address, f"node{n}"] for n, address in enumerate(addresses(cluster), 1)]
        assert run_where(cluster, tmp_path, "client") == nodes
        assert run_where(cluster, tmp_path, "cluster") == nodes
    finally:
        cluster.command("stop")


@needs_root
def test_hosts_are_refused_to_others_than_root(tmp_path: Path) -> None:
    command = [DevCluster.COMMAND, "start", "--hosts", "--folder", str(tmp_path / "c")]
    done = subprocess.run(command, user="nobody", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--hosts makes network namespaces, which only root may" in done.stderr
    assert not (tmp_path / "c").exists()


def test_a_daemon_that_ends_is_reported_with_its_log(tmp_path: Path) -> None:
    name = tmp_path / "data/master/name/current"
    name.mkdir(parents=True)
    (name / "VERSION").write_text("not a name node's\n", encoding="utf-8")
    cluster = DevCluster(tmp_path)
    done = cluster.command("start")
    assert done.returncode == 1
    assert "namenode ended; its log" in done.stderr
    assert cluster.processes() == []


def links_and_namespaces() -> set[str]:
    """What `ip` shows that is ours."""
    shown = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    shown += subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    return {word for word in shown.split() if word.startswith("textmill-")}


def wait_until_whole(cluster: DevCluster) -> bool:
    return wait_for(lambda: cluster.command("status").returncode == 0)


def wait_for(holds: Any, seconds: float = 120) -> bool:
    """Whether something came to hold in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True
