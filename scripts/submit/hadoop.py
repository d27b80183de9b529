"""The cluster as its client configuration describes it, and Hadoop's own clients, which come with pyspark's jars."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyspark

from spark_jobs import installation
from textmill.errors import EnvironmentProblem, InputError, TextmillError

SPARK_HOME = Path(pyspark.__file__).parent


class HadoopFailed(TextmillError):
    """A client of Hadoop failed; carries what it said."""


@dataclass(frozen=True)
class Hadoop:
    """A client configuration: a folder with core-site.xml and yarn-site.xml."""

    conf: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Hadoop:
        """That of HADOOP_CONF_DIR or YARN_CONF_DIR; raises InputError where neither names one."""
        for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"):
            if folder := environ.get(name):
                if Path(folder, "yarn-site.xml").is_file():
                    return cls(Path(folder))
                raise InputError(f"{name}={folder} has no yarn-site.xml: set it to the cluster's client configuration")
        raise InputError(
            "which cluster? set HADOOP_CONF_DIR to the folder of its core-site.xml and yarn-site.xml "
            "(of a development cluster: source .cluster/env.sh)"
        )

    @cached_property
    def settings(self) -> dict[str, str]:
        """All of core-site.xml and yarn-site.xml."""
        found: dict[str, str] = {}
        for name in ("core-site.xml", "yarn-site.xml"):
            path = self.conf / name
            if path.is_file():
                for entry in ET.parse(path).getroot().iter("property"):
                    found[(entry.findtext("name") or "").strip()] = (entry.findtext("value") or "").strip()
        return found

    @property
    def file_system(self) -> str:
        """`fs.defaultFS`."""
        try:
            return self.settings["fs.defaultFS"].rstrip("/")
        except KeyError:
            raise InputError(f"{self.conf}/core-site.xml has no fs.defaultFS") from None

    def home(self, principal: str | None) -> str:
        """URI of the user's folder."""
        user = (principal or os.environ.get("HADOOP_USER_NAME") or getpass.getuser()).split("@")[0].split("/")[0]
        return f"{self.file_system}/user/{user}"

    def resource_managers(self) -> list[str]:
        """Addresses of the ResourceManager's REST API, more than one where it is made highly available."""
        prefix = "yarn.resourcemanager"
        secure = self.settings.get("yarn.http.policy", "").upper() == "HTTPS_ONLY"
        kind, port = ("webapp.https.address", 8090) if secure else ("webapp.address", 8088)
        ids = [f".{name.strip()}" for name in self.settings.get(f"{prefix}.ha.rm-ids", "").split(",") if name.strip()]
        found = []
        for suffix in ids or [""]:
            host = self.settings.get(f"{prefix}.hostname{suffix}")
            default = f"{host}:{port}" if host else None
            if address := self.settings.get(f"{prefix}.{kind}{suffix}", default):
                hostname = self.settings.get(f"{prefix}.hostname{suffix}", "")
                filled = address.replace("${yarn.resourcemanager.hostname}", hostname)
                found.append(f"{'https' if secure else 'http'}://{filled}")
        if not found:
            raise InputError(f"{self.conf}/yarn-site.xml names no yarn.resourcemanager.hostname or .webapp.address")
        return found

    def exists(self, uri: str) -> bool:
        """Whether a file is on the cluster's file system."""
        return self._client("org.apache.hadoop.fs.FsShell", "-test", "-e", uri).returncode == 0

    def put(self, local: Path, uri: str) -> None:
        """Upload a file: beside its place first, so that nobody sees a part of it."""
        shell, beside = "org.apache.hadoop.fs.FsShell", f"{uri}.{os.getpid()}"
        self._must(shell, "-mkdir", "-p", uri.rpartition("/")[0])
        self._must(shell, "-put", "-f", str(local), beside)
        moved = self._client(shell, "-mv", beside, uri)
        if moved.returncode and not self.exists(uri):
            raise HadoopFailed(f"{uri} can't be written: {moved.stderr.strip()}")

    def kill(self, application: str) -> None:
        """Have YARN end an application."""
        self._must("org.apache.hadoop.yarn.client.cli.ApplicationCLI", "application", "-kill", application)

    def driver_log(self, application: str, file: str) -> str:
        """`stdout` or `stderr` of the last application master; empty while it is not collected.

        By the cluster's own `yarn`, without which it raises HadoopFailed: pyspark's jars lack a library for it.
        """
        yarn = shutil.which("yarn")
        if not yarn:
            raise HadoopFailed(
                f"logs are shown by the `yarn` command, which is not on the PATH; they are {application}'s"
            )
        command = [yarn, "logs", "-applicationId", application, "-am", "-1", "-log_files", file]
        environ = {**os.environ, "HADOOP_CONF_DIR": str(self.conf)}
        answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=False).stdout
        _, found, contents = answer.partition("LogContents:\n")
        return contents.partition("\nEnd of LogType:")[0] if found else ""

    def _must(self, main: str, *words: str) -> None:
        done = self._client(main, *words)
        if done.returncode:
            raise HadoopFailed(f"{main.rpartition('.')[2]} {' '.join(words)}: {(done.stderr or done.stdout).strip()}")

    def _client(self, main: str, *words: str) -> subprocess.CompletedProcess[str]:
        java, _ = installation.java()
        if not (SPARK_HOME / "jars").is_dir():
            raise EnvironmentProblem(f"{SPARK_HOME}/jars is missing: run scripts/setup.sh")
        options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command = [str(java), *options, "-cp", f"{self.conf}:{SPARK_HOME}/jars/*", main, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)
