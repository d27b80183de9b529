"""What a cluster is made of: nodes, addresses, daemons; and its record, cluster.json."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from textmill.errors import InputError

MARK = "TEXTMILL_CLUSTER"
"""Environment variable that every process of a cluster carries: its value is drawn anew by each start."""
QUEUES = ("default", "training")
WORKERS = ("node1", "node2")


@dataclass(frozen=True)
class Node:
    """A host, real or pretended."""

    name: str
    address: str
    namespace: str | None = None
    """The network namespace it is in; None on the loopback interface."""


@dataclass(frozen=True)
class Sizes:
    """What each NodeManager offers."""

    memory: int = 5120
    """MiB."""
    vcores: int = 2


@dataclass(frozen=True)
class Daemon:
    """A process that was started. `name` is for example `nodemanager-1`."""

    name: str
    node: str
    pid: int
    log: str
    web: str


@dataclass(frozen=True)
class Cluster:
    """A started cluster, as cluster.json has it."""

    folder: str
    form: str
    mark: str
    nodes: dict[str, Node]
    addresses: dict[str, str]
    """host:port by role, for example `namenode.rpc` or `node1.datanode.http`."""
    gateway: str
    """The address under which the cluster reaches programs outside of it, Spark's driver in client mode."""
    daemons: dict[str, Daemon]

    @property
    def hdfs(self) -> str:
        """The URI of its file system."""
        return f"hdfs://{self.addresses['namenode.rpc']}"

    def web(self, role: str) -> str:
        """Address of the web pages and REST API of `namenode`, `resourcemanager`, `node1.datanode` …"""
        return f"http://{self.addresses[role + '.http']}"

    def save(self) -> None:
        """Write cluster.json, with the addresses that programs want spelled out."""
        record = {
            "hdfs": self.hdfs, "resourcemanager": self.web("resourcemanager"), "namenode": self.web("namenode"),
            "conf": str(Path(self.folder, "conf")), "queues": QUEUES, **asdict(self),
        }  # fmt: skip
        beside = record_path(Path(self.folder)).with_suffix(".new")
        beside.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        beside.replace(record_path(Path(self.folder)))


def record_path(folder: Path) -> Path:
    """Where the record of the cluster in `folder` is while it exists."""
    return folder / "cluster.json"


def load(folder: Path) -> Cluster | None:
    """The cluster recorded in `folder`, running or not. Raises InputError where the record can't be read."""
    path = record_path(folder)
    if not path.is_file():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        fields = {name: record[name] for name in ("form", "mark", "addresses", "gateway")}
        nodes = {name: Node(**node) for name, node in record["nodes"].items()}
        daemons = {name: Daemon(**daemon) for name, daemon in record["daemons"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a cluster's record ({error!r}); remove it once no daemon runs") from error
    return Cluster(folder=str(folder), nodes=nodes, daemons=daemons, **fields)


ROLES = (
    *(("master", role) for role in ("namenode.rpc", "namenode.http", "resourcemanager.client", "resourcemanager.http")),
    *(("master", f"resourcemanager.{port}") for port in ("scheduler", "tracker", "admin")),
    *((node, f"{node}.datanode.{port}") for node in WORKERS for port in ("data", "ipc", "http")),
    *((node, f"{node}.nodemanager.{port}") for node in WORKERS for port in ("rpc", "localizer", "http")),
)
"""Every port that is listened on, with the node it is on."""


def draw_addresses(nodes: dict[str, Node]) -> dict[str, str]:
    """A free random port for every role; no port twice, since on loopback all data nodes look like 127.0.0.1."""
    ports = _free_ports([nodes[node] for node, _ in ROLES])
    return {role: f"{nodes[node].address}:{port}" for (node, role), port in zip(ROLES, ports, strict=True)}


def _free_ports(nodes: list[Node]) -> Iterator[int]:
    # Below 32768 begins what Linux hands out to outgoing connections: one of those could take a port before the daemon.
    candidates = random.sample(range(20000, 32768), 4000)
    for node in nodes:
        yield next(port for port in iter(candidates.pop, None) if node.namespace or _is_free(node.address, port))


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
