"""Half a TLS record, a slow handler, and names that never resolve: nothing stops the timers."""

from __future__ import annotations

import _thread
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import sleep

import pytest
import trustme

from doors.peer_server import served
from lomond import WebSocket
from lomond.protocol import frames
from lomond.system import resolving
from lomond.testing.peer import Peer, Talk, say
from patience import FAR, PATIENCE
from refcounts import end_what_was_dropped

pytestmark = pytest.mark.every_door

Serve = Callable[[socket.socket, "Records"], None]


class Records:
    """TLS of a server over bytes, so that a test can cut its records."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._until_done(self._tls.do_handshake)

    def _until_done(self, act: Callable[[], bytes | None]) -> bytes:
        while True:
            try:
                return act() or b""
            except ssl.SSLWantReadError:
                self.flush()
                data = self._sock.recv(65536)
                if not data:
                    return b""
                self._incoming.write(data)
            finally:
                self.flush()

    def read(self) -> bytes:
        return self._until_done(lambda: self._tls.read(65536))

    def flush(self) -> None:
        if data := self._outgoing.read():
            self._sock.sendall(data)

    def record(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._outgoing.read()

    def end(self) -> bytes:
        """That nothing more comes."""
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        return self._outgoing.read()


@contextmanager
def tls_server(talk: Callable[[Peer], Talk], serve: Serve) -> Iterator[tuple[str, ssl.SSLContext]]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            records = Records(connection, context)
            peer = Peer(talk)
            action = next(peer.actions)
            while True:  # the upgrade only: hear, then say
                heard = b"" if hasattr(action, "data") else records.read()
                if hasattr(action, "data"):
                    connection.sendall(records.record(action.data))
                try:
                    action = peer.actions.send(heard)
                except StopIteration:
                    break
            serve(connection, records)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"wss://127.0.0.1:{listener.getsockname()[1]}/", trusting
    finally:
        end_what_was_dropped()
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


def upgrades(peer: Peer) -> Talk:
    yield from peer.upgrade()


def upgrades_and_talks(peer: Peer) -> Talk:
    yield from peer.upgrade(glued=say(frames.TEXT, b"glued").data)


def test_half_a_tls_record_does_not_stop_the_polls_b4() -> None:
    go_on = threading.Event()

    def serve(connection: socket.socket, records: Records) -> None:
        record = records.record(frames.build(frames.TEXT, b"whole", None))
        connection.sendall(record[:10])
        assert go_on.wait(10)
        connection.sendall(record[10:])
        records.read()

    with tls_server(upgrades, serve) as (url, context):
        polls, texts = 0, []
        for event in WebSocket(url, ssl_context=context).connect(poll=0.05, ping_rate=0):
            if event.name == "poll":
                polls += 1
                if polls == 5:
                    go_on.set()
            elif event.name == "text":
                texts.append(event.text)
                break
    assert polls >= 5
    assert texts == ["whole"]


def test_what_came_in_one_tls_record_with_the_101_is_delivered() -> None:
    def serve(connection: socket.socket, records: Records) -> None:
        # Several records in one write: none may stay asleep inside TLS.
        many = b"".join(
            records.record(frames.build(frames.TEXT, b"x" * 50, None)) for _ in range(40)
        )
        connection.sendall(many)
        records.read()

    with tls_server(upgrades_and_talks, serve) as (url, context):
        texts = 0
        for event in WebSocket(url, ssl_context=context).connect(poll=None, ping_rate=0):
            texts += event.name == "text"
            if texts == 41:
                break
    assert texts == 41


def test_a_name_that_never_resolves_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "MAX_AT_ONCE", 2)
    release = threading.Event()
    real = socket.getaddrinfo

    def hangs(host: str, *arguments: object, **keywords: object) -> object:
        if keywords.get("flags"):
            return real(host, *arguments, **keywords)  # type: ignore[arg-type]  # of each the right kind
        release.wait(FAR)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    _, failed = WebSocket("ws://name.invalid/", open_timeout=0.2)
    assert failed.name == "connect_fail"
    assert (failed.phase, "open_timeout" in failed.reason) == ("resolve", True)
    websocket = WebSocket("ws://name.invalid/", open_timeout=FAR)
    stream = iter(websocket)
    next(stream)
    threading.Timer(0.05, websocket.close).start()
    (failed,) = stream
    assert failed.name == "connect_fail"
    assert "closed by the user" in failed.reason
    _, failed = WebSocket("ws://name.invalid/", open_timeout=0.1)
    assert failed.name == "connect_fail"
    # Both hang on, though nobody waits for them.
    assert "other names are being looked up, and none is done: " in failed.reason
    release.set()


def test_a_system_without_threads_left_fails_the_connection_and_costs_no_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(function: object, arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    for _ in range(resolving.MAX_AT_ONCE + 1):
        with monkeypatch.context() as patch:
            patch.setattr(_thread, "start_new_thread", start)
            _, failed = WebSocket("ws://name.invalid/", open_timeout=PATIENCE)
        assert failed.name == "connect_fail"
        assert failed.reason == (
            "unable to resolve host name 'name.invalid'; can't start new thread to resolve in"
        )
        assert (failed.phase, type(failed.cause)) == ("resolve", OSError)


def test_a_large_message_over_a_slow_link() -> None:
    def trickles(peer: Peer) -> Talk:
        yield from peer.upgrade()
        whole = frames.build(frames.TEXT, "é".encode() * 500_000, None)
        for i in range(0, len(whole), 77_777):
            yield say(0)._replace(data=whole[i : i + 77_777])
        yield from peer.hear_end()

    with served(trickles) as server:
        for event in WebSocket(server.url):
            if event.name == "text":
                assert event.text == "é" * 500_000
                break


@pytest.mark.parametrize("last", ["garbage", "close_notify"])
def test_the_end_of_tls_ends_a_wait_that_nothing_else_would(last: str) -> None:
    is_over = threading.Event()

    def serve(connection: socket.socket, records: Records) -> None:
        for data in (
            records.record(frames.build(frames.TEXT, b"before", None)),
            b"\x17\x03\x03\x00\x20" + bytes(32) if last == "garbage" else records.end(),
        ):
            sleep(0.2)  # the loop waits, and nothing is due
            connection.sendall(data)
        assert is_over.wait(PATIENCE)  # and says nothing more

    with tls_server(upgrades, serve) as (url, context):
        websocket = WebSocket(url, ssl_context=context)
        names = [event.name for event in websocket.connect(poll=None, ping_rate=0)]
        assert names[-2:] == ["text", "disconnected"]
        is_over.set()
