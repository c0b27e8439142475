"""What a server can't do: make the client keep much, wait for ever, or say more after its close."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from time import sleep, thread_time

import pytest

from doors.raw_server import (
    accept_upgrade,
    frame,
    names,
    raw_server,
    read_all,
    read_request,
    until,
)
from fair_clock import FairClock
from lomond import WebSocket
from lomond.protocol import frames
from patience import PATIENCE
from traced import tracemalloc

pytestmark = pytest.mark.every_door


def close_codes(heard: list[tuple[int, bytes]]) -> list[int]:
    return [int.from_bytes(data[:2], "big") for opcode, data in heard if opcode == frames.CLOSE]


@pytest.mark.parametrize(
    ("announced", "code"),
    [
        (b"\x82\x7f" + (2**62).to_bytes(8, "big"), 1009),
        (b"\x82\x7f" + (2**63).to_bytes(8, "big"), None),
        (b"\x82\x7f" + (2**24 + 1).to_bytes(8, "big"), 1009),
    ],
)
def test_a_frame_that_announces_too_much_is_refused_before_it_comes_s2(
    announced: bytes, code: int | None
) -> None:
    heard: list[tuple[int, bytes]] = []

    def announce(connection: socket.socket) -> None:
        connection.sendall(announced + b"x")
        heard.extend(read_all(connection))

    tracemalloc.start()
    try:
        with raw_server(announce) as server:
            assert names(WebSocket(server.url))[-2:] == ["protocol_error", "disconnected"]
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert close_codes(heard) == [code or close_codes(heard)[0]]


def test_an_announced_frame_that_never_comes_costs_no_memory() -> None:
    def announce(connection: socket.socket) -> None:
        connection.sendall(b"\x82\x7f" + (2**24).to_bytes(8, "big") + b"x" * 100)
        read_all(connection)

    tracemalloc.start()
    try:
        with raw_server(announce) as server:
            websocket = WebSocket(server.url, frame_timeout=0.2)
            *_, last = websocket.connect(poll=None, ping_rate=0)
        assert "frame_timeout" in last.reason  # type: ignore[union-attr]  # the event that has it
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_many_fragments_are_bounded_in_number_and_memory() -> None:
    heard: list[tuple[int, bytes]] = []

    def fragment(connection: socket.socket) -> None:
        connection.sendall(b"\x02\x01x" + b"\x00\x01x" * 50_000)
        heard.extend(read_all(connection))

    tracemalloc.start()
    try:
        with raw_server(fragment) as server:
            tracemalloc.reset_peak()
            events = list(WebSocket(server.url, max_fragments=12_500).connect(ping_rate=0))
        assert [event.name for event in events[-2:]] == ["protocol_error", "disconnected"]
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert close_codes(heard) == [1009]


def test_a_message_at_the_limit_comes_and_one_byte_more_does_not() -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(frame(frames.BINARY, bytes(1000)))
        connection.sendall(b"\x02\x7e" + (600).to_bytes(2, "big") + bytes(600))
        connection.sendall(b"\x80\x7e" + (401).to_bytes(2, "big") + bytes(401))
        read_all(connection)

    with raw_server(say) as server:
        seen = names(WebSocket(server.url, max_message_size=1000), ping_rate=0, poll=None)
    assert seen[2:] == ["ready", "binary", "protocol_error", "disconnected"]


def test_an_endless_answer_to_the_upgrade_ends() -> None:
    def chatter(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
        while True:
            connection.sendall(b"X-Long: " + b"x" * 1000 + b"\r\n")

    with raw_server(chatter, upgrades=False) as server:
        seen = names(WebSocket(server.url))
    assert seen == ["connecting", "connected", "protocol_error", "disconnected"]


def test_a_dripping_answer_to_the_upgrade_ends_within_open_timeout() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Slow: ")
        while not server.released.wait(0.02):
            connection.sendall(b"x")

    with raw_server(drip, upgrades=False) as server, FairClock() as clock:
        *_, last = WebSocket(server.url, open_timeout=0.3)
        assert clock.now() < 2
        assert "open_timeout" in last.reason


def test_an_endless_body_of_a_rejection_is_cut() -> None:
    def reject(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nX-Why: no\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with raw_server(reject, upgrades=False) as server:
        _, _, rejected, last = WebSocket(server.url)
    assert rejected.name == "rejected"
    assert len(rejected.response.body) <= 65536
    assert rejected.response.get("x-why") == "no"
    assert last.name == "disconnected"


def test_nothing_is_delivered_after_a_received_close_b20() -> None:
    def close_and_go_on(connection: socket.socket) -> None:
        connection.sendall(
            frame(frames.TEXT, b"before")
            + frame(frames.CLOSE, b"", 1000)
            + frame(frames.TEXT, b"after")
        )
        connection.sendall(frame(frames.PING, b"after"))
        read_all(connection)

    with raw_server(close_and_go_on) as server:
        seen = names(WebSocket(server.url), poll=None, ping_rate=0)
    assert seen[2:] == ["ready", "text", "closing", "disconnected"]


def test_a_server_that_talks_on_after_its_close_can_not_hold_us() -> None:
    def talk_on(connection: socket.socket) -> None:
        connection.sendall(frame(frames.CLOSE, b"", 1000))
        while not server.released.wait(0.01):
            connection.sendall(frame(frames.TEXT, b"more"))

    with raw_server(talk_on) as server, FairClock() as clock:
        seen = names(WebSocket(server.url), poll=None, ping_rate=0, close_timeout=0.3)
        assert clock.now() < 2
    assert seen[2:] == ["ready", "closing", "disconnected"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x89\x7e\x00\x7e" + bytes(126), 1002),  # a ping of 126 bytes
        (b"\x88\x7e\x00\x7e\x03\xe8" + b"x" * 124, 1002),  # a close frame of 126 bytes
        (b"\x09\x00", 1002),  # a ping in fragments
        (b"\xc1\x00", 1002),  # compressed, which was not negotiated
        (b"\x83\x00", 1002),  # an opcode that nobody defined
        (b"\x81\x81\0\0\0\0x", 1002),  # masked
        (b"\x80\x00", 1002),  # continues nothing
        (b"\x88\x01x", 1002),  # half a close code
        (b"\x88\x02\x03\xed", 1002),  # code 1005
        (b"\x88\x02\x13\x88", 1002),  # code 5000
        (b"\x88\x03\x03\xe8\xff", 1007),  # a reason that is no UTF-8
        (b"\x81\x01\xff", 1007),
        (b"\x01\x02\xc3\x28", 1007),  # at once, in an unfinished message
        (b"\x01\x01a\x89\x00\x00\x01\xff", 1007),  # at once, after a ping in the middle
    ],
)
def test_a_broken_rule_is_answered_with_its_code(data: bytes, code: int) -> None:
    heard: list[tuple[int, bytes]] = []

    def say(connection: socket.socket) -> None:
        connection.sendall(data)
        heard.extend(read_all(connection))

    with raw_server(say) as server:
        websocket = WebSocket(server.url)
        events = list(websocket.connect(poll=None, ping_rate=0))
    assert [event.name for event in events[-2:]] == ["protocol_error", "disconnected"]
    assert not events[-1].graceful  # type: ignore[union-attr]  # the event that has it
    assert websocket.is_closed
    assert close_codes(heard) == [code]


@pytest.mark.skipif(sys.platform != "linux", reason="counts the processor time of Linux")
def test_an_idle_connection_costs_no_processor_time() -> None:
    def listen(connection: socket.socket) -> None:
        read_all(connection)

    with raw_server(listen) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        timer = threading.Timer(0.5, websocket.force_disconnect)
        before = thread_time()
        timer.start()
        assert next(stream).name == "disconnected"
        assert thread_time() - before < 0.1
        timer.join()


def test_a_server_that_says_much_and_reads_nothing_does_not_put_send_timeout_off() -> None:
    said = frame(frames.PING, b"x" * 125)
    here, there = socket.socketpair()  # unlike TCP it takes nothing more once it is full
    there.settimeout(PATIENCE)

    def flood() -> None:
        accept_upgrade(there, read_request(there))
        with contextlib.suppress(OSError):
            while True:
                there.sendall(said * 200)

    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server = threading.Thread(target=flood)
    server.start()
    with there:
        websocket = WebSocket("ws://localhost/", socket=here, send_timeout=0.3)
        for event in websocket.connect(poll=None, ping_rate=0):
            last = event
            sleep(0.001)  # a handler that is slower than the flood: there is always more
        assert last.name == "disconnected"
        assert "send_timeout" in last.reason
    server.join()
