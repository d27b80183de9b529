"""The command line's words, rewritten for a container."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from scripts.submit import bundle, request
from textmill.errors import DefinitionError, InputError

DEFINITION = """
name: small
root: ${env.TEXTMILL_TEST_ROOT:-runs}
inputs: {chats: {path: chats.jsonl, format: jsonl, label: intent}}
entities: {COLOR: {path: ../dict/color.tsv}}
steps:
  clean: {do: text.clean, from: chats}
  split: {do: data.split, from: clean, parts: {train: 0.5, test: 0.5}}
  populate: {do: text.populate, from: split.train, templates: t.txt, amount: {per_intent: 2}}
"""


@pytest.fixture
def definition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A definition whose dictionary lies in a folder beside its own."""
    conf, dictionaries = tmp_path / "conf", tmp_path / "dict"
    conf.mkdir()
    dictionaries.mkdir()
    (dictionaries / "color.tsv").write_text("value\n빨강\n파랑\n", encoding="utf-8")
    (conf / "chats.jsonl").write_text('{"text": "a", "intent": "x"}\n', encoding="utf-8")
    (conf / "t.txt").write_text("[x]\n{COLOR} 주세요\n", encoding="utf-8")
    (conf / "small.yaml").write_text(DEFINITION, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Path("conf/small.yaml")


def test_the_definition_travels_with_its_templates_and_dictionaries_in_their_places(
    definition: Path, tmp_path: Path
) -> None:
    pipeline = request.parse(["run", str(definition)]).pipeline
    assert pipeline is not None
    path, place = bundle.definition(tmp_path / "cache", definition, request.files(pipeline))
    assert place == "conf/small.yaml"
    assert sorted(zipfile.ZipFile(path).namelist()) == ["conf/small.yaml", "conf/t.txt", "dict/color.tsv"]


def test_the_same_files_make_the_same_zip(definition: Path, tmp_path: Path) -> None:
    first, _ = bundle.definition(tmp_path / "a", definition, [])
    second, _ = bundle.definition(tmp_path / "b", definition, [])
    assert (first.name, first.read_bytes()) == (second.name, second.read_bytes())
    definition.write_text(DEFINITION + "seed: 8\n", encoding="utf-8")
    assert bundle.definition(tmp_path / "a", definition, [])[0].name != first.name


def test_a_named_file_that_is_missing_is_told_before_anything_is_submitted(definition: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.tsv: there is no such file"):
        bundle.definition(tmp_path, definition, [Path("gone.tsv")])


def test_the_words_name_the_shipped_definition_shared_paths_and_the_day(definition: Path, tmp_path: Path) -> None:
    asked = request.parse(["run", str(definition), "--set", "root=/shared/u", "--date", "2026-01-02"])
    words = request.on_cluster(asked, "conf/small.yaml", "hdfs://nn:1")
    assert words[:2] == ["run", "definition/conf/small.yaml"]
    assert words.count("--date") == 1
    assert f"inputs.chats.path={tmp_path}/conf/chats.jsonl" in words
    assert "root=/shared/u" in words
    assert "profiles.local.spark.master=yarn" in words


def test_an_input_given_by_hand_is_relative_to_the_working_folder(definition: Path, tmp_path: Path) -> None:
    (tmp_path / "my.jsonl").write_text('{"text": "a", "intent": "x"}\n', encoding="utf-8")
    asked = request.parse(["run", str(definition), "--set", "root=/r", "--set", "inputs.chats.path=my.jsonl"])
    assert request.on_cluster(asked, "small.yaml", "hdfs://nn:1")[-3] == f"inputs.chats.path={tmp_path}/my.jsonl"


def test_a_root_on_the_default_file_system_is_named_in_full(definition: Path) -> None:
    asked = request.parse(["run", str(definition), "--set", "root=hdfs:///user/me"])
    assert "hdfs://nn:1/user/me" in request.on_cluster(asked, "small.yaml", "hdfs://nn:1")


def test_outputs_in_the_container_are_refused(definition: Path) -> None:
    with pytest.raises(InputError, match="--root hdfs://"):
        request.on_cluster(request.parse(["run", str(definition)]), "small.yaml", "hdfs://nn:1")


def test_problems_of_the_definition_are_told_here(definition: Path) -> None:
    definition.write_text(DEFINITION.replace("do: text.clean", "do: text.clear"), encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"small\.yaml:7 steps\.clean\.do: unknown operation 'text\.clear'"):
        request.parse(["run", str(definition)])


def test_variables_of_the_environment_are_found(definition: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert request.environment(definition) == {}
    monkeypatch.setenv("TEXTMILL_TEST_ROOT", "/shared")
    assert request.environment(definition) == {"TEXTMILL_TEST_ROOT": "/shared"}


def test_a_key_stands_for_one_request_on_one_cluster(definition: Path) -> None:
    asked = request.parse(["run", str(definition)])
    assert asked.key("http://a") == request.parse(["run", str(definition)]).key("http://a")
    others = [request.parse(["plan", str(definition)]).key("http://a"), asked.key("http://b")]
    others.append(request.parse(["run", str(definition), "--date", "2020-01-01"]).key("http://a"))
    assert asked.key("http://a") not in others
