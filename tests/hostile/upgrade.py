"""The upgrade: answers that are HTTP, and not what was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from lomond.options import Deflate
from lomond.testing.peer import End, Peer, Say

from .case import ANYWHERE, PRETEND, REAL, TLS, Case, Talk, answered, text

_LINE = b"HTTP/1.1 101 Switching Protocols"
_UPGRADE = b"Upgrade: websocket"
_CONNECTION = b"Connection: Upgrade"
_ACCEPT = b"Sec-WebSocket-Accept: {accept}"
_EXTENSIONS = b"Sec-WebSocket-Extensions: "
_OTHER = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def _head(*lines: bytes) -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _rejects(name: str, *lines: bytes, says: str = "", **options: object) -> Case:
    """The answer is told as a rejection; no frame is said."""
    return Case(
        name=name,
        talk=answered(_head(*lines)),
        shows="connected rejected disconnected",
        says=says,
        graceful=True,
        options=options,
    )


def _accepts(name: str, *lines: bytes) -> Case:
    """Odd, but legal."""
    return Case(
        name=name,
        talk=answered(_head(*lines) + text(b"x"), End()),
        shows="connected ready text disconnected",
    )


def _statuses() -> Iterator[Case]:
    for status in (200, 204, 299, 304, 400, 401, 403, 407, 426, 429, 503, 999):
        line = b"HTTP/1.1 %d Whatever" % status
        yield _rejects(f"status {status}", line, b"Content-Length: 0", says=f"code={status}")
    everything = (_UPGRADE, _CONNECTION, _ACCEPT)
    yield _rejects("200 with all of an upgrade", b"HTTP/1.1 200", *everything, b"Content-Length: 0")


def _headers() -> Iterator[Case]:
    for name, lines in {
        "no Accept": (_UPGRADE, _CONNECTION),
        "an empty Accept": (_UPGRADE, _CONNECTION, b"Sec-WebSocket-Accept:"),
        "another Accept": (_UPGRADE, _CONNECTION, _OTHER),
        "more in the Accept": (_UPGRADE, _CONNECTION, _ACCEPT + b"="),
        "Accept in quotes": (_UPGRADE, _CONNECTION, b'Sec-WebSocket-Accept: "{accept}"'),
        "Accept twice": (_UPGRADE, _CONNECTION, _ACCEPT, _ACCEPT),
        "two Accepts, the right one first": (_UPGRADE, _CONNECTION, _ACCEPT, _OTHER),
        "two Accepts, the right one last": (_UPGRADE, _CONNECTION, _OTHER, _ACCEPT),
        "two Accepts in one line": (_UPGRADE, _CONNECTION, _ACCEPT + b", {accept}"),
        "no Upgrade": (_CONNECTION, _ACCEPT),
        "an upgrade to h2c": (b"Upgrade: h2c", _CONNECTION, _ACCEPT),
        "an upgrade to two": (b"Upgrade: websocket, h2c", _CONNECTION, _ACCEPT),
        "an upgrade with Kelvin's sign": (
            b"Upgrade: websoc\xe2\x84\xaaet", _CONNECTION, _ACCEPT,
        ),
        "no Connection": (_UPGRADE, _ACCEPT),
        "Connection: close": (_UPGRADE, b"Connection: close", _ACCEPT),
        "Connection: Upgraded": (_UPGRADE, b"Connection: Upgraded", _ACCEPT),
        "a protocol": (_UPGRADE, _CONNECTION, _ACCEPT, b"Sec-WebSocket-Protocol: chat"),
        "an empty protocol": (_UPGRADE, _CONNECTION, _ACCEPT, b"Sec-WebSocket-Protocol:"),
        "an extension": (_UPGRADE, _CONNECTION, _ACCEPT, _EXTENSIONS + b"x-webkit"),
        "compression": (_UPGRADE, _CONNECTION, _ACCEPT, _EXTENSIONS + b"permessage-deflate"),
        "an extension that can't be read": (_UPGRADE, _CONNECTION, _ACCEPT, _EXTENSIONS + b"=;="),
    }.items():  # fmt: skip
        yield _rejects(f"101 with {name}", _LINE, *lines)
    yield _rejects("101 of HTTP/1.0", b"HTTP/1.0 101 OK", _UPGRADE, _CONNECTION, _ACCEPT)
    yield _rejects("101 of HTTP/2", b"HTTP/2.0 101 OK", _UPGRADE, _CONNECTION, _ACCEPT)
    yield _rejects("101 of HTTP/1.2", b"HTTP/1.2 101 OK", _UPGRADE, _CONNECTION, _ACCEPT)


def _legal() -> Iterator[Case]:
    for name, lines in {
        "names and values in other cases": (
            b"uPGRADE: WebSocket", b"CONNECTION: UPGRADE", b"sec-websocket-accept: {accept}",
        ),
        "Connection: keep-alive, Upgrade": (
            _UPGRADE, b"Connection: keep-alive, Upgrade", _ACCEPT,
        ),
        "the same Upgrade twice": (_UPGRADE, b"Upgrade: WebSocket", _CONNECTION, _ACCEPT),
        "Connection twice": (_UPGRADE, b"Connection: keep-alive", _CONNECTION, _ACCEPT),
        "blanks around values": (
            b"Upgrade: \t websocket \t ", _CONNECTION, b"Sec-WebSocket-Accept:\t{accept} ",
        ),
        "no blanks": (
            b"Upgrade:websocket", b"Connection:Upgrade", b"Sec-WebSocket-Accept:{accept}",
        ),
        "a folded line": (_UPGRADE, _CONNECTION, _ACCEPT, b"X-A: b\r\n c"),
        "bytes beyond ASCII in a value": (_UPGRADE, _CONNECTION, _ACCEPT, b"X-A: \xff\xfe"),
        "a length": (_UPGRADE, _CONNECTION, _ACCEPT, b"Content-Length: 0"),
        "an empty list of extensions": (_UPGRADE, _CONNECTION, _ACCEPT, _EXTENSIONS + b" , "),
    }.items():  # fmt: skip
        yield _accepts(f"101 with {name}", _LINE, *lines)
    yield _accepts("101 without a reason", b"HTTP/1.1 101", _UPGRADE, _CONNECTION, _ACCEPT)


def _parameters() -> Iterator[Case]:
    for parameters in (
        "; server_max_window_bits=16",
        "; server_max_window_bits=7",
        "; server_max_window_bits=08",
        "; server_max_window_bits=+9",
        "; server_max_window_bits=1_0",
        "; server_max_window_bits=²",
        "; server_max_window_bits=",
        "; server_max_window_bits",
        "; client_max_window_bits",
        "; client_max_window_bits=99999999999999999999",
        '; client_max_window_bits="1 0"',
        '; client_max_window_bits="10',
        "; server_no_context_takeover=1",
        "; client_no_context_takeover=true",
        "; server_no_context_takeover; server_no_context_takeover",
        "; server_max_window_bits=10; server_max_window_bits=10",
        "; mystery",
        "; ",
        "; =",
        ", permessage-deflate",
        ", x-webkit-deflate-frame",
    ):
        line = _EXTENSIONS + b"permessage-deflate" + parameters.encode()
        yield _rejects(
            f"permessage-deflate{parameters}",
            _LINE, _UPGRADE, _CONNECTION, _ACCEPT, line,
            compress=Deflate(),
        )  # fmt: skip


def _redirects() -> Iterator[Case]:
    for name, location in {
        "to nowhere": b"X-A: b",
        "to a script": b"Location: javascript:alert(1)",
        "to a file": b"Location: file:///etc/passwd",
        "to a broken address": b"Location: ws://[::1/",
        "to a port beyond ports": b"Location: ws://127.0.0.1:99999/",
        "to a port of letters": b"Location: ws://127.0.0.1:abc/",
        "to an empty host": b"Location: ws:///",
    }.items():
        yield _rejects(
            f"redirect {name}", b"HTTP/1.1 302 Found", location, b"Content-Length: 0",
            says="code=302", max_redirects=3,
        )  # fmt: skip
    yield _rejects(
        "redirect that nobody follows", b"HTTP/1.1 302 Found", b"Location: /", b"Content-Length: 0"
    )
    yield Case(
        name="redirect from TLS to none",
        talk=answered(
            _head(b"HTTP/1.1 302 F", b"Location: ws://127.0.0.1:1/", b"Content-Length: 0")
        ),
        shows="connected rejected disconnected",
        graceful=True,
        options={"max_redirects": 3},
        ways=(TLS,),
    )
    yield Case(
        name="redirects without end",
        talk=answered(_head(b"HTTP/1.1 302 Found", b"Location: /", b"Content-Length: 0"), End()),
        shows=" ".join(["connecting connected"] * 3) + " rejected disconnected",
        says="max_redirects",
        graceful=True,
        options={"max_redirects": 2},
        ways=REAL,
    )


def _talks_first(peer: Peer) -> Talk:
    """An answer that doesn't wait for the request: it can't know the key."""
    yield Say(_head(_LINE, _UPGRADE, _CONNECTION, _OTHER))


_GOOD = _head(_LINE, _UPGRADE, _CONNECTION, _ACCEPT)

CASES = [
    *_statuses(),
    *_headers(),
    *_legal(),
    *_parameters(),
    *_redirects(),
    Case(
        name="an answer before the request",
        talk=_talks_first,
        shows="connected rejected disconnected",
        says="challenge failed",
        graceful=True,
        ways=(PRETEND, *REAL),
    ),
    Case(
        name="an answer twice",
        talk=answered(_GOOD + _GOOD),
        shows="ready protocol_error disconnected",
        code=1002,
    ),
    Case(
        name="an answer with a page behind it",
        talk=answered(_GOOD + b"<html></html>"),
        shows="ready protocol_error disconnected",
        code=1002,
        ways=ANYWHERE,
    ),
]
