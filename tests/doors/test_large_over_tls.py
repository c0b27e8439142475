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

PAYLOAD = bytes(range(256)) * 16 * 1024  # 4 MiB


def test_a_large_message_over_tls_is_not_copied_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    ways: Counter[str] = Counter()
    read: Any = ssl.SSLObject.read

    def watched(tls: ssl.SSLObject, size: int, room: memoryview | None = None) -> Any:
        if room is None:
            data = read(tls, size)
            ways["copied"] += len(data)
            return data
        count = read(tls, size, room)
        ways["straight"] += count
        return count

    def serve(connection: socket.socket, records: Records) -> None:
        connection.sendall(records.record(frames.build(frames.BINARY, PAYLOAD, None)))
        records.read()

    monkeypatch.setattr(ssl.SSLObject, "read", watched)
    with tls_server(upgrades, serve) as (url, context):
        for event in WebSocket(url, ssl_context=context).connect(poll=None, ping_rate=0):
            if event.name == "binary":
                assert event.data == PAYLOAD
                break
    assert ways["straight"] > 0.9 * len(PAYLOAD)
    assert ways["straight"] + ways["copied"] >= len(PAYLOAD)
