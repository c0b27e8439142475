"""What is counted of a connection where it happens, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..stats import Stats, Traffic

if TYPE_CHECKING:
    from ..protocol.connection import Connection
    from .course import Course


def counted(connection: Connection, course: Course, earlier: Stats | None = None) -> Stats:
    """What a connection has carried up to now.

    Arguments:
        connection, course: Its own.
        earlier: What those before have carried.
    """
    output, carrier, opened_at = connection.output, course.carrier, course.opened_at
    received = Traffic(
        connection.texts(),
        connection.binaries + connection.long_binaries,
        connection.parts,
        connection.size,
        0 if carrier is None else carrier.received,
        connection.pings,
        connection.pongs,
    )
    sent = Traffic(
        output.texts,
        output.binaries,
        output.parts,
        output.sent,
        0 if carrier is None else carrier.handed + carrier.written,
        output.pings,
        output.pongs,
    )
    is_open = opened_at is not None
    since = None if opened_at is None else opened_at + course.drift
    return Stats(received, sent, since, int(is_open), earlier)
