"""The Spark session and its settings."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING

from spark_jobs import class_archive, doors, installation
from textmill.errors import EnvironmentProblem

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class SparkSettings:
    """Where Spark runs and with how much of the machine."""

    master: str = "local[*]"
    memory: str = "2g"
    conf: Mapping[str, str] = field(default_factory=dict)


# The layout of an output must depend on the data alone, never on cores, timing or which node was free: adaptive
# execution picks partition counts from measured sizes, and file splits follow the cores unless told not to.
_DETERMINISTIC = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.files.minPartitionNum": "4",
    "spark.sql.files.maxPartitionBytes": "32m",
    "spark.sql.maxConcurrentOutputFileWriters": "64",
    "spark.sql.sources.partitionOverwriteMode": "static",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    # Parquet shrinks row groups when all open writers together outgrow its share of the heap: with small groups they
    # never do, and files come out the same on any executor.
    "spark.hadoop.parquet.block.size": str(16 << 20),
    "spark.hadoop.parquet.memory.min.chunk.size": str(1 << 20),
}
# Most of what a driver runs in a short run it runs a few thousand times. Ten times HotSpot's thresholds leave the cores to
# the work, where the optimizing compiler would take one of two; what rows go through is still compiled within a second.
_COMPILED_LATE = (
    "-XX:Tier4InvocationThreshold=50000", "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000", "-XX:Tier4BackEdgeThreshold=400000",
)  # fmt: skip
_DEFAULTS = {
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
}


def start(settings: SparkSettings, log: Path, name: str = "textmill") -> SparkSession:
    """A session that logs to `log` alone. Raises EnvironmentProblem where Java or the jar is missing or misplaced."""
    java, _ = installation.java()
    code = installation.jar()
    if problem := installation.misplaced():
        raise EnvironmentProblem(problem)
    os.environ["JAVA_HOME"] = str(java.parent.parent)
    log.parent.mkdir(parents=True, exist_ok=True)
    with _noise_to(log):
        submitted = _submitted()
        session = _session(_conf(settings, submitted, log, code), name)
    if not is_local(session.sparkContext.master) and "spark.jars" not in submitted:
        # Not by the setting spark.jars: spark-submit takes each of its entries for a pattern, where [v2] is no folder.
        session.sparkContext._jsc.sc().addJar(code.as_uri())  # noqa: SLF001
    return session


def is_local(master: str) -> bool:
    """Whether Spark's master is this process alone."""
    return re.match(r"local(\[|$)", master) is not None


def _conf(settings: SparkSettings, submitted: Mapping[str, str], log: Path, code: Path) -> dict[str, str]:
    """What spark-submit was given goes before what the profile says, but for what the bytes of outputs depend on."""
    master = submitted.get("spark.master", settings.master)
    if master.startswith("local"):
        os.environ["PYSPARK_PYTHON"] = sys.executable  # else Spark's Python workers are whatever python3 is on the PATH
    log4j = Path(__file__).with_name("log4j2.properties")
    options = [f"-Dlog4j2.configurationFile={log4j.as_uri()}", f"-Dtextmill.log={log.resolve()}", "-XX:+UseParallelGC"]
    options += [*_COMPILED_LATE, *class_archive.options()]
    return {
        **_DEFAULTS,
        **_DETERMINISTIC,
        "spark.master": master,
        "spark.driver.memory": settings.memory,
        # It goes before the profile's extraJavaOptions and is not lost by them; Spark splits it as a shell does.
        "spark.driver.defaultJavaOptions": shlex.join(options),
        "spark.driver.extraClassPath": os.pathsep.join(map(str, [code, *installation.s3_jars()])),
        **_s3(os.environ),
        **doors.settings(master, {**settings.conf, **submitted}),
        **settings.conf,
        **{key: value for key, value in submitted.items() if key not in _DETERMINISTIC},
    }


def _s3(environ: Mapping[str, str]) -> dict[str, str]:
    """Where S3 is, told to Spark by the same variables as to Python's client; keys it finds in them by itself."""
    prefix, found = "spark.hadoop.fs.s3a.", {}
    if endpoint := environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL"):
        # Names of buckets as names of hosts are for Amazon's own service alone.
        found |= {f"{prefix}endpoint": endpoint, f"{prefix}path.style.access": "true"}
    if region := environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"):
        found[f"{prefix}endpoint.region"] = region
    return found


def _submitted() -> dict[str, str]:
    """The settings of the spark-submit that started this program; none where it was started otherwise."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return {}
    from pyspark import SparkConf, SparkContext

    SparkContext._ensure_initialized()  # only through the JVM that was started does SparkConf know them
    return dict(SparkConf().getAll())


def _session(conf: Mapping[str, str], name: str) -> SparkSession:
    from pyspark import accumulators
    from pyspark.sql import SparkSession

    accumulators.AccumulatorServer = _Accumulators.beside(accumulators.AccumulatorServer)
    with doors.on_loopback(conf["spark.master"]):
        _launch(doors.public(conf))
    builder = SparkSession.builder.appName(name)
    for key, value in conf.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _launch(conf: Mapping[str, str]) -> None:
    """Start the JVM, unless one runs. pyspark puts all settings that it knows by then on the command line of it."""
    from pyspark import SparkConf, SparkContext

    SparkContext._ensure_initialized(conf=SparkConf(loadDefaults=False).setAll(list(conf.items())))


class _Accumulators(ThreadingMixIn):
    """Python's end of Spark's accumulators, which the JVM calls: one caller at a time in pyspark.

    So somebody who connects first and says nothing would stop every job of the session.
    """

    daemon_threads = True

    @classmethod
    def beside(cls, server: type) -> type:
        """`server` with a thread for each caller."""
        return server if issubclass(server, cls) else type("AccumulatorServer", (cls, server), {})

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller without the token is hung up on; pyspark would print a traceback."""


@contextmanager
def _noise_to(log: Path) -> Iterator[None]:
    """The JVM inherits standard error as it starts, and writes to it before its logging is set up."""
    saved = os.dup(2)
    with log.open("ab") as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
