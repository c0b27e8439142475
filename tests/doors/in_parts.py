"""What the tests of messages in parts share: a large message, as it is sent, and as it is told."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from doors.certified import contexts
from doors.raw_server import frame, read_all
from lomond.events import AnyEvent
from lomond.protocol import frames
from protocol import compressed

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}
SIZE = 100_000  # bytes of a part
PAYLOAD = bytes(range(256)) * 2_000  # more than five of them
CLOSE = frame(frames.CLOSE, code=1000)
part_of = compressed.frame


def fragments(opcode: int, payload: bytes, size: int, *, rsv1: bool = False) -> list[bytes]:
    """The frames of a message, each of so many bytes of it."""
    starts = range(0, len(payload), size)
    return [
        part_of(
            0 if start else opcode,
            payload[start : start + size],
            rsv1=rsv1 and not start,
            final=start == starts[-1],
        )
        for start in starts
    ]


def says(*data: bytes) -> Callable[[socket.socket], None]:
    """A server that says this, and reads."""

    def serve(connection: socket.socket) -> None:
        for one in data:
            connection.sendall(one)
        read_all(connection)

    return serve


def options_of(tls: bool = False, **options: Any) -> dict[str, Any]:
    """Of the client."""
    return {"ssl_context": contexts()[1] if tls else None, "parts": SIZE, **options}


def seen_by(websocket: Any, act: Callable[[Any], object] = lambda _: None) -> list[AnyEvent]:
    """All events of one connection behind Ready, each handled."""
    seen: list[AnyEvent] = []
    for event in websocket.connect(**QUIET):
        seen.append(event)
        act(event)
    return seen[3:]


def told(seen: list[AnyEvent]) -> list[Any]:
    """Of a part its place and size, of another message its size, of all else the name."""
    places: list[Any] = []
    for event in seen:
        if event.name in ("text_part", "binary_part"):
            data = event.data if event.name == "binary_part" else event.text.encode()
            places.append((event.offset, len(data), event.is_first, event.is_last))
        elif event.name in ("text", "binary"):
            places.append(len(event.data if event.name == "binary" else event.text))
        else:
            places.append(event.name)
    return places


def joined(seen: list[AnyEvent]) -> bytes:
    """The data of all binary parts."""
    return b"".join(event.data for event in seen if event.name == "binary_part")


#: As `told` has it.
ALL = [
    (0, SIZE, True, False),
    *((start, SIZE, False, False) for start in range(SIZE, 5 * SIZE, SIZE)),
    (5 * SIZE, len(PAYLOAD) - 5 * SIZE, False, True),
]
