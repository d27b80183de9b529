"""Who may ask: a page that a browser has open must not reach a model through a name of its own (DNS rebinding)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_READING = ("GET", "HEAD")


class Guard:
    """Admits requests whose Host is the address they came to, this machine's own name for itself, or in `allowed`."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = _LOCAL | {_plain(name) for name in allowed}

    def check(self, request: web.BaseRequest) -> None:
        """Raises HTTPBadRequest or HTTPForbidden, which name what is wrong."""
        given = request.headers.getall("Host", [])
        if len(given) != 1 or (name := host(given[0])) is None:
            raise web.HTTPBadRequest(text="a request needs one header Host: the server's name, and its port")
        if name not in self._allowed and name != _own(request):
            raise web.HTTPForbidden(text=f"{name} is not a name of this server: `--allow-host {name}` makes it one")
        if request.method in _READING:
            return
        # Browsers name the page that asks; other clients say nothing of the kind.
        origins, site = request.headers.getall("Origin", []), request.headers.get("Sec-Fetch-Site", "none")
        if any(_netloc(origin) != given[0].lower() for origin in origins) or site not in ("none", "same-origin"):
            raise web.HTTPForbidden(text="a page of another origin asks: that is not allowed")


def host(header: str) -> str | None:
    """The name in a Host header, without its port; None where it is none."""
    try:
        split = urlsplit(f"//{header}")
        split.port  # noqa: B018  (raises ValueError where it is no number)
    except ValueError:
        return None
    whole = split.netloc == header and "@" not in header and split.hostname
    return _plain(str(split.hostname)) if whole else None


def _plain(name: str) -> str:
    """One spelling for each name or address."""
    name = name.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name
    return str(getattr(address, "ipv4_mapped", None) or address)


def _own(request: web.BaseRequest) -> str | None:
    """The address of this machine that the request came to."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return _plain(name[0]) if name else None


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
