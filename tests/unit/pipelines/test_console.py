"""No character of a text, a label or a name steers a terminal."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from pipelines import console
from pipelines.board.compare import Change
from pipelines.cli import compare, options, show
from pipelines.progress import Lines, line

ROOT = Path(__file__).parents[3]
HOSTILE = "\x1b[2J\x07\r\x9b31m\u202etxt\ud800\x00"
STEERING = set("\x1b\x07\r\x9b\u202e\ud800\x00")


@pytest.mark.parametrize("text", ["환불 🙂‍↔️ é\n\tb", "می‌خواهم", "a"])
def test_what_people_write_stays(text: str) -> None:
    assert console.clean(text) == text


def test_what_steers_is_shown() -> None:
    assert console.clean(HOSTILE) == r"\x1b[2J\x07\r\x9b31m\u202etxt\ud800\x00"
    assert console.shown("a\n b\tc") == r"a\n b\tc" and console.shown(7) == "7"


@given(st.text())
def test_nothing_steers_and_json_stays_the_same_value(text: str) -> None:
    for safe in (console.clean(text), console.shown(text), console.json_text(json.dumps(text, ensure_ascii=False))):
        safe.encode("utf-8")
        assert not any(one != "\n" and one != "\t" and (ord(one) < 32 or 127 <= ord(one) < 160) for one in safe)
    assert json.loads(console.json_text(json.dumps(text, ensure_ascii=False))) == text
    assert console.shown(text).count("\n") == 0


def test_verbs_print_by_the_console_alone() -> None:
    """click.echo and print would pass everything on."""
    for file in [*(ROOT / "pipelines").rglob("*.py"), *(ROOT / "scripts/submit").rglob("*.py")]:
        calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        known = {"console.py": {"click.echo"}, "options.py": {"click.echo"}, "progress.py": {"print"}, "app.py": {"print"}}
        found = {call for call in calls if call in ("click.echo", "click.secho", "print")}
        assert found <= known.get(file.name, set()), file


def test_a_step_a_change_and_a_sample_are_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    step = {"step": "clean", "status": "done", "action": "run", "seconds": 1.0, "why": f"x{HOSTILE}\nforged", "note": "n"}
    Lines().ended(step)
    change = Change(id="1", text=f"a{HOSTILE}\nforged", label="b\nforged", first="c", second="d")
    counted = {"rows": 1, "lengths": {"histogram": {}, "sum": 0, "max": 0}, "labels": {f"x{HOSTILE}\nforged": 1},
               "samples": [{"text": f"t{HOSTILE}\nforged", "label": "l\nforged"}]}  # fmt: skip
    for said in (*compare._changes("lost", [change], 9), *show._part("rows", counted)):
        console.say(said)
    print(console.clean(line(step)))
    out = capsys.readouterr().out
    assert not STEERING & set(out) and not any(one.strip().startswith("forged") for one in out.splitlines())


def test_a_cell_is_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table()
    table.add_column("x", no_wrap=True)
    table.add_row(console.cell(f"[red]{HOSTILE}[/red]"))
    Console(width=200, force_terminal=True).print(table)
    out = capsys.readouterr().out
    assert r"[red]\x1b[2J\x07" in out and not (STEERING - {"\x1b"}) & set(out)


def test_json_of_a_verb_steers_nothing() -> None:
    @options.click.command()
    def verb() -> None:
        options.print_json({"label": HOSTILE})

    out = CliRunner().invoke(verb).output
    assert json.loads(out) == {"label": HOSTILE} and not STEERING & set(out)
