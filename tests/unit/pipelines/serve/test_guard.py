"""Which Host and Origin are answered."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiohttp import web
from multidict import CIMultiDict

from pipelines.serve.guard import Guard


def _asks(headers: list[tuple[str, str]], method: str = "POST", to: str = "10.1.2.3") -> int:
    """The status that the guard gives a request, 200 where it admits it."""
    transport = SimpleNamespace(get_extra_info=lambda _: (to, 8080))
    request = SimpleNamespace(headers=CIMultiDict(headers), method=method, transport=transport)
    try:
        Guard(["0.0.0.0", "Model.example."]).check(request)  # type: ignore[arg-type]
    except web.HTTPException as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:9000", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("10.1.2.3:8080", 200),
        ("model.example", 200),
        ("model.example.:443", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("model.example.evil", 403),
        ("10.1.2.4", 403),
        ("2130706433", 403),
        ("localhost@evil.example", 400),
        ("evil.example@localhost", 400),
        ("localhost/evil", 400),
        ("localhost:x", 400),
        ("[::1", 400),
        ("", 400),
    ],
)
def test_a_host_is_the_address_or_a_known_name(host: str, status: int) -> None:
    assert _asks([("Host", host)]) == _asks([("Host", host)], "GET") == status


def test_a_request_has_one_host() -> None:
    assert _asks([]) == 400 and _asks([("Host", "localhost"), ("Host", "localhost")]) == 400


def test_an_address_of_the_new_protocol_may_stand_for_one_of_the_old() -> None:
    assert _asks([("Host", "10.1.2.3")], to="::ffff:10.1.2.3") == 200


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Origin", "http://localhost:8080", 200),
        ("Origin", "https://localhost:8080", 200),
        ("Origin", "http://localhost:3000", 403),
        ("Origin", "http://model.example", 403),
        ("Origin", "null", 403),
        ("Origin", "", 403),
        ("Origin", "http://[", 403),
        ("Sec-Fetch-Site", "same-origin", 200),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
    ],
)
def test_only_pages_of_the_same_origin_may_post(header: str, value: str, status: int) -> None:
    headers = [("Host", "localhost:8080"), (header, value)]
    assert _asks(headers) == status and _asks(headers, "GET") == 200
