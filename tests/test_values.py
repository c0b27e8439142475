"""URLs, options, responses, errors and status codes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lomond import WebSocket
from lomond.errors import WebSocketError
from lomond.options import Limits, Timing
from lomond.response import Response
from lomond.status import Status
from lomond.url import Url, parse, redact


@pytest.mark.parametrize(
    ("url", "host", "port", "resource", "secure"),
    [
        ("ws://h", "h", 80, "/", False),
        ("WSS://H", "h", 443, "/", True),
        ("http://h/x", "h", 80, "/x", False),
        ("https://h/x", "h", 443, "/x", True),
        ("ws://h?q", "h", 80, "/?q", False),
        ("ws://h/?", "h", 80, "/?", False),
        ("ws://h/p;a?x=1&y=%20", "h", 80, "/p;a?x=1&y=%20", False),
        ("ws://h:8080/a b/é", "h", 8080, "/a%20b/%C3%A9", False),
        ("ws://user:p@ss@h/", "h", 80, "/", False),
        ("wss://[::1]:9/", "::1", 9, "/", True),
        ("ws://[FE80::1%25eth0]/", "fe80::1%eth0", 80, "/", False),
        ("ws://faß.de/", "xn--fa-hia.de", 80, "/", False),
        ("ws://a_b.example./", "a_b.example.", 80, "/", False),
        ("ws://127.0.0.1:/", "127.0.0.1", 80, "/", False),
    ],
)
def test_urls(url: str, host: str, port: int, resource: str, secure: bool) -> None:
    parts = parse(url)
    assert parts[1:] == (host, port, resource, secure)
    websocket = WebSocket(url)
    assert (websocket.host, websocket.port, websocket.resource) == (host, port, resource)
    assert websocket.is_secure is secure


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "no scheme"),
        ("h/x", "no scheme"),
        ("ftp://h", "no scheme"),
        ("ws:///x", "no host"),
        ("ws://", "no host"),
        ("ws://h:abc/", "number from 1 to 65535"),
        ("ws://h:99999/", "number from 1 to 65535"),
        ("ws://h:0/", "number from 1 to 65535"),
        ("ws://h:+80/", "number from 1 to 65535"),
        ("ws://h/#frag", "fragment"),
        ("ws://h/a\r\nb", "remove it"),
        ("ws://h\\x/", "remove it"),
        ("ws://h/\u2028", r"begins or ends with white space \('\\u2028'\); remove it"),
        ("\u3000ws://h/", r"begins or ends with white space \('\\u3000'\); remove it"),
        (" ws://h/", "white space"),
        ("ws://h h/", "no host name|white space"),
        ("ws://[::1/", "write an address like"),
        ("ws://[::zz]/", "bad IPv6 address"),
        ("ws://[::1]x/", "expected ':port'"),
        ("ws://[::1]80/feed?x", "expected ':port'"),
        ("ws://x[::1]/", "no host name|can't be read"),
        ("ws://::1]/", "no host"),
        ("ws://u:p@[::1]x/", "expected ':port'|quote user"),
        ("ws://-\u2764-\u200d.example/", "can't be"),
        (f"ws://{'a.' * 200}/", "no host name"),
    ],
)
def test_urls_that_can_not_be(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(url)


@pytest.mark.parametrize("url", ["ws://u:[hunter2]@h/", "ws://u:hunter2]@h/", "ws://u:[hunter2@h/"])
def test_a_password_with_brackets_is_not_shown_by_what_can_not_be_read(url: str) -> None:
    with pytest.raises(ValueError, match="quote user and password") as refused:
        parse(url)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_url_must_be_text() -> None:
    with pytest.raises(TypeError, match="must be a str"):
        parse(b"ws://h/")  # type: ignore[arg-type]  # wrong, on purpose


def test_authority_and_redaction() -> None:
    assert Url("ws", "fe80::1%eth0", 80, "/", False).authority == "[fe80::1]:80"
    assert redact("see wss://me:secret@h/x?a=b@c") == "see wss://***@h/x?a=b@c"
    assert redact("ws://h/me@x") == "ws://h/me@x"


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("open_timeout", 0, ValueError),
        ("open_timeout", math.inf, ValueError),
        ("send_timeout", -1, ValueError),
        ("send_timeout", "3", TypeError),
        ("frame_timeout", math.nan, ValueError),
        ("max_message_size", 0, ValueError),
        ("max_message_size", 1.5, TypeError),
        ("max_header_size", None, TypeError),
        ("max_fragments", True, TypeError),
        ("headers", [("a", "b")], TypeError),
        ("headers", {"a": b"b"}, TypeError),
        ("protocols", "chat", TypeError),
        ("compress", None, TypeError),
        ("compress", 1, TypeError),
        ("compress", "yes", TypeError),
    ],
)
def test_options_that_can_not_be(name: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        WebSocket("ws://h/", **{name: value})  # type: ignore[arg-type]  # of each the right kind


@pytest.mark.parametrize(
    ("name", "value"), [("poll", -1), ("ping_rate", "1"), ("close_timeout", True), ("auto_pong", 1)]
)
def test_timing_that_can_not_be(name: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        WebSocket("ws://h/").connect(**{name: value})  # type: ignore[arg-type]  # of each the right kind


def test_defaults_are_those_of_the_documents() -> None:
    timing = {
        "poll": 5.0, "ping_rate": 30.0, "ping_timeout": None, "ping_message": None,
        "auto_pong": True,
        "close_timeout": 30.0, "open_timeout": 30.0, "send_timeout": 30.0, "frame_timeout": 60.0,
    }  # fmt: skip
    assert {name: getattr(Timing(), name) for name in timing} == timing
    assert Timing() == Timing(**timing)
    limits = {
        "max_message_size": 16 << 20, "max_fragments": 131_072, "max_header_size": 65_536,
        "max_read_ahead": 32 << 20, "max_held": 16 << 20, "max_header_lines": 256,
        "max_header_line": 16_384, "max_interim_responses": 8, "max_body_size": 65_536,
        "max_cookie_size": 4096, "max_cookies_set": 50, "max_domain_cookies": 180,
        "max_cookies": 3000, "max_cookie_header": 8192,
    }  # fmt: skip
    assert {name: getattr(Limits(), name) for name in limits} == limits
    assert Limits() == Limits(**limits)


def test_responses() -> None:
    head = b"HTTP/1.1 401 Not Ok\r\nA: b\r\na: c\r\nFold: x\r\n  y\r\nodd line\r\n\r\n"
    response = Response(head, body=b"why")
    assert repr(response) == "<response HTTP/1.1 401 Not Ok>"
    assert (response.http_ver, response.status_code, response.status) == (
        "HTTP/1.1",
        401,
        "Not Ok",
    )
    assert response.headers == {"a": "b, c", "fold": "x y"}
    assert (response.get("A"), response.get("z", "no")) == ("b, c", "no")
    assert (response.get_list("a"), response.get_list("z")) == (["b", "c"], [])
    assert (response.raw, response.body) == (head, b"why")
    with pytest.raises(TypeError, match="must be a str"):
        response.get(b"A")  # type: ignore[arg-type]  # wrong, on purpose
    assert Response(b"garbage\r\n\r\n").status_code is None


def test_headers_of_a_response_that_stand_more_than_once() -> None:
    response = Response(b"HTTP/1.1 200 OK\r\nWarn: a\r\nX: y\r\nwarn:\r\nWARN: b,c\r\n\r\n")
    assert response.get("Warn") == response.headers["warn"] == "a, , b,c"
    assert response.get_list("wArn") == ["a", "", "b", "c"]


@pytest.mark.parametrize("name", [b"A", bytearray(b"A"), None, 1])
def test_names_of_headers_are_texts(name: Any) -> None:
    response = Response(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n")
    for ask in (response.get, response.get_list):
        with pytest.raises(TypeError, match="header name must be a str, not"):
            ask(name)


def test_errors_format_only_what_is_given() -> None:
    assert str(WebSocketError("a {} {b}", 1, b=2)) == "a 1 2"
    assert str(WebSocketError("a { brace")) == "a { brace"


def test_status_has_no_other_names() -> None:
    names = [name for name in vars(Status) if name.isupper()]
    assert len(names) == 9
    assert 1005 in Status.invalid_codes
