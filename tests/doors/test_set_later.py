"""Options that are set after a WebSocket was made: the next connection honours them."""

from __future__ import annotations

import copy
import socket
import ssl
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from doors.certified import contexts
from doors.raw_server import raw_server, read_all, refusing_port
from doors.site_server import Site, names, redirect, refusal, serving, visit
from lomond import WebSocket, constants
from lomond.base import Base
from lomond.persist import persist

pytestmark = pytest.mark.every_door

# Where to


def test_the_url_sets_all_its_parts() -> None:
    with serving(Site()) as first, serving(Site()) as second:
        websocket = WebSocket(first.url + "/one")
        websocket.url = f"ws://bob:secret@127.0.0.1:{second.port}/two?ticket=2"
        seen: Any = visit(websocket)
        assert first.requests == []
        assert second.paths == ["/two?ticket=2"]
        assert second.fields("Host") == [f"127.0.0.1:{second.port}"]
        assert second.fields("Authorization") == ["Basic Ym9iOnNlY3JldA=="]
        assert seen[0].url == seen[1].url == websocket.url
        parts = (websocket.scheme, websocket.host, websocket.port, websocket.resource)
        assert parts == ("ws", "127.0.0.1", second.port, "/two?ticket=2")
        assert not websocket.is_secure
        websocket.url = "wss://Example.org"
        parts = (websocket.scheme, websocket.host, websocket.port, websocket.resource)
        assert parts == ("wss", "example.org", 443, "/")
        assert websocket.is_secure


@pytest.mark.parametrize("part", ["url", "resource"])
def test_another_ticket_for_each_connection(part: str) -> None:
    with serving(Site()) as site:
        websocket = WebSocket(f"{site.url}/?ticket=0")
        turn = 0
        urls = []
        for event in persist(websocket, poll=None, ping_rate=0, min_wait=0, max_wait=0):
            if event.name == "connected":
                urls.append(event.url)
            elif event.name == "ready":
                websocket.close()
            elif event.name == "back_off":
                turn += 1
                there = site.url if part == "url" else ""
                setattr(websocket, part, f"{there}/?ticket={turn}")
                if turn == 3:
                    break
        assert site.paths == ["/?ticket=0", "/?ticket=1", "/?ticket=2"]
        assert urls == [f"{site.url}/?ticket={turn}" for turn in range(3)]


def test_host_and_port_go_elsewhere_and_the_url_says_so() -> None:
    with serving(Site()) as site:
        websocket = WebSocket("ws://me:pw@example.invalid/x")
        websocket.host = "127.0.0.1"
        websocket.port = site.port
        assert websocket.url == f"ws://me:pw@127.0.0.1:{site.port}/x"
        seen: Any = visit(websocket)
        assert names(seen)[-1] == "disconnected"
        assert seen[0].url == websocket.url
        assert site.fields("Host") == [f"127.0.0.1:{site.port}"]
        assert site.fields("Authorization") == ["Basic bWU6cHc="]


def test_a_connection_that_stands_goes_on() -> None:
    with serving(Site()) as site:
        websocket = WebSocket(site.url)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                websocket.url = "ws://example.invalid/"
                websocket.send_text("x")
            elif event.name == "text":
                websocket.close()
        assert event.name == "disconnected"
        assert event.graceful


# What the next connection does


def test_headers_cookies_and_the_like() -> None:
    with serving(Site()) as site:
        websocket = WebSocket(site.url, headers={"X-Old": "1"}, auth=("a", "b"))
        websocket.headers = {"X-New": "2"}
        websocket.cookies = {"c": "d"}
        websocket.origin = "https://example.org"
        websocket.auth = "token"
        websocket.agent = "me"
        websocket.protocols = ["chat"]
        websocket.compress = True
        visit(websocket)
        websocket.headers = lambda: {"X-New": "3"}
        websocket.cookies = CookieJar()
        websocket.origin = websocket.auth = None
        websocket.agent = ""
        websocket.protocols = []
        websocket.compress = False
        visit(websocket)
        said = {
            "X-Old": [],
            "X-New": ["2"],
            "Cookie": ["c=d"],
            "Origin": ["https://example.org"],
            "Authorization": ["Bearer token"],
            "User-Agent": ["me"],
            "Sec-WebSocket-Protocol": ["chat"],
        }
        assert {name: site.fields(name, 0) for name in said} == said
        assert site.fields("Sec-WebSocket-Extensions", 0) != []
        rest = [*said.keys() - {"X-New", "User-Agent"}, "Sec-WebSocket-Extensions"]
        assert {name: site.fields(name) for name in rest} == {name: [] for name in rest}
        assert (site.fields("X-New"), site.fields("User-Agent")) == (
            ["3"],
            [constants.USER_AGENT],
        )


