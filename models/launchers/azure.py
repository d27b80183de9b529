"""Azure Machine Learning: a command job with distribution mpi, for `az ml job create` (the successor of Batch AI)."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from pydantic import Field

from models.launchers.base import RANK, Argument, Scheduler, State
from textmill import quoting

_SCHEMA = "https://azuremlschemas.azureedge.net/latest/commandJob.schema.json"
_RUNNING = ("Running", "Finalizing", "CancelRequested")
_FAILED = ("Failed", "Canceled", "NotResponding")


class Azure(Scheduler):
    """Settings of Azure Machine Learning."""

    kind: Literal["azure"] = "azure"
    compute: Argument = Field("gpu-cluster", description="Compute cluster of the workspace.")
    image: Argument = Field("textmill-horovod:latest", description="Image of a registry, with Open MPI and what hosts/install.sh makes.")
    workspace: Argument | None = Field(None, description="Workspace; else the default of az.")
    resource_group: Argument | None = Field(None, description="Its resource group; else the default of az.")
    bundle: Argument = Field("..", description="The bundle for az: a folder to upload, or azureml://datastores/…/paths/….")
    experiment: Argument = Field("textmill", description="Experiment it is listed under.")

    def files(self, name: str, folder: str) -> dict[str, str]:
        """launch/azure-job.yml."""
        return {"azure-job.yml": quoting.yaml_document(self._job(name))}

    def _job(self, name: str) -> dict[str, Any]:
        out = "${{outputs.trained}}"
        return {
            "$schema": _SCHEMA,
            "type": "command",
            "display_name": name,
            "experiment_name": self.experiment,
            # The bundle may be read alone: the model, checkpoints and logs go to the output.
            "command": f"bash ${{{{inputs.bundle}}}}/{RANK} --to {out}",
            "inputs": {"bundle": {"type": "uri_folder", "path": self.bundle, "mode": "download"}},
            "outputs": {"trained": {"type": "uri_folder", "mode": "rw_mount"}},
            "environment": {"image": self.image},
            "compute": f"azureml:{self.compute}",
            "resources": {"instance_count": self.hosts},
            "distribution": {"type": "mpi", "process_count_per_instance": self.on_each},
            "limits": {"timeout": self.seconds},
        }

    def submit(self) -> list[str]:
        """With az and its extension ml."""
        return ["az", "ml", "job", "create", "--file", "launch/azure-job.yml", *self._where(), "--output", "json"]

    def submitted(self, said: str) -> str:
        """The name that the workspace gave it."""
        return str(json.loads(said)["name"])

    def ask(self, job: str) -> list[str]:
        """With az."""
        return ["az", "ml", "job", "show", "--name", job, *self._where(), "--output", "json"]

    def state(self, said: str) -> tuple[State, str]:
        """By its status."""
        status = str(json.loads(said)["status"])
        if status == "Completed":
            return State.DONE, status
        if status in _FAILED:
            return State.FAILED, status
        return State.RUNNING if status in _RUNNING else State.WAITING, status

    def cancel(self, job: str) -> list[str]:
        """With az."""
        return ["az", "ml", "job", "cancel", "--name", job, *self._where()]

    def log(self, job: str) -> str:
        """Of the first host, among the files that `az ml job download --all` brings."""
        return "user_logs/std_log_process_0.txt"

    results: ClassVar[str] = "named-outputs/trained"

    def fetch(self, job: str) -> list[str] | None:
        """With az: hosts there write to an output of the job."""
        words = ["az", "ml", "job", "download", "--name", job, "--output-name", "trained", "--download-path", "."]
        return [*words, *self._where()]

    def stream(self, job: str) -> list[str]:
        """With az, which ends with the job."""
        return ["az", "ml", "job", "stream", "--name", job, *self._where()]

    def _where(self) -> list[str]:
        given = {"--workspace-name": self.workspace, "--resource-group": self.resource_group}
        return [word for flag, value in given.items() if value is not None for word in (flag, value)]
