"""What the tests of a connection share: an open one, what it is fed, and what it tells."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lomond.events import AnyEvent
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys

NO_KEY = b"\0\0\0\0"


def opened(
    limits: Limits | None = None,
    auto_pong: bool = True,
    random_bytes: Callable[[int], bytes] = bytes,
) -> Connection:
    """An open connection; what it sends is masked with `NO_KEY`, and so can be read."""
    connection = Connection(limits or Limits(), MaskingKeys(random_bytes), auto_pong)
    connection.opened()
    return connection


def events(connection: Connection, *chunks: bytes) -> list[AnyEvent]:
    """All that it tells of these chunks, each looked at before the next comes."""
    found = []
    for chunk in chunks:
        connection.receive(chunk, 1.0)
        while (event := connection.next_event()) is not None:
            found.append(event)
    return found


def frame(opcode: int, payload: bytes = b"", final: bool = True) -> bytes:
    """A frame of the server."""
    built = frames.build(opcode, payload, None)
    return built if final else bytes([built[0] & 0x7F]) + built[1:]


def bytes_until_violation(data: bytes, limits: Limits | None = None) -> tuple[int, AnyEvent]:
    """After how many bytes, fed one by one, the violation is told; and its event."""
    connection = opened(limits)
    for number in range(len(data)):
        for event in events(connection, data[number : number + 1]):
            if event.name == "protocol_error":
                return number + 1, event
    pytest.fail("no violation")
