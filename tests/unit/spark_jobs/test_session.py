"""The settings of a session, whatever the paths and the master; no Spark."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from spark_jobs import class_archive, doors, installation, session

ODD = "/my project [v2] {a} #1 100% 한글 'q' \"q\" & ;?*\\"


def conf(master: str, submitted: dict[str, str] | None = None, **given: str) -> dict[str, str]:
    """The settings that a session would have."""
    settings = session.SparkSettings(master, "1g", given)
    return session._conf(settings, submitted or {}, Path(ODD, "spark.log"), Path(ODD, "textmill.jar"))


def test_paths_in_javas_options_are_whole_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = tmp_path / "an archive 'of' classes.jsa"
    archive.touch()
    monkeypatch.setattr(class_archive, "path", lambda: archive)
    options = shlex.split(conf("local[2]")["spark.driver.defaultJavaOptions"])
    assert f"-Dtextmill.log={ODD}/spark.log" in options
    assert f"-XX:SharedArchiveFile={archive}" in options


def test_a_colon_in_the_path_of_the_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installation.misplaced() is None
    monkeypatch.setattr(installation, "CHECKOUT", Path("/a:b/textmill"))
    assert "'/a:b/textmill': Java and Python split paths at `:`" in str(installation.misplaced())


def test_local_masters_listen_on_loopback_and_have_a_secret_off_the_command_line() -> None:
    for master in ("local[2]", "local-cluster[2,1,1024]"):
        found = conf(master)
        assert found["spark.driver.bindAddress"] == found["spark.driver.host"] == "127.0.0.1"
        assert found["spark.authenticate"] == found["spark.network.crypto.enabled"] == "true"
    secret = found[doors.SECRET]
    assert len(secret) == 64
    assert conf("local-cluster[2,1,1024]")[doors.SECRET] != secret
    public = doors.public({**found, "spark.hadoop.fs.s3a.access.key": secret, "spark.ssl.keyPassword": secret})
    assert secret not in public.values()
    assert public.keys() >= {"spark.master", "spark.authenticate", "spark.driver.extraClassPath"}


def test_what_is_given_goes_first_and_clusters_are_left_to_their_owners() -> None:
    for master in ("yarn", "spark://host:7077"):
        assert not conf(master).keys() & {"spark.authenticate", "spark.driver.host", doors.SECRET}
    off = conf("local-cluster[2,1,1024]", **{"spark.authenticate": "false"})
    assert off["spark.authenticate"] == "false"
    assert not off.keys() & {"spark.network.crypto.enabled", doors.SECRET}
    assert off["spark.driver.bindAddress"] == "127.0.0.1"
    assert conf("local[2]", **{"spark.driver.host": "10.0.0.1"})["spark.driver.host"] == "10.0.0.1"


def test_pages_of_local_masters_are_on_loopback_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_LOCAL_IP", raising=False)
    with doors.on_loopback("local-cluster[2,1,1024]"):
        assert os.environ["SPARK_LOCAL_IP"] == "127.0.0.1"
    with doors.on_loopback("yarn"):
        assert "SPARK_LOCAL_IP" not in os.environ
    monkeypatch.setenv("SPARK_LOCAL_IP", "10.0.0.1")
    with doors.on_loopback("local[2]"):
        assert os.environ["SPARK_LOCAL_IP"] == "10.0.0.1"
