"""What is left in the folder for people and programs: env.sh, and `hdfs` and `yarn` commands."""

from __future__ import annotations

import shlex
from pathlib import Path

from scripts.dev_cluster.cluster import Cluster
from scripts.dev_cluster.daemons import java
from spark_jobs import installation

_COMMANDS = {
    "hdfs": {
        "dfs": "org.apache.hadoop.fs.FsShell",
        "dfsadmin": "org.apache.hadoop.hdfs.tools.DFSAdmin",
        "fsck": "org.apache.hadoop.hdfs.tools.DFSck",
    },
    "yarn": {
        "application": "org.apache.hadoop.yarn.client.cli.ApplicationCLI application",
        "app": "org.apache.hadoop.yarn.client.cli.ApplicationCLI app",
        "logs": "org.apache.hadoop.yarn.client.cli.LogsCLI",
        "node": "org.apache.hadoop.yarn.client.cli.NodeCLI",
        "queue": "org.apache.hadoop.yarn.client.cli.QueueCLI",
        "rmadmin": "org.apache.hadoop.yarn.client.cli.RMAdminCLI",
    },
}


def write(cluster: Cluster) -> None:
    """Write env.sh and bin/."""
    folder = Path(cluster.folder)
    (folder / "env.sh").write_text(environment(cluster), encoding="utf-8")
    (folder / "bin").mkdir(exist_ok=True)
    for name, verbs in _COMMANDS.items():
        path = folder / "bin" / name
        path.write_text(command(cluster, name, verbs), encoding="utf-8")
        path.chmod(0o755)


def environment(cluster: Cluster) -> str:
    """A file for `source`."""
    conf = f"{cluster.folder}/conf"
    values = {
        "HADOOP_CONF_DIR": conf,
        "YARN_CONF_DIR": conf,
        "JAVA_HOME": str(installation.java()[0].parent.parent),
        # Where executors reach the driver of client mode.
        "SPARK_LOCAL_IP": cluster.gateway,
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join([*lines, f"export PATH={shlex.quote(cluster.folder + '/bin')}:$PATH", ""])


def command(cluster: Cluster, name: str, verbs: dict[str, str]) -> str:
    """A shell script that runs Hadoop's client of each verb."""
    cases = "\n".join(f"    {verb}) main='{main}' ;;" for verb, main in verbs.items())
    return f"""#!/bin/sh
case "${{1-}}" in
{cases}
    *) echo "usage: {name} {"|".join(verbs)} ARGUMENT…" >&2; exit 2 ;;
esac
shift
exec {shlex.join(java(cluster, 256))} $main "$@"
"""
