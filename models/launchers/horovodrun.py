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
    from horovod.runner import launch
    from horovod.runner.http import http_server

    # It would import TensorFlow, PyTorch and MXNet in processes of their own to ask; scripts/setup.sh builds Gloo in.
    launch.gloo_built = lambda verbose=False: True
    if "lo" in sys.argv:  # --network-interfaces lo: all ranks are here, and nobody else needs to find them
        http_server.find_port = _on_loopback
    launch.run_commandline()


def _on_loopback(make: Callable[[tuple[str, int]], HTTPServer]) -> tuple[Any, int]:
    server = make(("127.0.0.1", 0))
    return server, server.server_address[1]


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)  # the processes between it and the ranks see that and end the ranks


if __name__ == "__main__":
    main()
