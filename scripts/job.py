"""The program that spark-submit starts: `textmill` with the same words, for example `run DEFINITION --only STEP`.

Submitted alone it wants `--py-files textmill.zip --jars textmill.jar` (docs/cluster.md); scripts/submit.sh does all that.
"""

import atexit
import json
import os
import shutil
import sys
import tempfile
import zipfile
from urllib.parse import unquote

_ENCODED = "%7B"
"""How an object of JSON begins."""


def main() -> None:
    """Run the command line, and leave its exit code for YARN to see.

    A first word of percent-encoded JSON holds variables, and the others are encoded too: YARN writes variables of the
    environment into a shell script without quoting them, and words with little of it (textmill/quoting.py).
    """
    if sys.argv[1:2] and sys.argv[1].startswith(_ENCODED):
        first, *words = (unquote(word, errors="surrogatepass") for word in sys.argv[1:])
        os.environ.update(json.loads(first))
        sys.argv[1:] = words
    _client_configuration()
    _unpack()
    from pipelines.cli import main as textmill

    try:
        textmill()
    finally:
        if "CONTAINER_ID" in os.environ:
            _register()


def _client_configuration() -> None:
    """Show the configuration that Spark ships to Java alone to our reader of HDFS too."""
    shipped = os.path.abspath("__spark_conf__/__hadoop_conf__")
    if os.path.isdir(shipped):
        os.environ["HADOOP_CONF_DIR"] = shipped


def _unpack() -> None:
    """Make files of the zip of --py-files: modules read what lies beside them, the jar among it."""
    for path in filter(zipfile.is_zipfile, filter(os.path.isfile, sys.path)):
        with zipfile.ZipFile(path) as code:
            if "textmill/__init__.py" in code.namelist():
                folder = tempfile.mkdtemp(prefix="textmill-")
                atexit.register(shutil.rmtree, folder, ignore_errors=True)
                code.extractall(folder)
                sys.path.insert(0, folder)
                return


def _register() -> None:
    """Start Spark if the program did not need it: its application master counts as failed where it never registers."""
    from pyspark import SparkContext

    if SparkContext._jvm is None:
        SparkContext.getOrCreate().stop()


if __name__ == "__main__":
    main()
