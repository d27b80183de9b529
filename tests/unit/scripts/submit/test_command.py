"""The spark-submit command that is built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from scripts.submit.command import build
from scripts.submit.settings import Settings, Shipped

SHIPPED = Shipped("/app.py", "/code.zip", "/t.jar", "/definition.zip", "hdfs://nn/env.tar.gz", "hdfs://nn/spark.zip")


ASKED = Settings()


def built(settings: Settings = ASKED, shipped: Shipped = SHIPPED, **environ: str) -> list[str]:
    return build("spark-submit", settings, shipped, "textmill run", "tag", environ, ["run", "definition/a.yaml"])


def conf(words: list[str]) -> dict[str, str]:
    """The --conf settings; the last of a key holds, as for spark-submit."""
    pairs = [words[at + 1] for at, word in enumerate(words) if word == "--conf"]
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def option(words: list[str], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def test_the_program_and_its_words_come_last() -> None:
    app, *words = built(A='"$x"')[-4:]
    assert (app, [unquote(word) for word in words]) == ("/app.py", ['{"A": "\\"$x\\""}', "run", "definition/a.yaml"])
    assert words[1:] == ["run", "definition/a.yaml"]


def test_archives_are_unpacked_under_the_names_that_the_settings_use() -> None:
    words = built()
    archives = "/code.zip#textmill_code,/definition.zip#definition,hdfs://nn/env.tar.gz#environment"
    assert option(words, "--archives") == archives
    assert conf(words)["spark.executorEnv.PYTHONPATH"] == "textmill_code"
    assert conf(words)["spark.yarn.appMasterEnv.PYSPARK_PYTHON"] == "environment/bin/python"
    assert conf(words)["spark.driver.extraClassPath"] == "textmill_code/textmill/jars/textmill.jar"


def test_a_given_interpreter_takes_the_place_of_the_shipped_environment() -> None:
    words = built(Settings(python="/opt/python"), replace(SHIPPED, environment=None))
    assert "environment" not in str(option(words, "--archives"))
    assert conf(words)["spark.executorEnv.PYSPARK_PYTHON"] == "/opt/python"
    assert conf(words)["spark.yarn.appMasterEnv.PYSPARK_PYTHON"] == "/opt/python"


def test_queue_sizes_and_kerberos_are_passed_on() -> None:
    settings = Settings(queue="training", executors=13, cores=8, memory="22g", driver_memory="4g")
    words = built(replace(settings, keytab=Path("/k.keytab"), principal="me@X"))
    expected = {"--queue": "training", "--num-executors": "13", "--executor-cores": "8", "--executor-memory": "22g",
                "--driver-memory": "4g", "--keytab": "/k.keytab", "--principal": "me@X"}  # fmt: skip
    assert {name: option(words, name) for name in expected} == expected


def test_what_is_not_asked_is_left_to_the_cluster() -> None:
    words = built()
    assert not {"--queue", "--num-executors", "--keytab", "--principal"} & set(words)


def test_executors_are_allocated_dynamically_unless_their_number_is_given() -> None:
    assert conf(built())["spark.dynamicAllocation.enabled"] == "true"
    assert conf(built())["spark.dynamicAllocation.shuffleTracking.enabled"] == "true"
    assert conf(built(Settings(executors=2)))["spark.dynamicAllocation.enabled"] == "false"


def test_a_setting_given_by_hand_has_the_last_word() -> None:
    assert conf(built(Settings(conf=(("spark.yarn.maxAppAttempts", "3"),))))["spark.yarn.maxAppAttempts"] == "3"


def test_in_client_mode_nothing_is_set_for_a_driver_on_yarn() -> None:
    words = built(Settings(mode="client"), replace(SHIPPED, definition=None))
    assert not [key for key in conf(words) if key.startswith("spark.yarn.appMasterEnv")]
    assert conf(words)["spark.driver.extraClassPath"] == "/t.jar"
    assert option(words, "--deploy-mode") == "client"
