"""horovodrun, ended when its standard input does: python -m models.launchers.horovodrun ARGUMENT…

Whoever starts it holds the other end of the pipe, so that no rank outlives a driver that was killed.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from http.server import HTTPServer
from typing import Any


def main() -> None:
    """Run Horovod's own launcher."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from horovod.runner import gloo_run, launch
    from horovod.runner.http import http_server

    # It would import TensorFlow, PyTorch and MXNet in processes of their own to ask; scripts/setup.sh builds Gloo in.
    launch.gloo_built = lambda verbose=False: True
    if "lo" in sys.argv:  # --network-interfaces lo: all ranks are here, and nobody else needs to find them
        http_server.find_port = _on_loopback
    gloo_run.create_rendezvous_handler = _unread(gloo_run.create_rendezvous_handler)
    launch.run_commandline()


def _on_loopback(make: Callable[[tuple[str, int]], HTTPServer]) -> tuple[Any, int]:
    server = make(("127.0.0.1", 0))
    return server, server.server_address[1]


def _unread(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The server of an elastic training unpickles what anybody says of the addresses of ranks, and talks to those in pickles.

    It would let ranks know of hosts that come; here hosts are given, and ranks find out by themselves about those that go.
    """

    def made(driver: Any) -> Any:
        handler = make(driver)
        handler._put_value = super(handler, handler)._put_value
        return handler

    return made


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)  # the processes between it and the ranks see that and end the ranks


if __name__ == "__main__":
    main()
