"""The opening handshake, RFC 6455 section 4.1, without a socket."""

from __future__ import annotations

import base64

import pytest

from lomond.errors import ProtocolError
from lomond.options import Limits
from lomond.protocol.http.request import Request, check_header, check_protocols
from lomond.protocol.http.upgrade import Acceptance, Refusal, Upgrade, accept_value

NONCE = b"the sample nonce"
KEY = base64.b64encode(NONCE)
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
REQUEST = Request("/chat?x=1", "server:80", "Lomond/test", (), ("superchat", "chat"))
HEADERS = {
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Accept": ACCEPT,
}


def upgrade(request: Request = REQUEST, max_header_size: int = 65536) -> Upgrade:
    return Upgrade(request, lambda size: NONCE, Limits(max_header_size=max_header_size))


def answer(changes: dict[bytes, bytes | None] | None = None, status: bytes = b"101 X") -> bytes:
    headers = {**HEADERS, **(changes or {})}
    lines = [b"HTTP/1.1 " + status]
    lines += [name + b": " + value for name, value in headers.items() if value is not None]
    return b"\r\n".join((*lines, b"", b""))


def refusal(data: bytes, request: Request = REQUEST) -> Refusal:
    outcome = upgrade(request).receive(data)
    assert isinstance(outcome, Refusal)
    return outcome


def test_the_example_of_the_rfc() -> None:
    assert KEY == b"dGhlIHNhbXBsZSBub25jZQ=="
    assert accept_value(KEY) == ACCEPT


def test_the_request_in_its_order() -> None:
    request = REQUEST._replace(headers=((b"Cookie", b"a=b"), (b"Origin", b"http://x")))
    assert upgrade(request).request_bytes() == (
        b"GET /chat?x=1 HTTP/1.1\r\n"
        b"Cookie: a=b\r\nOrigin: http://x\r\n"
        b"Host: server:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: " + KEY + b"\r\nSec-WebSocket-Version: 13\r\n"
        b"User-Agent: Lomond/test\r\nSec-WebSocket-Protocol: superchat, chat\r\n\r\n"
    )


def test_a_header_of_the_user_replaces_ours() -> None:
    request = REQUEST._replace(headers=((b"host", b"other"),), protocols=())
    sent = upgrade(request).request_bytes()
    assert b"host: other" in sent
    assert b"Host:" not in sent
    assert b"Protocol" not in sent


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (b"X", b"a\r\nB: c", "holds"),
        (b"X", b"a\nb", "holds"),
        (b"X", b"a\0", "holds"),
        (b"X Y", b"a", "token"),
        (b"", b"a", "token"),
        (b"X:", b"a", "token"),
        (b"Upgrade", b"h2c", "written by lomond"),
        (b"sec-websocket-KEY", b"x", "written by lomond"),
    ],
)
def test_headers_that_can_not_be_added(name: bytes, value: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_header(name, value)
    with pytest.raises(ValueError, match=message):
        upgrade(REQUEST._replace(headers=((name, value),))).request_bytes()


def test_an_agent_can_not_inject() -> None:
    with pytest.raises(ValueError, match="User-Agent"):
        upgrade(REQUEST._replace(agent="a\r\nB: c")).request_bytes()


def test_sub_protocols_are_checked() -> None:
    assert check_protocols(("a", "b")) == ["a", "b"]
    with pytest.raises(TypeError, match="a list of str"):
        check_protocols("chat")
    with pytest.raises(TypeError, match="must be str"):
        check_protocols([b"chat"])  # type: ignore[list-item]
    for wrong in (["a b"], ["a\r\n"], ["é"], [""]):
        with pytest.raises(ValueError, match="not a token"):
            check_protocols(wrong)
    with pytest.raises(ValueError, match="twice"):
        check_protocols(["a", "a"])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {b"Connection": b"keep-alive, Upgrade"},
        {b"Connection": b"UPGRADE", b"Upgrade": b"WebSocket"},
        {b"X-Other": b"anything", b"Sec-WebSocket-Protocol": b"chat"},
    ],
)
@pytest.mark.parametrize("step", [1, 10, 10_000])
def test_an_acceptance_whole_or_in_pieces(changes: dict[bytes, bytes | None], step: int) -> None:
    data = answer(changes)
    frame = b"\x81\x01a"
    machine = upgrade()
    for i in range(0, len(data) - 1, step):
        piece = data[i : min(i + step, len(data) - 1)]
        assert machine.receive(piece) is None
    outcome = machine.receive(data[-1:] + frame)
    assert isinstance(outcome, Acceptance)
    assert outcome.rest == frame
    assert list(outcome.extensions) == []
    assert outcome.protocol == ("chat" if b"Sec-WebSocket-Protocol" in changes else None)
    assert outcome.response.raw == data
    assert outcome.response.status_code == 101


