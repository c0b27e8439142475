"""Proxies that say nothing, or are not there: the wait has an end, and close() ends it at once."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from doors.raw_server import Handler, raw_server
from doors.unkind_proxies import (
    ESTABLISHED,
    address_of,
    answering,
    answering_socks_4,
    answering_socks_5,
    failure_in,
    failure_through,
    hang,
    through,
)
from fair_clock import FairClock
from lomond import WebSocket
from lomond.events import ConnectFail
from patience import FAR

SILENCES: dict[str, tuple[str, Handler]] = {
    "http_at_once": ("http", hang),
    "http_after_the_request": ("http", answering(b"", hang)),
    "http_in_the_head": ("http", answering(b"HTTP/1.1 200 OK\r\nVia: ", hang)),
    "socks4_at_once": ("socks4", hang),
    "socks4a_in_the_reply": ("socks4a", answering_socks_4(b"\x00", hang)),
    "socks5_at_once": ("socks5", hang),
    "socks5h_in_the_reply": ("socks5h", answering_socks_5(b"\x05\x00\x00", hang)),
}
TIMEOUT = 0.5

on_silences = pytest.mark.parametrize(("scheme", "handler"), SILENCES.values(), ids=SILENCES)


@on_silences
def test_open_timeout_ends_the_wait(scheme: str, handler: Handler) -> None:
    with raw_server(handler, upgrades=False) as proxy, FairClock() as clock:
        started_at = time.monotonic()
        failure = failure_through(proxy, scheme, open_timeout=TIMEOUT)
        assert time.monotonic() - started_at >= TIMEOUT
        assert clock.now() < 3 * TIMEOUT
        assert "open_timeout" in failure.reason


def test_open_timeout_ends_the_wait_for_the_proxy_s_tls() -> None:
    with raw_server(hang, upgrades=False) as proxy:
        failure = failure_in(list(through(proxy, "https", open_timeout=TIMEOUT)))
        assert failure.phase in ("proxy", "tls")
        assert address_of(proxy) in failure.reason
        assert "open_timeout" in failure.reason


def test_open_timeout_ends_the_wait_for_tls_behind_the_proxy() -> None:
    with raw_server(answering(ESTABLISHED, hang), upgrades=False) as proxy:
        websocket = through(proxy, url="wss://target.example/", open_timeout=TIMEOUT)
        failure = failure_in(list(websocket))
        assert failure.phase == "tls"
        assert "open_timeout" in failure.reason


@on_silences
def test_close_ends_the_wait_at_once(scheme: str, handler: Handler) -> None:
    arrived = threading.Event()

    def arriving(connection: socket.socket) -> None:
        arrived.set()
        handler(connection)

    with raw_server(arriving, upgrades=False) as proxy:
        websocket = through(proxy, scheme, open_timeout=FAR)

        def close() -> None:
            arrived.wait(5)
            time.sleep(0.05)  # it is somewhere in the wait now; anywhere will do
            websocket.close()

        thread = threading.Thread(target=close)
        thread.start()
        failure = failure_in(list(websocket))
        thread.join(5)
        assert failure.phase == "proxy"
        assert "closed by the user" in failure.reason


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks4a", "socks5", "socks5h"])
def test_a_dead_proxy(scheme: str) -> None:
    with socket.socket() as nobody:  # bound, and refuses
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        user = "user" if scheme.startswith("socks4") else "user:p%40ss"
        failure = dead(f"{scheme}://{user}@{address}")
        assert failure.phase == "connect"
        assert address in failure.reason
        assert isinstance(failure.cause, ConnectionRefusedError)


def dead(proxy_url: str) -> ConnectFail:
    return failure_in(list(WebSocket("ws://192.0.2.1/", {"http": proxy_url, "https": proxy_url})))
