"""Options of the socket and of TLS, as a server and the system see them."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from doors.certified import contexts
from doors.inside import socket_of
from doors.site_server import Site, names, redirect, serving, serving_at, visit
from lomond import WebSocket
from lomond.events import AnyEvent

pytestmark = pytest.mark.every_door

OPENED = ["connecting", "connected", "ready", "closed", "disconnected"]
PASSWORD = "correct horse"


def option_of(websocket: WebSocket, level: int, name: int) -> int:
    """An option of the socket that is used."""
    used = socket_of(websocket)
    assert used is not None
    # By another descriptor of it, for a door may have it in something of its own.
    with socket.socket(fileno=os.dup(used.fileno())) as sock:
        return sock.getsockopt(level, name)


def last_of(seen: list[AnyEvent]) -> Any:
    return seen[-1]


# Unix sockets


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this system")
@pytest.mark.parametrize("is_path", [True, False])
def test_a_unix_socket(is_path: bool, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with serving_at(path, Site({"/": redirect("/on")})) as site:
        websocket = WebSocket(
            "ws://name.invalid/on",
            unix_socket=path if is_path else str(path),
            proxies={"all": "http://127.0.0.1:1"},
            socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 70000)],
            tcp_keepalive=5,
        )
        stream = websocket.connect(poll=None, ping_rate=0)
        for event in stream:
            if event.name == "connected":
                assert event.proxy is None
            elif event.name == "ready":
                assert event.timings is not None
                assert event.timings.resolve is None
                assert [a.address for a in event.timings.attempts] == [str(path)]
                assert option_of(websocket, socket.SOL_SOCKET, socket.SO_RCVBUF) >= 70000
                websocket.send_text("x")
            elif event.name == "text":
                websocket.close()
        assert site.fields("Host") == ["name.invalid:80"]
        assert names(visit(websocket)) == OPENED  # again


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this system")
def test_tls_over_a_unix_socket(tmp_path: Path) -> None:
    server, client = contexts()
    with serving_at(tmp_path / "s", Site(), server):
        given: dict[str, Any] = {"ssl_context": client, "unix_socket": tmp_path / "s"}
        assert names(visit(WebSocket("wss://127.0.0.1/", **given))) == OPENED
        failed = last_of(visit(WebSocket("wss://localhost/", **given)))
        assert (failed.name, failed.phase) == ("connect_fail", "tls")
        given["server_name"] = "127.0.0.1"
        assert names(visit(WebSocket("wss://localhost/", **given))) == OPENED


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this system")
def test_redirects_of_a_unix_socket_stay_there(tmp_path: Path) -> None:
    with serving(Site()) as other, serving_at(tmp_path / "s", Site()) as site:
        site.answers = {
            "/here": redirect("/on"),
            "/there": redirect(other.url),
            "/tls": redirect("wss://h/"),
            "/port": redirect("ws://h:81/"),
        }
        given: dict[str, Any] = {"unix_socket": tmp_path / "s", "max_redirects": 5, "auth": "t"}
        seen = visit(WebSocket("ws://h/here", **given))
        assert names(seen)[-3:] == ["ready", "closed", "disconnected"]
        assert site.fields("Authorization") == ["Bearer t"]
        for path in ("there", "tls", "port"):
            seen = visit(WebSocket(f"ws://h/{path}", **given))
            assert names(seen)[-2:] == ["rejected", "disconnected"]
            assert "elsewhere than the Unix socket" in seen[-2].reason  # type: ignore[union-attr]  # the event that has it
        assert other.requests == []


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this system")
def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "nope"
    failed = last_of(visit(WebSocket("ws://h/", unix_socket=path)))
    assert (failed.name, failed.phase, failed.address) == ("connect_fail", "connect", str(path))
    assert failed.reason == f"unable to connect to h:80 at {path}; No such file or directory"
    assert isinstance(failed.cause, FileNotFoundError)


# Sockets


def test_the_server_sees_the_source_address() -> None:
    with serving(Site({"/": redirect("/on")})) as site:
        seen = visit(WebSocket(site.url, source_address=("127.0.0.2", 0), max_redirects=1))
        assert "ready" in names(seen)
        assert [peer[0] for peer in site.peers] == ["127.0.0.2"] * 2  # type: ignore[index]  # the event that has it
        failed = last_of(visit(WebSocket(site.url, source_address=("192.0.2.1", 0))))
        assert (failed.name, failed.phase) == ("connect_fail", "connect")
        assert "source_address 192.0.2.1:0 can't be used" in failed.reason
        assert len(site.peers) == 2


@pytest.mark.parametrize("way", ["connect", "given", "redirect"])
def test_options_of_the_socket(way: str) -> None:
    with serving(Site({"/from": redirect("/")})) as site:
        given: dict[str, Any] = {}
        if way == "given":
            given["socket"] = socket.create_connection(("127.0.0.1", site.port))
        websocket = WebSocket(
            site.url + ("/from" if way == "redirect" else ""),
            socket_options=[
                (socket.IPPROTO_TCP, socket.TCP_NODELAY, 0),
                (socket.SOL_SOCKET, socket.SO_RCVBUF, (70000).to_bytes(4, "little")),
            ],
            tcp_keepalive=7.5,
            max_redirects=1,
            **given,
        )
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                assert option_of(websocket, socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
                assert 70000 <= option_of(websocket, socket.SOL_SOCKET, socket.SO_RCVBUF) <= 140000
                assert option_of(websocket, socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
                    if hasattr(socket, name):
                        assert option_of(websocket, socket.IPPROTO_TCP, getattr(socket, name)) == 8
                websocket.close()
        assert event.name == "disconnected"


def test_without_options_only_nodelay_is_on() -> None:
    with serving(Site()) as site:
        websocket = WebSocket(site.url)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                assert option_of(websocket, socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
                assert option_of(websocket, socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
                websocket.close()


def test_an_option_that_the_system_refuses_is_named() -> None:
    with serving(Site()) as site:
        failed = last_of(visit(WebSocket(site.url, socket_options=[(socket.SOL_SOCKET, 9999, 1)])))
        assert (failed.name, failed.phase) == ("connect_fail", "connect")
        assert f"socket option ({int(socket.SOL_SOCKET)}, 9999, 1) is refused" in failed.reason


# TLS


class Pair:
    """An authority, a server of it that wants a certificate, and a client's files."""

    def __init__(self, path: Path) -> None:
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.server)
        self.server.verify_mode = ssl.CERT_OPTIONAL
        authority.configure_trust(self.server)
        self.cafile, self.cert, self.key = (str(path / n) for n in ("ca.pem", "me", "key"))
        authority.cert_pem.write_to_path(self.cafile)
        leaf = authority.issue_cert("me.example")
        leaf.cert_chain_pems[0].write_to_path(self.cert)
        key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
        shut = serialization.BestAvailableEncryption(PASSWORD.encode())
        pem = serialization.Encoding.PEM
        Path(self.key).write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, shut))
        self.own = {
            "ssl_cafile": self.cafile,
            "ssl_certfile": self.cert,
            "ssl_keyfile": Path(self.key),
            "ssl_password": PASSWORD,
        }


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    from lomond.system import tls

    yield Pair(tmp_path)
    tls.kept_context.cache_clear()


