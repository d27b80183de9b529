"""The kernel drops what comes to TensorFlow's port from elsewhere than the ranks of a training."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from collections.abc import Iterator

import pytest

from models.engines import peers

CALL = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.6); print('in')"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Listens on all addresses, of both kinds, as TensorFlow does."""
    with socket.socket(socket.AF_INET6) as found:
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        found.bind(("::", 0))
        found.listen()
        yield found


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(peers.HOSTS, "")


def guarded(server: socket.socket, monkeypatch: pytest.MonkeyPatch, user: int | None = None) -> int:
    attached = []
    attach = peers._attach  # noqa: SLF001
    monkeypatch.setattr(peers, "_attach", lambda doors, program: (attach(doors, program), attached.append(program)))
    port = int(server.getsockname()[1])
    peers.guard(port, user)
    while not attached:
        pass
    return port


def refused(address: tuple[str, int], source: str = "127.0.0.1", seconds: float = 1.6) -> bool:
    with pytest.raises(OSError) as failed:
        socket.create_connection(address, seconds, source_address=(source, 0))
    return isinstance(failed.value, TimeoutError)


def test_sockets_of_this_user_come_in_and_keep_talking(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    port = guarded(server, monkeypatch)
    with socket.create_connection(("127.0.0.1", port), 10) as caller:
        other, _ = server.accept()
        with other:
            other.sendall(bytes(100_000))
            caller.sendall(b"y")
            assert other.recv(1) == b"y" and len(caller.recv(100_000, socket.MSG_WAITALL)) == 100_000


def test_sockets_of_another_user_are_left_standing(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    port = guarded(server, monkeypatch, user=os.getuid() + 1)
    assert refused(("127.0.0.1", port))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_another_user_is_left_standing(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    port = guarded(server, monkeypatch)
    for address in ("127.0.0.1", "::1"):
        done = subprocess.run(
            ["/usr/bin/env", "python3", "-c", CALL, address, str(port)], capture_output=True, text=True, check=False,
            user=65534, group=65534, extra_groups=[], cwd="/", env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert done.stdout == "" and "timed out" in done.stderr, done
    with socket.create_connection(("127.0.0.1", port), 10):
        pass


def test_hosts_of_ranks_come_in_and_others_do_not(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(peers.HOSTS, "127.0.0.7,127.0.0.9")
    port = guarded(server, monkeypatch, user=os.getuid() + 1)
    assert refused(("127.0.0.1", port), "127.0.0.8")
    for source in ("127.0.0.7", "127.0.0.9"):
        socket.create_connection(("127.0.0.1", port), 10, source_address=(source, 0)).close()


def test_more_than_a_filter_takes_leaves_the_port_open_and_says_so(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(peers.HOSTS, ",".join(f"10.0.{n >> 8}.{n & 255}" for n in range(4000)))
    port = int(server.getsockname()[1])
    peers.guard(port).join(10)
    assert f"port {port} of TensorFlow is open to everybody: 4000 hosts and 0 connections" in capfd.readouterr().err
    socket.create_connection(("127.0.0.1", port), 10).close()


@pytest.mark.parametrize(
    ("address", "found"), [(("127.0.0.1", 80), "127.0.0.1"), (("::ffff:10.1.2.3", 80), "10.1.2.3"), (("2001:db8::1", 80), None)]
)
def test_addresses_are_read_as_the_kernel_writes_them(address: tuple[str, int], found: str | None) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    packed = socket.inet_pton(family, address[0])
    words = "".join(f"{struct.unpack('=I', packed[at : at + 4])[0]:08X}" for at in range(0, len(packed), 4))
    assert list(peers._ipv4(f"{words}:0050")) == ([(found, 80)] if found else [])  # noqa: SLF001
