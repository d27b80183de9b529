"""Every verb looks for the runs in the same folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import cli

# A root of a scheme that is not there is refused by its name, whatever the verb would do with it.
OPTION, DEFINED, ENVIRONMENT = "option://r", "defined://r", "environment://r"
DEFINITION = """
name: demo
{root}
inputs:
  chats: {{path: chats.jsonl, format: jsonl}}
steps:
  clean: {{do: text.clean, from: chats}}
profiles:
  there: {{root: "profile://r"}}
"""
OF_DEFINITION = {
    "check": [], "plan": [], "run": [], "peek": ["clean"], "why": ["clean"], "daily": [],
    "backfill": ["--since", "2026-01-02"], "board": [],
}  # fmt: skip
OF_NAME = {
    "runs": [], "show": [], "verify": [], "versions": [], "promote": [], "gc": [], "compare": ["a", "b"], "rollback": ["demo"],
    "serve": ["demo"], "score": ["demo", "in.jsonl", "out"], "export": ["last", "file:///out"],
}  # fmt: skip
WITHOUT = {"doctor", "models", "operations", "schema"}


def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], root: str, environment: str) -> str:
    """What the command line prints, with this root in the definition and in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTMILL_ROOT", environment)
    (tmp_path / "chats.jsonl").write_text('{"text": "a", "label": "b"}\n')
    (tmp_path / "demo.yaml").write_text(DEFINITION.format(root=f"root: {root}" if root else ""))
    done = CliRunner().invoke(cli, words)
    return f"{done.output}\n{done.exception}"


def test_the_table_has_every_verb() -> None:
    verbs = set(cli.list_commands(None))  # type: ignore[arg-type]
    assert verbs == {*OF_DEFINITION, *OF_NAME, "schedule"} | WITHOUT


@pytest.mark.parametrize("verb", list(OF_DEFINITION))
def test_an_option_then_the_definition_then_the_environment(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [verb, "demo.yaml", *OF_DEFINITION[verb]]
    for given, defined, expected in (
        (["--root", OPTION], DEFINED, "option"), ([], DEFINED, "defined"), ([], "", "environment"),
        (["--root", OPTION], "", "option"),
    ):  # fmt: skip
        found = said(tmp_path, monkeypatch, [*words, *given], defined, ENVIRONMENT)
        assert f"{expected}://r: unknown scheme" in found, found
    if verb != "board":
        assert "profile://r: unknown scheme" in said(tmp_path, monkeypatch, [*words, "--profile", "there"], DEFINED, "")


@pytest.mark.parametrize("verb", list(OF_NAME))
def test_without_a_definition_an_option_then_the_environment(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [verb, *OF_NAME[verb]]
    assert "option://r: unknown scheme" in said(tmp_path, monkeypatch, [*words, "--root", OPTION], DEFINED, ENVIRONMENT)
    assert "environment://r: unknown scheme" in said(tmp_path, monkeypatch, words, DEFINED, ENVIRONMENT)


def test_a_schedule_takes_the_environments_root_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["schedule", "show", "demo.yaml"]
    assert "--root /env" in said(tmp_path, monkeypatch, words, "", "/env")
    assert "--root /given" in said(tmp_path, monkeypatch, [*words, "--root", "/given"], "/mine", "/env")
    assert "--root" not in said(tmp_path, monkeypatch, words, "/mine", "/env")
    assert "--root" not in said(tmp_path, monkeypatch, words, "", "")


def test_the_last_resort_is_a_folder_named_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no run under runs" in said(tmp_path, monkeypatch, ["runs"], "", "")
    from pipelines.definition import load

    assert str(load(tmp_path / "demo.yaml").root) == "runs"
