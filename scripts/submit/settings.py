"""What may be asked of YARN, and what a profile says where nothing is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """How an application is submitted."""

    mode: Literal["cluster", "client"] = "cluster"
    queue: str | None = None
    executors: int | None = None
    """A fixed number; None for as many as there is work, by dynamic allocation."""
    at_most: int | None = None
    """Of a dynamic allocation; None for any number."""
    cores: int = 1
    """Of each executor."""
    memory: str = "2g"
    """Heap of each executor."""
    driver_memory: str = "2g"
    python: str | None = None
    """An interpreter that every node has; None to ship this one's environment."""
    keytab: Path | None = None
    principal: str | None = None
    conf: tuple[tuple[str, str], ...] = field(default=())
    """Any other setting of Spark; the last word."""


@dataclass(frozen=True)
class Shipped:
    """Files that go to every container: local paths, or URIs of what is on the cluster's file system already."""

    application: str
    code: str
    jar: str
    """The jar on this machine, for a driver that runs here."""
    definition: str | None = None
    environment: str | None = None
    spark: str | None = None
    """Archive of Spark's jars; None to leave it to spark-submit."""
