"""Copies of a WebSocket, by copy, deepcopy and pickle: the same options, and no connection."""

from __future__ import annotations

import copy
import pickle
import socket
import ssl
import sys
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any

import pytest
import trustme

from doors.raw_server import echo, raw_server, until
from lomond import WebSocket, base
from lomond.errors import WebSocketUnavailable
from lomond.group import WebSocketGroup

pytestmark = pytest.mark.every_door


def unpickled(websocket: Any) -> Any:
    return pickle.loads(pickle.dumps(websocket))


WAYS = pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, unpickled])


def again(websocket: Any, copied: Callable[[Any], Any]) -> Any:
    """What the user's copy is, behind the same interface."""
    if not hasattr(websocket, "inner"):
        return copied(websocket)
    other = WebSocket.__new__(WebSocket)
    other.stand_for(copied(websocket.inner))
    return other


def exchange(websocket: Any) -> str:
    """The answer to a message over a connection of its own."""
    stream = websocket.connect(poll=None, ping_rate=0)
    until(stream, "ready")
    websocket.send_text("x")
    found: Any = until(stream, "text")
    stream.close()
    return str(found.text)


@WAYS
def test_a_copy_is_not_connected_and_connects_by_itself(copied: Callable[[Any], Any]) -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        other = again(websocket, copied)
        assert type(other) is type(websocket)
        assert other.session is other.latency is other.compression is None
        assert other.is_active
        with pytest.raises(WebSocketUnavailable, match="not connected"):
            other.send_text("x")
        other.close()
        other.force_disconnect()
        assert exchange(other) == "x"
        websocket.send_text("still here")
        found: Any = until(stream, "text")
        assert found.text == "still here"
        stream.close()


@WAYS
def test_a_copy_of_one_that_was_connected(copied: Callable[[Any], Any]) -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        with websocket:
            assert exchange(websocket) == "x"
            other = again(websocket, copied)
        assert not other.is_closed
        assert exchange(other) == "x"


@WAYS
def test_a_copy_has_all_options_and_what_the_user_keeps_there(
    copied: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://then:1")
    websocket: Any = WebSocket(
        "wss://me:pw@h:8080/x", max_body_size=5, agent="me", open_timeout=7, protocols=["chat"],
        compress=True, headers={"X": "y"}, cookies={"a": "b"}, auth=("a", "b"),
    )  # fmt: skip
    websocket.add_header(b"X-More", b"z")
    websocket.topic = ["mine"]
    monkeypatch.setenv("https_proxy", "http://now:1")
    other = again(websocket, copied)
    options = (
        "url", "host", "max_held", "max_body_size", "open_timeout", "agent", "protocols",
        "compress", "headers", "cookies", "auth", "topic",
    )  # fmt: skip
    for name in options:
        assert getattr(other, name) == getattr(websocket, name)
    assert base.added_headers(other) == [(b"X-More", b"z")]
    for each in (websocket, other):
        proxy = base.proxy_for(each, base.place(each).parts)
        assert proxy is not None
        assert proxy.host == "then"
    other.add_header(b"X-Its", b"own")
    other.host = "elsewhere"
    assert base.added_headers(websocket) == [(b"X-More", b"z")]
    assert websocket.url == "wss://me:pw@h:8080/x"


def test_a_copy_shares_what_is_given_and_a_deep_copy_does_not() -> None:
    cookies = {"a": "b"}
    websocket = WebSocket("ws://h/", cookies=cookies)
    assert again(websocket, copy.copy).cookies is cookies
    assert again(websocket, copy.deepcopy).cookies is not cookies


def test_a_copy_checks_nothing_that_was_checked(tmp_path: Any) -> None:
    authorities = tmp_path / "authorities.pem"
    trustme.CA().cert_pem.write_to_path(str(authorities))
    websocket = WebSocket("wss://h/", ssl_cafile=authorities)
    authorities.unlink()
    assert again(websocket, copy.copy).ssl_cafile == authorities


def connected() -> socket.socket:
    ours, theirs = socket.socketpair()
    theirs.close()
    return ours


@pytest.mark.parametrize("copied", [copy.deepcopy, unpickled])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("ssl_context", ssl.create_default_context),
        ("proxy_ssl_context", ssl.create_default_context),
        ("socket", connected),
        pytest.param(
            "cookies",
            CookieJar,
            marks=pytest.mark.skipif(
                sys.implementation.name != "cpython", reason="there a CookieJar can be copied"
            ),
        ),
    ],
)
def test_an_option_that_nothing_can_copy_is_named(
    name: str, make: Callable[[], Any], copied: Callable[[Any], Any]
) -> None:
    value = make()
    websocket = WebSocket("wss://h/")
    setattr(websocket, name, value)
    with pytest.raises(TypeError, match=rf"with {name}= can't be .*; use copy\.copy"):
        again(websocket, copied)
    assert getattr(again(websocket, copy.copy), name) is value
    if name == "socket":
        value.close()


@WAYS
@pytest.mark.doors("group")
def test_a_group_is_not_to_be_copied(copied: Callable[[Any], Any]) -> None:
    group = WebSocketGroup()
    group.add(WebSocket("ws://h/"))
    with pytest.raises(TypeError, match=r"WebSocketGroup can't be copied.*make another"):
        copied(group)
    group.close()


def test_a_pickle_has_each_option_under_its_name_so_that_a_secret_can_be_taken_out() -> None:
    class Discreet(base.Base):
        def __getstate__(self) -> dict[str, Any]:
            state = base.state_of(self, ())
            state["auth"] = None
            return state

        def __setstate__(self, state: dict[str, Any]) -> None:
            base.restore(self, state)

    websocket = Discreet("ws://h/", auth=("me", "hunter2"), agent="mine")
    assert "hunter2" not in repr(websocket.__getstate__())
    other = copy.copy(websocket)
    assert (other.auth, other.agent, other.compress) == (None, "mine", websocket.compress)
