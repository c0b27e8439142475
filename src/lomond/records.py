"""Records: all that connections say and hear, as JSON Lines; and the same events again, from those.

``WebSocket(url, record="feed.jsonl")`` writes one. docs/records.md has the format.
"""

from __future__ import annotations

import io
import json
import logging
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakValueDictionary

from .constants import __version__
from .events import AnyEvent
from .io.posting import Bell
from .recorded import (
    LAST,
    VERSION,
    Close,
    Context,
    Recorded,
    event_of,
    fields_of,
    op_of,
    value_of,
)
from .redaction import Discretion
from .system.appending import Lines, lines_of
from .system.clock import monotonic

if TYPE_CHECKING:
    from typing import TextIO

    from .io.journal import Entry

    Path = str | os.PathLike[str]
    Target = Path | TextIO | Callable[[dict[str, Any]], object]

__all__ = ["VERSION", "Close", "Recorded", "Recorder", "read", "replay"]

Message = str | bytes

#: What the program says and hears: it tells what is secret there.
_MESSAGES = frozenset({"text", "binary"})
#: What has no words of ours.
_PAYLOADS = _MESSAGES | {"ping", "pong"}
_BINARY = (io.RawIOBase, io.BufferedIOBase)
_URLS = frozenset({"url", "proxy"})
log = logging.getLogger("lomond.records")
_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Recorder:
    """What writes a record; give it to ``WebSocket(url, record=...)``, or to several of them.

    All that is written to one path shares its clock. A path is opened at once, and a file made
    there that only its owner may read; what lies there already stays. Each line is written in one
    go, and nothing is held back. Where it can't be written (a disk is full) that is logged, and the
    record ends there; the connection goes on.

    Arguments:
        target: A path; a text file, like ``sys.stderr``; or a callable that is given a dict for
            each line.
        redact: Is called with each message (str, or bytes of a binary one), and gives what is
            recorded instead, of the same type.
        secrets: Whether Authorization, cookies, passwords and tokens in URLs, and the like are
            recorded as they are; else ``***`` stands for each.

    Raises:
        TypeError: The target, or `redact`, is none.
        OSError: The path can't be opened.

    Example:
        >>> lines = []
        >>> recorder = Recorder(lines.append, redact=lambda message: message[:100])
        >>> recorder
        Recorder(<built-in method append of list object at ...>)
    """

    def __init__(
        self,
        target: Target,
        *,
        redact: Callable[[Any], Message] | None = None,
        secrets: bool = False,
    ) -> None:
        if redact is not None and not callable(redact):
            raise TypeError(f"redact must be a callable that is given a message, not {redact!r}")
        self.target = target
        self._sink = _sink(target)
        self._redact = redact
        self._discretion = None if secrets else Discretion()
        self._contexts: dict[int, Context] = {}

    def __repr__(self) -> str:
        return f"Recorder({self.target!r})"

    def __call__(self, entry: Entry) -> None:
        """Record what a connection has told, if there is a line for that."""
        sink, op = self._sink, op_of(entry)
        if op is None or sink.has_failed:
            return
        if sink.began_at is None:
            sink.began_at = entry.moment
        line: dict[str, Any] = {"v": VERSION, "t": round(entry.moment - sink.began_at, 6)}
        line |= {"wall": round(entry.wall, 6), "c": entry.connection}
        if sink.mark:
            line["r"] = sink.mark
        line |= {"dir": entry.direction, "op": op} | self._fields(entry)
        if op in LAST:
            self._contexts.pop(entry.connection, None)
        if isinstance(sink, _Called):
            sink.act(line)
            return
        data = f"{_compact(line)}\n".encode()
        try:
            sink.append(data)
        except (OSError, ValueError) as error:
            said = "%r can't be written any more, and the record ends there: %s"
            log.warning(said, self, error)

    def is_for(self, target: object) -> bool:
        """Whether it still writes to that target."""
        is_there = not isinstance(self._sink, Lines) or self._sink.is_at()
        return self.target == target and is_there and not self._sink.has_failed

    def _fields(self, entry: Entry) -> dict[str, Any]:
        if entry.op in _PAYLOADS:
            if self._redact is not None and entry.op in _MESSAGES:
                entry = entry._replace(value=self._redacted(entry.value, self._redact))
            return fields_of(entry, Context())
        context = self._contexts.setdefault(entry.connection, Context())
        fields = fields_of(entry, context)
        known = self._discretion
        if known is None:
            return fields
        if entry.url is not None:
            known.learn_url(entry.url)
        if entry.op == "request":
            known.learn_head(entry.value)
        elif entry.op == "response":
            known.learn_head(entry.value.raw)
        return {name: _shown(name, value, known) for name, value in fields.items()}

    def _redacted(self, message: Message, redact: Callable[[Any], Message]) -> Message:
        shown: object = redact(message)
        if not isinstance(shown, type(message)):
            kind = type(message).__name__
            raise TypeError(f"redact must give a {kind} for a {kind}, not {type(shown).__name__}")
        return shown


