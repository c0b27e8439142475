"""Standard output in a pipe: messages as lines, whole and at once, and what can hinder that."""

from __future__ import annotations

import base64
import errno
import json
import os
import select
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import colouring
from .interrupts import Interrupts

if TYPE_CHECKING:
    from ..events import Binary, Text

_GONE = (errno.EPIPE, errno.ECONNRESET, errno.EBADF, errno.ESHUTDOWN)


class OutputError(Exception):
    """Nothing more can be written. ``is_gone``: whoever read it wants no more."""

    def __init__(self, why: str, is_gone: bool) -> None:
        super().__init__(why)
        self.is_gone = is_gone


class StandardOutput:
    """Writes lines to a descriptor, each with one end, and none of it later.

    Arguments:
        number: The descriptor; None where standard output was closed from the start.
        interrupts: Is told while the reader keeps us waiting.
        end: What stands behind a line.

    Attributes:
        end: As it was given.
        is_terminal: Whether it is one.
    """

    def __init__(self, number: int | None, interrupts: Interrupts, end: bytes = b"\n") -> None:
        self._number = number
        self._interrupts = interrupts
        self.end = end
        self.is_terminal = number is not None and os.isatty(number)

    def line(self, line: bytes) -> bool:
        """Write a line; whether it had ends within, which are spaces then.

        Raises:
            OutputError: It can't be written.
        """
        has_ends = self.end in line
        self.raw((line.replace(self.end, b" ") if has_ends else line) + self.end)
        return has_ends

    def raw(self, data: bytes) -> None:
        """Write bytes. Raises OutputError."""
        if self._number is None:
            raise OutputError("it is closed", is_gone=True)
        rest = memoryview(data)
        self._interrupts.is_writing = True
        try:
            while rest:
                try:
                    rest = rest[os.write(self._number, rest) :]
                except BlockingIOError:  # another program, which has it too, made it so
                    select.select([], [self._number], [])
        except OSError as error:
            raise OutputError(error.strerror or str(error), error.errno in _GONE) from None
        finally:
            self._interrupts.is_writing = False


def number_of(stream: Any) -> int | None:
    """The descriptor of a standard stream; None where it was closed."""
    return None if stream is None else int(stream.fileno())


def writer(
    output: StandardOutput, binary: str, told: Callable[[str], object]
) -> Callable[[Text | Binary], None]:
    """What writes a message as it is asked for: its line.

    Nothing of it may control a terminal: that has escapes for it, and "hex" for "raw".

    Arguments:
        output: Where to.
        binary: How binaries are written: "base64", "hex"; "raw" for their bytes and nothing else.
        told: Gets a word for people, once.
    """
    is_told = False
    if output.is_terminal and binary == "raw":
        binary = "hex"

    def write(event: Text | Binary) -> None:
        nonlocal is_told
        if event.name == "binary":
            if binary == "raw":
                output.raw(event.data)
                return
            data = event.data
            line = data.hex().encode() if binary == "hex" else base64.b64encode(data)
        else:
            text = colouring.shown([("", event.text)], False) if output.is_terminal else event.text
            line = text.encode("utf-8", "surrogatepass")
        if output.line(line) and not is_told:
            is_told = True
            what, keeps = ("NULs", "") if output.end == b"\0" else ("ends of lines", "-0 or ")
            told(f"a message has {what} in it, written as spaces; {keeps}--jsonl keeps them")

    return write


def json_writer(
    output: StandardOutput, lines: Callable[[], dict[str, Any]]
) -> Callable[[Text | Binary], None]:
    """What writes a message as the line that a record has for it."""
    encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

    def write(event: Text | Binary) -> None:
        output.line(encode(lines()).encode())

    return write
