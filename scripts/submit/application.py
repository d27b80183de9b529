"""The program that spark-submit starts: textmill's command line, after the variables it is given as one JSON word.

As a word, because YARN writes environment variables into a shell script without quoting what is in them.
"""

import json
import os
import sys


def main() -> None:
    """Run the command line, and leave its exit code for YARN to see."""
    os.environ.update(json.loads(sys.argv.pop(1)))
    from pipelines.cli import main as textmill

    try:
        textmill()
    finally:
        if "CONTAINER_ID" in os.environ:
            _register()


def _register() -> None:
    """Start Spark if the program did not need it: its application master counts as failed where it never registers."""
    from pyspark import SparkContext

    if SparkContext._jvm is None:
        SparkContext.getOrCreate().stop()


if __name__ == "__main__":
    main()