def recorder(target: Target | Recorder, kept: Recorder | None) -> Recorder:
    """The recorder for what was given as ``record=``.

    Arguments:
        target: What was given.
        kept: The recorder of the connection before, which goes on if it is for the same.

    Raises:
        TypeError, OSError: There is none for it.
    """
    if isinstance(target, Recorder):
        return target
    if kept is not None and kept.is_for(target):
        return kept
    return Recorder(target)


def _shown(name: str, value: object, known: Discretion) -> object:
    """The value of a field without secrets."""
    match value:
        case str() if name in _URLS:
            return known.url(value)
        case str() if name == "b64":
            return b64encode(known.data(b64decode(value))).decode()
        case list() if name == "head":
            lines = "\r\n".join(cast("list[str]", value))
            return _shown_head(lines, known).split("\r\n")
        case str() if name == "head":
            return _shown_head(value, known)
        case str() if name != "der":
            return known.text(value)
        case list():
            parts = cast("list[object]", value)
            return [_shown(name, part, known) for part in parts]
        case dict():
            fields = cast("dict[str, object]", value)
            return {name: _shown(name, part, known) for name, part in fields.items()}
        case _:
            return value


def _shown_head(head: str, known: Discretion) -> str:
    return known.head(head.encode("latin-1")).decode("latin-1")


# Where lines go


class _Called:
    """What is given the dict of each line."""

    def __init__(self, act: Callable[[dict[str, Any]], object]) -> None:
        self.act = act
        self.began_at: float | None = None
        self.has_failed = False
        self.mark = ""


