"""BigDL's jars, and ours that is compiled against them, in the JVM of a session that runs already."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spark_jobs import installation

if TYPE_CHECKING:
    from pyspark import SparkContext

JAVA_SERIALIZER = "org.apache.spark.serializer.JavaSerializer"
"""BigDL broadcasts models whose fields Java's serialization alone restores."""


def jars() -> list[Path]:
    """The jars inside BigDL's wheels, which bring their native libraries; empty where they are not installed.

    The package itself is not imported: it would set PYTHONHOME, and needs modules that the wheel lacks.
    """
    found = importlib.util.find_spec("bigdl")
    folders = [Path(folder) for folder in (found.submodule_search_locations or ())] if found else []
    return sorted(jar for folder in folders for jar in folder.glob("share/*/lib/*.jar"))


def load(context: SparkContext) -> None:
    """Let driver and executors find the jars. Raises EnvironmentProblem where ours has not been built.

    At the end of the class path: BigDL's jar brings old versions of what Spark itself uses.
    """
    jvm: Any = context._jvm  # noqa: SLF001
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    given = {Path(jvm.java.io.File(url.toURI()).getPath()) for url in loader.getURLs()}
    for jar in [*jars(), installation.bigdl_jar()]:
        if jar not in given:
            loader.addURL(jvm.java.io.File(str(jar)).toURI().toURL())
            context._jsc.sc().addJar(jar.as_uri())  # noqa: SLF001
