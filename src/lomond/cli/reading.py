"""Standard input in a pipe: its lines, and whether anybody still reads our output."""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Iterator

from .output import OutputError

_CHUNK = 65536
_MOST = 2**31 - 1  # milliseconds, of poll(2)
_HAS_POLL = hasattr(select, "poll") and sys.platform != "darwin"  # whose poll knows no terminals
_OVER = 0 if not _HAS_POLL else select.POLLERR | select.POLLHUP | select.POLLNVAL


class Reader:
    """Reads lines of a descriptor, and notices meanwhile when whoever reads our output has gone.

    Not by a file object: at the end of the process its lock would be held here.

    Arguments:
        number: The descriptor that is read; None for one that was closed from the start.
        output: The descriptor that we write to, or None.
        end: What ends a line.
    """

    def __init__(self, number: int | None, output: int | None, end: bytes) -> None:
        self._number = number
        self._end = end
        self._poll = select.poll() if _HAS_POLL else None
        self._output = output
        if self._poll is not None and output is not None:
            self._poll.register(output, 0)

    def lines(self) -> Iterator[bytes]:
        """Each line without its end; the last one may have none.

        Raises:
            OutputError: Nobody reads our output any more.
            OSError: It can't be read.
        """
        parts: list[bytes] = []
        while data := self._read():
            first, *others = data.split(self._end)
            parts.append(first)
            for other in others:
                yield b"".join(parts)
                parts = [other]
        if any(parts):
            yield b"".join(parts)

    def wait(self, seconds: float | None) -> bool:
        """Wait so long at most; whether that can notice that our output's reader has gone.

        Raises:
            OutputError: It has.
        """
        if self._poll is None or self._output is None:
            return False
        most = None if seconds is None else min(max(0.0, seconds) * 1000, _MOST)
        self._look(self._poll.poll(most))
        return True

    def _read(self) -> bytes:
        if self._number is None:
            return b""
        if self._poll is not None:
            self._poll.register(self._number, select.POLLIN)
            while True:
                found = self._poll.poll()
                self._look(found)
                if any(number == self._number for number, _ in found):
                    break
            self._poll.unregister(self._number)
        try:
            return os.read(self._number, _CHUNK)
        except OSError as error:
            if error.errno == errno.EIO:  # a terminal that has gone
                return b""
            raise

    def _look(self, found: list[tuple[int, int]]) -> None:
        for number, what in found:
            if number == self._output and what & _OVER:
                raise OutputError("its reader has gone", is_gone=True)