def test_a_server_that_demands_a_certificate(pair: Pair) -> None:
    pair.server.verify_mode = ssl.CERT_REQUIRED
    with serving(Site(), pair.server) as site:
        websocket = WebSocket(site.url, **pair.own)  # type: ignore[arg-type]  # of each the right kind
        assert names(visit(websocket)) == OPENED
        assert "me.example" in str(site.certificates)
        assert PASSWORD not in repr(websocket)
        last = last_of(visit(WebSocket(site.url, ssl_cafile=pair.cafile)))
        # With TLS 1.3 a server says so after the handshake.
        assert last.phase in ("tls", "upgrade")
        assert "give ssl_certfile" in last.reason or "reset" in last.reason
        assert len(site.requests) == 1


def test_a_password_that_is_wrong_is_a_failure_that_does_not_show_it(pair: Pair) -> None:
    with serving(Site(), pair.server) as site:
        own: dict[str, Any] = pair.own | {"ssl_password": "sesame"}
        failed = last_of(visit(WebSocket(site.url, **own)))
        assert (failed.name, failed.phase) == ("connect_fail", "tls")
        assert "ssl_password does not open the private key" in failed.reason
        assert "sesame" not in f"{failed!r}{failed.cause!r}"


def test_our_certificate_is_for_our_origin_only(pair: Pair) -> None:
    answers = {"/": redirect("/same")}
    with serving(Site(answers), pair.server) as site, serving(Site(), pair.server) as other:
        websocket = WebSocket(site.url, max_redirects=3, **pair.own)  # type: ignore[arg-type]  # of each the right kind
        assert "ready" in names(visit(websocket))
        assert [bool(shown) for shown in site.certificates] == [True, True]
        answers["/"] = redirect(other.url + "/on")
        other.answers["/on"] = redirect("/further")
        assert "ready" in names(visit(websocket))
        assert [bool(shown) for shown in other.certificates] == [False, False]
        other.answers["/on"] = redirect(site.url + "/back")
        assert "ready" in names(visit(websocket))
        assert site.paths[-1] == "/back"
        assert bool(site.certificates[-1]) is False


