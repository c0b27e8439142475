"""What the command says on standard error: nothing, failures, events, or heads and frames too."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from ..response import escaped
from . import exits
from .interrupts import tell
from .printing import Printer

if TYPE_CHECKING:
    from ..ending import Ending
    from ..events import AnyEvent

_SILENT = ("poll",)


class Diagnostics:
    """Says on standard error what is wanted there.

    Arguments:
        level: -1: nothing; 0: what fails; 1: events too; 2: heads and frames too.
    """

    def __init__(self, level: int) -> None:
        self._level = level
        self._printer = Printer(tell, sys.stderr) if level > 0 else None
        if level > 1 and self._printer is not None:
            _show_frames(self._printer)

    def say(self, line: str) -> None:
        """Say a line."""
        if self._level >= 0:
            tell(f"lomond: {line}")

    def show(self, event: AnyEvent) -> None:
        """Show an event, if they are."""
        if self._printer is not None and event.name not in _SILENT:
            self._printer.show(event)

    def failure(self, ending: Ending) -> None:
        """Say how a connection ended that failed; of a refusal all that the server said."""
        self.say(exits.advice(ending))
        if ending.unconfirmed and ending.kind != "closed":
            self.say(f"{ending.unconfirmed} bytes of messages may not have arrived")
        body = b"" if ending.response is None else ending.response.body
        if body.strip() and self._level >= 0:
            for line in body.decode("utf-8", "replace").splitlines():
                tell(escaped(line.expandtabs()))


class _Frames(logging.Handler):
    """Shows what the library's log says of heads and frames."""

    def __init__(self, printer: Printer) -> None:
        super().__init__(logging.DEBUG)
        self._printer = printer

    def emit(self, record: logging.LogRecord) -> None:
        """Show one, without the connection's name, which all have."""
        if record.levelno == logging.DEBUG and isinstance(record.args, tuple):
            self._printer.line(str(record.args[-1]))


def _show_frames(printer: Printer) -> None:
    logger = logging.getLogger("lomond.connection")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(_Frames(printer))
    logger.propagate = False
