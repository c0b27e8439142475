"""Standard input in a pipe: its lines; and whether anybody still reads our output."""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Iterator

_CHUNK = 65536
_HAS_POLL = hasattr(select, "poll") and sys.platform != "darwin"  # whose poll knows no terminals


class Reader:
    """Reads lines of a descriptor.

    Not by a file object: at the end of the process its lock would be held here.

    Arguments:
        number: The descriptor; None for one that was closed from the start.
        end: What ends a line.
    """

    def __init__(self, number: int | None, end: bytes) -> None:
        self._number = number
        self._end = end
        self._is_read = False  # and not all of it handed out
        self._is_over = False

    def lines(self) -> Iterator[bytes]:
        """Each line without its end; the last one may have none. Raises OSError: can't be read."""
        parts: list[bytes] = []
        while data := self._read():
            self._is_read = True
            first, *others = data.split(self._end)
            parts.append(first)
            for other in others:
                yield b"".join(parts)
                parts = [other]
            self._is_read = False
        if any(parts):
            yield b"".join(parts)
        self._is_over = True

    def has_more(self) -> bool:
        """Whether lines are in hand, or there to be read, as far as that can be seen."""
        if self._number is None or self._is_over:
            return False
        if self._is_read:
            return True
        try:
            return bool(select.select([self._number], [], [], 0)[0])
        except (OSError, ValueError):  # where only sockets can be asked
            return False

    def _read(self) -> bytes:
        if self._number is None:
            return b""
        while True:
            try:
                return os.read(self._number, _CHUNK)
            except BlockingIOError:  # another program, which has it too, made it so
                select.select([self._number], [], [])
            except OSError as error:
                if error.errno == errno.EIO:  # a terminal that has gone
                    return b""
                raise


def is_left(output: int | None, waits: bool = True) -> bool:
    """Whether whoever reads what is written there has gone; False where that can't be seen.

    Arguments:
        output: The number of its file.
        waits: Whether to wait until that is so.
    """
    if output is None or not _HAS_POLL:
        return False
    poll = select.poll()
    poll.register(output, 0)
    found = poll.poll(None if waits else 0)
    return bool(found and found[0][1] & (select.POLLERR | select.POLLHUP))
