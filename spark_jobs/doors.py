"""Spark's doors: where it listens, and who is let in. docs/security.md has the table."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

LOOPBACK = "127.0.0.1"
SECRET = "spark.authenticate.secret"
_LOCAL_CLUSTER = "local-cluster["
_CONFIDENTIAL = re.compile(r"(?i)secret|password|token|access[.]?key")
"""Names of settings that Spark's own pages and logs hide too (spark.redaction.regex)."""
_LISTENS = {"spark.driver.host": LOOPBACK, "spark.driver.bindAddress": LOOPBACK}
_GUARDED = {
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.authEngineVersion": "2",
}


def settings(master: str, given: Mapping[str, str]) -> dict[str, str]:
    """What is set of a session unless it is `given`: loopback for local masters, and authentication of its processes.

    Spark makes the secret of `local[…]` itself; for local-cluster it is made here. Of other masters the cluster's
    owner decides: a standalone cluster has a secret of its own, and services of YARN must know of the authentication.
    """
    if not master.startswith("local"):
        return {}
    if "spark.authenticate" in given:
        return dict(_LISTENS)
    found = {**_LISTENS, **_GUARDED}
    if master.startswith(_LOCAL_CLUSTER):
        # Who could open its pages could end the application there.
        found |= {SECRET: secrets.token_hex(32), "spark.ui.killEnabled": "false"}
    return found


def public(conf: Mapping[str, str]) -> dict[str, str]:
    """The settings that may stand on a command line, which every user of the machine can read."""
    return {key: value for key, value in conf.items() if not _CONFIDENTIAL.search(key)}


@contextmanager
def on_loopback(master: str) -> Iterator[None]:
    """What a JVM that starts here opens for a local master, pages included, is on loopback: no setting says it."""
    name, given = "SPARK_LOCAL_IP", os.environ.get("SPARK_LOCAL_IP")
    if given is not None or not master.startswith("local"):
        yield
        return
    os.environ[name] = LOOPBACK
    try:
        yield
    finally:
        del os.environ[name]
