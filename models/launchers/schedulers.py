"""All schedulers by name."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from models.launchers.azure import Azure
from models.launchers.base import Scheduler
from models.launchers.kubernetes import Kubernetes
from models.launchers.pbs import Pbs
from models.launchers.slurm import Slurm

SCHEDULERS: dict[str, type[Scheduler]] = {"slurm": Slurm, "pbs": Pbs, "kubernetes": Kubernetes, "azure": Azure}
Launch: TypeAlias = Annotated[Slurm | Pbs | Kubernetes | Azure, Field(discriminator="kind")]
"""Settings as a definition gives them: `kind` says which scheduler's they are."""


def files(schedulers: list[Scheduler], name: str, folder: str) -> dict[str, str]:
    """The launch files of a bundle, by their names in launch/; all schedulers have the same ranks."""
    written = {file: text for scheduler in schedulers for file, text in scheduler.files(name, folder).items()}
    return {"rank.sh": schedulers[0].rank(), **written}
