"""What is made depends on the definition and its inputs alone, whatever the machine."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Project
from tests.e2e.test_spark_submit import ALL

# Synonyms are of the vectors of one round of preparing, copies of the next.
CHAIN = ALL.replace("\ntrain:\n", """
  again:    {do: text.augment, from: populate, synonyms: {from: vectors, similarity: 0.1}, copies: 2}
  tokens2:  {do: text.tokenize, from: [again, split.valid, split.test], analyzer: jamo}
  tensors2: {do: tensor.encode, from: tokens2, vocabulary: {min_count: 1, unknown_buckets: 5}, length: 24, shards: 3}
  glove:    {do: text.embed, from: tensors2, method: glove, size: 4, epochs: 1}
train:
""")  # fmt: skip
MACHINES = {
    "other cores": ["spark.master=local[3]"],
    "other partitions": ["spark.conf={spark.sql.shuffle.partitions: '13', spark.default.parallelism: '7'}"],
}


@pytest.fixture
def chain(project: Project) -> Project:
    """A project with every operation, some of them twice."""
    project.definition.write_text(CHAIN, encoding="utf-8")
    return project


def prepare(chain: Project, root: str, settings: list[str]) -> dict[str, dict[str, str]]:
    sets = [word for setting in settings for word in ("--set", f"profiles.local.{setting}")]
    done = chain.textmill("run", "small.yaml", "--to", "glove", *sets, "--set", f"root={root}")
    assert done.returncode == 0, done.stdout + done.stderr
    return chain.checksums(root)


@pytest.mark.parametrize("machine", ["other cores", pytest.param("other partitions", marks=pytest.mark.slow)])
def test_outputs_are_the_same_on_any_machine(machine: str, chain: Project) -> None:
    one = prepare(chain, "one", ["spark.master=local[1]"])
    other = prepare(chain, "other", MACHINES[machine])
    assert len(one) == 13 and one == other
