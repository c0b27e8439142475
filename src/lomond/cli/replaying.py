"""``lomond replay``: the events of a record, as lines."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext

from . import arguments, exits

_USAGE = "[OPTIONS] FILE"
_ABOUT = """\
Writes the events of a record, which lomond URL --record FILE has made or
WebSocket(url, record=FILE), as lines: seconds since its start, name, what
matters. FILE may be - for standard input."""
_END = """\
exit status: 0 done, 2 FILE can't be read or is no record, 130 Ctrl-C"""
_INPUT = "standard input"


def parser() -> arguments.Parser:
    """The parser of its arguments."""
    made = arguments.Parser("replay", _USAGE, _ABOUT, _END)
    add = made.add_argument
    add("file", metavar="FILE", help="a record")
    add("--speed", type=arguments.seconds, metavar="X", help="1.0 as it was")
    add("--jsonl", action="store_true", help="records' lines")
    return made


def run(given: Sequence[str]) -> int:
    """Show it; the exit status."""
    reader = parser()
    options = reader.parse_args(given)
    name = _INPUT if options.file == "-" else options.file
    with ExitStack() as stack:
        try:
            source = stack.enter_context(_opened(options.file))
        except OSError as error:
            reader.refuse(f"{name} can't be read: {error.strerror}")
        lines = _Lines(source)
        try:
            _show(lines, name, options)
        except ValueError as error:
            _tell(str(error))
            return exits.USAGE
    if lines.is_cut():
        _tell(f"{name} is cut in its last line, which is left out")
    return exits.DONE


def _opened(path: str) -> AbstractContextManager[Iterable[bytes]]:
    return nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb")


def _show(lines: _Lines, name: str, options: argparse.Namespace) -> None:
    """Write all of it. Raises ValueError where it is no record, after what stands before that."""
    from .. import records  # not for help
    from .printing import Printer

    is_slow = options.speed is not None
    printer = Printer(lambda line: print(line, flush=is_slow), sys.stdout)
    for recorded, event in records.events_of(lines, name, options.speed):
        if options.jsonl:
            print(lines.last.decode("utf-8", "replace").rstrip("\r\n"), flush=is_slow)
        else:
            printer.show(event, recorded.t)


class _Lines:
    """The lines of a file, of which the last one is known.

    Attributes:
        last: As it came; empty before the first.
    """

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = source
        self.last = b""

    def __iter__(self) -> Iterator[bytes]:
        for raw in self._source:
            self.last = raw
            yield raw

    def is_cut(self) -> bool:
        """Whether the last line is not whole."""
        try:
            json.loads(self.last or b"0")
        except ValueError:
            return bool(self.last.strip())
        return False


def _tell(said: str) -> None:
    sys.stdout.flush()
    if sys.stderr is not None:
        print(f"lomond replay: {said}", file=sys.stderr)
