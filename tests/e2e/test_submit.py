"""scripts/submit.sh on a real YARN: the same outputs as on this machine, lost clients, exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.e2e.conftest import CONF, DevCluster, Project
from tests.e2e.test_dev_cluster import wait_for

pytestmark = pytest.mark.cluster

SIZES = ["--python", sys.executable, "--executors", "2", "--memory", "768m", "--driver-memory", "1g"]
SPARK = f"spark.yarn.jars=local:{sys.prefix}/lib/python3.11/site-packages/pyspark/jars/*"


def command(*words: str) -> list[str]:
    """A call that ships no environment: every node of this machine has the interpreter and Spark's jars."""
    return [str(CONF.parent / "scripts/submit.sh"), *SIZES, "--conf", SPARK, *words]


def run(project: Project, cluster: DevCluster, *words: str) -> subprocess.CompletedProcess[str]:
    where = {"cwd": project.folder, "env": cluster.environ()}
    return subprocess.run(command(*words), **where, capture_output=True, text=True, timeout=400, check=False)


def start(project: Project, cluster: DevCluster, *words: str) -> subprocess.Popen[str]:
    where = {"cwd": project.folder, "env": cluster.environ()}
    return subprocess.Popen(command(*words), **where, stdout=subprocess.PIPE, text=True)


def test_tensors_made_on_yarn_equal_those_made_here_and_are_reused(project: Project, cluster: DevCluster) -> None:
    root = f"root={project.folder}/yarn"
    done = run(project, cluster, "run", "small.yaml", "--to", "tensors", "--set", root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.textmill("run", "small.yaml", "--to", "tensors", root="here").returncode == 0
    assert project.checksums("yarn") == project.checksums("here")
    planned = project.textmill("plan", "small.yaml", "--to", "tensors", "--json", root="yarn")
    actions = {step["step"]: step["action"] for step in json.loads(planned.stdout)}
    assert actions == {**dict.fromkeys(actions, "reuse"), "train.bigru": "skip", "evaluate.bigru": "skip"}


def test_a_lost_client_does_not_lose_the_application(project: Project, cluster: DevCluster) -> None:
    words = ("run", "small.yaml", "--to", "clean", "--set", f"root={project.folder}/yarn")
    lost = start(project, cluster, *words)
    assert lost.stdout is not None
    application = next(line.split()[1] for line in lost.stdout if line.startswith("submitted "))
    lost.kill()
    lost.wait()
    done = run(project, cluster, *words)
    assert done.stdout.startswith(f"attached to {application}"), done.stdout + done.stderr
    assert f"{application} succeeded" in done.stdout
    assert done.returncode == 0


def test_the_exit_code_and_the_words_are_the_program_s(project: Project, cluster: DevCluster) -> None:
    text = project.definition.read_text(encoding="utf-8")
    project.definition.write_text(f'{text}\nchecks: {{clean: ["rows > 1000"]}}\n', encoding="utf-8")
    done = run(project, cluster, "run", "small.yaml", "--to", "clean", "--set", f"root={project.folder}/yarn")
    assert done.returncode == 1
    assert "step clean: check 'rows > 1000' does not hold: rows is 60" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("resume: scripts/submit.sh --python ")


def test_a_killed_executor_does_not_change_the_outputs(project: Project, cluster: DevCluster) -> None:
    words = ("run", "small.yaml", "--to", "tensors", "--set", f"root={project.folder}/yarn")
    job = start(project, cluster, *words)
    try:
        assert wait_for(lambda: cluster.command("kill", "executor", "1").returncode == 0)
        output, _ = job.communicate(timeout=400)
    finally:
        job.kill()
    assert job.returncode == 0, output
    assert project.textmill("run", "small.yaml", "--to", "tensors", root="here").returncode == 0
    assert project.checksums("yarn") == project.checksums("here")


def test_a_dry_run_prints_the_command_and_starts_nothing(project: Project, cluster: DevCluster) -> None:
    options = ["--queue", "training", "--dry-run"]
    told = run(project, cluster, *options, "run", "small.yaml", "--set", "root=/shared").stdout
    assert "--queue training" in told
    assert "run definition/small.yaml" in told
    assert "0 applications running" in cluster.command("status").stdout


REFUSED = {
    "an unknown queue": (
        ["--queue", "nowhere"],
        2,
        "queue nowhere takes no application .* these do: default, training",
    ),
    "executors larger than a node": (["--memory", "100g"], 1, "ask for less by --memory"),
    "a missing archive": (["--conf", "spark.yarn.archive=hdfs:///no/spark.zip"], 1, "--conf spark.yarn.archive"),
    "a wrong Java": (["--conf", "spark.yarn.appMasterEnv.JAVA_HOME=/no/java"], 1, "needs Java 11 or 17 on every node"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_can_not_run_is_told_with_the_line_to_change(what: str, project: Project, cluster: DevCluster) -> None:
    options, code, message = REFUSED[what]
    done = run(project, cluster, *options, "run", "small.yaml", "--to", "clean", "--set", f"root={project.folder}/yarn")
    assert done.returncode == code, done.stdout + done.stderr
    assert re.search(message, done.stdout + done.stderr), done.stdout + done.stderr


def test_a_queue_without_room_is_told(project: Project, cluster: DevCluster) -> None:
    """Each executor fits a node, and both of them do not fit beside the application master."""
    sizes = ["--memory", "4200m", "--driver-memory", "2g"]
    # One executor could do this little work before anything is told: Spark is to wait for both.
    waits = {"minRegisteredResourcesRatio": "1.0", "maxRegisteredResourcesWaitingTime": "90s"}
    conf = [word for key, value in waits.items() for word in ("--conf", f"spark.scheduler.{key}={value}")]
    words = ("run", "small.yaml", "--to", "clean", "--set", f"root={project.folder}/yarn")
    job = start(project, cluster, *sizes, *conf, *words)
    assert job.stdout is not None
    try:
        told = next(line for line in job.stdout if line.startswith("no executor for "))
        assert "queue default has no room for it" in told and "--executors, --memory or --cores" in told
    finally:
        job.communicate(timeout=400)
