"""What to change, for failures of YARN and Spark whose own words do not say it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_JAVA = (
    "textmill needs Java 11 or 17 on every node: name one by --conf spark.yarn.appMasterEnv.JAVA_HOME=DIR "
    "--conf spark.executorEnv.JAVA_HOME=DIR"
)
_HINTS = {
    r"/bin/java: (No such file|not found|cannot execute)": f"the nodes have no Java where JAVA_HOME says. {_JAVA}",
    r"UnsupportedClassVersionError|class file version": f"the nodes' Java is too old for the jar. {_JAVA}",
    r"Max number of executor failures": (
        f"executors end as they start; `yarn logs` of one tells why. Often it is their Java or Python. {_JAVA}; "
        "and an interpreter that all nodes have by --python"
    ),
    r'Cannot run program "[^"]*(python|environment/bin)': (
        "the nodes lack this interpreter: name one that all have by --python, or leave --python out to ship this one"
    ),
    r"unknown queue": "name a queue of this cluster by --queue or profiles.NAME.spark.queue",
    r"is above the max threshold": (
        "ask for less by --memory, --driver-memory or --cores (profiles.NAME.spark.memory, .cores): a container must fit a node"
    ),
    r"Invalid resource request": "ask for less by --memory, --driver-memory or --cores: a container must fit a node",
}
_MISSING = re.compile(
    r"(?:File does not exist:|File)\s+(?P<file>\w+:/\S+?)(?:\s+does not exist|[\s,;.]*$)", re.MULTILINE
)


def hint(said: str, conf: Mapping[str, str]) -> str | None:
    """The line to change after a failure that said this; `conf` are the settings of Spark that were given by hand."""
    if missing := _MISSING.search(said):
        return _missing(missing["file"], conf)
    if hostless := re.search(r"Incomplete HDFS URI, no host: (\S+)", said):
        return f"{_missing(hostless[1], conf)} (it names no host, and the cluster's default file system is no HDFS)"
    return next((advice for pattern, advice in _HINTS.items() if re.search(pattern, said)), None)


def room(kind: str, queue: str) -> str:
    """What to change where containers of this kind do not come."""
    less = "--driver-memory" if kind == "application master" else "--executors, --memory or --cores"
    return (
        f"queue {queue} has no room for it, or no node is large enough; ask for less by {less}, or name another queue by "
        "--queue (profiles.NAME.spark.queue)"
    )


def _missing(file: str, conf: Mapping[str, str]) -> str:
    path = re.sub(r"^\w+:/+[^/]*(?=/)", "", file)
    named = [key for key, value in conf.items() if path.rpartition("/")[2] in value]
    if named:
        return f"{file} is missing: change or leave out --conf {named[0]}"
    return f"{file} is missing: submit again, what is not on the cluster is packed and uploaded anew"
