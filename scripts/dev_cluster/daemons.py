"""The six daemons: their classes, sizes and settings of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.dev_cluster import network
from scripts.dev_cluster.cluster import MARK, WORKERS, Cluster, Daemon
from spark_jobs import installation

JARS = installation.CHECKOUT / "build/hadoop"
NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
RESOURCEMANAGER = "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager"
NODEMANAGER = "org.apache.hadoop.yarn.server.nodemanager.NodeManager"
JAVA_OPTIONS = (
    # Hadoop 3.3 on Java 17.
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    # Several JVMs on few cores: the first compiler alone, one collector thread, no statistics file in /tmp.
    "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A daemon to start."""

    name: str
    node: str
    main: str
    heap: int
    """MiB."""
    role: str
    """Prefix of its addresses."""


KINDS = {
    kind.name: kind
    for kind in (
        Kind("namenode", "master", NAMENODE, 256, "namenode"),
        Kind("resourcemanager", "master", RESOURCEMANAGER, 256, "resourcemanager"),
        *(Kind(f"datanode-{n}", node, DATANODE, 128, f"{node}.datanode") for n, node in enumerate(WORKERS, 1)),
        *(Kind(f"nodemanager-{n}", node, NODEMANAGER, 192, f"{node}.nodemanager") for n, node in enumerate(WORKERS, 1)),
    )
}


def own_settings(cluster: Cluster, kind: Kind) -> dict[str, str]:
    """What differs from node to node, and so is not in `conf/`: addresses and folders."""
    address, at = cluster.nodes[kind.node].address, cluster.addresses
    data = f"{cluster.folder}/data/{kind.node}"
    if kind.main == DATANODE:
        return {
            "dfs.datanode.hostname": address,
            "dfs.datanode.data.dir": f"file://{data}/blocks",
            **{f"dfs.datanode.{name}": at[f"{kind.role}.{port}"] for name, port in _DATANODE_PORTS.items()},
        }
    if kind.main == NODEMANAGER:
        return {
            "yarn.nodemanager.hostname": address,
            "yarn.nodemanager.local-dirs": f"{data}/containers",
            "yarn.nodemanager.log-dirs": f"{data}/container-logs",
            **{f"yarn.nodemanager.{name}": at[f"{kind.role}.{port}"] for name, port in _NODEMANAGER_PORTS.items()},
        }
    return {}


_DATANODE_PORTS = {"address": "data", "ipc.address": "ipc", "http.address": "http"}
_NODEMANAGER_PORTS = {"address": "rpc", "localizer.address": "localizer", "webapp.address": "http"}


def launch(cluster: Cluster, name: str) -> Daemon:
    """Start a daemon; it outlives this process. Its output goes to logs/NAME.log."""
    kind = KINDS[name]
    own = [word for pair in own_settings(cluster, kind).items() for word in ("-D", "=".join(pair))]
    command = _on(cluster, kind.node, [*java(cluster, kind.heap), *_names(cluster, kind), kind.main, *own])
    log = Path(cluster.folder, "logs", f"{name}.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
            cwd=cluster.folder, env=_environment(cluster, kind.node),
        )  # fmt: skip
    return Daemon(name, kind.node, process.pid, str(log), cluster.web(kind.role))


def format_namenode(cluster: Cluster) -> None:
    """Make an empty file system where there is none yet. Raises CalledProcessError with the output where it fails."""
    if Path(cluster.folder, "data/master/name/current").is_dir():
        return
    command = _on(cluster, "master", [*java(cluster, 128), NAMENODE, "-format", "-nonInteractive"])
    log = Path(cluster.folder, "logs/format.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        subprocess.run(command, stdout=sink, stderr=sink, env=_environment(cluster, "master"), check=True)


def java(cluster: Cluster, heap: int) -> list[str]:
    """The command line of a JVM with Hadoop's classes, without the class to run."""
    program, _ = installation.java()
    log4j = f"-Dlog4j.configuration=file:{cluster.folder}/log4j.properties"
    return [str(program), f"-Xmx{heap}m", *JAVA_OPTIONS, log4j, "-cp", f"{cluster.folder}/conf:{JARS}/*"]


def _names(cluster: Cluster, kind: Kind) -> list[str]:
    if kind.main != RESOURCEMANAGER or cluster.form == "hosts":
        return []
    return [f"-Djdk.net.hosts.file={network.master_names(Path(cluster.folder), cluster.nodes[kind.node])}"]


def _on(cluster: Cluster, node: str, command: list[str]) -> list[str]:
    namespace = cluster.nodes[node].namespace
    if not namespace:
        return command
    enter = Path(__file__).with_name("enter.py")
    inside = ["unshare", "--uts", "--mount", "python3", str(enter), cluster.folder, node]
    return ["ip", "netns", "exec", namespace, *inside, *command]


def _environment(cluster: Cluster, node: str) -> Mapping[str, str]:
    # Only what is needed: a daemon hands parts of its environment on to containers.
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "TZ", "USER") if name in os.environ}
    address = cluster.nodes[node].address
    return {
        **kept,
        MARK: cluster.mark,
        "JAVA_HOME": str(installation.java()[0].parent.parent),
        "HADOOP_CONF_DIR": f"{cluster.folder}/conf",
        "SPARK_LOCAL_IP": address,
        "SPARK_LOCAL_HOSTNAME": address,
    }
