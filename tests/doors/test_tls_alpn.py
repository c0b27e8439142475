"""A server with which TLS agrees on a protocol above it: the upgrade is asked for in HTTP/1.1."""

from __future__ import annotations

import socket
import ssl

import pytest
import trustme

from doors.raw_server import echo, raw_server
from lomond import WebSocket

pytestmark = pytest.mark.every_door


@pytest.fixture
def server(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.fixture
def client(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("offered", [[], ["http/1.1"]])
def test_a_server_that_has_http_2_too(
    server: ssl.SSLContext, client: ssl.SSLContext, offered: list[str]
) -> None:
    client.set_alpn_protocols(offered)
    with raw_server(echo, context=server) as site:
        websocket = WebSocket(site.url, ssl_context=client)
        names = []
        for event in websocket.connect(poll=None):
            names.append(event.name)
            if event.name == "ready":
                websocket.close()
    assert names[-2:] == ["closed", "disconnected"]


def test_a_context_that_offers_http_2_is_told_what_to_offer(
    server: ssl.SSLContext, client: ssl.SSLContext
) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(1))

    client.set_alpn_protocols(["h2", "http/1.1"])
    with raw_server(listen, context=server, upgrades=False) as site:
        *_, last = WebSocket(site.url, ssl_context=client).connect(poll=None)
    assert last.name == "connect_fail"
    assert last.phase == "tls"
    assert "failed; it agreed on 'h2' (ALPN)" in last.reason
    assert heard == [b""]
