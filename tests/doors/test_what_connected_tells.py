"""Connected tells what a connection that works is, in every door."""

from __future__ import annotations

import pickle
import ssl
from typing import Any

import pytest
import trustme

from doors.peer_server import served
from doors.raw_server import echo, raw_server
from lomond import WebSocket
from lomond.testing.peer import Peer, Say, Talk
from scripted import accepts

pytestmark = pytest.mark.every_door


def connected(websocket: WebSocket) -> Any:
    """The last Connected of a connection that works."""
    found: Any = None
    for event in websocket.connect(poll=None):
        if event.name == "connected":
            found = event
        elif event.name == "ready":
            websocket.close()
    assert event.name == "disconnected"
    return found


def connects_us(peer: Peer) -> Talk:
    """An HTTP proxy, and the server behind it."""
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 200 OK\r\n\r\n")
    yield from accepts(peer)


def test_plain() -> None:
    with served(accepts) as server:
        found = connected(WebSocket(server.url))
    assert found.address == server.url.removeprefix("ws://").rstrip("/")
    assert (found.tls, found.proxy, found.proxy_source) == (None, None, None)


@pytest.mark.parametrize("offered", [None, "http/1.1"])
def test_tls(authority: trustme.CA, offered: str | None) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    if offered is not None:
        context.set_alpn_protocols([offered])
        client.set_alpn_protocols([offered])
    with raw_server(echo, context=context) as site:
        found = connected(WebSocket(site.url, ssl_context=client))
        unverified = connected(WebSocket(site.url, ssl_verify=False))
    tls = found.tls
    assert tls.version == "TLSv1.3"
    assert tls.cipher.startswith("TLS_")
    assert tls.alpn == offered
    assert tls.certificate["subjectAltName"] == (("IP Address", "127.0.0.1"),)
    assert "BEGIN" in ssl.DER_cert_to_PEM_cert(tls.der)
    assert repr(tls) == f"Secured(version='TLSv1.3', cipher={tls.cipher!r}, alpn={offered!r})"
    assert unverified.tls.certificate == {}
    assert unverified.tls.der == tls.der
    other = pickle.loads(pickle.dumps(found))
    assert (other.tls, other.address, other.url) == (tls, found.address, found.url)


@pytest.mark.parametrize("source", ["proxies['http']", "environment variable HTTP_PROXY"])
def test_a_proxy_and_who_names_it(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(connects_us) as proxy:
        url = proxy.url.replace("ws://", "http://me:secret@")
        if source.startswith("proxies"):
            websocket = WebSocket("ws://server.invalid/", proxies={"http": url})
        else:
            monkeypatch.setenv("HTTP_PROXY", url)
            websocket = WebSocket("ws://server.invalid/")
        found = connected(websocket)
    host = proxy.url.removeprefix("ws://").rstrip("/")
    assert found.proxy == f"http://***@{host}"
    assert found.proxy_source == source
    assert found.address == host
    other = pickle.loads(pickle.dumps(found))
    assert (other.proxy, other.proxy_source) == (found.proxy, source)
