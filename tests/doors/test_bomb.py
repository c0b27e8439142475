"""A bomb of 1 GiB in about 1 MiB costs little, and is answered with 1009."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import zlib

import pytest

from doors.raw_server import raw_server, read_frame
from lomond.compression import Backend
from lomond.protocol import frames
from protocol.compressed import installed_backends

MIB = 1 << 20
CLIENT = """
import resource, sys
from lomond import WebSocket

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

websocket = WebSocket(sys.argv[1], compress=True)
for event in websocket.connect(ping_rate=0):
    if event.name == 'ready':
        before = peak()
    elif event.name == 'protocol_error':
        print(event.code, peak() - before, websocket.compression.backend, event.error)
"""


def bomb() -> bytes:
    """A message of 1 GiB of zeros, as it is sent."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = stream.compress(bytes(MIB)) + stream.flush(zlib.Z_FULL_FLUSH)
    payload = piece * 1024
    return bytes([frames.FIN | frames.RSV1 | frames.BINARY]) + frames.build(2, payload, None)[1:]


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
@pytest.mark.parametrize("backend", installed_backends(), ids=lambda backend: backend.name)
def test_a_bomb_costs_less_than_twice_the_limit(backend: Backend) -> None:
    whole = bomb()
    assert 0.9 * MIB < len(whole) < 1.3 * MIB
    codes: list[bytes] = []

    def throw(connection: socket.socket) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(whole)
        while True:
            opcode, payload = read_frame(connection)
            if opcode == frames.CLOSE:
                codes.append(payload)

    answer = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
    with raw_server(throw, extra=answer) as server:
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, server.url],
            env={**os.environ, "LOMOND_DEFLATE": backend.name},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    code, extra, name, error = done.stdout.split(maxsplit=3)
    assert (code, name) == ("1009", backend.name)
    assert "max_message_size (16777216)" in error
    assert int(extra) < 2 * 16 * MIB
    assert [int.from_bytes(payload[:2], "big") for payload in codes] == [1009]
