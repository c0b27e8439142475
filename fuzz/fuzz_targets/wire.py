"""What a client wrote, read by other code than lomond's own."""

from __future__ import annotations

from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Written(NamedTuple):
    """A frame of the client, unmasked."""

    opcode: int
    payload: bytes
    is_compressed: bool


def written(data: bytes, may_be_compressed: bool = False) -> list[Written]:
    """All frames of the output; raises if anything in it is no whole, legal frame of a client."""
    frames: list[Written] = []
    position = 0
    while position < len(data):
        first, second = data[position], data[position + 1]
        assert first & 0x80, "lomond sends no fragments"
        assert not first & 0x30, "reserved bits"
        opcode, is_compressed = first & 0x0F, first & 0x40 != 0
        assert opcode in (TEXT, BINARY, CLOSE, PING, PONG), f"opcode {opcode}"
        assert not is_compressed or (may_be_compressed and opcode < CLOSE), "RSV1"
        assert second & 0x80, "not masked"
        length = second & 0x7F
        position += 2
        if length > 125:
            assert opcode < CLOSE, "a long control frame"
            size, least = (2, 126) if length == 126 else (8, 65536)
            length = int.from_bytes(data[position : position + size], "big")
            assert length >= least, "length is not in its shortest form"
            position += size
        key = data[position : position + 4]
        payload = data[position + 4 : position + 4 + length]
        assert len(key) + len(payload) == 4 + length, "the last frame is cut"
        position += 4 + length
        plain = bytes(byte ^ key[i & 3] for i, byte in enumerate(payload))
        frames.append(Written(opcode, plain, is_compressed))
    closes = [number for number, frame in enumerate(frames) if frame.opcode == CLOSE]
    assert closes in ([], [len(frames) - 1]), "a frame after a close frame"
    return frames


def close_code(frames: list[Written]) -> int | None:
    """The code of the close frame, which must be there; None if it has none."""
    assert frames, "no close frame"
    assert frames[-1].opcode == CLOSE, "no close frame"
    payload = frames[-1].payload
    assert len(payload) != 1
    payload[2:].decode()
    return int.from_bytes(payload[:2], "big") if payload else None
