"""A server that is never the bottleneck: it sends ready-made frames, or counts what comes.

The path says what to do: /receive/KIND/SIZE/COUNT, /paced/MICROSECONDS/COUNT,
/compressed/SIZE/COUNT, /context/SIZE/COUNT, /large/TOTAL/SIZE, /send/SIZE/COUNT, /frames/COUNT,
/message/TOTAL, /close, /idle.
With CERTIFICATE and KEY it serves over TLS.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import ssl
import sys
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from itertools import islice

from pacing import pace

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BLOCK = 1 << 20
DONE = b"\x81\x04done"
SHARING = 50  # messages, of one window


def head(first: int, size: int, masked: bool = False) -> bytes:
    mask = 0x80 if masked else 0
    if size < 126:
        return bytes((first, mask | size))
    if size < 65536:
        return bytes((first, mask | 126)) + size.to_bytes(2, "big")
    return bytes((first, mask | 127)) + size.to_bytes(8, "big")


def burst(connection: socket.socket, frame: bytes, count: int) -> None:
    """Send the frame so many times, in few calls."""
    each = max(1, BLOCK // len(frame))
    block = frame * min(each, count)
    for _ in range(count // each):
        connection.sendall(block)
    connection.sendall(frame * (count % each))


def large(connection: socket.socket, total: int, size: int) -> None:
    """Send one binary message of zeros, in fragments of that size."""
    last = total // size - 1
    if not last:
        connection.sendall(head(0x82, total))
        block = bytes(BLOCK)
        for _ in range(total // BLOCK):
            connection.sendall(block)
        return
    payload = bytes(size)
    connection.sendall(head(0x02, size) + payload)
    burst(connection, head(0x00, size) + payload, last - 1)
    connection.sendall(head(0x80, size) + payload)


def deflated(size: int, bits: int, count: int) -> list[bytes]:
    """Frames of JSON, cut at that size, which share a window of so many bits; all prices change.

    After the last one the first may come again: what is before is not referred to any more.
    """
    stream = zlib.compressobj(6, zlib.DEFLATED, -bits)
    frames = []
    each = size // 36 + 1
    for number in range(count):
        prices = [(number * each + n) * 7919 % 10007 for n in range(each)]
        fields = [f'"key{n}": {{"price": {p}, "side": "buy"}}' for n, p in enumerate(prices)]
        text = ("{" + ", ".join(fields) + "}").encode()[:size]
        flush = zlib.Z_FULL_FLUSH if number == count - 1 else zlib.Z_SYNC_FLUSH
        payload = (stream.compress(text) + stream.flush(flush))[:-4]
        frames.append(head(0xC1, len(payload)) + payload)
    return frames


def extension(request: bytes, shares: bool) -> tuple[bytes, int]:
    """The line that agrees to compression, if it was asked for, and the bits of our window."""
    if b"permessage-deflate" not in request:
        return b"", 15
    said = b"Sec-WebSocket-Extensions: permessage-deflate"
    if not shares:
        said += b"; server_no_context_takeover"
    asked = re.search(rb"server_max_window_bits=(\d+)", request)
    if asked is None:
        return said + b"\r\n", 15
    return said + b"; " + asked[0] + b"\r\n", int(asked[1])


def exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def drop(connection: socket.socket, size: int) -> None:
    room = bytearray(BLOCK)
    while size > 0:
        got = connection.recv_into(room, min(size, BLOCK))
        if not got:
            raise EOFError
        size -= got


def dropped(connection: socket.socket) -> Iterator[tuple[int, int]]:
    """The first byte and the size of each frame that comes, which is gone by then."""
    with connection.makefile("rb", BLOCK) as stream:
        while frame := stream.read(2):
            size = frame[1] & 0x7F
            if size > 125:
                size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
            stream.read(size + 4)
            yield frame[0], size


def drop_message(connection: socket.socket, total: int) -> None:
    """Drop one message of that many bytes, in as many fragments as it has, pings between them."""
    for first, size in dropped(connection):
        if first & 0x08:  # a ping
            continue
        total -= size
        if first & 0x80:  # the last one
            if total:
                raise EOFError
            return
    raise EOFError


def act(connection: socket.socket, path: list[str], bits: int) -> None:
    match path:
        case ["receive", kind, size, count]:
            connection.recv(100)  # the word to go
            payload = b"x" * int(size) if kind == "text" else bytes(int(size))
            first = 0x82 if kind == "binary" else 0x81
            if kind == "json":  # an object, filled up to that size
                payload = b'{"topic": "trades", "price": 123.45, "seq": 12345678, "answers": -1}'
                payload += b" " * (int(size) - len(payload))
            burst(connection, head(first, len(payload)) + payload, int(count))
        case ["large", total, size]:
            connection.recv(100)
            large(connection, int(total), int(size))
        case ["paced", gap, count]:
            connection.recv(100)
            pace(connection, int(gap), int(count))
        case ["compressed" | "context" as way, size, count]:
            connection.recv(100)
            frames = deflated(int(size), bits, SHARING if way == "context" else 1)
            burst(connection, b"".join(frames), int(count) // len(frames))
            connection.sendall(b"".join(frames[: int(count) % len(frames)]))
        case ["send", size, count]:
            frame = len(head(0x81, int(size))) + 4 + int(size)
            drop(connection, frame * int(count))
            connection.sendall(DONE)
        case ["frames", count]:
            next(islice(dropped(connection), int(count) - 1, None))
            connection.sendall(DONE)
        case ["message", total]:
            drop_message(connection, int(total))
            connection.sendall(DONE)
        case ["close"]:
            first, second = exactly(connection, 2)
            key, payload = exactly(connection, 4), exactly(connection, second & 0x7F)
            payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
            connection.sendall(bytes((first, len(payload))) + payload)
            connection.shutdown(socket.SHUT_WR)
    while data := connection.recv(65536):
        if data[0] == 0x88:  # some clients wait ten seconds for the answer
            connection.sendall(b"\x88\0")
            connection.shutdown(socket.SHUT_WR)


def serve(plain: socket.socket, context: ssl.SSLContext | None) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(OSError, EOFError))
        connection = stack.enter_context(plain)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            connection = stack.enter_context(context.wrap_socket(connection, server_side=True))
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return
            request += piece
        path = request.split(maxsplit=2)[1].decode().strip("/").split("/")
        key = re.search(rb"sec-websocket-key: *(\S+)", request, re.IGNORECASE)
        assert key is not None
        accept = b64encode(hashlib.sha1(key[1] + GUID).digest())
        agreed, bits = extension(request, path[0] == "context")
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n" + agreed + b"\r\n"
        )
        act(connection, path, bits)


def main() -> None:
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, context), daemon=True).start()


if __name__ == "__main__":
    main()
