"""The lines of a record as JSON and as values; docs/reference/record-format.md has the format."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from . import events
from .compression import Compression
from .ending import Ending, Gap, Pause
from .errors import ProtocolError, portable, restored
from .protocol.events import rebuild
from .protocol.frames import read_close_payload
from .response import Response
from .secured import Secured
from .stats import Stats, Traffic
from .timings import Attempt, Timings

if TYPE_CHECKING:
    from .io.journal import Entry

__all__ = ["LAST", "VERSION", "Close", "Context", "Recorded"]

#: Of the format. A record of a higher one is not read; what is added to lines does not raise it.
VERSION = 1
#: The ops with which what lines of a connection mean by those before is forgotten.
LAST = frozenset({"ending", "back_off"})
#: What stands for a response that is the same as that of the connection's last `response`.
ABOVE = "above"


class Close(NamedTuple):
    """What a close frame says (RFC 6455 section 5.5.1).

    Attributes:
        code: None if it names none.
        reason: Its text, as it came.

    Example:
        >>> from lomond.records import read
        >>> for event in WebSocket("wss://example.org", record="feed.jsonl"):
        ...     pass
        >>> [line.value.code for line in read("feed.jsonl") if line.op == "close"]
        [1000, 1000]
    """

    code: int | None
    reason: str


class Recorded(NamedTuple):
    """One line of a record.

    Attributes:
        line: Its number in the file, 1 for the first.
        recording: Its mark, where a file holds several; else empty.
        connection: The number that its process gave it.
        t: Seconds since that recording began.
        wall: Seconds since the epoch.
        direction: ``"in"``, ``"out"`` or ``"here"``.
        op: What the line tells, like ``"text"``.
        value: Of text: a str; of binary, ping and pong: bytes; of text_part, binary_part: the
            event; of close: Close, or the bytes of one that can't be read; of request: bytes; of
            response: Response; of an ending where nobody was told: Ending; where the loop
            got an event: that; of an op that is not known: the fields of the line.

    Example:
        >>> from lomond.records import read
        >>> for event in WebSocket("wss://example.org", record="feed.jsonl"):
        ...     pass
        >>> [(line.direction, line.value) for line in read("feed.jsonl") if line.op == "text"]
        [('in', 'hello')]
    """

    line: int
    recording: str
    connection: int
    t: float
    wall: float
    direction: str
    op: str
    value: Any


class Context:
    """What lines of a connection mean by those before: the same for who writes and who reads."""

    __slots__ = ("has_closed", "response")

    def __init__(self) -> None:
        self.response: Response | None = None
        self.has_closed = False  # this side's close frame stands before


_END = "\r\n\r\n"  # of a head

# From a connection

#: op of a line -> what it says of a value
Fields = dict[str, Any]


def op_of(entry: Entry) -> str | None:
    """The op of the line that tells this; None if none does."""
    op = entry.op
    if op in _SAYS or op in EVENTS:
        return op
    return "ending" if op in _ENDS or isinstance(entry.value, Ending) else None


def fields_of(entry: Entry, context: Context) -> Fields:
    """What the line says of an entry for which there is one, secrets included."""
    value = entry.value
    say = _SAYS.get(entry.op)
    if say is not None:
        if isinstance(value, Response):
            context.response = value
        return say(entry)
    if isinstance(value, events.Event):
        return _event_fields(value, context)
    return {**_plain(value, context), "event": None}


def _payload(data: bytes) -> Fields:
    return {"b64": b64encode(data).decode()}


def _place(part: events.Part) -> Fields:
    """Where in its message a part lies."""
    return {"offset": part.offset, "is_first": part.is_first, "is_last": part.is_last}


def _any_payload(data: bytes) -> Fields:
    """Bytes that mostly are a text, as one where they are."""
    if not data:
        return {}
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return _payload(data)


def _close(payload: bytes) -> Fields:
    try:
        code, reason = read_close_payload(payload)
    except ProtocolError:
        return _payload(payload)
    return {"code": code, "reason": reason}


def _lines(head: bytes) -> list[str] | str:
    """The lines of a head, a character for each byte; or all of one that ends otherwise."""
    text = head.decode("latin-1")
    return text[: -len(_END)].split("\r\n") if text.endswith(_END) else text


def _answer(response: Response) -> Fields:
    head = {"status": response.status_code, "head": _lines(response.raw)}
    return head | _any_payload(response.body)


_SAYS: dict[str, Callable[[Entry], Fields]] = {
    "request": lambda entry: {"url": entry.url, "head": _lines(entry.value)},
    "response": lambda entry: _answer(entry.value),
    "text": lambda entry: {"text": entry.value},
    "binary": lambda entry: _payload(entry.value),
    "text_part": lambda entry: {"text": entry.value.text, **_place(entry.value)},
    "binary_part": lambda entry: _payload(entry.value.data) | _place(entry.value),
    "ping": lambda entry: _payload(entry.value),
    "pong": lambda entry: _payload(entry.value),
    "close": lambda entry: _close(entry.value),
}


def _event_fields(event: events.Event, context: Context) -> Fields:
    """What an event says; that of an end within what its ending says."""
    _, (_, places, details) = event.__reduce__()[:2]
    said = dict(zip(type(event).__match_args__, places, strict=True)) | details
    del said["received_time"]
    if event.name not in _ENDS:  # type: ignore[attr-defined]  # each event has one
        return _parts(said.items(), context)
    ending = said.pop("ending")
    fields = {"name": event.name, **_parts(said.items(), context)}  # type: ignore[attr-defined]  # events have it
    told: Fields = {} if ending is None else _plain(ending, context)
    return {**told, "event": fields}


def _plain(value: object, context: Context) -> Any:
    """A value as JSON can say it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if isfinite(value) else str(value)  # JSON has no infinity
        case bytes():
            return b64encode(value).decode()
        case Response():
            known = context.response
            is_known = known is not None and (known.raw, known.body) == (value.raw, value.body)
            return ABOVE if is_known else _answer(value)
        case BaseException():
            return _plain(portable(value), context)
        case Ending() | Stats() | Traffic():
            return _parts(((name, getattr(value, name)) for name in value.__match_args__), context)
        case Timings() | Compression():
            return _parts(((name, getattr(value, name)) for name in value.__slots__), context)
        case Gap() | Pause() | Secured() | Attempt():
            return _parts(value._asdict().items(), context)
        case dict():
            return _parts(cast("dict[str, object]", value).items(), context)
        case set():
            return sorted(cast("set[str]", value))
        case list() | tuple():
            return [_plain(part, context) for part in cast("list[object]", value)]
        case _:
            return str(value)


