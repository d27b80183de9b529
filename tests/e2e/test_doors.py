"""Who listens where: what the kernel says of the processes of a session, and what their command lines show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SESSION = """
import json, os, sys
from pathlib import Path
import psutil
from spark_jobs import doors, session

master, log = sys.argv[1], Path(sys.argv[2])
started = session.start(session.SparkSettings(master, "1g", {"spark.ui.enabled": "true"}), log)
rows = started.range(0, 1000, 1, 4).repartition(4).mapInPandas(lambda rows: rows, "id long").count()
secret = started.sparkContext.getConf().get(doors.SECRET)
told = {"rows": rows, "secret": secret, "authenticated": started.sparkContext.getConf().get("spark.authenticate"),
        "environment": os.environ.get("SPARK_LOCAL_IP"), "listens": [], "commands": []}
me = psutil.Process()
for process in [me, *me.children(recursive=True)]:
    try:
        told["commands"].append(process.cmdline())
        told["listens"] += [[process.name(), one.laddr.ip, one.laddr.port]
                            for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:
        pass
print(json.dumps(told))
started.stop()
"""


def session(master: str, folder: Path) -> dict[str, Any]:
    """What a session of this master said of itself."""
    command = [sys.executable, "-c", SESSION, master, str(folder / "spark.log")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("master", ["local[2]", "local-cluster[1,1,1024]"])
def test_all_of_a_local_session_is_on_loopback_and_its_secret_on_no_command_line(master: str, tmp_path: Path) -> None:
    told = session(master, tmp_path)
    assert (told["rows"], told["authenticated"]) == (1000, "true")
    assert {"java"} <= {name for name, _, _ in told["listens"]}
    assert {address for _, address, _ in told["listens"]} <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert told["environment"] is None  # what is set for the JVM stays with it
    words = [word for command in told["commands"] for word in command]
    assert "spark.authenticate=true" in words
    if master.startswith("local-cluster"):
        assert any("CoarseGrainedExecutorBackend" in word for word in words)
        assert len(told["secret"]) == 64
        assert not [word for word in words if told["secret"] in word or "authenticate.secret" in word]
