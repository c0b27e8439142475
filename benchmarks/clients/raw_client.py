"""A blocking socket and a ready-made frame: the limit."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from measure import Meter, Task, run

REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def connected(task: Task) -> socket.socket:
    parts = urlsplit(task.url)
    sock = socket.create_connection((parts.hostname, parts.port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if task.ca:
        context = ssl.create_default_context(cafile=task.ca)
        sock = context.wrap_socket(sock, server_hostname=parts.hostname)
    sock.sendall(REQUEST.format(path=parts.path, host=parts.netloc).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    return sock


def framed(payload: bytes, opcode: int) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload  # a key of zeros masks nothing


def round_trip(task: Task, meter: Meter) -> None:
    sock = connected(task)
    frame = framed(bytes(task.size), 2)
    answer = len(frame) - 4
    room = memoryview(bytearray(answer))
    for n in range(task.count + 50):
        if n == 50:
            meter.start()
        sock.sendall(frame)
        got = 0
        while got < answer:
            got += sock.recv_into(room[got:])
    meter.stop(task.count)


run({"round_trip": round_trip})
