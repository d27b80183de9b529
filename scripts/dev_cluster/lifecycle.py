"""Start and stop."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from scripts.dev_cluster import clients, daemons, health, network, processes, settings
from scripts.dev_cluster.cluster import Cluster, Daemon, Sizes, draw_addresses, load, record_path
from spark_jobs import installation
from textmill.errors import EnvironmentProblem, InputError, TextmillError

Say = Callable[[str], None]


class ClusterFailed(TextmillError):
    """A daemon ended or did not get ready; carries the end of its log."""


def start(folder: Path, *, on_hosts: bool, sizes: Sizes, wait: float, say: Say) -> Cluster:
    """Start a cluster and wait until it is whole.

    Raises InputError where one runs in the folder already, and ClusterFailed after `wait` seconds or as soon as a
    daemon ends; then nothing is left running.
    """
    if on_hosts:
        network.check_hosts()
    with _alone(folder):
        _refuse_second(folder, say)
        fetch_hadoop(say)
        began = time.monotonic()
        cluster = _describe(folder, on_hosts)
        cluster.save()
        try:
            cluster = _bring_up(cluster, sizes)
            _await(cluster, wait)
            health.make_folders(cluster)
        except BaseException:
            _tear_down(cluster)
            raise
        say(f"ready after {time.monotonic() - began:.1f} s: {health.ask(cluster)}")
        return cluster


def stop(folder: Path, say: Say) -> None:
    """End every process of the folder's cluster, and its namespaces. What is stopped already stays so."""
    if not record_path(folder).is_file():
        say(f"no cluster in {folder}")
        return
    with _alone(folder):
        cluster = load(folder)
        if cluster:
            _tear_down(cluster)
            say(f"stopped; HDFS keeps its files in {folder / 'data'}")


def fetch_hadoop(say: Say) -> None:
    """Have Gradle put Hadoop's jars into build/hadoop, unless they are there."""
    if list(daemons.JARS.glob("hadoop-yarn-server-resourcemanager-*.jar")):
        return
    gradle = shutil.which("gradle")
    if not gradle:
        raise EnvironmentProblem("Hadoop's jars are fetched by Gradle, which is missing (Debian: gradle)")
    say("fetching Hadoop's jars (91 MB) from Maven Central by Gradle, once")
    options = f"{os.environ.get('GRADLE_OPTS', '')} --add-opens=java.base/java.lang=ALL-UNNAMED"
    environment = {**os.environ, "GRADLE_OPTS": options, "JAVA_HOME": str(installation.java()[0].parent.parent)}
    command = [gradle, "--no-daemon", "-q", "-p", str(installation.CHECKOUT), "hadoopJars"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentProblem(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")


def _describe(folder: Path, on_hosts: bool) -> Cluster:
    mark = secrets.token_hex(16)
    nodes, gateway = network.hosts(mark) if on_hosts else (network.loopback(), "127.0.0.1")
    form = "hosts" if on_hosts else "loopback"
    return Cluster(str(folder), form, mark, nodes, draw_addresses(nodes), gateway, {})


def _bring_up(cluster: Cluster, sizes: Sizes) -> Cluster:
    folder = Path(cluster.folder)
    if cluster.form == "hosts":
        network.files(folder, cluster.nodes)
        network.make(cluster.nodes, cluster.gateway, cluster.mark)
    settings.write(cluster, sizes)
    clients.write(cluster)
    shutil.rmtree(folder / "logs", ignore_errors=True)
    try:
        daemons.format_namenode(cluster)
    except subprocess.CalledProcessError as error:
        raise ClusterFailed(f"formatting HDFS failed:\n{tail(folder / 'logs/format.log')}") from error
    for name in daemons.KINDS:
        cluster = replace(cluster, daemons={**cluster.daemons, name: daemons.launch(cluster, name)})
        cluster.save()
    return cluster


def _await(cluster: Cluster, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not (now := health.ask(cluster)).whole:
        dead = [daemon for daemon in cluster.daemons.values() if _is_dead(cluster, daemon)]
        if dead:
            raise ClusterFailed(f"{dead[0].name} ended; its log {dead[0].log} ends:\n{tail(Path(dead[0].log))}")
        if time.monotonic() > until:
            raise ClusterFailed(
                f"not ready after {seconds:.0f} s ({now}); see {cluster.folder}/logs, or give --wait more"
            )
        time.sleep(0.2)


def _is_dead(cluster: Cluster, daemon: Daemon) -> bool:
    # For an instant after the fork a process still shows this program's environment.
    return not processes.is_marked(daemon.pid, cluster.mark) and not Path(f"/proc/{daemon.pid}/exe").exists()


def _tear_down(cluster: Cluster) -> None:
    pids = {name: daemon.pid for name, daemon in cluster.daemons.items()}
    # Nodes first: a NodeManager that ends in peace takes its containers with it.
    processes.end([pid for name, pid in pids.items() if name.startswith("nodemanager")], cluster.mark)
    processes.end([pid for name, pid in pids.items() if not name.startswith("nodemanager")], cluster.mark)
    processes.end_all(cluster.mark)
    if cluster.form == "hosts":
        network.remove(cluster.nodes, cluster.mark)
    for node in cluster.nodes:
        shutil.rmtree(Path(cluster.folder, "data", node, "containers"), ignore_errors=True)
    record_path(Path(cluster.folder)).unlink(missing_ok=True)


def _refuse_second(folder: Path, say: Say) -> None:
    cluster = load(folder)
    if not cluster:
        return
    alive = [daemon for daemon in cluster.daemons.values() if processes.is_marked(daemon.pid, cluster.mark)]
    if alive:
        pids = ", ".join(f"{daemon.name} {daemon.pid}" for daemon in alive)
        raise InputError(f"a cluster runs in {folder} already ({pids}): stop it first, or give another --folder")
    say(f"cleaning up after a cluster in {folder} that was not stopped")
    _tear_down(cluster)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One command at a time may change a folder's cluster; others are refused."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"another dev_cluster.sh is starting or stopping the cluster in {folder}: wait for it"
            ) from error
        yield


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else "(no log)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
