"""The request of the opening handshake, RFC 6455 section 4.1: headers checked, and bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ...constants import WS_VERSION
from ..extensions.negotiation import offered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..extensions.extension import Offer

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"[!-~]+")
_BAD_IN_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset(
    {
        b"upgrade", b"connection", b"sec-websocket-key", b"sec-websocket-version",
        b"sec-websocket-accept", b"sec-websocket-extensions", b"content-length",
        b"transfer-encoding",
    }
)  # fmt: skip

_HOST = b"Host"
#: What nobody may give (`_OURS`), behind it.
_FIXED = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %%b\r\n"
    b"Sec-WebSocket-Version: %d" % WS_VERSION
)


def check_header(name: bytes, value: bytes) -> None:
    """Raise unless the header may be added to the request.

    Raises:
        ValueError: The name is no token, the value holds a control character (RFC 9110 section
            5.5), or the header is one that lomond writes.
    """
    if not _TOKEN.fullmatch(name):
        known = _TOKEN.match(name)
        start = known.group() if known else b""
        unfit = name[len(start) : len(start) + 1]
        # What comes behind it may be the value, which may be secret.
        raise ValueError(
            f"header name {start!r}... holds {unfit!r} and is not a token; use letters, digits "
            "and '-'"
        )
    found = _BAD_IN_VALUE.search(value)
    if found:
        shown = found.group()
        raise ValueError(f"value of header {name.decode()!r} holds {shown!r}; remove it")
    if name.lower() in _OURS:
        raise ValueError(f"header {name.decode()!r} is written by lomond; don't add it")


def check_protocols(protocols: Iterable[str]) -> list[str]:
    """The sub-protocols as a list; raises unless each is a token and stands once (4.1, item 10)."""
    if isinstance(protocols, (str, bytes)):
        names: object = _parts(protocols) if isinstance(protocols, str) else [protocols]
        raise TypeError(f"protocols must be a list of str, like {names!r}")
    if not isinstance(protocols, Iterable):
        raise TypeError(f"protocols must be a list of str, not {protocols!r}")
    checked = list(protocols)
    for name in checked:
        if not isinstance(name, str):
            raise TypeError(f"protocols must be str, not {name!r}")
        if not name.isascii() or not _TOKEN.fullmatch(name.encode()):
            raise ValueError(f"sub-protocol {name!r} {_why_no_token(name)}")
    if len(set(checked)) != len(checked):
        raise ValueError(f"protocols {checked!r} names one twice")
    return checked


def _parts(listed: str) -> list[str]:
    """The sub-protocols of a header's line, which somebody has taken for a list."""
    return [name.strip() for name in listed.split(",")]


def _why_no_token(name: str) -> str:
    if "," in name:
        return f"holds a comma; write {_parts(name)!r}, one str for each"
    known = _TOKEN.match(name.encode("ascii", "replace"))
    unfit = name[known.end() :][:1] if known else name[:1]
    if not unfit:
        return "is not a token; it is empty: leave it out"
    return f"is not a token; it holds {unfit!r}: use letters, digits and signs like '-' and '.'"


class Request(NamedTuple):
    """What is asked for."""

    resource: str
    host: str  #: as in the Host header, with port
    agent: str
    headers: Sequence[tuple[bytes, bytes]] = ()
    protocols: Sequence[str] = ()
    extensions: Sequence[Offer] = ()  #: to offer, the preferred first

    def __repr__(self) -> str:
        return f"<request to {self.host}>"  # the rest may be secret


def build(request: Request, key: bytes) -> bytes:
    """The bytes of the request, for HTTP/1.1.

    Arguments:
        request: What is asked for.
        key: For Sec-WebSocket-Key.

    Raises:
        ValueError: Its target or a header can't be sent.
    """
    if not _TARGET.fullmatch(request.resource):
        raise ValueError(f"request target {request.resource!r} is not visible ASCII; quote it")
    lines = [b"GET %b HTTP/1.1" % request.resource.encode("ascii")]
    given: set[bytes] = set()
    for name, value in request.headers:
        check_header(name, value)
        given.add(name.lower())
        lines.append(b"%b: %b" % (name, value))
    standard = [(_HOST, request.host.encode("ascii")), (b"User-Agent", request.agent.encode())]
    if request.protocols:
        standard.append((b"Sec-WebSocket-Protocol", ", ".join(request.protocols).encode()))
    if request.extensions:
        standard.append((b"Sec-WebSocket-Extensions", offered(request.extensions).encode()))
    for name, value in standard:
        if not given or name.lower() not in given:
            if _BAD_IN_VALUE.search(value):
                raise ValueError(f"header {name.decode()} would hold {value!r}")
            lines.append(b"%b: %b" % (name, value))
        if name is _HOST:
            lines.append(_FIXED % key)
    lines.append(b"\r\n")
    return b"\r\n".join(lines)
