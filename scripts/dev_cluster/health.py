"""What the daemons say of themselves, by their REST interfaces: no JVM is started to ask."""

from __future__ import annotations

import getpass
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from scripts.dev_cluster.cluster import Cluster

# Never by a proxy that the environment names: the daemons are on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_STATE = "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"


@dataclass(frozen=True)
class Health:
    """What is up at a moment."""

    datanodes: int = 0
    safemode: bool = True
    nodes: int = 0
    memory: int = 0
    """MiB that YARN has in all."""
    vcores: int = 0
    running: int = 0
    """Applications that run."""

    @property
    def whole(self) -> bool:
        """HDFS takes writes on both data nodes and YARN has both nodes."""
        return self.datanodes == 2 and not self.safemode and self.nodes == 2

    def __str__(self) -> str:
        mode = "in safemode" if self.safemode else "open"
        return (
            f"HDFS {mode}, {self.datanodes} of 2 data nodes; YARN {self.nodes} of 2 nodes, {self.vcores} vcores, "
            f"{self.memory} MiB, {self.running} applications running"
        )


def ask(cluster: Cluster) -> Health:
    """What the NameNode and the ResourceManager answer; zeros for what does not answer."""
    state = _get(cluster.web("namenode") + _STATE).get("beans") or [{}]
    metrics = _get(cluster.web("resourcemanager") + "/ws/v1/cluster/metrics").get("clusterMetrics", {})
    return Health(
        datanodes=state[0].get("NumLiveDataNodes", 0),
        safemode=state[0].get("FSState") != "Operational",
        nodes=metrics.get("activeNodes", 0),
        memory=metrics.get("totalMB", 0),
        vcores=metrics.get("totalVirtualCores", 0),
        running=metrics.get("appsRunning", 0),
    )


def make_folders(cluster: Cluster) -> None:
    """The folders of HDFS that YARN and Spark expect, by WebHDFS."""
    user = getpass.getuser()
    for folder, mode in (("/tmp", "1777"), ("/yarn-logs", "1777"), (f"/user/{user}", "755")):
        query = urllib.parse.urlencode({"op": "MKDIRS", "permission": mode, "user.name": user})
        url = f"{cluster.web('namenode')}/webhdfs/v1{urllib.parse.quote(folder)}?{query}"
        with _OPENER.open(urllib.request.Request(url, method="PUT"), timeout=20):
            pass


def _get(url: str) -> dict[str, Any]:
    try:
        with _OPENER.open(url, timeout=5) as answer:
            return dict(json.load(answer))
    except (OSError, ValueError):
        return {}
