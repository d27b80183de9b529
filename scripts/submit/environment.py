"""What is uploaded once and used by every application after: the Python environment and Spark's jars."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import pyspark

from scripts.submit.hadoop import SPARK_HOME, Hadoop
from spark_jobs import installation
from textmill.errors import EnvironmentProblem

Say = Callable[[str], None]
Make = Callable[[Path], None]
# Spark's jars go by themselves, for the driver's JVM; an editable installation points into this checkout.
NOT_PACKED = ("*/pyspark/jars/*", "*/__editable__*")


def environment_name() -> str:
    """`environment-KEY.tar.gz`: the key is made of requirements.lock and of what is installed."""
    installed = sorted({f"{package.name}=={package.version}" for package in distributions()})
    lock = (installation.CHECKOUT / "requirements.lock").read_bytes()
    return f"environment-{hashlib.sha256(lock + chr(10).join(installed).encode()).hexdigest()[:12]}.tar.gz"


def spark_name() -> str:
    """`spark-VERSION.zip`."""
    return f"spark-{pyspark.__version__}.zip"


def ensure(hadoop: Hadoop, uri: str, make: Make, cache: Path, say: Say) -> str:
    """`uri`, made by `make` and uploaded where it is not on the cluster yet."""
    if hadoop.exists(uri):
        return uri
    local = cache / uri.rpartition("/")[2]
    if not local.is_file():
        say(f"packing {local.name}, once")
        cache.mkdir(parents=True, exist_ok=True)
        beside = local.with_name(f"new-{local.name}")
        make(beside)
        beside.replace(local)
    say(f"uploading {local.name} ({local.stat().st_size >> 20} MiB) to {uri}, once")
    hadoop.put(local, uri)
    local.unlink()
    return uri


def pack_environment(target: Path) -> None:
    """The running virtual environment as a tar file that works wherever the same Python is installed.

    Raises EnvironmentProblem outside of a virtual environment, and where venv-pack is missing.
    """
    try:
        import venv_pack
    except ImportError as error:
        hint = "pip install venv-pack, or name an interpreter that all nodes have by --python"
        raise EnvironmentProblem(f"packing the Python environment needs venv-pack: {hint}") from error
    try:
        env = venv_pack.Env(os.path.realpath(sys.prefix))
        for pattern in NOT_PACKED:
            env = env.exclude(pattern)
        env.pack(str(target), format="tar.gz", compress_level=1, force=True)
    except venv_pack.VenvPackException as error:
        raise EnvironmentProblem(f"{sys.prefix} can't be packed: {error}") from error


def pack_spark(target: Path) -> None:
    """Spark's jars, not compressed a second time."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for jar in sorted((SPARK_HOME / "jars").glob("*.jar")):
            archive.write(jar, jar.name)