def test_line_feeds_alone_are_line_ends() -> None:
    assert isinstance(upgrade().receive(answer().replace(b"\r\n", b"\n")), Acceptance)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({b"Upgrade": b"h2c"}, "Can't upgrade to h2c"),
        ({b"Upgrade": None}, "Can't upgrade to <header missing>"),
        ({b"Connection": b"close"}, "does not say Upgrade, but close"),
        ({b"Connection": None}, "does not say Upgrade, but <header missing>"),
        ({b"Sec-WebSocket-Accept": None}, "No Sec-WebSocket-Accept header"),
        ({b"Sec-WebSocket-Accept": ACCEPT.lower()}, "Sec-WebSocket-Accept challenge failed"),
        ({b"sec-websocket-accept": ACCEPT}, "More than one Sec-WebSocket-Accept header"),
        ({b"Sec-WebSocket-Protocol": b"other"}, "sub-protocol 'other', which was not offered"),
        ({b"Sec-WebSocket-Extensions": b"permessage-deflate"}, "which was not offered"),
    ],
)
def test_an_upgrade_that_is_none(changes: dict[bytes, bytes | None], reason: str) -> None:
    assert reason in refusal(answer(changes)).reason


def test_http_1_0_can_not_upgrade() -> None:
    assert refusal(answer().replace(b"1.1", b"1.0")).reason == "Can't upgrade HTTP/1.0"


def test_a_sub_protocol_offered_by_header_counts() -> None:
    request = REQUEST._replace(protocols=())
    request = request._replace(headers=((b"X", b"z"), (b"Sec-WebSocket-Protocol", b"x, y")))
    outcome = upgrade(request).receive(answer({b"Sec-WebSocket-Protocol": b"y"}))
    assert isinstance(outcome, Acceptance)
    assert outcome.protocol == "y"


def test_interim_responses_come_before() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert isinstance(upgrade().receive(interim * 8 + answer()), Acceptance)
    with pytest.raises(ProtocolError, match="interim"):
        upgrade().receive(interim * 9 + answer())


@pytest.mark.parametrize(
    ("head", "body", "kept"),
    [
        (b"Content-Length: 5", b"hello", b"hello"),
        (b"Content-Length: 0", b"", b""),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"Content-Length: 90000", b"x" * 90_000, b"x" * 65_536),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\nzz\r\n", b"hello"),
    ],
)
def test_a_refusal_keeps_its_body(head: bytes, body: bytes, kept: bytes) -> None:
    data = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n" + head + b"\r\n\r\n" + body
    for step in (1 if len(data) < 1000 else 1000, len(data)):
        machine = upgrade()
        outcome = None
        for i in range(0, len(data), step):
            outcome = outcome or machine.receive(data[i : i + step])
        assert isinstance(outcome, Refusal)
        assert outcome.reason == "Websocket upgrade failed (code=503)"
        assert outcome.response.status_code == 503
        assert outcome.response.get("Retry-After") == "7"
        assert outcome.response.body == kept


def test_a_body_without_length_ends_with_the_stream() -> None:
    machine = upgrade()
    assert machine.end_of_stream() is None
    assert machine.receive(b"HTTP/1.1 403 No\r\n\r\nbe") is None
    assert machine.is_reading_body
    assert machine.receive(b"cause") is None
    outcome = machine.end_of_stream()
    assert outcome is not None
    assert outcome.response.body == b"because"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"220 mail ready\r\n", "not HTTP"),
        (b"\x15\x03\x01", "not HTTP"),
        (b"HTTP/1.1 " + b"x" * 20_000, "is larger than max_header_line"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300, "is longer than max_header_lines"),
        (b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"b" * 9000 + b"\r\n") * 8, "max_header_size"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nbad line\r\n\r\n", "not valid HTTP"),
    ],
)
@pytest.mark.parametrize("step", [1000, 100_000])
def test_answers_that_are_refused_as_broken(data: bytes, message: str, step: int) -> None:
    machine = upgrade()

    def feed() -> None:
        for i in range(0, len(data), step):
            machine.receive(data[i : i + step])

    with pytest.raises(ProtocolError, match=message) as caught:
        feed()
    assert caught.value.critical


def test_the_limit_on_the_head_is_an_option() -> None:
    with pytest.raises(ProtocolError, match=r"max_header_size \(100\)"):
        upgrade(max_header_size=100).receive(answer())


def test_a_request_shows_none_of_its_headers() -> None:
    request = Request("/?token=secret", "h:80", "me", [(b"Authorization", b"secret")])
    assert repr(request) == "<request to h:80>"
