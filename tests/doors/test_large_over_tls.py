"""A large message over TLS is decrypted straight into its own buffer."""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from typing import Any

import pytest

from doors.test_tls_and_time import Records, tls_server, upgrades
from lomond import WebSocket
from lomond.protocol import frames

pytestmark = pytest.mark.every_door

PAYLOAD = bytes(range(256)) * 16 * 1024  # 4 MiB


def test_a_large_message_over_tls_is_not_copied_on_its_way() -> None:
    ways: Counter[str] = Counter()

    class Watched(ssl.SSLObject):
        """A user's class, whose methods are used."""

        def read(self, size: int = 0, room: Any = None) -> Any:
            if room is None:
                data = super().read(size)
                ways["copied"] += len(data)
                return data
            count: Any = super().read(size, room)
            ways["straight"] += count
            return count

    def serve(connection: socket.socket, records: Records) -> None:
        connection.sendall(records.record(frames.build(frames.BINARY, PAYLOAD, None)))
        records.read()

    with tls_server(upgrades, serve) as (url, context):
        context.sslobject_class = Watched
        for event in WebSocket(url, ssl_context=context).connect(poll=None, ping_rate=0):
            if event.name == "binary":
                assert event.data == PAYLOAD
                break
    assert ways["straight"] > 0.9 * len(PAYLOAD)
    assert ways["straight"] + ways["copied"] >= len(PAYLOAD)


def test_records_that_come_together_are_read_into_one_place() -> None:
    texts = [f"{number:-<1000}" for number in range(2000)]  # across 120 records, of which reads cut
    rooms = 0

    class Watched(ssl.SSLObject):
        """A user's class, whose methods are used."""

        def read(self, size: int = 0, room: Any = None) -> Any:
            nonlocal rooms
            if room is None:
                return super().read(size)
            rooms += 1
            return super().read(size, room)

    def serve(connection: socket.socket, records: Records) -> None:
        plain = b"".join(frames.build(frames.TEXT, text.encode(), None) for text in texts)
        connection.sendall(records.record(plain))
        records.read()

    with tls_server(upgrades, serve) as (url, context):
        context.sslobject_class = Watched
        seen: list[str] = []
        for event in WebSocket(url, ssl_context=context).connect(poll=None, ping_rate=0):
            if event.name == "text":
                seen.append(event.text)
                if len(seen) == len(texts):
                    break
    assert seen == texts
    assert rooms


@pytest.mark.parametrize("size", [4000, len(PAYLOAD)])
def test_a_class_of_the_users_may_read_into_no_place(size: int) -> None:
    class Plain(ssl.SSLObject):
        def read(self, size: int = 1024) -> bytes:  # type: ignore[override]  # as a user may write it
            return super().read(size)

    def serve(connection: socket.socket, records: Records) -> None:
        plain = frames.build(frames.BINARY, PAYLOAD[:size], None)
        connection.sendall(records.record(plain * (1 + len(PAYLOAD) // size)))
        records.read()

    with tls_server(upgrades, serve) as (url, context):
        context.sslobject_class = Plain
        count = 0
        for event in WebSocket(url, ssl_context=context).connect(poll=None, ping_rate=0):
            if event.name == "binary":
                assert event.data == PAYLOAD[:size]
                count += 1
                if count == 1 + len(PAYLOAD) // size:
                    break
    assert event.name == "binary"


def test_what_came_before_a_broken_record_is_handed_out() -> None:
    texts = [b"one", b"two", b"three"]

    def serve(connection: socket.socket, records: Records) -> None:
        good = [records.record(frames.build(frames.TEXT, text, None)) for text in texts]
        broken = bytearray(records.record(b"lost"))
        broken[-1] ^= 1
        connection.sendall(b"".join(good) + broken)  # one read brings all
        connection.recv(64 * 1024)

    with tls_server(upgrades, serve) as (url, context):
        seen = list(WebSocket(url, ssl_context=context).connect(poll=None, ping_rate=0))
    assert [event.text for event in seen if event.name == "text"] == ["one", "two", "three"]
    last = seen[-1]
    assert last.name == "disconnected"
    assert not last.graceful
    assert isinstance(last.cause, ssl.SSLError)
