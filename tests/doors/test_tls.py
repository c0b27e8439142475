"""TLS as a user meets it: trust, names, versions, and both sides writing."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
import warnings
from pathlib import Path

import pytest
import trustme

from doors.raw_server import echo, frame, raw_server, read_all, read_frame, until
from lomond import WebSocket
from lomond.protocol import frames

pytestmark = pytest.mark.every_door


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("scheme", ["wss", "https", "WSS"])
def test_https_and_wss_mean_tls_and_warn_of_nothing_b14_b23(
    scheme: str, server_context: ssl.SSLContext, cafile: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with raw_server(echo, context=server_context) as server:
            websocket = WebSocket(f"{scheme}://127.0.0.1:{server.port}/", ssl_cafile=cafile)
            assert websocket.is_secure
            texts = []
            for event in websocket.connect(ping_rate=0):
                if event.name == "ready":
                    websocket.send_text("héllo")
                elif event.name == "text":
                    texts.append(event.text)
                    websocket.close()
            assert event.name == "disconnected"
            assert event.graceful
    assert texts == ["héllo"]
    assert WebSocket("https://h/").port == 443


def failure(websocket: WebSocket) -> tuple[str, BaseException]:
    began = time.monotonic()
    connecting, failed = websocket
    took = time.monotonic() - began
    assert connecting.name == "connecting"
    assert failed.name == "connect_fail"
    assert failed.phase == "tls"
    assert failed.address == f"127.0.0.1:{websocket.port}"
    assert failed.elapsed is not None
    assert 0 <= failed.elapsed <= took
    assert failed.cause is not None
    assert failed.cause.__traceback__ is None
    return failed.reason, failed.cause


def test_a_certificate_that_nobody_trusts_b12(server_context: ssl.SSLContext) -> None:
    with raw_server(echo, context=server_context) as server:
        reason, cause = failure(WebSocket(server.url))
        assert isinstance(cause, ssl.SSLCertVerificationError)
        assert "certificate" in reason


def test_a_certificate_for_another_host_b12(authority: trustme.CA, cafile: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    with raw_server(echo, context=context) as server:
        reason, cause = failure(WebSocket(server.url, ssl_cafile=cafile))
        assert isinstance(cause, ssl.SSLCertVerificationError)
        assert "127.0.0.1" in reason
        websocket = WebSocket(server.url, ssl_cafile=cafile, server_name="other.example")
        stream = iter(websocket)
        until(stream, "ready")
        websocket.close()
        assert until(stream, "closed").name == "closed"
        stream.close()


def test_no_verification_where_the_user_says_so(server_context: ssl.SSLContext) -> None:
    with raw_server(echo, context=server_context) as server:
        stream = iter(WebSocket(server.url, ssl_verify=False))
        assert until(stream, "ready").name == "ready"
        stream.close()


def test_a_server_without_tls(cafile: Path) -> None:
    def plain(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(plain, upgrades=False) as server:
        reason, cause = failure(WebSocket(f"wss://127.0.0.1:{server.port}/", ssl_cafile=cafile))
    assert isinstance(cause, ssl.SSLError)
    assert reason.endswith(
        "failed; wrong version number; the server does not speak TLS there; use ws://?"
    )


def test_a_server_with_tls_that_is_asked_without() -> None:
    def alerts(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

    with raw_server(alerts, upgrades=False) as server:
        *_, broken, _ = WebSocket(server.url)
    assert broken.name == "protocol_error"
    assert broken.error == "answer is TLS, not HTTP; use wss://"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SSL_CERT_FILE": "/nope"}, "; SSL_CERT_FILE names '/nope', which is not there"),
        ({"SSL_CERT_DIR": "/nope"}, "; SSL_CERT_DIR names '/nope', which is not there"),
        (
            {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": ""},
            "; this system has no certificates to trust",
        ),
    ],
)
def test_nobody_to_trust_is_said(
    variables: dict[str, str],
    said: str,
    server_context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with raw_server(echo, context=server_context) as server:
        reason, _ = failure(WebSocket(server.url))
    assert said in reason
    assert "name it with ssl_cafile" in reason


def settings_of(context: ssl.SSLContext) -> tuple[object, ...]:
    """All that could be set."""
    versions = (context.minimum_version, context.maximum_version)
    verified = (context.verify_mode, context.check_hostname, context.verify_flags)
    return context.options, *versions, *verified


def test_a_context_of_the_user_is_used_as_it_is_s1(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    client_context.minimum_version = ssl.TLSVersion.TLSv1_3
    server_context.maximum_version = ssl.TLSVersion.TLSv1_2
    before = settings_of(client_context)
    with raw_server(echo, context=server_context) as server:
        _, cause = failure(WebSocket(server.url, ssl_context=client_context))
        assert isinstance(cause, ssl.SSLError)
    server_context.maximum_version = ssl.TLSVersion.TLSv1_3
    with raw_server(echo, context=server_context) as server:
        stream = iter(WebSocket(server.url, ssl_context=client_context))
        until(stream, "ready")
        stream.close()
    assert before == settings_of(client_context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_sides_write_much_at_once(
    version: ssl.TLSVersion, server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    """The sender reads ahead through TLS too."""
    server_context.maximum_version = version
    size = 8 * 1024 * 1024

    def writes_first(connection: socket.socket) -> None:
        read_frame(connection)
        for _ in range(8):
            connection.sendall(frame(frames.BINARY, bytes(size // 8)))
        _, payload = read_frame(connection)
        connection.sendall(frame(frames.TEXT, str(len(payload)).encode()))
        read_all(connection)

    with raw_server(writes_first, context=server_context) as server:
        websocket = WebSocket(server.url, ssl_context=client_context, send_timeout=5)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        websocket.send_text("go")
        websocket.send_binary(bytes(size))
        received = 0
        for event in stream:
            if event.name == "binary":
                received += len(event.data)
            elif event.name == "text":
                assert event.text == str(size)
                break
        assert received == size
        stream.close()


def test_many_threads_over_tls(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    texts: list[str] = []

    def send(sender: int) -> None:
        for number in range(50):
            websocket.send_text(f"{sender}:{number}:" + "x" * number * 10)

    with raw_server(echo, context=server_context) as server:
        websocket = WebSocket(server.url, ssl_context=client_context)
        threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                for thread in threads:
                    thread.start()
            elif event.name == "text":
                texts.append(event.text)
                if len(texts) == 200:
                    websocket.close()
        for thread in threads:
            thread.join(10)
    for sender in range(4):
        mine = [text for text in texts if text.startswith(f"{sender}:")]
        assert mine == [f"{sender}:{n}:" + "x" * n * 10 for n in range(50)]


def test_leaving_tells_a_tls_server_in_order(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    """A close frame, then close_notify: the server sees a clean end and no reset."""
    heard: list[tuple[int, bytes]] = []
    ends: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(read_frame(connection))
        ends.append(connection.recv(1))

    server_context.options |= ssl.OP_NO_TICKET
    with raw_server(listen, context=server_context) as server:
        for event in WebSocket(server.url, ssl_context=client_context).connect(ping_rate=0):
            if event.name == "poll":
                break
    assert heard == [(frames.CLOSE, (1001).to_bytes(2, "big"))]
    assert ends == [b""]
