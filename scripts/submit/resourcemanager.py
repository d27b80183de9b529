"""The ResourceManager's REST API: what became of an application."""

from __future__ import annotations

import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textmill.errors import TextmillError

FINAL = ("FINISHED", "FAILED", "KILLED")
# Lost node (-100), failed disks (-101), preempted (-102), SIGKILL and SIGTERM from outside; what Spark's application
# master itself exits with is 10 to 16, and -103 and -104 tell of too little memory: those would come again.
_LOST = re.compile(
    r"AM Container for \S+ exited with\s+exitCode: (-100|-101|-102|137|143)\b"
    r"|ApplicationMaster for attempt \S+ timed out"
)
_OPENER = urllib.request.build_opener(
    # A proxy of the environment is for the world outside.
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context()),
)  # fmt: skip


class Unreachable(TextmillError):
    """No ResourceManager answers; it may be back in a moment."""


@dataclass(frozen=True)
class Application:
    """What YARN says of an application."""

    id: str
    state: str
    """NEW … ACCEPTED, RUNNING, FINISHED, FAILED or KILLED."""
    final_status: str
    diagnostics: str
    progress: float
    queue: str
    tracking: str
    asked: int = 0
    """Containers it has asked for and not got."""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Application:
        """From the REST API's `app`."""
        return cls(
            id=answer["id"], state=answer["state"], final_status=answer["finalStatus"],
            diagnostics=(answer.get("diagnostics") or "").strip(), progress=answer.get("progress") or 0.0,
            queue=answer.get("queue", ""), tracking=answer.get("trackingUrl", ""), asked=_asked(answer),
        )  # fmt: skip

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not."""
        return self.state in FINAL

    @property
    def waits_for(self) -> str | None:
        """What it can't go on without: `application master`, `executor`, or None."""
        if self.state == "RUNNING":
            return "executor" if self.asked else None
        starting = "AM container is launched" in self.diagnostics  # it has its room, and is slow
        return "application master" if self.state == "ACCEPTED" and not starting else None

    @property
    def exited(self) -> int | None:
        """The exit code of the program where it ended by itself and not well."""
        found = re.search(r"User application exited with (?:status )?(\d+)", self.diagnostics)
        return int(found[1]) if found else None

    @property
    def lost(self) -> bool:
        """Whether the driver ended by no doing of its own: its process was killed, or its node went away."""
        return self.state == "FAILED" and _LOST.search(self.diagnostics) is not None

    @property
    def exit_code(self) -> int:
        """That of the program where YARN knows it (`sys.exit(2)` makes it 2), else 0 for success and 1."""
        return 0 if self.final_status == "SUCCEEDED" else self.exited or 1


@dataclass(frozen=True)
class ResourceManager:
    """One, or several of which one is active."""

    addresses: Sequence[str]

    def application(self, name: str) -> Application | None:
        """The application, or None where YARN has forgotten it or never knew it. Raises Unreachable."""
        answer = self._get(f"/ws/v1/cluster/apps/{name}")
        return Application.read(answer["app"]) if answer else None

    def tagged(self, tag: str) -> Application | None:
        """The application that carries this tag and has not ended."""
        states = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"
        query = urllib.parse.urlencode({"applicationTags": tag, "states": states})
        apps = ((self._get(f"/ws/v1/cluster/apps?{query}") or {}).get("apps") or {}).get("app") or []
        return Application.read(apps[0]) if apps else None

    def queues(self) -> dict[str, str]:
        """The state of each queue that takes applications, by its name; empty where the scheduler tells none."""
        info = ((self._get("/ws/v1/cluster/scheduler") or {}).get("scheduler") or {}).get("schedulerInfo") or {}
        return {str(leaf["queueName"]): str(leaf.get("state", "RUNNING")) for leaf in _leaves(info)}

    def _get(self, path: str) -> dict[str, Any] | None:
        failures = []
        for address in self.addresses:
            try:
                with _OPENER.open(address + path, timeout=10) as answer:
                    return dict(json.load(answer))
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    return None
                failures.append(f"{address}: {error.code} {error.reason}")
            except (OSError, ValueError) as error:  # ValueError: a standby answers in HTML
                failures.append(f"{address}: {error}")
        raise Unreachable(f"no ResourceManager answers: {'; '.join(failures)}")


def _asked(answer: Mapping[str, Any]) -> int:
    """Containers of any place; each is asked for on its host and its rack as well."""
    wanted = [one for one in answer.get("resourceRequests") or () if one.get("resourceName", "*") == "*"]
    return sum(int(one.get("numContainers", 0)) for one in wanted)


def _leaves(queue: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Queues without queues inside, of the capacity scheduler's description."""
    inside = (queue.get("queues") or {}).get("queue") or []
    if not inside and "queueName" in queue and queue["queueName"] != "root":
        yield queue
    for one in inside:
        yield from _leaves(one)
