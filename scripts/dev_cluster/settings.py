"""The configuration of the cluster, for its daemons and its clients alike."""

from __future__ import annotations

import getpass
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from scripts.dev_cluster.cluster import MARK, QUEUES, Cluster, Sizes

LOG4J = """\
log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
"""
# What containers take over from their NodeManager: the node's own address, or all would announce the machine's first.
PASSED_ON = ("JAVA_HOME", "PATH", "LANG", "TZ", "SPARK_LOCAL_IP", "SPARK_LOCAL_HOSTNAME", MARK)


def write(cluster: Cluster, sizes: Sizes) -> Path:
    """Write `conf/`, which serves as HADOOP_CONF_DIR and YARN_CONF_DIR."""
    conf = Path(cluster.folder, "conf")
    conf.mkdir(parents=True, exist_ok=True)
    files = {"core": core(cluster), "hdfs": hdfs(cluster), "yarn": yarn(cluster, sizes)}
    for name, values in files.items():
        _xml(conf / f"{name}-site.xml", values)
    _xml(conf / "capacity-scheduler.xml", scheduler())
    # Beside, not inside: Spark ships all of HADOOP_CONF_DIR to its application master.
    Path(cluster.folder, "log4j.properties").write_text(LOG4J, encoding="utf-8")
    return conf


def core(cluster: Cluster) -> dict[str, str]:
    """core-site.xml."""
    return {
        "fs.defaultFS": cluster.hdfs,
        "hadoop.tmp.dir": f"{cluster.folder}/data/tmp",
        # The REST API's anonymous caller may do what the user may: reachable from this machine alone.
        "hadoop.http.staticuser.user": getpass.getuser(),
    }


def hdfs(cluster: Cluster) -> dict[str, str]:
    """hdfs-site.xml: two copies, and a data node missed after seconds, not after ten minutes."""
    return {
        "dfs.replication": "2",
        "dfs.namenode.name.dir": f"file://{cluster.folder}/data/master/name",
        "dfs.namenode.rpc-address": cluster.addresses["namenode.rpc"],
        "dfs.namenode.http-address": cluster.addresses["namenode.http"],
        "dfs.namenode.datanode.registration.ip-hostname-check": "false",
        "dfs.namenode.safemode.extension": "0",
        # Lost after 2 × recheck + 10 × heartbeat = 20 s.
        "dfs.namenode.heartbeat.recheck-interval": "5000",
        "dfs.heartbeat.interval": "1",
        # By hostname, which is each data node's own address: on loopback the name node sees both as 127.0.0.1.
        "dfs.client.use.datanode.hostname": "true",
        "dfs.datanode.use.datanode.hostname": "true",
        # With two data nodes there is no third to replace one by; a pipeline goes on with the other.
        "dfs.client.block.write.replace-datanode-on-failure.policy": "NEVER",
        "dfs.blocksize": str(32 << 20),
    }


def yarn(cluster: Cluster, sizes: Sizes) -> dict[str, str]:
    """yarn-site.xml."""
    at = cluster.addresses
    rm = "yarn.resourcemanager"
    return {
        f"{rm}.hostname": cluster.nodes["master"].address,
        f"{rm}.address": at["resourcemanager.client"],
        f"{rm}.scheduler.address": at["resourcemanager.scheduler"],
        f"{rm}.resource-tracker.address": at["resourcemanager.tracker"],
        f"{rm}.admin.address": at["resourcemanager.admin"],
        f"{rm}.webapp.address": at["resourcemanager.http"],
        f"{rm}.connect.retry-interval.ms": "500",  # 30 s otherwise: the daemons start all at once
        f"{rm}.nodemanagers.heartbeat-interval-ms": "200",
        f"{rm}.am.max-attempts": "2",
        "yarn.nm.liveness-monitor.expiry-interval-ms": "20000",
        **_node_manager(sizes),
        "yarn.scheduler.minimum-allocation-mb": "256",
        "yarn.scheduler.maximum-allocation-mb": str(sizes.memory),
        "yarn.scheduler.maximum-allocation-vcores": str(sizes.vcores),
        "yarn.log-aggregation-enable": "true",
        "yarn.nodemanager.remote-app-log-dir": "/yarn-logs",
        "yarn.acl.enable": "true",
        "yarn.admin.acl": getpass.getuser(),
    }


def _node_manager(sizes: Sizes) -> dict[str, str]:
    return {
        "yarn.nodemanager.resource.memory-mb": str(sizes.memory),
        "yarn.nodemanager.resource.cpu-vcores": str(sizes.vcores),
        "yarn.nodemanager.vmem-check-enabled": "false",  # Java 17 and TensorFlow reserve far more than they touch
        "yarn.nodemanager.env-whitelist": ",".join(PASSED_ON),
        # A developer's disk is often fuller than the 90 % at which a node calls itself unhealthy.
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "99",
        "yarn.nodemanager.delete.debug-delay-sec": "0",
    }


def scheduler() -> dict[str, str]:
    """capacity-scheduler.xml: two queues, each of which may take the whole cluster while the other is idle."""
    prefix = "yarn.scheduler.capacity"
    values = {
        f"{prefix}.resource-calculator": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
        f"{prefix}.maximum-am-resource-percent": "0.5",
        f"{prefix}.root.queues": ",".join(QUEUES),
    }
    for queue in QUEUES:
        own = {"capacity": "50", "maximum-capacity": "100", "user-limit-factor": "2", "state": "RUNNING"}
        values |= {f"{prefix}.root.{queue}.{name}": value for name, value in own.items()}
    return values


def _xml(path: Path, values: Mapping[str, str]) -> None:
    root = ET.Element("configuration")
    for name, value in values.items():
        entry = ET.SubElement(root, "property")
        ET.SubElement(entry, "name").text = name
        ET.SubElement(entry, "value").text = value
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="unicode", xml_declaration=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("\n")
