"""Hostile and broken YAML: a problem with its line, soon, and never a traceback."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines import source, yamltext
from pipelines.cli.check import command
from pipelines.overrides import override
from textmill.errors import InputError

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(3000))
BROKEN = {
    "billion laughs": (LAUGHS, 5, "aliases stand for more than 20,000 values"),
    "a list in itself": ("name: x\nvars: &v\n  a: [*v]\n", 3, "*v stands inside of what it stands for"),
    "a list that is itself": ("name: &v [1, *v]\n", 1, "*v stands inside"),
    "a long chain of aliases": (CHAIN, 64, "aliases make more than 64 levels"),
    "many brackets": ("name: x\nvars: " + "[" * 3000, 2, "more than 64 levels"),
    "many dashes": ("name: x\nvars:\n" + "- " * 3000 + "x", 3, "more than 64 levels"),
    "many braces": ("name: " + "{a: " * 3000, 1, "more than 64 levels"),
    "a NUL": ("name: x\nvars: {a: \0}\n", 2, "U+0000 is not allowed"),
    "a bell": ("name: x\n# \a\n", 2, "U+0007 is not allowed"),
    "many digits": (f"name: x\nseed: {'9' * 5000}\n", 2, "is no int"),
    "more than 64 bits": ("name: x\nseed: 99999999999999999999\n", 2, "is too large"),
    "no number": ("name: x\nseed: !!int zzz\n", 2, "'zzz' is no int"),
    "an empty number": ("name: x\nseed: !!int ''\n", 2, "'' is no int"),
    "no boolean": ("name: x\nseed: !!bool zzz\n", 2, "'zzz' is no bool"),
    "no float": ("name: x\nseed: !!float zzz\n", 2, "'zzz' is no float"),
    "a set": ("name: x\nvars: !!set {a, b}\n", 2, "the tag !!set is not one of definitions"),
    "a tag of one's own": ("name: x\nvars: !mine 1\n", 2, "the tag !mine is not one"),
    "a tag of Python": ("name: x\nvars: !!python/name:os.system 1\n", 2, "is not one of definitions"),
    "a date with a tag": ("name: x\nvars: !!timestamp 2026-02-30\n", 2, "the tag !!timestamp"),
    "a key twice": ("name: x\nseed: 1\nseed: 2\n", 3, "seed: is given twice"),
    "a key twice through an alias": ("vars: &v {a: 1, a: 2}\nname: *v\n", 1, "is given twice"),
    "a merge key": ("vars: &v {a: 1}\ninputs: {<<: *v}\n", 2, "merge keys are not of YAML 1.2"),
    "a list as a key": ("name: x\n? [a]\n: b\n", 2, "unhashable key"),
    "an unknown alias": ("name: x\nvars: *v\n", 2, "undefined alias"),
    "two documents": ("name: x\n---\nname: y\n", 2, "another document"),
    "a list": ("- a\n", 1, "a definition is a mapping"),
    "nothing": ("", 1, "a definition is a mapping"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_yaml_is_a_problem_with_its_line(kind: str, tmp_path: Path) -> None:
    text, line, message = BROKEN[kind]
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    started = time.process_time()
    with pytest.raises(InputError) as caught:
        source.read(file)
    assert time.process_time() - started < 1
    said, *_ = str(caught.value).splitlines()
    assert said.startswith(f"{file}:{line}") and message in said and len(said) < 300
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("name: x\n".encode("utf-16"), 1, "is UTF-16: save it as UTF-8"),
        (b"name: x\nvars: {a: \xb0\xa1}\n", 2, "is not UTF-8 text (byte 18)"),
        (b"a: " + b"x" * (9 << 20), 1, "is larger than 8 MiB"),
    ],
)
def test_a_file_that_is_no_text_is_named(content: bytes, line: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(InputError) as caught:
        source.read(tmp_path / "x.yaml")
    assert str(caught.value).startswith(f"{tmp_path}/x.yaml:{line}: {message}")


def test_a_folder_and_a_closed_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":1: can't be read: Is a directory"):
        source.read(tmp_path)
    with pytest.raises(InputError, match="there is no such definition file"):
        source.read(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="can't be read: File name too long"):
        source.read(tmp_path / ("a" * 300))
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    with pytest.raises(InputError, match="can't be read"):
        source.read(tmp_path / "loop.yaml")


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("name: x")
    (tmp_path / "x.yaml").chmod(0)
    with pytest.raises(InputError, match="can't be read: Permission denied"):
        source.read(tmp_path / "x.yaml")


def test_aliases_stay_allowed_and_what_they_stand_for_can_be_set_alone(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("\ufeffname: x\nsteps:\n  a: &a {do: y, size: 1}\n  b: *a\n", encoding="utf-8")
    tree = override(source.read(tmp_path / "x.yaml"), ["steps.a.size=2"])
    assert tree.data["steps"] == {"a": {"do": "y", "size": 2}, "b": {"do": "y", "size": 1}}
    assert tree.where(("steps", "b", "size")) == f"{tmp_path}/x.yaml:3"


def test_words_and_dates_are_strings() -> None:
    text = "[on, off, yes, n, 2026-02-30, 2026-01-01, =, '<<', 12, 1.5, true, null, ~]"
    expected = ["on", "off", "yes", "n", "2026-02-30", "2026-01-01", "=", "<<", 12, 1.5, True, None, None]
    assert yamltext.parse("x", text)[0] == expected


def test_check_ends_with_status_two_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(LAUGHS)
    found = CliRunner().invoke(command, [str(tmp_path / "x.yaml")])
    assert isinstance(found.exception, InputError) and found.exception.exit_code == 2


@given(st.text(st.sampled_from("a1-:[]{}&*!<>|%'\"#, \n\t\r\0?@`~.=_\ufeff\x85é"), max_size=40))
@example("!!int 0x")
@example("? ? ? a")
@example("-_")
@example("0b")
@example("._")
@example("!!float ''")
@example("1:60:60")
@example("&a !!str *a")
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        yamltext.parse("x.yaml", text)
    except InputError as error:
        assert all(line.startswith("x.yaml:") for line in str(error).splitlines())


def test_a_character_written_as_two_escapes_is_one_and_half_of_one_is_refused() -> None:
    assert yamltext.parse("x.yaml", r'{"name": "\ud83d\ude42"}')[0] == {"name": "🙂"}
    with pytest.raises(InputError, match="x.yaml:2: one of its escapes is half of a character"):
        yamltext.parse("x.yaml", 'a: 1\nb: "\\ud83d"')