class _Written:
    """A text file that lines are written to."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.began_at: float | None = None
        self.has_failed = False
        self.mark = ""

    def append(self, line: bytes) -> None:
        """Write a line. Raises OSError, or ValueError: it is closed. Then no other one is taken."""
        try:
            self._file.write(line.decode())
            self._file.flush()
        except (OSError, ValueError):
            self.has_failed = True
            raise


#: Those that somebody has, by the numbers of their files.
_written: WeakValueDictionary[int, _Written] = WeakValueDictionary()


def _sink(target: Any) -> Lines | _Written | _Called:
    """What takes the lines: the same for all who give the same path, or file."""
    if isinstance(target, str | os.PathLike):
        return lines_of(cast("Path", target))
    if callable(getattr(target, "write", None)):
        if isinstance(target, _BINARY) or "b" in str(getattr(target, "mode", "")):
            raise TypeError(f"a record is text, which {target!r} does not take; give its path")
        known = _written.get(id(target))
        if known is None:
            known = _written[id(target)] = _Written(target)
        return known
    if callable(target):
        return _Called(target)
    raise TypeError(f"a record needs a path, a text file or a callable, not {target!r}")


# Reading


def read(path: Path) -> Generator[Recorded, None, None]:
    """The lines of a record, one after the other.

    A last line that is cut is left out, as is that at which a recording was cut before another one
    began in the same file.

    Arguments:
        path: Of the record.

    Raises:
        OSError: It can't be read.
        ValueError: It is of a newer version, or a line is none of a record's; the message says
            which one.
    """
    for recorded, _ in _read(path):
        yield recorded


def replay(
    path: Path, speed: float | None = None, *, connection: int | None = None
) -> Generator[AnyEvent, None, None]:
    """The events that were handed out when a record was written.

    They come in the order of the record: several connections at a time as they came, one recording
    of a file after the other. `received_time` is as it was. Poll is not recorded, nor what the
    program posts. What answered a message sent with `reply=` or `ask` is a Text or a Binary here,
    as it came. Secrets are ``***`` where they were recorded so.

    Arguments:
        path: Of the record.
        speed: None for one after the other, at once; 1.0 for when they came, 2.0 for twice as fast.
            The time that the program takes meanwhile is no further delay. Blocks this thread.
        connection: The number of the one whose events are wanted; None for all.

    Raises:
        OSError, ValueError: As of `read`, at the event that can't be told.
        ValueError: The speed is not above 0.

    Example:
        >>> for event in replay("feed.jsonl"):  # doctest: +SKIP
        ...     print(event)
    """
    if speed is not None and not 0 < speed < inf:
        raise ValueError(f"speed must be above 0, like 1.0, or None for at once, not {speed!r}")
    return _replayed(path, speed, connection)


def _replayed(
    path: Path, speed: float | None, connection: int | None
) -> Generator[AnyEvent, None, None]:
    began: dict[str, float] = {}
    for recorded, has_closed in _read(path):
        if connection not in (None, recorded.connection):
            continue
        event = event_of(recorded, has_closed)
        if event is None:
            continue
        if speed is not None:
            after = recorded.t / speed
            _wait_until(began.setdefault(recorded.recording, monotonic() - after) + after)
        yield event


def _wait_until(moment: float) -> None:
    while (left := moment - monotonic()) > 0:
        Bell().wait(left)


def _read(path: Path) -> Iterator[tuple[Recorded, bool]]:
    """Each line, and whether this side's close frame stands before it."""
    contexts: dict[tuple[str, int], Context] = {}
    recordings: set[str] = set()
    cut: ValueError | None = None
    raw = b""
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            place = f"{os.fspath(path)}:{number}"
            try:
                line = _parsed(raw, place)
            except ValueError as error:
                if cut is not None:
                    raise cut from None
                cut = error
                continue
            recording = str(line.get("r", ""))
            if cut is not None and recording in recordings:
                raise cut
            cut = None
            _check_version(line, place)
            recordings.add(recording)
            with _told_of(place):
                key = recording, line["c"]
                context = contexts.setdefault(key, Context())
                recorded = _typed(number, recording, line, context)
            yield recorded, context.has_closed
            if recorded.op in LAST:
                del contexts[key]
    if cut is not None and raw.endswith(b"\n"):
        raise cut


def _parsed(raw: bytes, place: str) -> dict[str, Any]:
    """What a line says. Raises ValueError where it is not the JSON of an object."""
    with _told_of(place):
        line: object = json.loads(raw)
        if isinstance(line, dict):
            return cast("dict[str, Any]", line)
        raise TypeError("it is no object")


def _check_version(line: dict[str, Any], place: str) -> None:
    version = line.get("v")
    if type(version) is int and version > VERSION:
        raise ValueError(
            f"{place} is of version {version} of the format; lomond {__version__} reads records up "
            f"to version {VERSION}: read it with a newer one"
        )
    if type(version) is not int or version != VERSION:
        raise ValueError(f"{place} is no line of a record: its version is {version!r}")


def _typed(number: int, recording: str, line: dict[str, Any], context: Context) -> Recorded:
    direction, op = str(line["dir"]), str(line["op"])
    value = value_of(op, direction, line, context)
    moment, wall = float(line["t"]), float(line["wall"])
    return Recorded(number, recording, int(line["c"]), moment, wall, direction, op, value)


@contextmanager
def _told_of(place: str) -> Generator[None, None, None]:
    """Say of which line it is that it can't be read."""
    try:
        yield
    except KeyError as error:
        raise ValueError(f"{place} is no line of a record: it has no {error}") from None
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"{place} is no line of a record: {error}") from None
