"""What schedulers are given, held against the grammars that they publish; and how their answers are read."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from models.launchers.azure import Azure
from models.launchers.base import Scheduler, State
from models.launchers.kubernetes import Kubernetes, job_name
from models.launchers.pbs import Pbs
from models.launchers.schedulers import SCHEDULERS, Launch, files
from models.launchers.slurm import Slurm

FOUR_ON_TWO = {"ranks": 4, "per_host": 2, "cores": 8, "memory": "64g", "time": "12:30:00"}


def given(kind: str, **more: Any) -> Scheduler:
    return TypeAdapter(Launch).validate_python({"kind": kind, **FOUR_ON_TWO, **more})


def directives(script: str, prefix: str) -> list[str]:
    """The options in the head of a script, as the scheduler reads them: up to the first line that is no comment."""
    head = re.split(r"^[^#\n]", script, maxsplit=1, flags=re.MULTILINE)[0]
    return [line.removeprefix(prefix) for line in head.splitlines() if line.startswith(prefix)]


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_scripts_are_bash(kind: str, tmp_path: Path) -> None:
    for name, text in files([given(kind, setup=["module load cuda/12.5"])], "intent-bigru", "bundle").items():
        if name.endswith(".sh"):
            (tmp_path / name).write_text(text, encoding="utf-8")
            done = subprocess.run(["bash", "-n", str(tmp_path / name)], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
    assert "\nmodule load cuda/12.5\n" in (tmp_path / "rank.sh").read_text(encoding="utf-8")


def test_slurm_asks_for_two_hosts_of_two_ranks() -> None:
    slurm = Slurm(**FOUR_ON_TWO, partition="gpu", options=("--constraint=a100",))
    script = slurm.files("intent-bigru", "bundle")["slurm.sh"]
    assert directives(script, "#SBATCH ") == [
        "--job-name=intent-bigru", "--nodes=2", "--ntasks=4", "--ntasks-per-node=2", "--cpus-per-task=8", "--gres=gpu:2",
        "--mem=64G", "--time=12:30:00", "--partition=gpu", "--output=launch/slurm-%j.log", "--open-mode=append",
        "--constraint=a100",
    ]  # fmt: skip
    assert not any("gres" in line for line in directives(Slurm(gpus=False).files("x", "bundle")["slurm.sh"], "#SBATCH "))


@pytest.mark.parametrize(
    ("said", "state", "told"),
    [
        ("JobId=7 JobName=x JobState=PENDING Reason=Resources Dependency=(null)", State.WAITING, "PENDING (Resources)"),
        ("JobId=7 JobState=RUNNING Reason=None", State.RUNNING, "RUNNING"),
        ("JobId=7 JobState=COMPLETED Reason=None ExitCode=0:0", State.DONE, "COMPLETED"),
        ("JobId=7 JobState=TIMEOUT Reason=TimeLimit", State.FAILED, "TIMEOUT (TimeLimit)"),
        ("JobId=7 JobState=OUT_OF_MEMORY Reason=OutOfMemory", State.FAILED, "OUT_OF_MEMORY (OutOfMemory)"),
    ],
)
def test_slurm_is_understood(said: str, state: State, told: str) -> None:
    assert Slurm().state(said) == (state, told)
    assert Slurm().submitted("123;alpha\n") == "123"


PBS_DIRECTIVES = (
    r"-N [A-Za-z][A-Za-z0-9_.-]{0,14}",
    r"-l select=\d+(:[a-z]+=\w+)+",
    r"-l place=(free|pack|scatter|vscatter)",
    r"-l walltime=\d+:\d\d:\d\d",
    r"-j (oe|eo|n)",
    r"-q [\w@.-]+",
    r"-P [\w-]+",
)
"""From the reference of qsub, one for each directive that is written."""


def test_pbs_directives_are_of_its_grammar() -> None:
    pbs = Pbs(**FOUR_ON_TWO, queue="gpuq", project="nlp")
    found = directives(pbs.files("a-very-long-name-of-a-pipeline", "bundle")["pbs.sh"], "#PBS ")
    assert len(found) == len(PBS_DIRECTIVES)
    for directive, grammar in zip(found, PBS_DIRECTIVES, strict=True):
        assert re.fullmatch(grammar, directive), directive
    assert "-l select=2:ncpus=16:mpiprocs=2:ngpus=2:mem=64gb" in found


def test_pbs_starts_every_rank_once(tmp_path: Path) -> None:
    """The script itself, run by bash, with a task manager that says what it is told to start."""
    (tmp_path / "launch").mkdir()
    (tmp_path / "nodes").write_text("gpu1\ngpu1\ngpu2\ngpu2\n", encoding="utf-8")
    (tmp_path / "pbs_tmrsh").write_text('#!/bin/bash\necho "$@"\n', encoding="utf-8")
    (tmp_path / "pbs_tmrsh").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PBS_O_WORKDIR": str(tmp_path), "PBS_JOBID": "9.head",
               "PBS_NODEFILE": str(tmp_path / "nodes")}  # fmt: skip
    script = Pbs(**FOUR_ON_TWO).files("x", "bundle")["pbs.sh"]
    done = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    started = sorted((tmp_path / "launch/pbs-9.head.log").read_text(encoding="utf-8").splitlines())
    rank = f"bash {tmp_path}/launch/rank.sh --rank"
    assert started == [f"gpu{1 + number // 2} {rank} {number} --job 9.head" for number in range(4)]


def test_pbs_ends_with_the_rank_that_fails(tmp_path: Path) -> None:
    (tmp_path / "launch").mkdir()
    (tmp_path / "nodes").write_text("gpu1\ngpu2\n", encoding="utf-8")
    (tmp_path / "pbs_tmrsh").write_text('#!/bin/bash\n[ "$1" = gpu2 ] && exit 7\nexec sleep 600\n', encoding="utf-8")
    (tmp_path / "pbs_tmrsh").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PBS_O_WORKDIR": str(tmp_path), "PBS_JOBID": "9",
               "PBS_NODEFILE": str(tmp_path / "nodes")}  # fmt: skip
    script = Pbs(ranks=2).files("x", "bundle")["pbs.sh"]
    assert subprocess.run(["bash", "-c", script], env=environ, check=False, timeout=60).returncode == 7


@pytest.mark.parametrize(
    ("job", "state"),
    [
        ({"job_state": "Q", "comment": "Not Running: not enough ngpus"}, State.WAITING),
        ({"job_state": "R"}, State.RUNNING),
        ({"job_state": "F", "Exit_status": 0}, State.DONE),
        ({"job_state": "F", "Exit_status": 271}, State.FAILED),
    ],
)
def test_pbs_is_understood(job: dict[str, Any], state: State) -> None:
    assert Pbs().state(json.dumps({"Jobs": {"9.head": job}}))[0] == state


NAME = {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
QUANTITIES = {"type": "object", "additionalProperties": {"type": "string", "pattern": r"^\d+(m|Ki|Mi|Gi)?$"}}
CONTAINER = {
    "type": "object", "required": ["name", "image"], "additionalProperties": False,
    "properties": {
        "name": NAME, "image": {"type": "string"}, "command": {"type": "array", "items": {"type": "string"}},
        "env": {"type": "array", "items": {"type": "object", "required": ["name"]}},
        "resources": {"type": "object", "additionalProperties": False,
                      "properties": {"limits": QUANTITIES, "requests": QUANTITIES}},
        "volumeMounts": {"type": "array", "items": {"type": "object", "required": ["name", "mountPath"]}},
    },
}  # fmt: skip
REPLICAS = {
    "type": "object", "required": ["template"], "additionalProperties": False,
    "properties": {
        "replicas": {"type": "integer", "minimum": 1},
        "restartPolicy": {"enum": ["Always", "OnFailure", "Never", "ExitCode"]},
        "template": {"type": "object", "required": ["spec"], "additionalProperties": False, "properties": {"spec": {
            "type": "object", "required": ["containers"], "additionalProperties": False,
            "properties": {"containers": {"type": "array", "minItems": 1, "items": CONTAINER},
                           "volumes": {"type": "array", "items": {"type": "object", "required": ["name"]}}}}}},
    },
}  # fmt: skip
MPIJOB = {
    "type": "object", "required": ["apiVersion", "kind", "metadata", "spec"], "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "kubeflow.org/v2beta1"}, "kind": {"const": "MPIJob"},
        "metadata": {"type": "object", "required": ["name"], "properties": {"name": NAME, "namespace": NAME}},
        "spec": {
            "type": "object", "required": ["mpiReplicaSpecs"], "additionalProperties": False,
            "properties": {
                "slotsPerWorker": {"type": "integer"}, "mpiImplementation": {"enum": ["OpenMPI", "Intel", "MPICH"]},
                "runPolicy": {"type": "object", "additionalProperties": False, "properties": {
                    "cleanPodPolicy": {"enum": ["None", "Running", "All"]}, "backoffLimit": {"type": "integer"},
                    "activeDeadlineSeconds": {"type": "integer"}, "ttlSecondsAfterFinished": {"type": "integer"}}},
                "mpiReplicaSpecs": {"type": "object", "required": ["Launcher", "Worker"], "additionalProperties": False,
                                    "properties": {"Launcher": REPLICAS, "Worker": REPLICAS}},
            },
        },
    },
}  # fmt: skip
"""What of kubeflow.org/v2beta1 is used, as its custom resource definition has it."""


@pytest.mark.parametrize("more", [{}, {"gpus": False, "memory": None, "per_host": 4}])
def test_the_mpijob_is_of_its_schema(more: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    job = yaml.safe_load(Kubernetes(**{**FOUR_ON_TWO, **more}).files("Intent_KO-bigru", "bundle")["mpijob.yaml"])
    jsonschema.validate(job, MPIJOB)
    roles = job["spec"]["mpiReplicaSpecs"]
    assert roles["Launcher"]["replicas"] == 1
    assert roles["Worker"]["replicas"] * job["spec"]["slotsPerWorker"] == 4
    assert ("nvidia.com/gpu" in json.dumps(roles["Worker"])) == (not more)
    mounts = [role["template"]["spec"]["containers"][0]["volumeMounts"] for role in roles.values()]
    assert mounts[0] == mounts[1]


@pytest.mark.skipif("TEXTMILL_MPIJOB_CRD" not in os.environ, reason="names no kubeflow.org_mpijobs.yaml")
def test_the_mpijob_is_of_the_published_definition() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    published = yaml.safe_load(Path(os.environ["TEXTMILL_MPIJOB_CRD"]).read_text(encoding="utf-8"))
    version = next(one for one in published["spec"]["versions"] if one["name"] == "v2beta1")
    schema = closed(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {}
    job = yaml.safe_load(Kubernetes(**FOUR_ON_TWO).files("intent-bigru", "bundle")["mpijob.yaml"])
    jsonschema.validate(job, schema)
    job["spec"]["slotPerWorker"] = 2
    with pytest.raises(jsonschema.ValidationError, match="slotPerWorker"):
        jsonschema.validate(job, schema)


def closed(schema: Any) -> Any:
    """Kubernetes' kind of schema as JSON Schema that takes no unknown keys."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    found = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def test_kubernetes_is_understood() -> None:
    def said(*conditions: dict[str, str]) -> str:
        return json.dumps({"status": {"conditions": conditions}})

    created = {"type": "Created", "status": "True"}
    failed = {"type": "Failed", "status": "True", "message": "job has reached the backoff limit"}
    assert Kubernetes().state("{}") == (State.WAITING, "no condition yet")
    assert Kubernetes().state(said(created))[0] == State.WAITING
    assert Kubernetes().state(said(created, {"type": "Running", "status": "True"}))[0] == State.RUNNING
    gone = {"type": "Running", "status": "False"}
    assert Kubernetes().state(said(created, gone, {"type": "Succeeded", "status": "True"}))[0] == State.DONE
    assert Kubernetes().state(said(created, gone, failed)) == (State.FAILED, "Failed job has reached the backoff limit")
    assert job_name("9 Intent_KO") == "t-9-intent-ko"


