"""What can't be set on a WebSocket: values that can not be, and names that are a slip."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from lomond import WebSocket
from lomond.base import Base
from lomond.settable import CONNECT, NAMES, is_one_edit

pytestmark = pytest.mark.every_door

ALL = [name for name in inspect.signature(Base.__init__).parameters if name != "self"]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("url", "example.org", ValueError),
        ("url", "ws://h/#x", ValueError),
        ("url", 5, TypeError),
        ("scheme", "ftp", ValueError),
        ("scheme", "ws://evil/", ValueError),
        ("scheme", None, TypeError),
        ("host", "evil/x", ValueError),
        ("host", "me@evil", ValueError),
        ("host", "h:80", ValueError),
        ("host", "[::1]:80", ValueError),
        ("host", "", ValueError),
        ("host", b"h", TypeError),
        ("port", 0, ValueError),
        ("port", 65536, ValueError),
        ("port", "80", TypeError),
        ("resource", "x", ValueError),
        ("resource", ".evil/", ValueError),
        ("resource", "/x#y", ValueError),
        ("resource", "/\r\nX: y", ValueError),
        ("resource", None, TypeError),
        ("proxies", {"https://": "http://p"}, ValueError),
        ("proxies", "http://p", TypeError),
        ("protocols", "chat", TypeError),
        ("agent", 5, TypeError),
        ("compress", None, TypeError),
        ("ssl_verify", None, TypeError),
        ("ssl_cafile", "/nope.pem", ValueError),
        ("ssl_certfile", 5, TypeError),
        ("ssl_keyfile", 5, TypeError),
        ("ssl_password", b"x", TypeError),
        ("ssl_context", 5, TypeError),
        ("proxy_ssl_context", 5, TypeError),
        ("headers", {"X": "a\r\nb"}, ValueError),
        ("headers", [("X", "y")], TypeError),
        ("origin", "h", ValueError),
        ("cookies", {"a b": "c"}, ValueError),
        ("cookies", "a=b", TypeError),
        ("auth", ("a:b", "c"), ValueError),
        ("auth", 5, TypeError),
        ("max_redirects", 21, ValueError),
        ("max_redirects", True, TypeError),
        ("truststore", 1, TypeError),
        ("server_name", "", ValueError),
        ("socket", 5, TypeError),
        ("unix_socket", "", ValueError),
        ("source_address", ("localhost", 0), ValueError),
        ("socket_options", [(1, 2)], TypeError),
        ("tcp_keepalive", 0, ValueError),
        ("open_timeout", 0, ValueError),
        ("send_timeout", "1", TypeError),
        ("frame_timeout", -1, ValueError),
        ("max_message_size", 0, ValueError),
        ("max_fragments", "x", TypeError),
        ("max_header_size", None, TypeError),
        ("max_header_lines", 0, ValueError),
        ("max_header_line", 0, ValueError),
        ("max_interim_responses", -1, ValueError),
        ("max_body_size", -1, ValueError),
        ("max_read_ahead", 0, ValueError),
        ("max_held", 0, ValueError),
    ],
)
def test_what_can_not_be_is_refused_where_it_is_set(
    name: str, value: Any, error: type[Exception]
) -> None:
    websocket = WebSocket("wss://h/", proxies={})
    before = getattr(websocket, name)
    with pytest.raises(error) as caught:
        setattr(websocket, name, value)
    assert type(caught.value) is error
    assert getattr(websocket, name) == before


def test_every_option_may_be_set() -> None:
    """Also that this module thinks of all."""
    assert set(ALL) <= NAMES
    for name in NAMES:
        websocket = WebSocket("wss://h/x", proxies={})
        value = getattr(websocket, name)
        setattr(websocket, name, value)
        assert getattr(websocket, name) == value


# Names


@pytest.mark.parametrize("name", CONNECT)
def test_what_connect_is_told_says_so(name: str) -> None:
    websocket = WebSocket("ws://h/")
    with pytest.raises(AttributeError, match=rf"websocket\.connect\({name}=\.\.\.\)"):
        setattr(websocket, name, 3)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("ping_timout", "ping_timeout"),
        ("open_timout", "open_timeout"),
        ("opne_timeout", "open_timeout"),
        ("header", "headers"),
        ("cookie", "cookies"),
        ("proxy", None),
        ("agents", "agent"),
        ("max_mesage_size", "max_message_size"),
        ("ssl-verify", "ssl_verify"),
        ("Origin", "origin"),
        ("pol", "poll"),
    ],
)
def test_a_slip_is_refused_naming_what_was_meant(slip: str, meant: str | None) -> None:
    websocket = WebSocket("ws://h/")
    if meant is None:
        setattr(websocket, slip, 3)
        return
    with pytest.raises(AttributeError, match=f"no '{slip}'; did you mean '{meant}'"):
        setattr(websocket, slip, 3)
    assert not hasattr(websocket, slip)


@pytest.mark.parametrize("meant", sorted({*NAMES, *CONNECT}))
def test_any_slip_of_one_letter_is_refused(meant: str) -> None:
    for at in range(1, len(meant)):
        for slip in (
            meant[:at] + meant[at + 1 :],
            f"{meant[:at]}q{meant[at:]}",
            f"{meant[:at]}q{meant[at + 1 :]}",
            meant[: at - 1] + meant[at] + meant[at - 1] + meant[at + 1 :],
        ):
            if slip not in NAMES:
                with pytest.raises(AttributeError, match=r"did you mean|told to each connection"):
                    setattr(WebSocket("ws://h/"), slip, 3)


def test_other_names_belong_to_the_user() -> None:
    websocket: Any = WebSocket("ws://h/")
    for name in ("my_state", "user", "topic", "on_message", "_url", "_host", "x", "timeout"):
        setattr(websocket, name, 1)
        assert getattr(websocket, name) == 1
    for _ in range(3):
        websocket.my_state += 1
    assert websocket.my_state == 4


@pytest.mark.parametrize("name", ["hosts", "polls", "pool", "protocol", "sort"])
def test_a_slip_that_is_none_is_told_what_to_do(name: str) -> None:
    """By its own words: a class that declares the name may set it."""
    with pytest.raises(AttributeError) as caught:
        setattr(WebSocket("ws://h/"), name, 3)
    declared = f"class Mine(WebSocket): {name}: object"
    assert f"declare it: {declared}" in str(caught.value)
    found: dict[str, Any] = {"WebSocket": Base}
    exec(declared, found)
    mine = found["Mine"]("ws://h/")
    setattr(mine, name, 3)
    assert getattr(mine, name) == 3


def test_what_a_class_of_the_users_has_is_meant() -> None:
    class Mine(WebSocket):  # type: ignore[misc,valid-type]  # whichever door it is
        urls: object = ()
        poll: object = None

    websocket = Mine("ws://h/")
    if isinstance(websocket, Base):
        websocket.urls = ["x"]
        websocket.poll = 3
        assert (websocket.urls, websocket.poll) == (["x"], 3)


@pytest.mark.parametrize(
    ("name", "other", "is_near"),
    [
        ("abc", "abc", False),
        ("ab", "abc", True),
        ("bc", "abc", True),
        ("abcd", "abc", True),
        ("axc", "abc", True),
        ("acb", "abc", True),
        ("bac", "abc", True),
        ("cba", "abc", False),
        ("a", "abc", False),
        ("xbcd", "abc", False),
        ("acbd", "abce", False),
        ("", "a", True),
    ],
)
def test_one_edit(name: str, other: str, is_near: bool) -> None:
    assert is_one_edit(name, other) is is_near
    assert is_one_edit(other, name) is is_near