def _parts(parts: Iterable[tuple[str, object]], context: Context) -> Fields:
    return {name: _plain(part, context) for name, part in parts}


# From a line


def value_of(op: str, direction: str, fields: Fields, context: Context) -> Any:
    """What a line tells. Raises KeyError, TypeError, ValueError or AttributeError for what can't.

    Arguments:
        op, direction, fields: Of the line.
        context: Of its connection; it is changed.
    """
    if direction == "here":
        return _event(op, fields, context)
    if op in _MEANS:
        value = _MEANS[op](fields)
        if op == "response":
            context.response = value
        elif op == "close" and direction == "out":
            context.has_closed = True
        return value
    return fields


def event_of(recorded: Recorded, has_closed: bool) -> events.AnyEvent | None:
    """The event that a line stands for; None if for none.

    Arguments:
        recorded: The line.
        has_closed: Whether this side's close frame stands before it.
    """
    value, wall = recorded.value, recorded.wall
    if recorded.direction == "out":
        return None
    if isinstance(value, events.Event):
        return value  # type: ignore[return-value]  # each kind of event is one of those
    if recorded.direction != "in":
        return None
    if isinstance(value, Close):
        kind = events.Closed if has_closed else events.Closing
        return kind(*value, received_time=wall)
    made = _MESSAGES.get(recorded.op)
    return None if made is None else made(value, received_time=wall)


def _event(op: str, fields: Fields, context: Context) -> Any:
    said = dict(fields)
    if op == "ending":
        event: Any = said.pop("event")
        ending = _ending(said, context) if "kind" in said else None
        if event is None:
            return ending
        op, said = event["name"], {**event, "ending": ending}
    kind: Any = _ENDS.get(op) or EVENTS.get(op)
    if kind is None:
        return fields
    names: list[str] = [*kind.__match_args__, *_details(kind)]
    values = {name: _meant(name, said.get(name), context) for name in names}
    places = tuple(values.pop(name) for name in kind.__match_args__)
    values["received_time"] = fields[_WALL]
    return rebuild(kind, places, values)


def _details(kind: type[events.Event]) -> tuple[str, ...]:
    found: tuple[str, ...] = kind._details  # pyright: ignore[reportPrivateUsage]  # as pickles do
    return found


def _meant(name: str, value: Any, context: Context) -> Any:
    """The value of a field, by its name."""
    if value is None or isinstance(value, Ending):
        return value
    return _FIELDS[name](value, context) if name in _FIELDS else value


