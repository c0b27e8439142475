"""What must not wait for a pause although messages come, or go, without one."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from doors.raw_server import frame, raw_server, read_frame, until
from fair_clock import FairClock
from lomond import WebSocket
from lomond.errors import WebSocketError
from lomond.protocol import frames
from patience import PATIENCE

TESTS = Path(__file__).parent.parent


def test_a_pong_that_had_to_wait_leaves_while_messages_keep_coming() -> None:
    heard = threading.Event()
    pings = 60_000

    def serve(sock: socket.socket) -> None:
        for _ in range(0, pings, 500):  # more than the buffers hold of their pongs
            sock.sendall(frame(frames.PING, b"x" * 120) * 500)
        sock.sendall(frame(frames.PING, b"last"))

        def listen() -> None:
            with suppress(OSError, EOFError):
                while read_frame(sock) != (frames.PONG, b"last"):
                    pass
                heard.set()

        threading.Thread(target=listen, daemon=True).start()
        deadline = time.monotonic() + PATIENCE
        while not heard.is_set() and time.monotonic() < deadline:
            sock.sendall(frame(frames.TEXT, b"traffic"))
            time.sleep(0.003)  # the rhythm of the traffic: less than the loop's bounded read

    with raw_server(serve) as server:
        given = socket.socket()
        given.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        given.connect(("127.0.0.1", server.port))
        for _ in WebSocket(server.url, socket=given).connect(poll=None, ping_rate=0):
            pass
    assert heard.is_set()


@pytest.mark.parametrize("senders", [1, 3])
def test_threads_that_send_all_the_time_leave_the_loop_its_polls(senders: int) -> None:
    data = bytes(250_000)

    def drain(sock: socket.socket) -> None:
        room = bytearray(1 << 20)
        while sock.recv_into(room):
            pass

    def send() -> None:
        with suppress(WebSocketError):
            while True:
                websocket.send_binary(data)

    with raw_server(drain) as server, FairClock() as clock:
        websocket = WebSocket(server.url)
        polls = 0
        for event in websocket.connect(poll=0.05, ping_rate=0):
            if event.name == "ready":
                for _ in range(senders):
                    threading.Thread(target=send, daemon=True).start()
            elif event.name == "poll":
                polls += 1
                if polls > 8 or clock.now() > 1.5:
                    break
    assert polls > 8  # in the time for 30


def test_signals_at_short_intervals_stop_no_timer() -> None:
    # In a process of its own: the time-out of the tests has the timer here.
    code = """if True:
        import signal
        from fair_clock import FairClock
        from lomond import WebSocket
        from lomond.testing.echo import EchoServer
        signal.signal(signal.SIGALRM, lambda *arguments: None)
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        with EchoServer() as server, FairClock() as clock:
            polls = 0
            websocket = WebSocket(server.url)
            for event in websocket.connect(poll=0.1, ping_rate=0):
                if event.name == "poll":
                    polls += 1
                    websocket.send_text("x")  # so that the loop waits in a read
                    if clock.now() > 1.5:
                        break
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(polls)
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert int(done.stdout) > 5  # 15 are due


def test_the_end_of_tls_is_the_end_although_tcp_goes_on() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    may_go = threading.Event()

    def end(sock: socket.socket) -> None:
        assert isinstance(sock, ssl.SSLSocket)
        sock.sendall(frame(frames.TEXT, b"hello"))
        sock.settimeout(0.0)
        with suppress(OSError):
            sock.unwrap()
        may_go.wait(PATIENCE)

    with raw_server(end, context=context) as server:
        started = time.monotonic()
        stream = WebSocket(server.url, ssl_context=trusting).connect(poll=None, ping_rate=0)
        until(stream, "text")
        until(stream, "disconnected")
        may_go.set()
        assert time.monotonic() - started < PATIENCE / 2
