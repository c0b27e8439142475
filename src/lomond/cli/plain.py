"""Plain input in a terminal: the system's own lines, where there is no line editor."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from . import output, reading
from .interrupts import Interrupts


class Editor(Protocol):
    """Who gives what is typed, and shows what is said."""

    has_keys: bool  #: whether lines can be edited

    def lines(self, interrupts: Interrupts) -> Iterator[str]:
        """What is typed, a message each, until its end."""
        ...

    def show(self, text: str) -> None:
        """Show lines: from any thread, and never waiting for another one."""
        ...

    def keep_up(self, is_over: threading.Event) -> None:
        """Wait until most of what is to be shown has been; or until it is over."""
        ...

    def end(self) -> None:
        """Give no more lines; what is shown is shown at once from now on."""
        ...


class Plain:
    """Lines as the system's terminal gives them."""

    has_keys = False

    def __init__(self) -> None:
        self._write: Callable[[bytes], object] = writer(None)

    def lines(self, interrupts: Interrupts) -> Iterator[str]:
        """What is typed, a line each, until Ctrl-D."""
        self._write = writer(interrupts)
        reader = reading.Reader(output.number_of(sys.stdin), b"\n")
        for line in reader.lines():
            # What can't be decoded can't be sent either, which says so.
            yield line.decode(sys.stdin.encoding, "surrogateescape").removesuffix("\r")

    def show(self, text: str) -> None:
        """Show lines."""
        self._write(encoded(text))

    def keep_up(self, is_over: threading.Event) -> None:
        """Go on: what is shown has been written."""

    def end(self) -> None:
        """Go on: there is nothing to be ended."""


def writer(interrupts: Interrupts | None) -> Callable[[bytes], object]:
    """What writes to standard output, and tells of being kept waiting, if anybody is told."""
    told = interrupts or Interrupts(_nothing, _nothing, _nothing, 0.0)
    out = output.StandardOutput(output.number_of(sys.stdout), told)

    def write(data: bytes) -> None:
        before = told.is_writing  # a signal's word may come amid another write
        try:
            out.raw(data)
        finally:
            told.is_writing = before

    return write


def _nothing(*_: object) -> None: ...


def encoded(text: str) -> bytes:
    """Lines as the terminal's encoding has them, with escapes for what that has not."""
    return f"{text}\n".encode(sys.stdout.encoding, "backslashreplace")
