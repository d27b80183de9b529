"""Nobody who only connects holds up a session: Spark's JVM reports the end of every task of Python to one port."""

from __future__ import annotations

import socket
import struct

import pytest

from spark_jobs import session


@pytest.mark.parametrize("said", [b"", b"no token at all, and more", b"half"])
def test_a_silent_caller_holds_up_nobody(said: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    from pyspark import accumulators

    made = session._Accumulators.beside(accumulators.AccumulatorServer)  # noqa: SLF001
    assert session._Accumulators.beside(made) is made  # noqa: SLF001
    monkeypatch.setattr(accumulators, "AccumulatorServer", made)
    server = accumulators._start_update_server("the token")  # noqa: SLF001
    try:
        with socket.create_connection(server.server_address, 10) as stranger:
            stranger.sendall(said)
            with socket.create_connection(server.server_address, 10) as jvm:
                jvm.sendall(b"the token" + struct.pack(">i", 0))
                assert jvm.recv(1) == b"\x01"
    finally:
        server.shutdown()
    assert capfd.readouterr().err == ""
