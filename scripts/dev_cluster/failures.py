"""SIGKILL where a test wants it, and restarts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scripts.dev_cluster import daemons, processes
from scripts.dev_cluster.cluster import Cluster
from textmill.errors import InputError


@dataclass(frozen=True)
class Container:
    """A JVM in a YARN container."""

    name: str
    pid: int
    node: str
    main: str
    """Its main class."""


APPMASTERS = ("org.apache.spark.deploy.yarn.ApplicationMaster", "org.apache.spark.deploy.yarn.ExecutorLauncher")
EXECUTOR = "org.apache.spark.executor.YarnCoarseGrainedExecutorBackend"


def containers(cluster: Cluster) -> list[Container]:
    """The Spark JVMs that run on the cluster, by container name: the first of an application is its master."""
    return sorted(_containers(cluster), key=lambda container: container.name)


def _containers(cluster: Cluster) -> Iterator[Container]:
    for pid in processes.marked(cluster.mark):
        words = processes.arguments(pid)
        mains = [word for word in words if word in (*APPMASTERS, EXECUTOR)]
        # The shell that starts a container names the class too, in one long word.
        if mains and words[0].endswith("java"):
            environment = processes.environment(pid)
            node = environment.get("NM_HOST", "?")
            yield Container(environment.get("CONTAINER_ID", "?"), pid, node, mains[0])


def kill(cluster: Cluster, what: str, number: int | None) -> str:
    """SIGKILL a daemon, the executor or application master of this number (from 1), or all of a node; says what."""
    if what in ("executor", "appmaster"):
        return _kill_container(cluster, what, number or 1)
    if what == "node":
        return _kill_node(cluster, number or 1)
    name = daemon_name(what, number)
    _kill(cluster, name)
    return f"killed {name}, pid {cluster.daemons[name].pid}"


def restart(cluster: Cluster, what: str, number: int | None) -> Cluster:
    """Start a daemon again with the same ports, ending it first where it still runs."""
    name = daemon_name(what, number)
    processes.end([cluster.daemons[name].pid], cluster.mark)
    changed = replace(cluster, daemons={**cluster.daemons, name: daemons.launch(cluster, name)})
    changed.save()
    return changed


def daemon_name(what: str, number: int | None) -> str:
    """`nodemanager` and 1, or `nodemanager-1` → `nodemanager-1`; raises InputError naming the daemons there are."""
    name = what if number is None else f"{what}-{number}"
    if name not in daemons.KINDS:
        raise InputError(f"there is no daemon {name!r}: {', '.join(daemons.KINDS)}")
    return name


def _kill(cluster: Cluster, name: str) -> None:
    if not processes.send(cluster.daemons[name].pid, cluster.mark, signal.SIGKILL):
        raise InputError(f"{name} does not run; start it with: dev_cluster.sh restart {name}")


def _kill_container(cluster: Cluster, what: str, number: int) -> str:
    found = [c for c in containers(cluster) if (c.main == EXECUTOR) == (what == "executor")]
    if number > len(found):
        raise InputError(f"there is no {what} {number}: {len(found)} run")
    container = found[number - 1]
    processes.send(container.pid, cluster.mark, signal.SIGKILL)
    return f"killed {what} {container.name} on {container.node}, pid {container.pid}"


def _kill_node(cluster: Cluster, number: int) -> str:
    """As if the machine had gone: its daemons, then its containers and their children."""
    name = f"node{number}"
    if name not in cluster.nodes:
        raise InputError(f"there is no node {number}: 1, 2")
    pids = [daemon.pid for daemon in cluster.daemons.values() if daemon.node == name]
    address = cluster.nodes[name].address
    pids += [p for p in processes.marked(cluster.mark) if processes.environment(p).get("SPARK_LOCAL_IP") == address]
    killed = {pid for pid in pids if processes.send(pid, cluster.mark, signal.SIGKILL)}
    return f"killed {name}: {len(killed)} processes"