def test_redirects_and_sockets() -> None:
    with serving(Site({"/": redirect("/on")})) as site:
        websocket = WebSocket(site.url)
        assert "rejected" in names(visit(websocket))
        websocket.max_redirects = 1
        websocket.source_address = ("127.0.0.2", 0)
        websocket.tcp_keepalive = 5
        websocket.socket_options = [(socket.SOL_SOCKET, 9999, 1)]  # type: ignore[assignment]  # to mypy a list of those is no list of these
        failed: Any = visit(websocket)[-1]
        assert "socket option" in failed.reason
        websocket.socket_options = ()
        assert "ready" in names(visit(websocket))
        assert site.peers[-1][0] == "127.0.0.2"  # type: ignore[index]  # the event that has it
        websocket.source_address = None
        websocket.url = "ws://example.invalid/on"
        websocket.socket = socket.create_connection(("127.0.0.1", site.port))
        assert "ready" in names(visit(websocket))


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this system")
def test_a_unix_socket(tmp_path: Path) -> None:
    websocket = WebSocket("ws://example.invalid/")
    websocket.unix_socket = tmp_path / "nope"
    failed: Any = visit(websocket)[-1]
    assert failed.address == str(tmp_path / "nope")


def test_tls() -> None:
    server, client = contexts()
    with serving(Site(), server) as site:
        websocket = WebSocket(site.url)
        assert names(visit(websocket)) == ["connecting", "connect_fail"]
        websocket.ssl_verify = False
        assert "ready" in names(visit(websocket))
        websocket.ssl_verify = True
        websocket.ssl_context = client
        assert "ready" in names(visit(websocket))
        websocket.server_name = "example.org"
        assert names(visit(websocket)) == ["connecting", "connect_fail"]


def test_a_certificate_of_ours_piece_by_piece(tmp_path: Path) -> None:
    import trustme

    from lomond.system import tls

    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    server.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    leaf = authority.issue_cert("me.example")
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    with serving(Site(), server) as site:
        websocket = WebSocket(site.url)
        websocket.ssl_cafile = tmp_path / "ca.pem"
        websocket.ssl_keyfile = tmp_path / "key.pem"
        with pytest.raises(ValueError, match="ssl_keyfile needs ssl_certfile"):
            websocket.connect()
        websocket.ssl_certfile = tmp_path / "cert.pem"
        assert "ready" in names(visit(websocket))
        websocket.ssl_password = "not needed"
        assert websocket.ssl_password == "not needed"
        assert "not needed" not in repr(websocket)
    tls.kept_context.cache_clear()


def test_proxies_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = f"http://127.0.0.1:{refusing_port()}"
    with serving(Site()) as site:
        websocket = WebSocket(site.url)
        assert "ready" in names(visit(websocket))
        websocket.proxies = {"http": dead}
        failed: Any = visit(websocket)[-1]
        assert dead in failed.reason
        websocket.proxies = {}
        monkeypatch.setenv("http_proxy", dead)
        assert "ready" in names(visit(websocket))
        websocket.proxies = None  # what the environment says now
        failed = visit(websocket)[-1]
        assert dead in failed.reason
        monkeypatch.delenv("http_proxy")
        websocket.proxies = None
        assert "ready" in names(visit(websocket))


