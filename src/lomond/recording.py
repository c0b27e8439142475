"""Who writes a record: all that connections tell, without what is secret, as JSON Lines."""

from __future__ import annotations

import io
import json
import logging
import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakValueDictionary

from .protocol.events import BinaryPart, TextPart, content
from .recorded import LAST, VERSION, Context, fields_of, op_of
from .redaction import Discretion
from .system import forking
from .system.appending import Lines, lines_of, new_mark

if TYPE_CHECKING:
    from typing import TextIO

    from .io.journal import Entry

    Path = str | os.PathLike[str]
    Target = Path | TextIO | Callable[[dict[str, Any]], object]

__all__ = ["Recorder", "recorder"]

Message = str | bytes

#: What the program says and hears: it tells what is secret there.
_MESSAGES = frozenset({"text", "binary"})
#: What has no words of ours.
_PARTS = {"text_part": TextPart, "binary_part": BinaryPart}
_PAYLOADS = _MESSAGES | {"ping", "pong", *_PARTS}
_BINARY = (io.RawIOBase, io.BufferedIOBase)
_NOTHING = Context()  # stands before a frame, whatever does
_URLS = frozenset({"url", "proxy"})
_MARK = ',"r":"%s"'
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
        redact: Is called with each message (str, or bytes of a binary one), or part of one, and
            gives what is recorded instead, of the same type. None, the default, for as it is.
        secrets: Whether Authorization, cookies, passwords and tokens in URLs, and the like are
            recorded as they are; False, the default, for ``***`` in the place of each.

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
        self._secrets = secrets
        self._discretion = None if secrets else Discretion()
        self._contexts: dict[int, Context] = {}

    def __repr__(self) -> str:
        return f"Recorder({self.target!r})"

    def __copy__(self) -> Recorder:
        return self  # what it writes to is one

    def __deepcopy__(self, _: object) -> Recorder:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.target, self._redact, self._secrets)

    def __call__(self, entry: Entry) -> None:
        """Record what a connection has told, if there is a line for that."""
        sink, op = self._sink, op_of(entry)
        if op is None and entry.op == "asked" and self._discretion is not None:
            self._discretion.learn_head(entry.value)
        if op is None or sink.has_failed:
            return
        began_at = sink.began_at
        if began_at is None:
            began_at = sink.began_at = entry.moment
        t, wall = round(entry.moment - began_at, 6), round(entry.wall, 6)
        fields = self._said(entry) if op in _PAYLOADS else self._told(entry)
        if op in LAST:
            self._contexts.pop(entry.connection, None)
        if isinstance(sink, _Called):
            line = {"v": VERSION, "t": t, "wall": wall, "c": entry.connection}
            sink.act(line | {"dir": entry.direction, "op": op} | fields)
            return
        # The same in JSON: an encoder takes as long for numbers as for all else.
        head = f'{{"v":{VERSION},"t":{t},"wall":{wall},"c":{entry.connection}'
        head += f'{sink.mark and _MARK % sink.mark},"dir":"{entry.direction}","op":"{op}"'
        rest = "".join([f',"{name}":{_compact(value)}' for name, value in fields.items()])
        try:
            sink.append(f"{head}{rest}}}\n".encode())
        except (OSError, ValueError) as error:
            said = "%r can't be written any more, and the record ends there: %s"
            log.warning(said, self, error)

    def is_for(self, target: object) -> bool:
        """Whether it still writes to that target.

        Arguments:
            target: What a Recorder is made of.

        Example:
            >>> Recorder("feed.jsonl").is_for("feed.jsonl")
            True
        """
        is_there = not isinstance(self._sink, Lines) or self._sink.is_at()
        return self.target == target and is_there and not self._sink.has_failed

    def _said(self, entry: Entry) -> dict[str, Any]:
        """What the line of a frame says."""
        if self._redact is not None and entry.op in _MESSAGES:
            entry = entry._replace(value=self._redacted(entry.value, self._redact))
        elif self._redact is not None and entry.op in _PARTS:
            part = entry.value
            shown: Any = self._redacted(content(part), self._redact)
            kind = _PARTS[entry.op]
            entry = entry._replace(value=kind(shown, part.offset, part.is_first, part.is_last))
        return fields_of(entry, _NOTHING)

    def _told(self, entry: Entry) -> dict[str, Any]:
        """What the line of a head or an event says, without secrets."""
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


def _restored(target: Target, redact: Callable[[Any], Message] | None, secrets: bool) -> Recorder:
    return Recorder(target, redact=redact, secrets=secrets)


def _shown(name: str, value: object, known: Discretion) -> object:
    """The value of a field without secrets."""
    match value:
        case str() if name in _URLS:
            return known.url(value)
        case str() if name == "b64":
            return b64encode(known.body(b64decode(value))).decode()
        case str() if name == "text":
            return known.body(value)
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
        forking.watch(self)

    def forked(self) -> None:
        """Tell the lines of this child from its parent's, which writes to the same file."""
        self.mark = new_mark()
        self.began_at = None

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
        if known is None or known.has_failed:
            known = _written[id(target)] = _Written(target)
        return known
    if callable(target):
        return _Called(target)
    raise TypeError(f"a record needs a path, a text file or a callable, not {target!r}")
