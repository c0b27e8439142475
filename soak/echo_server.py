"""Echo fast: `python echo_server.py [CHAIN KEY]`. Prints its port; ends when its input does.

Written with the standard library alone, so that it shares no line with what it is to judge.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import ssl
import sys
import threading
import zlib
from base64 import b64encode
from typing import Any

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
_OFFER = re.compile(rb"sec-websocket-extensions: *permessage-deflate([^\r]*)", re.IGNORECASE)
_BITS = re.compile(rb"server_max_window_bits=(\d+)")
_CLOSE, _PING, _PONG = 8, 9, 10
_TAIL = b"\x00\x00\xff\xff"


def unmasked(data: bytes, key: bytes) -> bytes:
    """The payload as it was meant."""
    size = len(data)
    mask = (key * (size // 4 + 1))[:size]
    plain = int.from_bytes(data, "little") ^ int.from_bytes(mask, "little")
    return plain.to_bytes(size, "little")


class Deflate:
    """permessage-deflate of one connection (RFC 7692)."""

    def __init__(self, offer: bytes) -> None:
        self.forgets = b"server_no_context_takeover" in offer
        self._forgets_theirs = b"client_no_context_takeover" in offer
        bits = _BITS.search(offer)
        self.bits = int(bits.group(1)) if bits else 15
        self._packer: Any = None
        self._reader: Any = None

    def answer(self) -> bytes:
        """The header's line."""
        said = [b"Sec-WebSocket-Extensions: permessage-deflate"]
        if self.forgets:
            said.append(b"server_no_context_takeover")
        if self._forgets_theirs:
            said.append(b"client_no_context_takeover")
        if self.bits < 15:
            said.append(b"server_max_window_bits=%d" % self.bits)
        return b"; ".join(said) + b"\r\n"

    def again(self, payload: bytes) -> bytes:
        """Inflate a message and compress it anew."""
        if self._reader is None or self._forgets_theirs:
            self._reader = zlib.decompressobj(-15)
        message = self._reader.decompress(payload + _TAIL)
        if self._packer is None or self.forgets:
            self._packer = zlib.compressobj(1, zlib.DEFLATED, -self.bits)
        packed: bytes = self._packer.compress(message) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        return packed[:-4] or b"\x00"


class Echo(asyncio.Protocol):
    """One connection of a client that keeps to the RFC and sends no fragments."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_open = False
        self._deflate: Deflate | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        self._transport = transport

    def pause_writing(self) -> None:
        """It does not read: neither do we."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Answer whatever is whole."""
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._upgrade(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
        answers = self._answers()
        if answers:
            self._transport.write(b"".join(answers))
            if answers[-1][0] & 0x0F == _CLOSE:
                self._transport.close()

    def _upgrade(self, request: bytes) -> None:
        self._is_open = True
        key = _KEY.search(request)
        assert key is not None
        accept = b64encode(hashlib.sha1(key.group(1) + _GUID).digest())
        head = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n"
        )
        offer = _OFFER.search(request)
        if offer:
            self._deflate = Deflate(offer.group(1))
            head += self._deflate.answer()
        self._transport.write(head + b"\r\n")

    def _answers(self) -> list[bytes]:
        """To all frames that are here; they are cut off."""
        answers: list[bytes] = []
        with memoryview(self._buffer) as buffer:
            position, size = 0, len(buffer)
            while size - position >= 2:
                first, length, start = buffer[position], buffer[position + 1] & 0x7F, position + 2
                if length > 125:
                    start += 2 if length == 126 else 8
                    if start > size:
                        break
                    length = int.from_bytes(buffer[position + 2 : start], "big")
                end = start + 4 + length
                if end > size:
                    break
                payload = bytes(buffer[start + 4 : end])
                key = bytes(buffer[start : start + 4])
                position = end
                if first & 0x0F == _PONG:
                    continue
                answers.append(self._answer(first, unmasked(payload, key)))
                if first & 0x0F == _CLOSE:
                    break
        del self._buffer[:position]
        return answers

    def _answer(self, first: int, payload: bytes) -> bytes:
        if first & 0x0F == _PING:
            first = 0x80 | _PONG
        if first & 0x40:
            assert self._deflate is not None
            payload = self._deflate.again(payload)
        size = len(payload)
        if size < 126:
            return bytes((first, size)) + payload
        if size < 65536:
            return bytes((first, 126)) + size.to_bytes(2, "big") + payload
        return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def end_with_input() -> None:
    """Whoever started this process has gone, or wants it to end."""
    sys.stdin.read()
    os._exit(0)


async def main(files: list[str]) -> None:
    """Serve."""
    context = None
    if files:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)  # clients go without a word here
    server = await loop.create_server(Echo, "127.0.0.1", 0, ssl=context, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    asyncio.run(main(sys.argv[1:]))
