"""What users give for TLS, and sockets: refused at once where it can't be, with the fix."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from doors.raw_server import raw_server, read_all
from lomond import WebSocket

pytestmark = pytest.mark.every_door


@pytest.mark.parametrize("value", [None, 0, 1, "no", "false", ""])
def test_only_false_switches_verification_off(value: Any, authority: trustme.CA) -> None:
    with pytest.raises(TypeError, match="ssl_verify must be True or False, not"):
        WebSocket("wss://h/", ssl_verify=value)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with raw_server(read_all, context=context) as server:
        websocket = WebSocket(server.url)
        with pytest.raises(TypeError, match="ssl_verify must be True or False, not"):
            websocket.ssl_verify = value
        assert [event.name for event in websocket] == ["connecting", "connect_fail"]


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("ssl_context", "x", TypeError, r"must be an ssl\.SSLContext, not 'x'"),
        ("ssl_context", ssl.SSLContext, TypeError, r"must be an ssl\.SSLContext, not <class"),
        ("server_name", 5, TypeError, "must be a str, not 5"),
        ("server_name", b"h", TypeError, "must be a str, not b'h'"),
        ("server_name", "", ValueError, "leave it out"),
        ("server_name", "a\nb", ValueError, r"holds '\\n'; remove it"),
        ("server_name", "a\0b", ValueError, r"holds '\\x00'; remove it"),
        ("server_name", "a b", ValueError, "holds ' '; remove it"),
        ("server_name", ".a", ValueError, "'.a' is no host name"),
        ("server_name", "a..b", ValueError, r"'a\.\.b' is no host name"),
        ("server_name", "a" * 64, ValueError, "is no host name"),
        ("server_name", "\udc80", ValueError, "is no host name"),
        ("socket", "x", TypeError, r"must be a socket\.socket, not 'x'"),
        ("socket", 5, TypeError, r"must be a socket\.socket, not 5"),
        ("ssl_cafile", 5, TypeError, "must be a str or path, not 5"),
        ("ssl_cafile", b"ca.pem", TypeError, "must be a str or path, not b'ca.pem'"),
        ("ssl_cafile", "/nope.pem", ValueError, r"'/nope\.pem' can't be read \(No such file"),
        ("ssl_cafile", os.sep, ValueError, "is a directory that holds no certificate; put PEM"),
        ("ssl_cafile", "a\0b", ValueError, r"can't be read \(.*null"),
        ("ssl_cafile", os.__file__, ValueError, "holds no certificate; give a PEM file"),
        ("agent", 5, TypeError, "must be a str, not 5"),
        ("agent", b"x", TypeError, "must be a str, not b'x'"),
        ("agent", "\udc80", ValueError, "can't be written as UTF-8"),
        ("protocols", 5, TypeError, "must be a list of str, not 5"),
        ("protocols", 0, TypeError, "must be a list of str, not 0"),
        ("protocols", "chat", TypeError, "must be a list of str"),
        ("protocols", "", TypeError, "must be a list of str"),
        ("protocols", [5], TypeError, "must be str, not 5"),
        ("protocols", ["\udc80"], ValueError, "is not a token"),
        ("protocols", ["a,b"], ValueError, r"'a,b' holds a comma; write \['a', 'b'\], one str f"),
        ("protocols", ["a, b", "c"], ValueError, r"'a, b' holds a comma; write \['a', 'b'\]"),
        ("protocols", ["a b"], ValueError, "'a b' is not a token; it holds ' '"),
        ("protocols", ["a/b"], ValueError, "'a/b' is not a token; it holds '/'"),
        ("protocols", [""], ValueError, "'' is not a token; it is empty: leave it out"),
        ("protocols", "a, b", TypeError, r"must be a list of str, like \['a', 'b'\]"),
        ("headers", {"a": "\udc80"}, ValueError, "'a' can't be written as UTF-8"),
        ("headers", {"\udc80": "a"}, ValueError, "can't be written as UTF-8"),
    ],
)
def test_an_option_that_can_not_be_is_refused_at_once(
    name: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        WebSocket("wss://h/", **{name: value})
    assert type(caught.value) is error
    assert name.rstrip("s") in str(caught.value)


def test_what_is_put_there_later_is_checked_too() -> None:
    for name in ("ssl_context", "ssl_cafile", "server_name", "socket", "agent"):
        websocket = WebSocket("wss://h/")
        before = getattr(websocket, name)
        with pytest.raises(TypeError, match=name):
            setattr(websocket, name, 5)
        assert getattr(websocket, name) is before


def test_a_context_for_servers() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ValueError, match=r"ssl_context is one for servers; .*PROTOCOL_TLS_CLIENT"):
        WebSocket("wss://h/", ssl_context=context)


def test_sockets_that_can_not_be() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with (
        socket.socket() as plain,
        context.wrap_socket(plain, server_hostname="h") as wrapped,
        pytest.raises(TypeError, match=r"socket .*give the plain socket and a wss:// URL"),
    ):
        WebSocket("ws://h/", socket=wrapped)
    with (
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        pytest.raises(ValueError, match="socket must be a stream"),
    ):
        WebSocket("ws://h/", socket=datagrams)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_of_certificates_is_not_used_up(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    WebSocket("wss://h/", ssl_cafile=path)


def test_a_cafile_that_went_bad_later_is_named(cafile: Path, authority: trustme.CA) -> None:
    with raw_server(lambda connection: None, upgrades=False) as server:
        websocket = WebSocket(f"wss://127.0.0.1:{server.port}/", ssl_cafile=cafile)
        cafile.write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
        _, spoiled = websocket
        cafile.unlink()
        _, gone = websocket
    assert spoiled.name == gone.name == "connect_fail"
    assert f"ssl_cafile {str(cafile)!r} can't be used" in spoiled.reason
    assert f"ssl_cafile {str(cafile)!r} can't be used (" in gone.reason
    assert isinstance(spoiled.cause, ssl.SSLError)
    assert isinstance(gone.cause, FileNotFoundError)
    assert (gone.phase, gone.cause.errno) == ("tls", 2)
