"""A real cron starts the daily run that `textmill schedule install` put into the crontab; in a mount namespace, so that
the machine's own crontabs are not touched."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import TEXTMILL

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("cron"), reason="needs root and Debian's cron"),
]
DEFINITION = """
name: shop
inputs:
  chats: {path: "${run.date}.jsonl", format: jsonl, window: all}
steps:
  clean: {do: text.clean, from: chats}
schedule: {cron: "* * * * *"}
profiles:
  local: {spark: {master: "local[1]", memory: 1g}}
"""
CRON = """
set -e
mount --bind "$2" /var/spool/cron/crontabs
mount -t tmpfs tmpfs /run
cd "$3"
"$1" schedule install daily.yaml
crontab -l
exec cron -f
"""


def test_cron_runs_the_date_and_a_minute_later_finds_it_done(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    shutil.chown(tmp_path / "spool", "root", "crontab")
    (tmp_path / "spool").chmod(0o1730)
    (tmp_path / "daily.yaml").write_text(DEFINITION)
    for date in (dt.date.today(), dt.date.today() + dt.timedelta(days=1)):  # it may be midnight
        (tmp_path / f"{date}.jsonl").write_text('{"text": "x", "label": "a"}\n')
    words = ["sh", "-c", CRON, "sh", str(TEXTMILL), str(tmp_path / "spool"), str(tmp_path)]
    with (tmp_path / "cron.log").open("w") as log:
        command = ["unshare", "--mount", "--fork", "--kill-child", *words]
        cron = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    said = tmp_path / "shop.daily.log"
    try:
        while not (said.exists() and "nothing to do, run " in said.read_text()):
            assert cron.poll() is None, (tmp_path / "cron.log").read_text()
            time.sleep(1)
    finally:
        cron.kill()
        cron.wait()
    records = [json.loads(file.read_text()) for file in tmp_path.glob("runs/shop/*/run.json")]
    assert [record["status"] for record in records] == ["done"], said.read_text()
    assert "* * * * * cd " in (tmp_path / "cron.log").read_text()
    listed = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False).stdout
    assert str(tmp_path) not in listed, "the machine's own crontab is as it was"
