"""The head of the answer to the upgrade: what is not HTTP, and what has no end."""

from __future__ import annotations

from collections.abc import Iterator

from lomond.testing.peer import End, Peer, Say

from .case import (
    MIB,
    Below,
    Case,
    Said,
    Script,
    Talk,
    answered,
    byte_by_byte,
    dribbled,
    repeated,
    text,
    upgraded,
)

_OPEN = {"open_timeout": 0.2}
_LINE = b"HTTP/1.1 101 Switching Protocols\r\n"
_REST = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
_HINT = b"HTTP/1.1 103 Early Hints\r\n\r\n"
_FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\n"


def _broken(name: str, *said: Said, says: str = "") -> Case:
    """It can't be read: a protocol error, and nothing more is said on the wire."""
    return Case(
        name=name,
        talk=answered(*said),
        shows="connected protocol_error disconnected",
        says=says,
        memory=3 * MIB,
    )


def _with(line: bytes) -> bytes:
    return _LINE + line + b"\r\n" + _REST + b"\r\n"


def _without_end(line: bytes) -> Script:
    """The answer's first line, then this one until the client is gone; 4 MiB at most."""

    def talk(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(_LINE)
        many = line * (1024 // len(line))
        for _ in range(4096):
            yield Say(many)

    return talk


def _rejected(name: str, *said: Said, seconds: float = 0.5) -> Case:
    """A refusal whose body is wrong: the refusal is told, in little time and memory."""
    return Case(
        name=name,
        talk=answered(*said),
        shows="connected rejected disconnected",
        says="code=403",
        graceful=True,
        seconds=seconds,
        memory=3 * MIB,
    )


def _not_http() -> Iterator[Case]:
    for name, data in {
        "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/2's frames": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18),
        "HTTP/1.0000": b"HTTP/1.0000 101 Switching Protocols\r\n" + _REST + b"\r\n",
        "a page without a head": b"<html><body>hello</body></html>\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
        "zeros": bytes(100),
        "http in small letters": b"http/1.1 101 Switching Protocols\r\n" + _REST + b"\r\n",
        "ICY": b"ICY 200 OK\r\n\r\n",
        "an empty line first": b"\r\n" + _LINE + _REST + b"\r\n",
        "a frame at once": text(b"x"),
    }.items():
        yield _broken(name, data, says="answer is")


def _wrong_status_lines() -> Iterator[Case]:
    for name, line in {
        "no status": b"HTTP/1.1",
        "a status of letters": b"HTTP/1.1 abc Switching",
        "a status of two digits": b"HTTP/1.1 10 Switching",
        "a status of four digits": b"HTTP/1.1 1010 Switching",
        "a status with a sign": b"HTTP/1.1 +101 Switching",
        "a status with a letter": b"HTTP/1.1 101x Switching",
        "a status of superscripts": "HTTP/1.1 ¹⁰¹ Switching".encode(),
        "NUL in the reason": b"HTTP/1.1 101 Switch\0ing",
    }.items():
        yield _broken(name, line + b"\r\n" + _REST + b"\r\n", says="not valid HTTP")


def _wrong_lines() -> Iterator[Case]:
    for name, line in {
        "NUL in a value": b"X-A: b\0c",
        "NUL in a name": b"X\0A: b",
        "CR in a value": b"X-A: b\rSec-WebSocket-Protocol: x",
        "CR in a name": b"X\rA: b",
        "a space before the colon": b"X-A : b",
        "a space in a name": b"X A: b",
        "no colon": b"X-A",
        "no name": b": b",
        "a name beyond ASCII": "X-Ä: b".encode(),
        "a line that starts with a space": b" X-A: b",
        "a length of letters": b"Content-Length: abc",
        "a negative length": b"Content-Length: -1",
        "a length with a sign": b"Content-Length: +1",
        "a length of 5000 digits": b"Content-Length: " + b"1" * 5000,
        "two lengths": b"Content-Length: 1\r\nContent-Length: 2",
        "an unknown coding": b"Transfer-Encoding: rot13",
    }.items():
        yield _broken(f"head with {name}", _with(line), says="not valid HTTP")


def _wrong_framing() -> Iterator[Case]:
    """A refusal is one, whatever it says of its body's length."""
    for name, line in {
        "gzip and chunked": b"Transfer-Encoding: gzip, chunked",
        "an unknown coding": b"Transfer-Encoding: rot13",
        "a length of letters": b"Content-Length: abc",
        "a length of 5000 digits": b"Content-Length: " + b"1" * 5000,
        "two lengths": b"Content-Length: 1\r\nContent-Length: 2",
    }.items():
        yield _rejected(f"a refusal with {name}", _FORBIDDEN + line + b"\r\n\r\nxx", End())


CASES = [
    *_not_http(),
    *_wrong_status_lines(),
    *_wrong_lines(),
    *_wrong_framing(),
    Case(
        name="lines without end",
        talk=_without_end(b"X-A: " + b"b" * 500 + b"\r\n"),
        shows="connected protocol_error disconnected",
        says="max_header_size (20000)",
        options={"max_header_size": 20_000},
        memory=3 * MIB,
    ),
    Case(
        name="short lines without end",
        talk=_without_end(b"X-A: b\r\n"),
        shows="connected protocol_error disconnected",
        says="max_header_lines (256)",
        memory=3 * MIB,
    ),
    Case(
        name="a line without end",
        talk=_without_end(b"b"),
        shows="connected protocol_error disconnected",
        says="max_header_line (16384)",
        memory=3 * MIB,
    ),
    _broken("257 lines", _with(b"\r\n".join([b"X-A: b"] * 254)), says="max_header_lines (256)"),
    Case(
        name="256 lines",
        talk=answered(_with(b"\r\n".join([b"X-A: b"] * 253)), End()),
        shows="connected ready disconnected",
    ),
    _broken(
        "a line of 16 KiB and a byte",
        _with(b"X-A: " + b"b" * 16_380),
        says="max_header_line (16384)",
    ),
    _broken("9 interim answers", _HINT * 9, says="max_interim_responses (8)"),
    _broken("interim answers without end", *[_HINT * 500] * 20, says="max_interim_responses (8)"),
    _broken(
        "interim answers, slowly", *repeated(20, _HINT, 0.01), says="max_interim_responses (8)"
    ),
    Case(
        name="8 interim answers, then an upgrade",
        talk=answered(_HINT * 8 + _LINE + _REST + b"\r\n", End()),
        shows="connected ready disconnected",
    ),
    Case(
        name="no answer",
        talk=answered(Below("wait")),
        shows="connected disconnected",
        says="open_timeout (0.2 s)",
        options=_OPEN,
    ),
    Case(
        name="an answer byte by byte without end",
        talk=answered(*dribbled(_LINE + b"X-A: " + b"b" * 300, 0.01)),
        shows="connected disconnected",
        says="open_timeout (0.2 s)",
        options=_OPEN,
    ),
    Case(
        name="an interim answer, then nothing",
        talk=answered(_HINT, Below("wait")),
        shows="connected disconnected",
        says="open_timeout (0.2 s)",
        options=_OPEN,
    ),
    Case(
        name="an answer in single bytes",
        talk=byte_by_byte(upgraded(text(b"x"), End())),
        shows="connected ready text disconnected",
    ),
    _rejected("a body without end", _FORBIDDEN + b"\r\n", *repeated(128, b"x" * 65536)),
    _rejected("a body byte by byte", _FORBIDDEN + b"\r\n", *repeated(40, b"x", 0.05), seconds=1.5),
    _rejected("a body that is short", _FORBIDDEN + b"Content-Length: 50\r\n\r\nxx", End()),
    _rejected("a body that is reset", _FORBIDDEN + b"\r\nxx", End(resets=True)),
    _rejected(
        "a body of 2**63 bytes",
        _FORBIDDEN + b"Content-Length: 9223372036854775808\r\n\r\n",
        *repeated(128, b"x" * 65536),
    ),
    _rejected(
        "a chunk of many digits",
        _FORBIDDEN + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 30 + b"\r\nxx",
        End(),
    ),
    _rejected(
        "a chunk of letters",
        _FORBIDDEN + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nxx",
    ),
    _rejected(
        "a chunk's extension without end",
        _FORBIDDEN + b"Transfer-Encoding: chunked\r\n\r\n1;",
        *repeated(128, b"x" * 65536),
    ),
    _rejected(
        "trailers without end",
        _FORBIDDEN + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
        *repeated(128, b"X-A: b\r\n" * 8000),
    ),
    _rejected(
        "tiny chunks",
        _FORBIDDEN + b"Transfer-Encoding: chunked\r\n\r\n",
        *repeated(128, b"8\r\nxxxxxxxx\r\n" * 4000),
        seconds=1.5,
    ),
]
