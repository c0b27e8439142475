"""lomond doctor: fourteen faults and more, each of which a line names, with its cure."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from cli import doctor_servers as servers
from cli.doctor_servers import answers, certified, examine
from doors.raw_server import echo, raw_server, read_request, refusing_port
from doors.unkind_proxies import ESTABLISHED, hang, tunnel
from lomond.cli import doctor, main
from lomond.cli.doctor import idle, name, opening, secure, talk, upgrade, way
from lomond.testing.echo import EchoServer
from patience import PATIENCE

Printed = pytest.CaptureFixture[str]
NAME = "both.example"  # of a server that the tests pretend to resolve
HERE = ["library", "trust", "extras", "python"]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes no server slow."""
    monkeypatch.setattr(talk, "SLOW_CLOSE", PATIENCE)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def cafile(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def pretend(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Have the name of these tests these addresses; others are as ever."""
    ours = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, family: int = 0, *rest: Any, **more: Any) -> Any:
        if host != NAME:
            return ours(host, port, family, *rest, **more)
        if more.get("flags") == socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found: list[Any] = []
        for address in addresses:
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            where = (address, port, 0, 0) if ":" in address else (address, port)
            found += [(kind, socket.SOCK_STREAM, 6, "", where)] if family in (0, kind) else []
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


# All is well


def test_a_server_that_is_well(capsys: Printed) -> None:
    with EchoServer() as server:
        done = examine(capsys, server.url)
        assert server.close_codes == [1000]
    assert (done.status, done.results()) == (0, {"ok"})
    assert [one["check"] for one in done.findings] == [
        "url", "proxy", "name", "tcp", "upgrade", "protocol", "clock", "pings", "compression",
        "close", *HERE,
    ]  # fmt: skip
    assert "5 of 5 answered" in done.of("pings")["measured"]
    assert done.of("close")["seconds"] >= 0
    assert done.of("proxy")["measured"] == "none: no variable names one"


def test_a_server_with_tls_that_is_well(
    capsys: Printed, authority: trustme.CA, cafile: Path
) -> None:
    extra = b"Date: %s\r\nSec-WebSocket-Protocol: two\r\n" % servers.http_date()
    context = certified(authority, "127.0.0.1")
    with raw_server(echo, context=context, extra=extra) as server:
        done = examine(capsys, server.url, "--ca", cafile, "--protocol", "one,two")
    assert (done.status, done.results()) == (0, {"ok"})
    assert "TLSv1.3" in done.of("tls")["measured"]
    assert "for '127.0.0.1', issued by" in done.of("certificate")["measured"]
    assert "offered one, two; the server chose two" in done.of("protocol")["measured"]
    assert "to a minute" in done.of("clock")["measured"]
    assert str(cafile) in done.of("trust")["measured"]


# The fourteen


def test_a_name_that_is_none(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    done = examine(capsys, f"ws://{NAME}/")
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "name")
    assert f"{NAME} has no address: Name or service not known" in failed["measured"]
    assert "how the name is written" in failed["advice"]
    assert [one["check"] for one in done.findings] == ["url", "proxy", "name", *HERE]


def test_an_ipv6_that_is_dead_beside_an_ipv4(
    capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "::1", "127.0.0.1")
    with EchoServer() as server:
        port = server.url.split(":")[2].strip("/")
        done = examine(capsys, f"ws://{NAME}:{port}/")
    (warning,) = [one for one in done.findings if one["result"] == "warn"]
    assert (done.status, warning["check"]) == (0, "tcp")
    assert warning["measured"].startswith(f"[::1]:{port}: ")
    assert f"127.0.0.1:{port} works" in warning["advice"]
    assert "IPv4 127.0.0.1 in" in done.of("name")["measured"]
    assert "IPv6 ::1 in" in done.of("name")["measured"]
    assert done.of("close")["result"] == "ok"


def test_a_port_that_refuses(capsys: Printed) -> None:
    port = refusing_port()
    done = examine(capsys, f"ws://127.0.0.1:{port}/")
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "tcp")
    assert f"127.0.0.1:{port}: " in failed["measured"]
    assert "nobody listens there" in failed["advice"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
def test_a_port_that_is_filtered(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "PATIENCE", 0.5)
    with servers.filtered_port() as port:
        done = examine(capsys, f"ws://127.0.0.1:{port}/")
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "tcp")
    assert "no answer at all: filtered" in failed["measured"]
    assert "firewall" in failed["advice"]


def test_tls_asked_of_a_plain_server(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PATIENCE", 1.0)  # it waits for the end of a line
    with EchoServer() as server:
        done = examine(capsys, server.url.replace("ws://", "wss://") + "feed?a=1&token=x")
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "tls")
    address = f"{server.url}feed?a=1&token=***"
    assert f"without TLS: write {address} instead of wss://" in failed["advice"]


def test_tls_asked_of_a_plain_server_in_little_time(
    capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "SHARE", 0.5 / PATIENCE)
    with EchoServer() as server:
        url = server.url.replace("ws://", "wss://")
        done = examine(capsys, url, "--timeout", PATIENCE / 2)
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "tls")
    assert "the server answers there without TLS" in failed["advice"]


def test_a_tls_server_asked_without(capsys: Printed, authority: trustme.CA) -> None:
    with raw_server(echo, context=certified(authority, "127.0.0.1")) as server:
        done = examine(capsys, server.url.replace("wss://", "ws://"))
    failed = done.worst()
    assert (done.status, failed["check"]) == (5, "upgrade")
    assert f"speaks TLS there: write {server.url} instead" in failed["advice"]


@pytest.mark.parametrize(
    ("ahead", "begins", "ends", "told"),
    [
        (0.0, -9, -2, "agree on that"),
        (-4 * 86400.0, -9, -2, "by which it is valid: set this machine's clock"),
        (7200.0, -9, -2, "besides, this machine's clock is"),
        (0.0, 2, 9, "valid later only"),
        (None, -9, -2, "says no Date"),
    ],
)
def test_a_certificate_of_another_time(
    capsys: Printed,
    authority: trustme.CA,
    cafile: Path,
    ahead: float | None,
    begins: int,
    ends: int,
    told: str,
) -> None:
    now = datetime.now(UTC)
    context = certified(
        authority, "127.0.0.1", not_before=now + begins * DAY, not_after=now + ends * DAY
    )
    date = b"" if ahead is None else b"Date: %s\r\n" % servers.http_date(ahead)
    heard: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        heard.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 404 No\r\n" + date + b"Content-Length: 0\r\n\r\n")

    with raw_server(answer, context=context, upgrades=False) as server:
        done = examine(
            capsys, f"{server.url}path?token=top-secret", "--ca", cafile, "--auth", "me:my-password"
        )
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "certificate")
    assert ("has expired" if ends < 0 else "is not yet valid") in failed["measured"]
    assert told in failed["advice"]
    # Who can't say who it is is asked for its time, and told nothing.
    assert len(heard) == 1
    assert heard[0].startswith(b"GET / HTTP/1.1\r\n")
    assert b"uthorization" not in heard[0]


def test_a_certificate_for_another_name(
    capsys: Printed, authority: trustme.CA, cafile: Path
) -> None:
    with raw_server(echo, context=certified(authority, "other.example")) as server:
        done = examine(capsys, server.url, "--ca", cafile)
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "certificate")
    assert "it is for 'other.example'" in failed["advice"]
    assert "'127.0.0.1'" in failed["advice"]


def test_a_private_ca(capsys: Printed, authority: trustme.CA) -> None:
    with raw_server(echo, context=certified(authority, "127.0.0.1")) as server:
        done = examine(capsys, server.url)
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "certificate")
    assert "trustme" in failed["advice"]
    assert "--ca FILE" in failed["advice"]
    assert "persist" not in failed["advice"]


def test_a_proxy_that_wants_a_password(capsys: Printed) -> None:
    answer = answers(b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\n")
    with raw_server(answer, upgrades=False) as proxy:
        where = f"http://127.0.0.1:{proxy.port}"
        done = examine(capsys, "ws://target.example/", "--proxy", where)
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "tunnel")
    assert "407" in failed["measured"]
    where = f"127.0.0.1:{proxy.port}"
    assert f"put USER:PASSWORD@ of the proxy before {where} in --proxy" in failed["advice"]
    assert done.of("proxy")["measured"] == f"http://{where}, from --proxy"


def test_a_dead_proxy_of_the_environment(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    port = refusing_port()
    monkeypatch.setenv("http_proxy", f"http://me:my-password@127.0.0.1:{port}")
    done = examine(capsys, "ws://target.example/")
    failed = done.worst()
    assert (done.status, failed["check"]) == (3, "tcp")
    assert "from environment variable http_proxy; --no-proxy goes without it" in failed["advice"]
    named = "environment variable http_proxy"
    assert done.of("proxy")["measured"] == f"http://***@127.0.0.1:{port}, from {named}"


def test_a_proxy_that_strips_upgrade(capsys: Printed) -> None:
    with EchoServer() as server:
        handler = servers.strips_upgrade(int(server.url.split(":")[2].strip("/")))
        with raw_server(handler, upgrades=False) as proxy:
            done = examine(capsys, proxy.url)
    failed = done.worst()
    assert (done.status, failed["check"]) == (4, "upgrade")
    assert "400" in failed["measured"]
    assert "a request without Upgrade is answered the same" in failed["advice"]
    assert "pass 'Upgrade: websocket' on" in failed["advice"]


def test_an_origin_that_is_wanted(capsys: Printed) -> None:
    with raw_server(servers.wants_origin, upgrades=False) as server:
        done = examine(capsys, server.url)
        failed = done.worst()
        assert (done.status, failed["check"]) == (4, "upgrade")
        assert "403" in failed["measured"]
        assert "no origin" in failed["measured"]
        origin = f"http://127.0.0.1:{server.port}"
        assert f"it opens: give --origin {origin}" in failed["advice"]
        assert examine(capsys, server.url, "--origin", origin).status == 0


def test_an_idle_connection_that_is_cut(capsys: Printed) -> None:
    with raw_server(servers.cuts_the_silent(3)) as server:
        done = examine(capsys, server.url, "--idle", 10)
    found = done.of("idle")
    assert (done.status, found["result"]) == (0, "warn")
    assert found["measured"].startswith("cut after ")
    assert "lives on" in found["measured"]
    ping = re.match(r"--ping ([\d.]+) keeps it open", found["advice"])
    assert ping is not None
    assert 1 <= float(ping[1]) < found["seconds"]


def test_a_close_that_is_not_answered(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "CLOSE_PATIENCE", 0.5)
    with raw_server(servers.never_answers_a_close) as server:
        done = examine(capsys, server.url)
    failed = done.worst()
    assert (done.status, failed["check"]) == (5, "close")
    assert "not answered within" in failed["measured"]
    assert "must answer a close frame" in failed["advice"]
    assert done.of("pings")["result"] == "ok"


# What else there is


def test_a_server_that_hangs_up_on_a_close(capsys: Printed) -> None:
    with raw_server(servers.hangs_up_on_a_close) as server:
        done = examine(capsys, server.url)
    assert (done.status, done.of("close")["result"]) == (0, "warn")
    assert "hangs up" in done.of("close")["measured"]


def test_pings_that_are_not_answered(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "PING_PATIENCE", 0.3)
    with raw_server(servers.never_answers_a_ping) as server:
        done = examine(capsys, server.url)
    failed = done.worst()
    assert (done.status, failed["check"]) == (5, "pings")
    assert "2 of 2 not answered" in failed["measured"]
    assert "--ping 0" in failed["advice"]
    assert done.of("close")["result"] == "ok"


@pytest.mark.parametrize(("code", "status", "result"), [(1008, 1, "fail"), (1000, 0, "warn")])
def test_a_server_that_closes_at_once(capsys: Printed, code: int, status: int, result: str) -> None:
    with raw_server(servers.closes_with(code, b"go \x1b[2J away")) as server:
        done = examine(capsys, server.url)
    found = done.of("pings")
    assert (done.status, found["result"]) == (status, result)
    assert f"{code} 'go \\x1b[2J away'" in found["measured"]
    assert "credentials" in found["advice"]


def test_a_server_that_pings_by_itself(capsys: Printed) -> None:
    with raw_server(servers.pings_by_itself) as server:
        done = examine(capsys, server.url, "--idle", 1)
    found = done.of("idle")
    assert (done.status, found["result"]) == (0, "ok")
    assert "the server pings by itself" in found["measured"]


def test_connections_that_pings_do_not_keep(capsys: Printed) -> None:
    with raw_server(servers.cuts_everybody(2)) as server:
        done = examine(capsys, server.url, "--idle", 5)
    failed = done.worst()
    assert (done.status, failed["check"]) == (5, "idle")
    assert "so was one that pings" in failed["measured"]
    assert "no --ping helps" in failed["advice"]


def test_connections_that_the_server_closes(capsys: Printed) -> None:
    with raw_server(servers.closes_after(1, 1011, b"out of memory")) as server:
        done = examine(capsys, server.url, "--idle", 5)
    failed = done.worst()
    assert (done.status, failed["check"]) == (5, "idle")
    assert "the server closed the connection with 1011 'out of memory'" in failed["measured"]


@pytest.mark.parametrize(
    ("limit", "ping"),
    [(0.5, 0.2), (3.1, 1.5), (4.5, 2), (60, 30), (55, 25), (100, 50), (130, 60), (300, 150)],
)
def test_which_ping_is_said(limit: float, ping: float) -> None:
    assert idle.fitting(limit) == ping


def test_no_time_left(capsys: Printed) -> None:
    with raw_server(hang, upgrades=False) as server:
        done = examine(capsys, server.url, "--timeout", "0.5")
    assert done.status == 7


def test_no_time_left_to_close(capsys: Printed) -> None:
    with raw_server(servers.never_answers_a_close) as server:
        done = examine(capsys, server.url, "--timeout", "1")
    assert done.status == 7


def test_a_silent_server(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PATIENCE", 0.5)
    monkeypatch.setattr(secure, "PATIENCE", 0.5)
    with raw_server(hang, upgrades=False) as server:
        done = examine(capsys, server.url)
    failed = done.worst()
    assert (done.status, failed["check"]) == (5, "upgrade")
    assert "no WebSocket server, or hangs" in failed["advice"]


def test_a_resolver_that_is_silent_of_one_family(
    capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "127.0.0.1")
    pretended, released = socket.getaddrinfo, threading.Event()

    def getaddrinfo(host: Any, port: Any, family: int = 0, *rest: Any, **more: Any) -> Any:
        if host == NAME and family == socket.AF_INET6:
            released.wait(PATIENCE)
        return pretended(host, port, family, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(name, "PATIENCE", 0.5)
    with EchoServer() as server:
        port = server.url.split(":")[2].strip("/")
        done = examine(capsys, f"ws://{NAME}:{port}/")
    released.set()
    assert (done.status, done.of("name")["result"]) == (0, "warn")
    assert "whether there is IPv6" in done.of("name")["advice"]


def test_an_answer_that_is_no_http(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secure, "PATIENCE", 0.5)  # it says nothing to TLS

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"SSH-2.0-\x1b[31mOpenSSH\r\n")

    with raw_server(answer, upgrades=False) as server:
        done = examine(capsys, server.url)
    assert (done.status, done.worst()["check"]) == (6, "upgrade")
    assert "SSH-2.0" in done.worst()["measured"]


def test_a_path_that_is_no_websocket(capsys: Printed) -> None:
    page = answers(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nServer: demo\r\n", b"<p>Hello")
    with raw_server(page, upgrades=False) as server:
        done = examine(capsys, server.url)
    failed = done.worst()
    assert (done.status, failed["check"]) == (4, "upgrade")
    assert "a plain GET there is answered the same: 200 text/html" in failed["advice"]
    assert "server: demo" in failed["advice"]


def test_a_page_that_comes_byte_by_byte(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "PATIENCE", 0.5)
    answered: list[bytes] = []

    def drip(connection: socket.socket) -> None:
        answered.append(read_request(connection))
        if b"Upgrade" in answered[-1]:
            connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
            return
        while not server.released.wait(0.1):
            connection.sendall(b"H")

    with raw_server(drip, upgrades=False) as server:
        done = examine(capsys, server.url)
        assert len(answered) == 2
    assert (done.status, done.worst()["check"]) == (4, "upgrade")
    assert "look at the URL" in done.worst()["advice"]


def test_a_redirect(capsys: Printed) -> None:
    with EchoServer() as end:
        where = end.url.encode()
        moved = answers(b"HTTP/1.1 302 Found\r\nLocation: " + where + b"\r\n")
        with raw_server(moved, upgrades=False) as server:
            done = examine(capsys, server.url)
            failed = done.worst()
            assert (done.status, failed["check"]) == (4, "upgrade")
            assert f"sends on to {end.url}" in failed["advice"]
            assert "--max-redirects" in failed["advice"]
            followed = examine(capsys, server.url, "--max-redirects", 1)
    assert followed.status == 0
    assert end.url in followed.of("redirect")["measured"]


def test_what_is_compressed(capsys: Printed) -> None:
    extra = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"

    def serve(connection: socket.socket) -> None:
        connection.sendall(bytes([0xC1, 7]) + b"\xf2\x48\xcd\xc9\xc9\x07\x00")  # RFC 7692 7.2.3.1
        echo(connection)

    with raw_server(serve, extra=extra) as server:
        done = examine(capsys, server.url)
    assert done.status == 0
    assert "5 bytes came as 7" in done.of("compression")["measured"]
    assert "--compress" in done.of("compression")["advice"]


@pytest.mark.parametrize(("days", "result"), [(13, "warn"), (15, "ok")])
def test_a_certificate_that_expires_soon(
    capsys: Printed, authority: trustme.CA, cafile: Path, days: int, result: str
) -> None:
    now = datetime.now(UTC)
    context = certified(authority, "127.0.0.1", not_before=now - DAY, not_after=now + days * DAY)
    with raw_server(echo, context=context) as server:
        done = examine(capsys, server.url, "--ca", cafile)
    assert (done.status, done.of("certificate")["result"]) == (0, result)
    assert f"({days} days)" in done.of("certificate")["measured"]


def test_a_certificate_that_is_not_looked_at(capsys: Printed, authority: trustme.CA) -> None:
    with raw_server(echo, context=certified(authority, "127.0.0.1")) as server:
        done = examine(capsys, server.url, "--insecure")
    assert (done.status, done.of("certificate")["result"]) == (0, "warn")


@pytest.mark.parametrize(("ahead", "side"), [(300.0, "behind"), (-300.0, "ahead of")])
def test_a_clock_that_is_wrong(capsys: Printed, ahead: float, side: str) -> None:
    with raw_server(echo, extra=b"Date: %s\r\n" % servers.http_date(ahead)) as server:
        done = examine(capsys, server.url)
    assert (done.status, done.of("clock")["result"]) == (0, "warn")
    assert f" {side} the server's Date" in done.of("clock")["measured"]


def test_a_rule_of_no_proxy(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "example.org, 127.0.0.0/8")
    with EchoServer() as server:
        done = examine(capsys, server.url)
        assert done.status == 0
        said = done.of("proxy")["measured"]
        assert said.startswith("none: NO_PROXY has '127.0.0.0/8'; else it were http://127.0.0.1:1")
        assert "all_proxy" in said
        assert examine(capsys, server.url, "--no-proxy").of("proxy")["measured"] == (
            "none (--no-proxy)"
        )


def test_a_proxy_that_is_well(capsys: Printed) -> None:
    def connect(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(ESTABLISHED)
        tunnel(connection)

    with raw_server(connect, upgrades=False) as proxy:
        where = f"http://127.0.0.1:{proxy.port}"
        done = examine(capsys, "ws://target.example/", "--proxy", where)
    assert (done.status, done.results()) == (0, {"ok"})
    assert "connected us to target.example:80" in done.of("tunnel")["measured"]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this system")
def test_a_unix_socket_that_is_not_there(capsys: Printed, tmp_path: Path) -> None:
    done = examine(capsys, "ws://localhost/", "--unix", tmp_path / "none")
    assert (done.status, done.worst()["check"]) == (3, "connect")


def test_secrets_are_not_shown(capsys: Printed) -> None:
    refusal = b"top-secret me:my-password my-cookie bWU6bXktcGFzc3dvcmQ= my-header"
    handler = answers(b"HTTP/1.1 401 No my-password\r\n", refusal)
    with raw_server(handler, upgrades=False) as server:
        url = f"{server.url}?token=top-secret"
        more = ["--cookie", "a=my-cookie", "-H", "X-Token: my-header", "--auth", "me:my-password"]
        assert doctor.run([url, *more]) == 4
    printed = capsys.readouterr().out
    for secret in ("top-secret", "my-password", "my-cookie", "my-header", "bWU6bXktcGFzc3dvcmQ"):
        assert secret not in printed
    assert "?token=*** (without TLS, host 127.0.0.1, port " in printed


def test_headers_that_are_read_from_standard_input(
    capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("X-Key: abc\n"))
    with raw_server(echo) as server:
        done = examine(capsys, server.url, "-H", "@-", "--idle", "0.5")
        assert (done.status, len(server.requests)) == (0, 3)
        assert all(b"\r\nX-Key: abc\r\n" in request for request in server.requests)


def test_credentials_without_tls(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "127.0.0.1")
    done = examine(capsys, f"ws://{NAME}:{refusing_port()}/", "--auth", "me:my-password")
    assert done.of("url")["result"] == "warn"
    assert "wss://" in done.of("url")["advice"]


def test_lines_for_people(capsys: Printed) -> None:
    doctor.run([f"ws://127.0.0.1:{refusing_port()}/"])
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"FAIL  tcp          127.+ \([\d.e-]+ m?s\)   \W+ nobody listens.+", lines[3]
    )
    assert lines[0].startswith("ok    url          ws://127.0.0.1:")


def test_options_that_can_not_be(capsys: Printed) -> None:
    with pytest.raises(SystemExit) as ended:
        doctor.run(["ftp://example.org/"])
    assert ended.value.code == 2
    assert "ws://" in capsys.readouterr().err


def test_the_help_fits_a_screen(capsys: Printed) -> None:
    with pytest.raises(SystemExit) as ended:
        doctor.run(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 79


# As a process


def test_the_way_through_the_command(capsys: Printed) -> None:
    assert main(["doctor", f"ws://127.0.0.1:{refusing_port()}/"]) == 3
    assert "FAIL" in capsys.readouterr().out


def run_in_terminal(url: str, **variables: str) -> tuple[int, str]:
    """Doctor in a pseudo-terminal: its status, and all that it wrote there."""
    try:
        ours, theirs = os.openpty()
    except OSError as error:
        pytest.skip(f"this system gives us no terminal ({error})")
    known = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "lomond", "doctor", url],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={**known, "TERM": "xterm", "PYTHONUTF8": "1", **variables},
    )  # fmt: skip
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 65536):
            written += data
    except OSError:  # so Linux says that nobody has it any more
        pass
    os.close(ours)
    return process.wait(PATIENCE), written.decode()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals on this system")
def test_a_terminal_that_a_peer_would_control() -> None:
    answer = answers(b"HTTP/1.1 404 \x1b[2JNo\r\nServer: \x1b]0;x\x07\r\n", b"\x1b[31mred\x07\r\nx")
    with raw_server(answer, upgrades=False) as server:
        status, written = run_in_terminal(server.url)
        assert status == 4
        assert "\x1b[31mFAIL\x1b[0m  upgrade" in written
        assert "\\x1b[31mred\\x07" in written
        ours = re.sub(r"\x1b\[(0|3[1236])m", "", written.replace("\\x1b[31m", ""))
        assert "\x1b" not in ours
        assert "\x07" not in ours
        assert re.search(r"connect +\S+ +[\d.e-]+ m?s", ours)
        for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            assert "\x1b" not in run_in_terminal(server.url, **variables)[1]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals on this system")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal(number: signal.Signals) -> None:
    with raw_server(hang, upgrades=False) as server, subprocess.Popen(
        [sys.executable, "-m", "lomond", "doctor", server.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        while not process.stdout.readline().startswith("ok    tcp"):
            pass
        process.send_signal(number)
        assert process.wait(PATIENCE) == (130 if number == signal.SIGINT else 143)
        assert process.stderr.read() == ""
