"""URLs for one connection only, of a service that is down for a while, which is pretended time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from doors.peer_server import served
from examples.loaded import example
from lomond import ways
from lomond.testing.clock import PretendClock
from lomond.testing.peer import End, Peer, Talk, say

DOWN = 20.0  # seconds


class Service:
    """Gives a new URL to whoever asks, unless it is down: then nobody listens."""

    def __init__(self, url: str) -> None:
        service = self
        self.given: list[str] = []

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.given.append(f"{url}{len(service.given) + 1}")
                body = json.dumps({"url": service.given[-1]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Answers, bind_and_activate=False)
        self._server.server_bind()  # its port is its own, though nobody listens
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def end(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()


@contextmanager
def pretended_waits(monkeypatch: pytest.MonkeyPatch, then: Any) -> Iterator[PretendClock]:
    """What waits between two connections has the clock jump; `then` is told."""

    class Bell:
        def ring(self) -> None:
            pass

        def wait(self, seconds: float) -> None:
            clock.now += seconds
            then(clock.now)

    clock = PretendClock()
    monkeypatch.setattr(ways, "Bell", Bell)
    with clock:
        yield clock


def says_which(peer: Peer) -> Talk:
    """Says the path that was asked for, and hangs up."""
    yield from peer.upgrade()
    yield say(1, peer.request.split()[1])
    yield End()


def test_each_connection_has_its_own() -> None:
    with served(says_which) as server:
        service = Service(server.url)
        service.begin()
        try:
            found = example("single_use_urls").messages(service.address)
            assert next(found) == "/1"
            assert service.given == [f"{server.url}1"]
            found.close()
        finally:
            service.end()


def test_a_service_that_is_down_for_twenty_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def then(now: float) -> None:
        tried.append(now)
        if now >= DOWN and not is_up:
            is_up.append(now)
            service.begin()

    tried: list[float] = []
    is_up: list[float] = []
    with served(says_which) as server, pretended_waits(monkeypatch, then) as clock:
        service = Service(server.url)
        try:
            found = example("single_use_urls").messages(service.address)
            assert next(found) == "/1"
            up_at = clock.now
            assert next(found) == "/2"  # and it is used once alone
            found.close()
        finally:
            service.end()
    assert is_up
    assert up_at == is_up[0] < 3 * DOWN  # the first attempt behind it
    assert 1 <= len([now for now in tried if now < DOWN]) <= 6  # and none in a hurry
    told = capsys.readouterr().err.splitlines()
    assert "url= raised URLError: " in told[0]
