"""What textmill changes of Horovod's launcher: nobody's pickles are read by the server where ranks meet."""

from __future__ import annotations

import base64
import os
import pickle
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from models.launchers import horovodrun


class Evil:
    """Leaves a folder where it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("unread", [True, False])
def test_pickles_put_to_the_server_of_an_elastic_training_are_not_read(tmp_path: Path, unread: bool) -> None:
    pytest.importorskip("horovod.runner.elastic.rendezvous", reason="Horovod is not installed")
    from horovod.runner.elastic.rendezvous import create_rendezvous_handler
    from horovod.runner.http.http_server import RendezvousServer

    make = horovodrun._unread(create_rendezvous_handler) if unread else create_rendezvous_handler  # noqa: SLF001
    server = RendezvousServer()
    port = server.start(make(None))
    evil = base64.b64encode(pickle.dumps(Evil(tmp_path / "ran")))
    try:
        request = Request(f"http://127.0.0.1:{port}/worker_addresses/host:0", data=evil, method="PUT")
        try:
            urlopen(request, timeout=10).close()
        except (HTTPError, OSError):
            assert not unread
    finally:
        server.stop()
    assert (tmp_path / "ran").exists() != unread
