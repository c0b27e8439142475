"""A wire that tells how many bytes the system took, and gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..system.wire import Wire

if TYPE_CHECKING:
    from .journal import Journal


class TappedWire(Wire):
    """What carries a connection's bytes, and whom it tells of that.

    Arguments:
        sock: What the wire carries them to, and from.
        wire: Which does so.
        journal: What is told.
    """

    def __init__(self, sock: Any, wire: Wire, journal: Journal) -> None:
        # Not as every wire: it asks nothing of the socket itself.
        self._wire = wire
        self._journal = journal
        self.most = wire.most

    def receive(self, size: int, waits: bool) -> bytes | None:
        return self._told(self._wire.receive(size, waits))

    def receive_apart(self, size: int, waits: bool) -> bytes | None:
        return self._told(self._wire.receive_apart(size, waits))

    def receive_into(self, room: memoryview, waits: bool) -> int:
        count = self._wire.receive_into(room, waits)
        if count > 0:
            self._journal.note("in", "socket_recv", count)
        return count

    def send(self, data: bytes | memoryview) -> int:
        taken = self._wire.send(data)
        if taken:
            self._journal.note("out", "socket_send", taken)
        return taken

    def release(self) -> None:
        self._wire.release()
        self.keeps = self._wire.keeps

    def _told(self, data: bytes | None) -> bytes | None:
        self.keeps = self._wire.keeps
        if data:
            self._journal.note("in", "socket_recv", len(data))
        return data