def test_a_directory_of_authorities(pair: Pair, tmp_path: Path) -> None:
    directory = tmp_path / "ca"
    directory.mkdir()
    os.rename(pair.cafile, directory / "mine.pem")
    with serving(Site(), pair.server) as site:
        assert names(visit(WebSocket(site.url, ssl_cafile=directory))) == OPENED
        failed = last_of(visit(WebSocket(site.url)))
        assert (failed.name, failed.phase) == ("connect_fail", "tls")


def test_the_name_that_is_expected(pair: Pair, localhost: None) -> None:
    with serving(Site(), pair.server) as site, serving(Site(), pair.server) as other:
        url = site.url.replace("127.0.0.1", "localhost")
        given: dict[str, Any] = {"ssl_cafile": pair.cafile}
        failed = last_of(visit(WebSocket(url, **given)))
        assert (failed.name, failed.phase) == ("connect_fail", "tls")
        assert names(visit(WebSocket(url, server_name="127.0.0.1", **given))) == OPENED
        assert site.fields("Host") == [f"localhost:{site.port}"]
        # It is a name of that origin, and of no other.
        websocket = WebSocket(url, server_name="127.0.0.1", max_redirects=1, **given)
        site.answers["/"] = redirect("/on")
        assert "ready" in names(visit(websocket))
        site.answers["/"] = redirect(other.url)
        assert "ready" in names(visit(websocket))
        site.answers["/"] = redirect(other.url.replace("127.0.0.1", "localhost"))
        failed = last_of(visit(websocket))
        assert (failed.name, failed.phase) == ("connect_fail", "tls")
        failed = last_of(visit(WebSocket(site.url, server_name="localhost", **given)))
        assert (failed.name, failed.phase) == ("connect_fail", "tls")


# What can't be


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"unix_socket": "/x", "source_address": ("127.0.0.1", 0)}, "no source_address"),
        ({"unix_socket": "/x\0"}, r"unix_socket .* holds '\\x00'"),
        ({"unix_socket": "/" + "x" * 200}, "unix_socket .* takes"),
        ({"unix_socket": ""}, "unix_socket '' is empty"),
        ({"ssl_keyfile": __file__}, "ssl_keyfile needs ssl_certfile"),
        ({"ssl_password": "x"}, "ssl_password needs ssl_certfile"),
        ({"truststore": True, "ssl_cafile": __file__}, "no certificate|exclude each other"),
        ({"source_address": ("localhost", 0)}, "needs an IP address"),
        ({"tcp_keepalive": 0}, "tcp_keepalive"),
        ({"server_name": ""}, "server_name is empty"),
    ],
)
def test_options_that_can_not_be(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WebSocket("wss://h/", **given)


def test_combinations_that_can_not_be(pair: Pair) -> None:
    left, right = socket.socketpair()
    with left, right:
        with pytest.raises(ValueError, match="socket and unix_socket are both given"):
            WebSocket("ws://h/", socket=left, unix_socket="/x")
        websocket = WebSocket("ws://h/", socket=left)
        websocket.unix_socket = "/x"
        with pytest.raises(ValueError, match="socket and unix_socket are both given"):
            websocket.connect()
    with pytest.raises(ValueError, match="exclude each other"):
        WebSocket("wss://h/", truststore=True, ssl_cafile=pair.cafile)
    for name, value in [("socket_options", [(1, 2)]), ("source_address", "x"), ("truststore", 1)]:
        with pytest.raises(TypeError, match=name):
            WebSocket("wss://h/", **{name: value})  # type: ignore[arg-type]  # of each the right kind
