"""What YARN answers: applications, exit codes, standby and silent ResourceManagers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts.submit import follow
from scripts.submit.hadoop import Hadoop
from scripts.submit.resourcemanager import Application, ResourceManager, Unreachable
from textmill.errors import InputError, TextmillError

ID = "application_1_0001"


def app(state: str = "RUNNING", final: str = "UNDEFINED", diagnostics: str = "") -> dict[str, Any]:
    return {"id": ID, "state": state, "finalStatus": final, "diagnostics": diagnostics, "queue": "default"}


class Yarn(ThreadingHTTPServer):
    """Answers with the next of its `states`; the last one stays."""

    states: list[dict[str, Any]]
    asked: list[str]
    scheduler: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Yarn

    def do_GET(self) -> None:
        states = self.server.states
        self.server.asked.append(self.path)
        now = states.pop(0) if len(states) > 1 else states[0]
        listed = "applicationTags" in self.path
        self.send_response(200 if now else 404)
        self.end_headers()
        answer = {"apps": {"app": [now]}} if listed else {"app": now}
        self.wfile.write(json.dumps(self.server.scheduler if self.path.endswith("/scheduler") else answer).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""


@pytest.fixture
def yarn() -> Iterator[Yarn]:
    server = Yarn(("127.0.0.1", 0), _Answer)
    server.states, server.asked = [app()], []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("final", "diagnostics", "code"),
    [
        ("SUCCEEDED", "", 0),
        ("FAILED", "User application exited with status 2", 2),
        ("FAILED", "User application exited with 130", 130),
        ("FAILED", "Max number of executor failures (4) reached", 1),
        ("KILLED", "Application killed by user", 1),
    ],
)
def test_the_exit_code_is_the_program_s(final: str, diagnostics: str, code: int) -> None:
    assert Application.read({**app("FINISHED", final), "diagnostics": diagnostics}).exit_code == code


MASTER = "Application a failed 1 times … due to AM Container for appattempt_1_0001_000001 exited with  exitCode: "


@pytest.mark.parametrize(
    ("state", "diagnostics", "lost"),
    [
        ("FAILED", f"{MASTER}137\nFailing this attempt.", True),
        ("FAILED", f"{MASTER}-100\nContainer released on a *lost* node", True),
        ("FAILED", "ApplicationMaster for attempt appattempt_1_0001_000001 timed out. Failing", True),
        ("FAILED", f"{MASTER}1\nUser application exited with status 1", False),
        ("FAILED", f"{MASTER}-104\nrunning beyond physical memory limits", False),
        ("KILLED", f"{MASTER}137", False),
    ],
)
def test_a_lost_application_master_is_told_from_a_program_that_failed(state: str, diagnostics: str, lost: bool) -> None:
    assert Application.read({**app(state, "FAILED"), "diagnostics": diagnostics}).lost is lost


def test_following_tells_each_change_once_and_ends_with_the_application(yarn: Yarn) -> None:
    waiting = app("ACCEPTED", diagnostics="[Tue Nov 24] Queue's AM resource limit exceeded.  Details : x")
    yarn.states = [waiting, waiting, app(), app(), app("FINISHED", "SUCCEEDED")]
    told: list[str] = []
    ended = follow.follow(ResourceManager([yarn.url]), ID, told.append, poll=0.01)
    assert ended.exit_code == 0
    assert [words.split()[2] for words in told] == ["accepted", "in"]
    assert told[0].endswith("in queue default: Queue's AM resource limit exceeded.")


@pytest.mark.parametrize(
    ("waiting", "message"),
    [
        (app("ACCEPTED"), "no application master for .* queue default has no room .* less by --driver-memory"),
        (
            {**app(), "resourceRequests": [{"resourceName": "*", "numContainers": 2}, {"resourceName": "host1"}]},
            "no executor for .* less by --executors, --memory or --cores",
        ),
    ],
)
def test_a_wait_for_containers_says_once_what_to_change(
    yarn: Yarn, monkeypatch: pytest.MonkeyPatch, waiting: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr(follow, "ROOM", 0.0)
    yarn.states = [waiting, waiting, waiting, app(), app("FINISHED", "SUCCEEDED")]
    told: list[str] = []
    follow.follow(ResourceManager([yarn.url]), ID, told.append, poll=0.01)
    lacking = [words for words in told if words.startswith("no ")]
    assert len(lacking) == 1 and re.match(message, lacking[0])


def test_queues_are_the_leaves_of_the_scheduler(yarn: Yarn) -> None:
    inner = {"queueName": "b", "queues": {"queue": [{"queueName": "c", "state": "STOPPED"}]}}
    root = {"queueName": "root", "queues": {"queue": [{"queueName": "a", "state": "RUNNING"}, inner]}}
    yarn.scheduler = {"scheduler": {"schedulerInfo": root}}
    assert ResourceManager([yarn.url]).queues() == {"a": "RUNNING", "c": "STOPPED"}


def test_an_application_that_yarn_forgot_is_an_error(yarn: Yarn) -> None:
    yarn.states = [{}]
    with pytest.raises(TextmillError, match=f"does not know {ID}"):
        follow.follow(ResourceManager([yarn.url]), ID, print)


def test_the_next_resource_manager_is_asked_where_one_is_down(yarn: Yarn) -> None:
    found = ResourceManager(["http://127.0.0.1:1", yarn.url]).application(ID)
    assert found is not None and found.id == ID
    with pytest.raises(Unreachable, match="127.0.0.1:1"):
        ResourceManager(["http://127.0.0.1:1"]).application(ID)


def test_a_request_finds_its_application_by_ticket_and_by_tag(yarn: Yarn, tmp_path: Path) -> None:
    ticket, manager = follow.Ticket(tmp_path / "t.json"), ResourceManager([yarn.url])
    assert follow.running(manager, ticket, "tag-1") is not None
    assert "applicationTags=tag-1" in yarn.asked[-1]
    ticket.write(ID, ("run",))
    assert follow.running(manager, ticket, "tag-1") is not None
    assert yarn.asked[-1].endswith(ID)


def test_the_first_error_of_a_log_is_found_among_the_chatter() -> None:
    line = "=" * 79
    launch = f"{line}\nDefault YARN executor launch context:\n  env:\n    X -> Error\n{line}\n"
    log = f"26/11/24 01:02:03 INFO ok\n{launch}26/11/24 01:02:03 ERROR Executor: boom\nCaused by: x\n"
    assert follow.telling(log) == ["26/11/24 01:02:03 ERROR Executor: boom", "Caused by: x"]
    assert follow.first_error(follow.telling(log)) == "26/11/24 01:02:03 ERROR Executor: boom"
    assert follow.first_error(["all is well"]) is None


def site(folder: Path, **values: str) -> Hadoop:
    entries = "".join(
        f"<property><name>{name.replace('_', '.')}</name><value>{value}</value></property>"
        for name, value in values.items()
    )
    (folder / "yarn-site.xml").write_text(f"<configuration>{entries}</configuration>", encoding="utf-8")
    return Hadoop(folder)


def test_addresses_come_from_the_client_configuration(tmp_path: Path) -> None:
    assert site(tmp_path, yarn_resourcemanager_hostname="rm").resource_managers() == ["http://rm:8088"]
    two = {"yarn_resourcemanager_ha_rm-ids": "a,b", "yarn_resourcemanager_hostname_a": "m1"}
    two["yarn_resourcemanager_webapp_address_b"] = "m2:99"
    assert site(tmp_path, **two).resource_managers() == ["http://m1:8088", "http://m2:99"]
    secure = {"yarn_http_policy": "HTTPS_ONLY", "yarn_resourcemanager_hostname": "rm"}
    assert site(tmp_path, **secure).resource_managers() == ["https://rm:8090"]


def test_a_missing_client_configuration_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="set HADOOP_CONF_DIR"):
        Hadoop.from_environment({})
    with pytest.raises(InputError, match="has no yarn-site.xml"):
        Hadoop.from_environment({"HADOOP_CONF_DIR": str(tmp_path)})


@pytest.mark.parametrize(
    ("diagnostics", "waits"),
    [
        ("[date] Application is added to the scheduler and is not yet activated.", "application master"),
        ("AM container is launched, waiting for AM container to Register with RM", None),
    ],
)
def test_a_master_that_starts_slowly_is_not_one_without_room(diagnostics: str, waits: str | None) -> None:
    assert Application.read(app("ACCEPTED", diagnostics=diagnostics)).waits_for == waits
