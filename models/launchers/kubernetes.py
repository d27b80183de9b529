"""Kubernetes: an MPIJob (kubeflow.org/v2beta1) of the MPI operator, whose mpirun starts all ranks in worker pods."""

from __future__ import annotations

import json
import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from models.launchers.base import RANK, Argument, Scheduler, State
from textmill import quoting

_GPU = "nvidia.com/gpu"
_LABEL = 63
_CONDITIONS = {"Failed": State.FAILED, "Succeeded": State.DONE, "Running": State.RUNNING}


class Kubernetes(Scheduler):
    """Settings of Kubernetes."""

    kind: Literal["kubernetes"] = "kubernetes"
    image: Argument = Field("textmill-horovod:latest", description="Image with Open MPI, sshd, and what hosts/install.sh makes.")
    namespace: str = Field("default", pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", description="Namespace of the job.")
    claim: Argument = Field("textmill", description="Persistent volume claim (ReadWriteMany) that holds the bundle.")
    mount: Argument = Field("/textmill", pattern=r"^/", description="Where the claim is mounted in every pod.")
    path: Annotated[str, AfterValidator(quoting.line)] = Field("", description="Folder in the claim that bundles are in.")
    context: Argument | None = Field(None, description="Context of kubectl's configuration; else the current one.")

    def files(self, name: str, folder: str) -> dict[str, str]:
        """launch/mpijob.yaml."""
        return {"mpijob.yaml": quoting.yaml_document(self._job(name, folder))}

    def _job(self, name: str, folder: str) -> dict[str, Any]:
        workers = {"replicas": self.hosts, "template": self._pod("worker", {"resources": self._resources()})}
        launcher = {"replicas": 1, "restartPolicy": "Never", "template": self._pod("launcher", self._mpirun(folder))}
        return {
            "apiVersion": "kubeflow.org/v2beta1",
            "kind": "MPIJob",
            "metadata": {"name": job_name(name), "namespace": self.namespace},
            "spec": {
                "slotsPerWorker": self.on_each,
                "mpiImplementation": "OpenMPI",
                "runPolicy": {"cleanPodPolicy": "Running", "backoffLimit": 0, "activeDeadlineSeconds": self.seconds},
                "mpiReplicaSpecs": {"Launcher": launcher, "Worker": workers},
            },
        }

    def _mpirun(self, folder: str) -> dict[str, Any]:
        """mpirun only starts the processes: Gloo and NCCL connect the ranks."""
        bundle = "/".join(filter(None, (self.mount.rstrip("/"), self.path.strip("/"), folder)))
        words = ["mpirun", "--allow-run-as-root", "-np", str(self.ranks), "--map-by", "slot", "--bind-to", "none",
                 "-x", "TEXTMILL_MEETING", "bash", f"{bundle}/{RANK}"]  # fmt: skip
        # The logs of pods are gone with them.
        script = f"set -o pipefail; cd {shlex.quote(bundle)}; {shlex.join(words)} 2>&1 | tee launch/kubernetes.log"
        # Unique for every start of the job, for the files by which its ranks find each other.
        uid = {"name": "TEXTMILL_MEETING", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
        return {"command": ["bash", "-c", quoting.kubernetes(script)], "env": [uid]}

    def _pod(self, name: str, more: dict[str, Any]) -> dict[str, Any]:
        mounted = {"name": "bundle", "mountPath": self.mount}
        container = {"name": name, "image": self.image, "volumeMounts": [mounted], **more}
        volume = {"name": "bundle", "persistentVolumeClaim": {"claimName": self.claim}}
        return {"spec": {"containers": [container], "volumes": [volume]}}

    def _resources(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {"cpu": str(self.cores * self.on_each)}
        if self.memory:
            wanted["memory"] = f"{self.memory[:-1]}Gi"
        if self.gpus:
            wanted[_GPU] = str(self.on_each)
        return {"requests": dict(wanted), "limits": wanted}

    def submit(self) -> list[str]:
        """With kubectl."""
        return [*self._kubectl(), "create", "-f", "launch/mpijob.yaml", "-o", "name"]

    def submitted(self, said: str) -> str:
        """`mpijob.kubeflow.org/name`."""
        return said.strip()

    def ask(self, job: str) -> list[str]:
        """With kubectl."""
        return [*self._kubectl(), "get", job, "-o", "json"]

    def state(self, said: str) -> tuple[State, str]:
        """By the conditions of its status."""
        conditions = json.loads(said).get("status", {}).get("conditions") or []
        true = {one["type"]: one for one in conditions if one["status"] == "True"}
        for kind, state in _CONDITIONS.items():
            if kind in true:
                return state, " ".join(filter(None, (kind, true[kind].get("message"))))
        return State.WAITING, ", ".join(true) or "no condition yet"

    def cancel(self, job: str) -> list[str]:
        """With kubectl."""
        return [*self._kubectl(), "delete", job]

    def log(self, job: str) -> str:
        """Where the launcher's pod copies them to."""
        return "launch/kubernetes.log"

    def _kubectl(self) -> list[str]:
        return ["kubectl", *(["--context", self.context] if self.context else []), "--namespace", self.namespace]


def job_name(name: str) -> str:
    """A name as Kubernetes takes it: lower-case letters, digits and hyphens, with room for the suffixes of pods."""
    found = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (found if found[:1].isalpha() else f"t-{found}")[: _LABEL - 20].rstrip("-")
