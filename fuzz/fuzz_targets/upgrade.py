"""Any answer in any split: the same meaning, only lomond's own errors, and no harm from it.

An answer upgrades only with the right Accept. What is read of it without h11 is what h11 reads. A
redirect never leaves TLS, a cookie never goes to another site, a challenge's answer is one line.
"""

from __future__ import annotations

import warnings
from http.cookiejar import CookieJar

import h11  # noqa: F401  lomond imports it late; here it is to be instrumented

from lomond import cookies, credentials
from lomond.errors import HandshakeError, ProtocolError
from lomond.options import Deflate, Limits
from lomond.protocol.extensions.negotiation import accepted, offers
from lomond.protocol.http.answer import UPGRADE, AnswerReader, Head, plain
from lomond.protocol.http.request import Request
from lomond.protocol.http.upgrade import Upgrade
from lomond.response import Response
from lomond.session.dialling import NotFollowedError, Target, destination

from .choices import Choices, split

_ACCEPT = b"ICX+Yqv66kxgM0FcWaLWlFLwTAI="  # for a key of 16 zeros
_REQUESTS = (
    Request("/", "a.example.org:80", "fuzz"),
    Request("/", "a.example.org:80", "fuzz", extensions=offers(Deflate())),
    Request(
        "/",
        "a.example.org:80",
        "fuzz",
        protocols=["chat", "v2"],
        extensions=offers(Deflate(12, 11, True, True)),
    ),
)
_HEADER_SIZES = (64 * 1024, 300)
_TARGETS = (
    Target("wss://a.example.org/x?y", "a.example.org", 443, True, "a.example.org"),
    Target("ws://[fe80::1%1]:8080/", "fe80::1%1", 8080, False, "fe80::1%1"),
)


def check(data: bytes) -> str:
    """One input: what is tried, and the bytes of it."""
    choices = Choices(data)
    kind = choices.byte() % 5
    if kind == 1:
        return _challenge(choices.rest().decode("latin-1"))
    if kind == 2:
        lines = choices.rest().decode("latin-1").split("\n")
        return _cookies([("Set-Cookie", line) for line in lines])
    if kind == 3:
        return _redirect(b"HTTP/1.1 302 Found\r\nLocation: " + choices.rest() + b"\r\n\r\n")
    if kind == 4:
        return _extensions(choices.rest().decode("latin-1"))
    request, most = choices.pick(_REQUESTS), choices.pick(_HEADER_SIZES)
    sizes = choices.sizes()
    stream = choices.rest()
    _read_without_h11(stream, Limits(max_header_size=most))
    whole = _answer([stream] if stream else [], request, most)
    assert _answer(split(stream, sizes), request, most) == whole, "the split makes a difference"
    return whole


def _answer(chunks: list[bytes], request: Request, most: int) -> str:
    """What an answer means, in words."""
    upgrade = Upgrade(request, bytes, Limits(max_header_size=most))
    upgrade.request_bytes()
    for number, chunk in enumerate(chunks):
        try:
            found = upgrade.receive(chunk)
        except ProtocolError:
            return "protocol error"
        if found is None:
            continue
        _use(found.response, most)
        rest = b"".join(chunks[number + 1 :])
        if found.upgrades:
            raw = found.response.raw
            assert raw.startswith(b"HTTP/1.1 101"), "upgraded by another status"
            assert _ACCEPT in raw, "upgraded without the right Accept"
            assert b"websocket" in raw.lower()
            assert found.protocol is None or found.protocol in request.protocols
            assert len(found.extensions) <= len(request.extensions)
            said = [extension.compression for extension in found.extensions]
            return f"accepted {found.protocol} {said} {found.rest + rest!r}"
        return f"refused {found.reason} {found.response.body!r}"
    end = upgrade.end_of_stream()
    return f"end {end and (end.reason, end.response.body)}"


def _read_without_h11(stream: bytes, limits: Limits) -> None:
    """A head that comes whole may be: then it says what it says to h11."""
    found = plain(stream, limits)
    if found is None:
        return
    reader = AnswerReader(UPGRADE, limits, "")
    assert reader.receive(stream[:1]) is None
    other = reader.receive(stream[1:])
    assert isinstance(other, Head), "h11 reads no such head"
    assert found[1:] == other[1:], "h11 reads another head"
    for name in Response.__slots__:
        said = getattr(found.response, name), getattr(other.response, name)
        assert said[0] == said[1], f"{name} is not the same"


def _use(response: Response, most: int) -> None:
    """All that is made of a response's headers."""
    assert len(response.raw) <= most, "a head above max_header_size"
    assert len(response.body) <= 64 * 1024
    assert repr(response)
    _cookies(response.items())
    for name in ("WWW-Authenticate", "Proxy-Authenticate"):
        _challenge(response.get(name, "") or "")
        response.get_list(name)
    _redirect(response.raw)


def _cookies(headers: list[tuple[str, str]]) -> str:
    """What is sent back, there and elsewhere."""
    jar = CookieJar()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cookies.keep(jar, "wss://a.example.org/x/y", headers)
    assert not told, "a server makes the user's program warn"
    kept = [(c.name, c.value, c.domain) for c in jar]
    said = [
        cookies.header(jar, f"{scheme}://a.example.org{path}")
        for scheme in ("ws", "wss")
        for path in ("/x/y", "/")
    ]
    for text in said:
        assert text is None or not any((c < " " and c != "\t") or c == "\x7f" for c in text)
    for other in ("wss://other.test/x/y", "wss://aa.example.org/x/y", "ws://127.0.0.1/x/y"):
        if other.startswith("wss://aa") and any(c.domain_specified for c in jar):
            continue  # these may go to the neighbours
        assert cookies.header(jar, other) is None, "a cookie goes to another site"
    return f"{kept} {said}"


def _challenge(value: str) -> str:
    """The answer to a challenge."""
    found = credentials.challenges(value)
    said = credentials.answer(
        value, "user", "secret", method="GET", uri="/", cnonce="0011223344556677"
    )
    if said is not None:
        assert not any(c < " " or c == "\x7f" for c in said), "more than a header's value"
        assert said.startswith("Basic ") or "secret" not in said, "the password is told"
    return f"{found} {said}"


def _redirect(head: bytes) -> str:
    """Where redirects lead."""
    response = Response(head)
    told = []
    for target in _TARGETS:
        try:
            url = destination(target, response, 0, 1)
        except NotFollowedError as reason:
            told.append(str(reason))
            continue
        assert url.secure or not target.secure, "a redirect leaves TLS"
        assert url.resource.startswith("/")
        assert not any(c <= " " or c > "~" for c in url.resource + url.host), "not fit to be sent"
        assert 1 <= url.port <= 65535
        told.append(repr(url))
    return " ".join(told)


def _extensions(header: str) -> str:
    """What an answer about extensions means."""
    told = []
    for request in _REQUESTS:
        try:
            agreed = accepted(header, request.extensions)
            told.append(repr([extension.compression for extension in agreed]))
        except HandshakeError as error:
            told.append(str(error))
    return " ".join(told)
