"""Any text, quoted and read back by its target, is that text; or it is refused."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import jinja2
import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from textmill import quoting
from textmill.errors import InputError

HOSTILE = st.text(st.sampled_from("a %\\'\"$`{}#;&|<>()=\n\r\t\0\x85\u2028-~!*?한[]"), max_size=12)
TEXTS = st.one_of(HOSTILE, st.text(max_size=20))
LISTS = st.lists(TEXTS, max_size=4)
SHELL = settings(max_examples=150, deadline=None)


def quoted(function: Callable[[str], str], text: str) -> str | None:
    """What the function makes of the text; None where it refuses it."""
    try:
        return function(text)
    except InputError:
        return None


def words_of_shell(shell: str, line: str) -> list[str]:
    """The words that a shell hands to a program."""
    done = subprocess.run([shell, "-c", f"printf '<%s>\\0' {line}"], capture_output=True, check=True)
    found = done.stdout.decode(errors="surrogateescape").split("\0")[:-1]
    return [word[1:-1] for word in found]


def as_cron(line: str, drops_backslashes: bool) -> tuple[str, str]:
    """The command of a crontab's line and its standard input, by do_command.c: Debian's and FreeBSD's, or cronie's."""
    special, found, escaped = ("%\\" if drops_backslashes else "%"), "", False
    for at, character in enumerate(line):
        if not escaped and character == "%":
            return found, line[at + 1 :]
        found = f"{found[:-1]}{character}" if escaped and character in special else f"{found}{character}"
        escaped = not escaped and character == "\\"
    return found, ""


@SHELL
@given(LISTS)
@example(["\\%", "\\\\", "a\\\\%b", "%", "'\\'"])
def test_cron_runs_the_words_that_were_meant(words: list[str]) -> None:
    found = [quoted(quoting.crontab, word) for word in words]
    assume(words and None not in found)
    line = " ".join(map(str, found))
    assert "\n" not in line and "\r" not in line
    for drops_backslashes in (True, False):
        command, given_to_it = as_cron(line, drops_backslashes)
        assert given_to_it == "" and words_of_shell("/bin/sh", command) == words


def as_systemd(line: str) -> list[str]:
    """The words of ExecStart=, by systemd.service(5) and systemd.syntax(7): quotes, C escapes, specifiers, variables."""
    words: list[str] = []
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"(?: |$)', line):
        text = re.sub(r"\\(.)", lambda found: {"\\": "\\", '"': '"'}[found[1]], match[1])
        assert not re.search(r"%(?!%)", text.replace("%%", "")) and not re.search(r"\$", text.replace("$$", ""))
        words.append(text.replace("%%", "%").replace("$$", "$"))
    assert "".join(f'"{one}" ' for one in re.findall(r'"((?:[^"\\]|\\.)*)"', line)) == f"{line} "
    return words


@given(LISTS)
@example(["%h", "${HOME}", "$$", "\\", '"', ";", ""])
def test_systemd_reads_the_words_that_were_meant(words: list[str]) -> None:
    found = [quoted(quoting.systemd, word) for word in words]
    assume(words and None not in found)
    line = " ".join(map(str, found))
    assert len(re.split(r"[\n\r\0]", line)) == 1 and not line.endswith("\\")
    assert as_systemd(line) == words


@given(TEXTS)
def test_a_folder_of_systemd_is_what_was_meant(text: str) -> None:
    path = f"/{text}"
    if (value := quoted(quoting.systemd_path, path)) is not None:
        assert value.strip().replace("%%", "%") == path and not value.endswith("\\") and not re.search("[\n\r\0]", value)


@pytest.mark.parametrize("path", ["echo", "/a$b", '/a"b', "/a'b", "/a\\b", "/a\nb", "-/bin/echo"])
def test_a_program_that_systemd_reads_otherwise_is_refused(path: str) -> None:
    with pytest.raises(InputError):
        quoting.systemd_program(path)


@SHELL
@given(LISTS)
def test_another_hosts_shell_runs_the_words_that_were_meant(words: list[str]) -> None:
    assume(words and not any("\ud800" <= character <= "\udfff" for word in words for character in word))
    try:
        line = quoting.remote(words)
    except InputError:
        assert any("\0" in word for word in words)
        return
    assert words_of_shell("bash", line) == words


@given(TEXTS)
def test_a_directive_is_one_line_that_a_shell_takes_for_a_comment(text: str) -> None:
    if (option := quoted(quoting.directive, f"-{text}")) is not None:
        assert option == f"-{text}" and f"#SBATCH {option}".splitlines() == [f"#SBATCH {option}"]


PLAIN = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@given(PLAIN)
@example({"y": "1e3", "on": ["0o7", "~", "null", "=", "<<", "1:30", "- a", "#", "a: b", "{{x}}", "&a", "*a", "!x"]})
def test_a_document_of_yaml_holds_what_was_meant(value: object) -> None:
    assert yaml.safe_load(quoting.yaml_document(value)) == value


@pytest.mark.parametrize("text", ["y", "N", "1e3", "0o7", "0x1F", "1_000", "12:30:00", "2026-01-01", ".inf", "NaN"])
def test_a_string_that_some_yaml_reads_otherwise_is_between_quotes(text: str) -> None:
    assert quoting.yaml_document({"a": text}) == f'a: "{text}"\n'


@given(st.dictionaries(st.sampled_from(["pipeline", "train", "set"]), TEXTS, min_size=1))
@example({"pipeline": 'm"} 1\nforged{x="', "train": "\\", "set": "\\n"})
def test_prometheus_reads_the_labels_that_were_meant(labels: dict[str, str]) -> None:
    found = {name: quoted(quoting.prometheus, value) for name, value in labels.items()}
    assume(None not in found.values())
    text = f"# TYPE m gauge\nm{{{','.join(f'{name}={value}' for name, value in found.items())}}} 1.0\n"
    (family,) = text_string_to_metric_families(text)
    (sample,) = family.samples
    assert (sample.name, sample.labels, sample.value) == ("m", labels, 1.0)


@given(TEXTS)
@example("{{ ds }}{% raw %}{# #}{{{")
def test_airflow_renders_the_text_that_was_meant(text: str) -> None:
    if (template := quoted(quoting.jinja, text)) is not None:
        assert jinja2.Template(f"{template} {{{{ date }}}}").render(date="x") == f"{text} x"


@given(TEXTS)
def test_kubernetes_gives_the_text_that_was_meant(text: str) -> None:
    """Its expansion: `$$` is `$`, `$(NAME)` a variable, any other `$` itself."""
    found = re.sub(r"\$\$|\$\((\w+)\)", lambda match: "$" if match[0] == "$$" else "EXPANDED", quoting.kubernetes(text))
    assert found == text


@given(TEXTS)
def test_nothing_of_a_word_for_yarn_is_special_to_a_shell_or_to_yarn(text: str) -> None:
    assert re.fullmatch(r"[\w%/.=:,@+~-]*", quoting.yarn(text), re.ASCII)
