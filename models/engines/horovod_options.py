"""What a training, or the profile that names the engine, may set for engine horovod."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from models.launchers.base import Argument
from models.launchers.schedulers import Launch
from models.launchers.ssh import HOSTS, Horovodrun, rooms
from textmill import targets
from textmill.params import Params

_Interface = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:@-]*$")]
_Key = Annotated[str, Field(pattern=r"^[\w~/.][\w~/.+@%:=,-]*$")]
"""horovodrun writes it into a line for a shell, without quotes."""
_Target = Annotated[str, AfterValidator(targets.checked)]
_WHERE = frozenset(
    {"on", "ranks", "hosts", "min_ranks", "ssh_port", "ssh_key", "interfaces", "python", "threads", "start_timeout",
     "silence", "fusion_mb", "cycle_ms", "scheduler", "target"}
)  # fmt: skip
"""Options that say where and how fast, not what."""


class Options(Params):
    """Settings of engine horovod."""

    on: Literal["hosts", "spark"] = Field("hosts", description="Ranks on hosts by ssh, or on Spark's executors.")
    hosts: str | None = Field(
        None, pattern=HOSTS, description="host:ranks of each host, such as gpu1:8,gpu2:8; else this machine alone."
    )
    ranks: int | None = Field(None, ge=1, description="Ranks in all; by default what hosts or executors have room for.")
    min_ranks: int | None = Field(None, ge=1, description="Go on without lost hosts while so many ranks are left.")
    ssh_port: int | None = Field(None, ge=1, le=65535, description="Of all hosts; 22 by default.")
    ssh_key: _Key | None = Field(None, description="File of the private key.")
    interfaces: tuple[_Interface, ...] = Field((), description="Network interfaces between the hosts; else they are found.")
    python: Argument | None = Field(None, description="Python of the environment on the hosts; else the path of this one.")
    threads: int | None = Field(None, ge=1, description="Cores of each rank; else its share of its host's.")
    start_timeout: int = Field(60, ge=1, description="Seconds for hosts or executors to answer.")
    silence: float = Field(8.0, ge=3, description="Seconds without a sign of life after which a rank is lost.")
    fusion_mb: int | None = Field(None, ge=0, description="Gradients are sent together up to this size; 128.")
    cycle_ms: float | None = Field(None, gt=0, description="How long gradients wait to be sent together; 1.")
    compression: Literal["none", "fp16"] = Field("none", description="How dense gradients travel.")
    sparse_as_dense: bool = Field(False, description="Gradients of the embedding travel as its whole table.")
    scale_learning_rate: bool = Field(False, description="`batch` is each rank's; the learning rate times the ranks.")
    warmup_epochs: float = Field(0.0, ge=0, description="Epochs in which the scaled learning rate is reached.")
    mixed_precision: bool = Field(False, description="Layers compute in bfloat16; weights stay float32.")
    xla: bool = Field(False, description="XLA compiles the gradients. On CPUs recurrent models get slower by it.")
    accumulate: int = Field(1, ge=1, description="Parts in which a rank computes its rows of a step.")
    on_oom: Literal["fail", "halve"] = Field("fail", description="Halve the parts where memory runs out.")

    scheduler: Launch | None = Field(None, description="Train a bundle under a scheduler: its `kind` and settings.")
    target: _Target | None = Field(None, description="Where bundles go: a folder all hosts see, here or as host:path.")

    @model_validator(mode="after")
    def _fit_scheduler(self) -> Options:
        """What does not go together with a scheduler."""
        if self.scheduler is None:
            if self.target is not None:
                raise ValueError("target is where the bundles of a `scheduler` go; here is none")
            return self
        if self.target is None:
            raise ValueError("scheduler needs a target, the folder that bundles go to and that all its hosts see")
        if self.hosts or self.ranks or self.min_ranks or self.on == "spark":
            raise ValueError("with a scheduler, its own `ranks` and `per_host` say how many: leave out hosts, ranks, "
                             "min_ranks and on")  # fmt: skip
        if problems := self.scheduler.problems():
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _fit(self) -> Options:
        """What does not go together."""
        if self.warmup_epochs and not self.scale_learning_rate:
            raise ValueError("warmup_epochs is of scale_learning_rate; without it use the training's own `warmup`")
        if self.min_ranks and self.scale_learning_rate:
            raise ValueError("with scale_learning_rate the batch would change when a host is lost: leave out min_ranks")
        if self.min_ranks and self.on == "spark":
            raise ValueError("min_ranks is for `on: hosts`; on Spark run again, which goes on from the last checkpoint")
        if self.hosts and self.on == "spark":
            raise ValueError("hosts are for `on: hosts`; on Spark the executors are the profile's `spark`")
        if self.ranks and self.hosts and self.ranks > self.room:
            raise ValueError(f"ranks is {self.ranks}, and hosts have room for {self.room}")
        return self

    @property
    def room(self) -> int:
        """Ranks that the hosts have room for."""
        return sum(room for _, room in rooms(self.hosts)) if self.hosts else self.ranks or 1

    def launch(self, environment: tuple[str, ...] = ()) -> Horovodrun:
        """The call of horovodrun for these options."""
        hosts = self.hosts or f"localhost:{self.room}"
        return Horovodrun(
            hosts, self.ranks or self.room, self.min_ranks, self.ssh_port, self.ssh_key, self.interfaces,
            self.start_timeout, self.fusion_mb, self.cycle_ms, environment,
        )  # fmt: skip

    def deciding(self) -> dict[str, Any]:
        """Those that decide the result; the ranks do only where they scale batch and learning rate."""
        left = _WHERE - {"ranks", "hosts", "on"} if self.scale_learning_rate else _WHERE
        found = {key: value for key, value in self.canonical().items() if key not in left}
        return {**found, "ranks": self.scheduler.ranks} if self.scheduler and self.scale_learning_rate else found
