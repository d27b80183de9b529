"""The spark-submit command of an application: a pure function of what is asked and what is shipped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from scripts.submit.settings import Settings, Shipped
from textmill import quoting

# Names of the unpacked archives in a container's working folder.
CODE, DEFINITION, ENVIRONMENT = "textmill_code", "definition", "environment"
JAR_IN_CODE = "textmill/jars/textmill.jar"
# Spark ships the client configuration to every container, and shows it to Java alone: our reader of HDFS wants it too.
# Relative to the container's folder: pyspark hands these settings to Python workers as they are, so that YARN's own
# {{PWD}} would reach them unexpanded.
HADOOP_CONF = "__spark_conf__/__hadoop_conf__"


def build(
    program: str, settings: Settings, shipped: Shipped, name: str, tag: str, environ: Mapping[str, str],
    words: Sequence[str],
) -> list[str]:  # fmt: skip
    """The words of the command. `environ` goes to the program, `tag` is by which YARN finds the application again."""
    command = [program, "--master", "yarn", "--deploy-mode", settings.mode, "--name", name]
    for option, value in _options(settings, shipped).items():
        if value is not None:
            command += [option, value]
    for key, value in {**_conf(settings, shipped, tag), **dict(settings.conf)}.items():
        command += ["--conf", f"{key}={value}"]
    told = [json.dumps(dict(environ), ensure_ascii=False), *words]
    return [*command, shipped.application, *map(quoting.yarn, told)]


def _options(settings: Settings, shipped: Shipped) -> dict[str, str | None]:
    return {
        "--queue": settings.queue,
        "--num-executors": None if settings.executors is None else str(settings.executors),
        "--executor-cores": str(settings.cores),
        "--executor-memory": settings.memory,
        "--driver-memory": settings.driver_memory,
        "--keytab": None if settings.keytab is None else str(settings.keytab),
        "--principal": settings.principal,
        "--archives": ",".join(_archives(shipped)),
    }


def _archives(shipped: Shipped) -> list[str]:
    named = {CODE: shipped.code, DEFINITION: shipped.definition, ENVIRONMENT: shipped.environment}
    return [f"{path}#{name}" for name, path in named.items() if path is not None]


def _conf(settings: Settings, shipped: Shipped, tag: str) -> dict[str, str]:
    python = settings.python or f"{ENVIRONMENT}/bin/python"
    conf = {
        "spark.yarn.submit.waitAppCompletion": "false",
        "spark.yarn.tags": tag,
        # A second attempt would start the whole program again, and hide the first error: running again resumes.
        "spark.yarn.maxAppAttempts": "1",
        **_allocation(settings),
        "spark.executorEnv.PYTHONPATH": CODE,
        "spark.executorEnv.HADOOP_CONF_DIR": HADOOP_CONF,
        "spark.executorEnv.PYSPARK_PYTHON": python,
        "spark.executor.extraClassPath": f"{CODE}/{JAR_IN_CODE}",
    }
    conf["spark.driver.extraClassPath"] = f"{CODE}/{JAR_IN_CODE}" if settings.mode == "cluster" else shipped.jar
    if settings.mode == "cluster":
        conf["spark.yarn.appMasterEnv.PYTHONPATH"] = CODE
        conf["spark.yarn.appMasterEnv.PYSPARK_PYTHON"] = python
    if shipped.spark:
        conf["spark.yarn.archive"] = shipped.spark
    return conf


def _allocation(settings: Settings) -> dict[str, str]:
    if settings.executors is not None:
        return {"spark.dynamicAllocation.enabled": "false"}
    # By shuffle tracking: few clusters have the external shuffle service of this version of Spark.
    tracked = {"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.shuffleTracking.enabled": "true"}
    most = {} if settings.at_most is None else {"spark.dynamicAllocation.maxExecutors": str(settings.at_most)}
    return {**tracked, **most}
