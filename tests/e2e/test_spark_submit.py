"""Plain spark-submit, as operators use it: each operation and the training as an application of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.definition import load
from scripts.submit import bundle
from spark_jobs import installation, registry
from tests.e2e.conftest import SMALL, DevCluster, Project

JOB = installation.CHECKOUT / "scripts/job.py"
SPARK_SUBMIT = Path(sys.executable).with_name("spark-submit")
ALL = SMALL.replace(
    "{do: text.dedup, from: clean}", "{do: text.dedup, from: clean, near: {ngram: 3, unit: char, threshold: 0.9}}"
).replace(
    "tokens:   {do: text.tokenize, from: [populate,",
    "more:     {do: text.augment, from: populate, copies: 1, delete: 0.1}\n"
    "  tokens:   {do: text.tokenize, from: [more,",
).replace("train:\n", "  vectors:  {do: text.embed, from: tensors, size: 4, epochs: 1}\ntrain:\n")  # fmt: skip


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of the documentation."""
    made = tmp_path_factory.mktemp("code") / "textmill.zip"
    command = [sys.executable, "-m", "scripts.submit.bundle", str(made)]
    subprocess.run(command, cwd=installation.CHECKOUT, check=True)
    return made


def spark_submit(project: Project, code: Path, options: list[str], *words: str, **environ: str) -> None:
    """Run to a good end."""
    shipped = ["--py-files", str(code), "--jars", str(installation.jar())]
    command = [str(SPARK_SUBMIT), *options, *shipped, str(JOB), *words]
    environ = {**project.environ("runs"), "PYSPARK_PYTHON": sys.executable, **environ}
    where = {"cwd": project.folder, "env": environ}
    done = subprocess.run(command, **where, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_zip_holds_all_packages_and_the_jar(code: Path) -> None:
    names = zipfile.ZipFile(code).namelist()
    assert {f"{package}/__init__.py" for package in bundle.PACKAGES} <= set(names)
    assert "spark_sklearn" in bundle.PACKAGES
    assert "textmill/jars/textmill.jar" in names


PROBE = """
import pathlib
from spark_jobs import session

given = session.SparkSettings("local[3]", "1g", {"spark.executor.memory": "2g", "spark.probe": "profile"})
spark = session.start(given, pathlib.Path("probe.log"))
wanted = ("spark.master", "spark.executor.memory", "spark.probe", "spark.sql.adaptive.enabled")
print("CONF", *(spark.conf.get(key) for key in wanted))
"""


def test_what_spark_submit_is_told_goes_before_the_profile(project: Project) -> None:
    (project.folder / "probe.py").write_text(PROBE, encoding="utf-8")
    told = ["--conf", "spark.executor.memory=3g", "--conf", "spark.sql.adaptive.enabled=true"]
    command = [str(SPARK_SUBMIT), "--master", "local[1]", *told, "probe.py"]
    where = {"cwd": project.folder, "env": {**project.environ("runs"), "PYSPARK_PYTHON": sys.executable}}
    done = subprocess.run(command, **where, capture_output=True, text=True, timeout=120, check=False)
    assert "CONF local[1] 3g profile false" in done.stdout, done.stdout + done.stderr


LOCAL = ["--master", "local[1]", "--driver-memory", "1g"]


def all_is_reused(project: Project) -> bool:
    """Whether the command line finds every output that was asked for in applications of their own."""
    planned = json.loads(project.textmill("plan", "small.yaml", "--json", root="alone").stdout)
    return {step["action"] for step in planned} == {"reuse"}


def test_a_step_several_and_the_training_can_be_submitted_alone(project: Project, code: Path) -> None:
    for steps in (("--only", "clean"), ("--to", "tensors"), ("--only", "train.bigru"), ("--only", "evaluate.bigru")):
        spark_submit(project, code, LOCAL, "run", "small.yaml", *steps, "--set", "root=alone")
    assert all_is_reused(project)


@pytest.mark.slow
def test_every_operation_can_be_submitted_alone(project: Project, code: Path) -> None:
    project.definition.write_text(ALL, encoding="utf-8")
    nodes = load(project.definition).nodes
    assert {node.op for node in nodes.values()} == {*registry.NAMES, "text.near_pairs", "model.evaluate", "model.train"}
    for step in nodes:
        spark_submit(project, code, LOCAL, "run", "small.yaml", "--only", step, "--set", "root=alone")
    assert all_is_reused(project)


@pytest.mark.cluster
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_steps_are_submitted_alone_to_yarn(project: Project, code: Path, cluster: DevCluster, mode: str) -> None:
    root, jars = f"{project.folder}/yarn", f"{sys.prefix}/lib/python3.11/site-packages/pyspark/jars/*"
    definition = project.folder / "definition.zip"
    with zipfile.ZipFile(definition, "w") as archive:
        for name in ("small.yaml", "t.txt"):
            archive.write(project.folder / name, name)
    settings = {
        "spark.yarn.jars": f"local:{jars}",
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON": sys.executable,
        "spark.executorEnv.PYSPARK_PYTHON": sys.executable,
        "spark.hadoop.fs.defaultFS": "file:///",
        "spark.yarn.stagingDir": f"{cluster.record['hdfs']}/user",
    }
    sizes = ["--num-executors", "1", "--executor-memory", "768m", "--driver-memory", "1g"]
    where = ["--master", "yarn", "--deploy-mode", mode, "--archives", f"{definition}#job"]
    options = [*where, *sizes, *(word for pair in settings.items() for word in ("--conf", "=".join(pair)))]
    file = "job/small.yaml" if mode == "cluster" else "small.yaml"
    chats = f"inputs.chats.path={project.folder}/chats.jsonl"
    for step in ("clean", "dedup", "split"):
        words = ("run", file, "--only", step, "--set", f"root={root}", "--set", chats)
        spark_submit(project, code, options, *words, **cluster.environ())
    assert project.textmill("run", "small.yaml", "--to", "split", root="here").returncode == 0
    assert project.checksums("yarn") == project.checksums("here")