def test_a_host_without_a_proxy() -> None:
    dead = f"http://127.0.0.1:{refusing_port()}"
    with serving(Site()) as site:
        websocket = WebSocket(site.url, proxies={"http": dead, "no": f"127.0.0.1:{site.port}"})
        assert "ready" in names(visit(websocket))
        websocket.proxies = {"http": dead, "no": "127.0.0.1:1"}
        failed: Any = visit(websocket)[-1]
        assert dead in failed.reason


def test_limits() -> None:
    long = refusal("503 Busy", "X-Long: " + "x" * 5000, body=b"y" * 500)
    with serving(Site({"/": long})) as site:
        websocket = WebSocket(site.url)
        seen: Any = visit(websocket)
        assert (seen[2].name, len(seen[2].response.body)) == ("rejected", 500)
        websocket.max_body_size = 100
        seen = visit(websocket)
        assert len(seen[2].response.body) == 100
        websocket.max_header_line = 4000
        assert "protocol_error" in names(visit(websocket))
        assert (websocket.max_body_size, websocket.max_header_line) == (100, 4000)
        websocket.max_header_line = 16 * 1024
        assert "rejected" in names(visit(websocket))


def begins_a_frame(connection: socket.socket) -> None:
    connection.sendall(b"\x81\x05a")
    read_all(connection)


def test_timeouts() -> None:
    with raw_server(read_all, upgrades=False) as server:
        websocket = WebSocket(server.url)
        websocket.open_timeout = 0.05
        failed: Any = visit(websocket)[-1]
        assert "open_timeout (0.05 s)" in failed.reason
    with raw_server(begins_a_frame) as server:
        websocket.url = server.url
        websocket.open_timeout = 20
        websocket.send_timeout = websocket.frame_timeout = 0.05
        seen: Any = visit(websocket)
        assert "frame_timeout" in seen[-1].reason
        assert (websocket.send_timeout, websocket.open_timeout) == (0.05, 20)


def test_it_traces_from_then_on() -> None:
    records: list[dict[str, Any]] = []
    with serving(Site()) as site:
        websocket = WebSocket(site.url)
        visit(websocket)
        websocket.trace = records.append
        visit(websocket)
        assert "handshake_ready" in [record["stage"] for record in records]


def test_options_that_exclude_each_other_are_refused_by_connect() -> None:
    websocket = WebSocket("wss://h/", proxies={})
    websocket.unix_socket = "/x"
    websocket.source_address = ("127.0.0.1", 0)
    with pytest.raises(ValueError, match="unix_socket has no source_address"):
        websocket.connect()
    if isinstance(websocket, Base):
        with pytest.raises(ValueError, match="unix_socket has no source_address"):
            persist(websocket)
    websocket.unix_socket = None
    websocket.connect().close()


def test_mappings_are_read_and_checked_for_each_connection() -> None:
    proxies: dict[str, Any] = {}
    headers = {"X-Turn": "1"}
    cookies = {"turn": "1"}
    with serving(Site()) as site:
        websocket = WebSocket(site.url, proxies=proxies, headers=headers, cookies=cookies)
        visit(websocket)
        headers["X-Turn"] = cookies["turn"] = "2"
        visit(websocket)
        assert [site.fields("X-Turn", at) for at in (0, 1)] == [["1"], ["2"]]
        assert [site.fields("Cookie", at) for at in (0, 1)] == [["turn=1"], ["turn=2"]]
        for mapping, wrong in [(headers, "a\r\nb"), (cookies, "a b")]:
            name = next(iter(mapping))
            right, mapping[name] = mapping[name], wrong
            assert names(visit(websocket)) == ["connecting", "connect_fail"]
            mapping[name] = right
        proxies["http"] = "ftp://h"
        with pytest.raises(ValueError, match="proxies"):
            websocket.connect()
        proxies["http"] = None
        assert "ready" in names(visit(websocket))


def test_a_copy_has_the_same_options() -> None:
    websocket = WebSocket("ws://me:pw@h:8080/x", max_body_size=5, agent="me", proxies={})
    if isinstance(websocket, Base):
        other = copy.copy(websocket)
        other.host = "elsewhere"
        assert (other.url, websocket.host) == ("ws://me:pw@elsewhere:8080/x", "h")
        assert (other.max_body_size, other.agent) == (5, "me")
