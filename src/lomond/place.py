"""Where a WebSocket connects to: the URL and its parts, which change together."""

from __future__ import annotations

from typing import NamedTuple

from .checks import check_range
from .url import Url, host_and_port, parse

_PORTS = {False: 80, True: 443}  # whether secure -> the port that a URL need not name


class Place(NamedTuple):
    """A URL as it was written, and its parts. One value, so that nobody sees half of a change."""

    url: str
    parts: Url


def placed(url: str) -> Place:
    """The place of a URL. Raises TypeError or ValueError, as `url.parse`."""
    return Place(url, parse(url))


def moved(place: Place, part: str, value: object) -> Place:
    """The place with another part; its URL says so.

    Arguments:
        place: Where user and password are kept from, and the other parts.
        part: ``"scheme"``, ``"host"``, ``"port"`` or ``"resource"``. With another scheme, a port
            that is the default one becomes the new scheme's.
        value: What it is to be.

    Raises:
        TypeError, ValueError: It can't be; the message names the part.
    """
    from urllib.parse import urlsplit

    parts = place.parts
    scheme, host, port, resource = parts.scheme, parts.host, parts.port, parts.resource
    if part == "port":
        check_range("port", value, 1, 65535)
        assert isinstance(value, int)
        port = value
    elif not isinstance(value, str):
        raise TypeError(f"{part} must be a str, not {value!r}")
    elif part == "scheme":
        if not value.isalpha():
            raise ValueError(f"scheme must be 'ws' or 'wss', not {value!r}")
        secure = parse(f"{value}://h").secure
        port = _PORTS[secure] if port == _PORTS[parts.secure] else port
        scheme = value
    elif part == "host":
        literal = f"[{value}]" if ":" in value and not value.startswith("[") else value
        host, with_port = host_and_port(literal, f"host {value!r}")
        if with_port is not None:
            raise ValueError(f"host {value!r} has a port; set port instead")
    elif value.startswith("/"):
        resource = value
    else:
        raise ValueError(f"resource must be path and query, like '/feed?x=1', not {value!r}")
    user, at, _ = urlsplit(place.url).netloc.rpartition("@")
    there = f"[{host.replace('%', '%25')}]" if ":" in host else host
    shown = "" if port == _PORTS[parse(f"{scheme}://h").secure] else f":{port}"
    return placed(f"{scheme}://{user}{at}{there}{shown}{resource}")
