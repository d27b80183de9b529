"""What to change, from what YARN and Spark say of a failure."""

from __future__ import annotations

import pytest

from scripts.submit.hints import hint


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("/bin/bash: line 1: /none/bin/java: No such file or directory", "JAVA_HOME=DIR"),
        ("java.lang.UnsupportedClassVersionError: io/textmill/X has been compiled", "Java 11 or 17"),
        ("Max number of executor failures (4) reached", "--python"),
        ('java.io.IOException: Cannot run program "environment/bin/python": error=2', "--python"),
        ("Application submitted to unknown queue: nowhere", "--queue"),
        ("Required executor memory (9000 MB) is above the max threshold (5120 MB)", "--memory"),
        ("java.io.FileNotFoundException: File does not exist: hdfs://nn:1/user/x/spark-1.zip", "submit again"),
    ],
)
def test_the_line_to_change_is_named(said: str, advice: str) -> None:
    assert advice in str(hint(said, {}))


def test_a_missing_file_that_was_given_by_hand_names_its_option() -> None:
    said = "File does not exist: hdfs://nn:1/lib/jars.zip"
    hostless = "java.io.IOException: Incomplete HDFS URI, no host: hdfs:///lib/jars.zip"
    assert "--conf spark.yarn.archive (it names no host" in str(hint(hostless, {"spark.yarn.archive": "hdfs:///lib/jars.zip"}))
    assert "--conf spark.yarn.archive" in str(hint(said, {"spark.yarn.archive": "hdfs:///lib/jars.zip"}))


def test_other_failures_have_no_hint() -> None:
    assert hint("ERROR boom", {}) is None