def test_azure_is_understood() -> None:
    for status, state in {"Queued": State.WAITING, "Running": State.RUNNING, "Completed": State.DONE,
                          "Canceled": State.FAILED}.items():  # fmt: skip
        assert Azure().state(json.dumps({"status": status})) == (state, status)
    job = yaml.safe_load(Azure(**FOUR_ON_TWO).files("intent-bigru", "bundle")["azure-job.yml"])
    assert job["resources"]["instance_count"] * job["distribution"]["process_count_per_instance"] == 4
    assert job["limits"]["timeout"] == 45_000


@pytest.mark.skipif("TEXTMILL_AZURE_PYTHON" not in os.environ, reason="names no Python that has azure-ai-ml")
def test_azures_own_client_takes_the_job(tmp_path: Path) -> None:
    (tmp_path / "launch").mkdir()
    for name, text in files([Azure(**FOUR_ON_TWO)], "intent-bigru", "bundle").items():
        (tmp_path / "launch" / name).write_text(text, encoding="utf-8")
    program = (
        "import sys, azure.ai.ml as ml; job = ml.load_job(sys.argv[1]);"
        "found = job._validate(); assert found.passed, found._to_dict();"
        "print(type(job.distribution).__name__, job.distribution.process_count_per_instance, job.resources.instance_count)"
    )
    words = [os.environ["TEXTMILL_AZURE_PYTHON"], "-c", program, str(tmp_path / "launch/azure-job.yml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "MpiDistribution 2 2\n", done.stderr


def test_settings_that_do_not_fit_are_told() -> None:
    assert "make ranks a multiple of per_host" in Slurm(ranks=3, per_host=2).problems()[0]
    assert Slurm(ranks=2, per_host=8).problems() == []
    with pytest.raises(ValidationError, match="partitoin"):
        given("slurm", partitoin="gpu")
    with pytest.raises(ValidationError, match="time"):
        given("slurm", time="two hours")
    assert given("slurm", time=yaml.safe_load("24:00:00")).time == "24:00:00"
