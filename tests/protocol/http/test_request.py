"""The request, RFC 6455 section 4.1: its lines, and what may be in them."""

from __future__ import annotations

import re

import pytest

from lomond.protocol.http.request import Request, check_header, check_protocols
from protocol.http.upgrades import KEY, REQUEST, upgrade


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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"X-Key secret", "header name b'X-Key'... holds b' ' and is not a token"),
        (b": secret", "header name b''... holds b':' and is not a token"),
        (b"", "header name b''... holds b'' and is not a token"),
    ],
)
def test_a_bad_name_is_told_up_to_what_is_wrong(name: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}") as raised:
        check_header(name, b"a")
    assert "secret" not in str(raised.value)


def test_of_a_bad_value_only_what_is_wrong_is_told() -> None:
    with pytest.raises(ValueError, match=r"^value of header 'X' holds b'\\n'; remove it$"):
        check_header(b"X", b"secret\nB")


def test_an_agent_can_not_inject() -> None:
    with pytest.raises(ValueError, match="User-Agent"):
        upgrade(REQUEST._replace(agent="a\r\nB: c")).request_bytes()


def test_sub_protocols_are_checked() -> None:
    assert check_protocols(("a", "b")) == ["a", "b"]
    with pytest.raises(TypeError, match="a list of str"):
        check_protocols("chat")
    with pytest.raises(TypeError, match="must be str"):
        check_protocols([b"chat"])  # type: ignore[list-item]  # wrong, on purpose
    for wrong in (["a b"], ["a\r\n"], ["é"], [""]):
        with pytest.raises(ValueError, match="not a token"):
            check_protocols(wrong)
    with pytest.raises(ValueError, match="twice"):
        check_protocols(["a", "a"])
    with pytest.raises(ValueError, match=r"holds a comma; write \['a', 'b'\], one str for each"):
        check_protocols(["a, b"])


def test_a_request_shows_none_of_its_headers() -> None:
    request = Request("/?token=secret", "h:80", "me", [(b"Authorization", b"secret")])
    assert repr(request) == "<request to h:80>"
