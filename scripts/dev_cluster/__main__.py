"""The command line of scripts/dev_cluster.sh."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scripts.dev_cluster import failures, health, lifecycle, processes
from scripts.dev_cluster.cluster import Cluster, Sizes, load
from spark_jobs.installation import CHECKOUT
from textmill.errors import InputError, TextmillError


def main() -> None:
    """Exit 0 done, 1 it failed or nothing runs, 2 the input is wrong, 130 interrupted."""
    asked = parser().parse_args()
    asked.folder = asked.folder.resolve()
    try:
        sys.exit(asked.verb(asked))
    except TextmillError as error:
        print(f"dev_cluster: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("dev_cluster: interrupted", file=sys.stderr)
        sys.exit(130)


def parser() -> argparse.ArgumentParser:
    """All verbs and options."""
    root = argparse.ArgumentParser(prog="dev_cluster.sh", description="YARN and HDFS on this machine, for development.")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--folder", type=Path, default=CHECKOUT / ".cluster", help="all of the cluster (.cluster)")
    verbs = root.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, does: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, parents=[shared], help=does, description=does)
        made.set_defaults(verb=globals()[name])
        return made

    begin = verb("start", "Start all daemons and wait until HDFS takes writes and YARN has two nodes.")
    begin.add_argument("--hosts", action="store_true", help="a network namespace for each node; root only")
    begin.add_argument("--memory", type=int, default=Sizes.memory, metavar="MIB", help="of each node (%(default)s)")
    begin.add_argument("--vcores", type=int, default=Sizes.vcores, help="of each node (%(default)s)")
    begin.add_argument("--wait", type=float, default=120, metavar="SECONDS", help="at most this long (%(default)s)")
    verb("stop", "End every process of the cluster; its files stay.")
    verb("status", "Say what runs, with the web addresses.")
    some = verb("logs", "Show the end of a daemon's log, or of all.")
    some.add_argument("daemon", nargs="?")
    some.add_argument("number", nargs="?", type=int)
    some.add_argument("-n", "--lines", type=int, default=20)
    for name, does in (
        ("kill", "SIGKILL a daemon, executor N, appmaster N or node N."),
        ("restart", "Start a daemon again."),
    ):
        chosen = verb(name, does)
        chosen.add_argument("daemon", metavar="WHAT", help="namenode, nodemanager 1, executor 1, appmaster, node 2 …")
        chosen.add_argument("number", nargs="?", type=int)
    return root


def start(asked: argparse.Namespace) -> int:
    """`start`."""
    sizes = Sizes(asked.memory, asked.vcores)
    cluster = lifecycle.start(asked.folder, on_hosts=asked.hosts, sizes=sizes, wait=asked.wait, say=print)
    print(f"ResourceManager {cluster.web('resourcemanager')}\nNameNode        {cluster.web('namenode')}")
    print(f"HDFS            {cluster.hdfs}\nuse it with     source {asked.folder}/env.sh")
    return 0


def stop(asked: argparse.Namespace) -> int:
    """`stop`."""
    lifecycle.stop(asked.folder, print)
    return 0


def status(asked: argparse.Namespace) -> int:
    """`status`: exit 1 unless the cluster is whole."""
    cluster = load(asked.folder)
    if not cluster:
        print(f"no cluster in {asked.folder}")
        return 1
    for daemon in cluster.daemons.values():
        pid = str(daemon.pid) if processes.is_marked(daemon.pid, cluster.mark) else "-"
        print(f"{daemon.name:16} {pid:>8}  {cluster.nodes[daemon.node].address:15} {daemon.web}")
    for container in failures.containers(cluster):
        print(f"{container.main.rpartition('.')[2]:34} {container.pid:>8}  {container.node:15} {container.name}")
    now = health.ask(cluster)
    print(f"{cluster.hdfs}\n{now}")
    return 0 if now.whole else 1


def logs(asked: argparse.Namespace) -> int:
    """`logs`: also of a cluster that is stopped."""
    if asked.daemon:
        chosen = [asked.folder / "logs" / f"{failures.daemon_name(asked.daemon, asked.number)}.log"]
    else:
        chosen = sorted((asked.folder / "logs").glob("*.log"))
    for log in chosen:
        print(f"{log}\n{lifecycle.tail(log, asked.lines)}")
    return 0 if chosen else 1


def kill(asked: argparse.Namespace) -> int:
    """`kill`."""
    print(failures.kill(_running(asked.folder), asked.daemon, asked.number))
    return 0


def restart(asked: argparse.Namespace) -> int:
    """`restart`."""
    name = failures.daemon_name(asked.daemon, asked.number)
    changed = failures.restart(_running(asked.folder), asked.daemon, asked.number)
    print(f"started {name}, pid {changed.daemons[name].pid}")
    return 0


def _running(folder: Path) -> Cluster:
    cluster = load(folder)
    if not cluster:
        raise InputError(f"no cluster in {folder}: dev_cluster.sh start --folder {folder}")
    return cluster


if __name__ == "__main__":
    main()