def _response(said: Any, context: Context) -> Response:
    if said == ABOVE:
        return context.response or Response(b"")
    return _read_answer(said)


def _read_answer(fields: Fields) -> Response:
    return Response(_head(fields["head"]), body=_read_any_payload(fields))


def _head(lines: list[str] | str) -> bytes:
    text = lines if isinstance(lines, str) else "\r\n".join(lines) + _END
    return text.encode("latin-1")


def _read_payload(fields: Fields) -> bytes:
    return b64decode(fields["b64"], validate=True)


def _read_place(fields: Fields) -> tuple[int, bool, bool]:
    return fields["offset"], fields["is_first"], fields["is_last"]


def _read_any_payload(fields: Fields) -> bytes:
    if "text" in fields:
        return _text(fields).encode()
    return _read_payload(fields) if "b64" in fields else b""


def _read_close(fields: Fields) -> Close | bytes:
    return _read_payload(fields) if "b64" in fields else Close(fields["code"], fields["reason"])


def _text(fields: Fields) -> str:
    text = fields["text"]
    if not isinstance(text, str):
        raise TypeError("its text is none")
    return text


def _ending(said: Fields, context: Context) -> Ending:
    known = {name: said[name] for name in Ending.__match_args__ if name in said}
    return Ending(**{name: _meant(name, value, context) for name, value in known.items()})


def _tupled(value: object) -> Any:
    """A value with the tuples that JSON has made lists of, as certificates have them."""
    match value:
        case dict():
            parts = cast("dict[str, object]", value)
            return {name: _tupled(part) for name, part in parts.items()}
        case list():
            return tuple(map(_tupled, cast("list[object]", value)))
        case _:
            return value


def _timings(said: Fields, _: Context) -> Timings:
    found = Timings()
    for name in found.__slots__:
        setattr(found, name, said.get(name))
    found.attempts = tuple(Attempt(**attempt) for attempt in said["attempts"])
    return found


def _compression(said: Fields, _: Context) -> Compression:
    found = Compression()
    for name in found.__slots__:
        setattr(found, name, said[name])
    return found


def _secured(said: Fields, _: Context) -> Secured:
    der = said["der"]
    certificate = _tupled(said["certificate"])
    data = None if der is None else b64decode(der, validate=True)
    return Secured(said["version"], said["cipher"], said["alpn"], certificate, data)


def _stats(said: Fields, _: Context) -> Stats:
    ways = Traffic(**said["received"]), Traffic(**said["sent"])
    return Stats(*ways, said["since"], said["connections"])


def _gap(said: Fields, context: Context) -> Gap:
    ending = said["ending"]
    known = None if ending is None else _ending(ending, context)
    return Gap(said["since"], said["seconds"], said["unconfirmed"], known)


def _cause(said: Any, _: Context) -> BaseException:
    name, args = said
    return restored((name, tuple(args)))


_WALL = "wall"
_FIELDS: dict[str, Callable[[Any, Context], Any]] = {
    "response": _response,
    "ending": _ending,
    "timings": _timings,
    "compression": _compression,
    "tls": _secured,
    "gap": _gap,
    "pause": lambda said, _: Pause(**said),
    "stats": _stats,
    "cause": _cause,
    "extensions": lambda said, _: set(said),
}
_MEANS: dict[str, Callable[[Fields], Any]] = {
    "request": lambda fields: _head(fields["head"]),
    "response": _read_answer,
    "text": _text,
    "binary": _read_payload,
    "text_part": lambda fields: events.TextPart(
        _text(fields), *_read_place(fields), received_time=fields[_WALL]
    ),
    "binary_part": lambda fields: events.BinaryPart(
        _read_payload(fields), *_read_place(fields), received_time=fields[_WALL]
    ),
    "ping": _read_payload,
    "pong": _read_payload,
    "close": _read_close,
}
_MESSAGES: dict[str, Callable[..., events.AnyEvent]] = {
    "text": events.Text,
    "binary": events.Binary,
    "ping": events.Ping,
    "pong": events.Pong,
}
_ENDS: dict[str, type[events.Event]] = {
    "connect_fail": events.ConnectFail,
    "disconnected": events.Disconnected,
}
#: The events that have a line of their own. What the program posts, and asks, is its own business.
EVENTS: dict[str, type[events.Event]] = {
    kind.name: kind
    for kind in (
        events.Connecting,
        events.Connected,
        events.Ready,
        events.Entered,
        events.Rejected,
        events.ProtocolError,
        events.Unresponsive,
        events.BackOff,
    )
}
#: All that lines tell.
OPS = frozenset({*_SAYS, *EVENTS, "ending"})
