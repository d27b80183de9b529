"""Schedules as cron and systemd read them, and a crontab that keeps what is not ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines import crontime
from pipelines.cli.schedule import command
from pipelines.schedules import SCHEDULERS, Crontab, Entry, SystemdTimer
from textmill.errors import DefinitionError, EnvironmentProblem, InputError

CRONTAB = """#!/bin/sh
# A crontab in a file: -l prints it, - replaces it, -r removes it.
case $1 in
    -l) [ -e "$CRONTAB_FILE" ] || { echo "no crontab for me" >&2; exit 1; }; cat "$CRONTAB_FILE" ;;
    -) cat > "$CRONTAB_FILE" ;;
    -r) rm "$CRONTAB_FILE" ;;
esac
"""


@pytest.mark.parametrize(
    ("cron", "calendar"),
    [
        ("0 3 * * *", "*-*-* 03:00:00"),
        ("*/20 1-3 * * 1-5", "Mon,Tue,Wed,Thu,Fri *-*-* 01,02,03:00,20,40:00"),
        ("5 4 1,15 */6 *", "*-01,07-01,15 04:05:00"),
        ("0 0 * * 7", "Sun *-*-* 00:00:00"),
        ("30/15 0 * * *", "*-*-* 00:30,45:00"),
    ],
)
def test_a_schedule_of_cron_as_a_calendar_of_systemd(cron: str, calendar: str) -> None:
    assert crontime.calendar(cron) == calendar
    if analyze := shutil.which("systemd-analyze"):
        done = subprocess.run([analyze, "calendar", calendar], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "cron", ["", "0 3 * *", "60 3 * * *", "0 24 * * *", "0 3 0 * *", "@daily", "0 5-3 * * *", "*/0 * * * *"]
)
def test_what_is_no_schedule_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match="fields|from|write"):
        crontime.parse(cron)


def test_either_of_two_days_can_not_be_a_timer(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't mean either a day of month or a day of week"):
        SystemdTimer().text(Entry("m", "0 3 1 * 1", tmp_path, ("textmill",)))


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/crontab").write_text(CRONTAB)
    (tmp_path / "bin/crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CRONTAB_FILE", str(tmp_path / "crontab"))
    return tmp_path / "crontab"


def test_the_crontab_keeps_what_others_wrote(crontab: Path, tmp_path: Path) -> None:
    others = "MAILTO=me\n1 2 * * * backup # textmill\n"
    crontab.write_text(others)
    for cron in ("0 3 * * *", "0 4 * * *"):
        Crontab().install(Entry("shop", cron, tmp_path / "a b", ("textmill", "daily", "100%.yaml")))
    Crontab().install(Entry("shop-2", "0 5 * * *", tmp_path, ("textmill",)))
    lines = crontab.read_text().splitlines()
    assert len(lines) == 6 and lines[3].startswith(f"0 4 * * * cd '{tmp_path}/a b' && textmill daily 100\\%.yaml >> ")
    assert Crontab().remove("shop") and not Crontab().remove("shop")
    assert crontab.read_text().startswith(others) and "shop-2" in crontab.read_text()
    assert Crontab().remove("shop-2") and crontab.read_text() == others


def test_the_command_of_a_crontab_line_does_what_it_says(crontab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "it's 100%"
    folder.mkdir()
    Crontab().install(Entry("m", "0 3 * * *", folder, ("echo", "a 'b' %c")))
    command = crontab.read_text().splitlines()[1].removeprefix("0 3 * * * ").replace("\\%", "%")  # as cron does
    subprocess.run(["sh", "-c", command], check=True)
    assert (folder / "m.daily.log").read_text() == "a 'b' %c\n"


def test_an_entry_with_strange_line_separators_is_removed_as_a_whole(crontab: Path) -> None:
    """A crontab's lines end with a line feed alone: taken apart elsewhere, half a line would stay behind as a job."""
    mine = "# textmill schedule of m\n0 3 * * * echo a\x0b\x85\u2028* * * * * touch /tmp/x\n"
    crontab.write_bytes(b"MAILTO=caf\xe9\r\n" + mine.encode() + b"1 2 * * * backup")
    assert Crontab().remove("m")
    assert crontab.read_bytes() == b"MAILTO=caf\xe9\r\n1 2 * * * backup\n"


def test_a_crontab_that_can_not_be_read_is_not_replaced(crontab: Path, tmp_path: Path) -> None:
    (tmp_path / "bin/crontab").write_text("#!/bin/sh\n[ $1 = -l ] && { echo 'not allowed' >&2; exit 1; }\ncat >\"$CRONTAB_FILE\"\n")
    with pytest.raises(EnvironmentProblem, match="not allowed"):
        Crontab().install(Entry("m", "0 3 * * *", tmp_path, ("textmill",)))
    assert not crontab.exists()


@pytest.mark.parametrize("kind", SCHEDULERS)
@pytest.mark.parametrize(
    ("name", "folder", "word"),
    [("m\n* * * * * touch x", "/a", "b"), ("store", "/a", "b"), ("m", "/a\n* * * * * touch x", "b"), ("m", "/a", "b\nc")],
)
def test_no_line_break_comes_into_a_crontab_or_a_unit(kind: str, name: str, folder: str, word: str) -> None:
    with pytest.raises(InputError):
        SCHEDULERS[kind].text(Entry(name, "0 3 * * *", Path(folder), ("/bin/echo", word)))


def test_five_fields_on_several_lines_are_one_line(tmp_path: Path) -> None:
    assert crontime.checked("0\n3 *\t* *\n") == "0 3 * * *"
    assert Crontab().text(Entry("m", "0 3 *\n* *", tmp_path, ("x",))).count("\n") == 2
    with pytest.raises(ValueError, match="write"):
        crontime.parse("0 \u0663 * * *")


def test_what_check_refuses_is_not_installed(crontab: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    head = "inputs: {chats: {path: x.jsonl, format: jsonl}}\nschedule: {cron: 0 3 * * *}\n"
    file.write_text(f"name: m\n{head}steps: {{clean: {{do: text.clean, from: chats, unicde: NFC}}}}\n")
    found = CliRunner().invoke(command, ["install", str(file)])
    assert isinstance(found.exception, DefinitionError) and "unicde" in str(found.exception)
    file.write_text(f'name: "m\\n* * * * * touch x"\n{head}steps: {{clean: {{do: text.clean, from: chats}}}}\n')
    for action in ("show", "install", "remove"):
        found = CliRunner().invoke(command, [action, str(file)])
        assert isinstance(found.exception, DefinitionError) and f"{file}:1 name" in str(found.exception)
    file.write_text(f"name: m\n{head}steps: {{clean: {{do: text.clean, from: chats}}}}\n")
    assert CliRunner().invoke(command, ["install", str(file)]).exit_code == 0  # a day's input may come later
    assert "schedule of m\n" in crontab.read_text()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    entry = Entry("m", "0 3 * * *", tmp_path, ("/bin/echo", "100% $HOME", 'a "b"', "\\", ";", "${HOME}", ""))
    texts = SystemdTimer().text(entry).split("# ")[1:]
    files = [tmp_path / Path(text.partition("\n")[0]).name for text in texts]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text.partition("\n")[2])
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "textmill-m" not in done.stderr, done.stderr
