# cython: binding=True
"""The events. Plain classes with slots, so that the compiled twin can make them cheaply.

Made in protocol/ and session/, which say when; users import them from lomond.events. What a user
makes has the time of its making.
"""

from __future__ import annotations

import time as _time
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import portable, restored
from ..payloads import cut, read_json
from ..response import LONGEST
from ..url import redact
from .absent import KINDS, Absent, absent

if TYPE_CHECKING:
    from typing import Literal, NoReturn

    from ..compression import Compression
    from ..ending import Ending, Gap
    from ..response import Response
    from ..secured import Secured
    from ..timings import Timings

#: The wall clock; system/clock.py can have it call another one.
time = partial(_time.time)


def _shown(value: object) -> str:
    """What repr says of what may be long."""
    said = repr(value)
    return said if len(said) <= LONGEST + 2 else f"{said[: LONGEST - 2]}...{said[0]}"


def _shown_url(url: str) -> str:
    from ..redaction import discreet_url  # few programs print an event

    return _shown(discreet_url(url))


class Event:
    """Base of all events.

    Attributes:
        received_time: When its bytes were read, or it was made: seconds since the epoch.

    Example:
        >>> [event.name for event in WebSocket("wss://example.org") if isinstance(event, Event)][:2]
        ['connecting', 'connected']
    """

    __slots__ = ("received_time",)
    __match_args__: tuple[str, ...] = ()
    _details: tuple[str, ...] = ("received_time",)
    _derived: tuple[str, ...] = ()  # attributes that are made of the others

    def __init__(self, *, received_time: float | None = None) -> None:
        self.received_time = time() if received_time is None else received_time

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[Any, ...]:
        fields = tuple(getattr(self, name) for name in self.__match_args__)
        details = {name: getattr(self, name) for name in self._details}
        if isinstance(cause := details.get("cause"), BaseException):
            details["cause"] = portable(cause)
        kind = type(self)
        if kind.__module__ == __name__:
            return (rebuild, (kind, fields, details))
        # What a user's class adds is its state.
        state = (getattr(self, "__dict__", None), _added_slots(self, kind))
        return (rebuild, (kind, fields, details), state)


def rebuild(kind: type[Event], fields: tuple[Any, ...], details: dict[str, Any]) -> Event:
    """An event from its pickled parts. A cause comes back as its own type if that is built in.

    Arguments:
        kind: Its class; a user's is made without its own ``__init__``.
        fields, details: The arguments of ours.
    """
    if isinstance(details.get("cause"), tuple):
        details["cause"] = restored(details["cause"])
    event = kind.__new__(kind)
    _ours(kind).__init__(event, *fields, **details)
    return event


def _ours(kind: type[Event]) -> type[Event]:
    """The class of this module that it is, or is derived from."""
    return next(base for base in kind.__mro__ if base.__module__ == __name__)


def _added_slots(event: Event, kind: type[Event]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in kind.__mro__[: kind.__mro__.index(_ours(kind))]:
        slots: str | tuple[str, ...] = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(event, name):
                found[name] = getattr(event, name)
    return found


class Notice(Event):
    """Base of all events but messages, which come too often for a ``__getattr__``."""

    __slots__ = ()

    if not TYPE_CHECKING:  # to which there is nothing else

        def __getattr__(self, name: str) -> NoReturn:
            raise absent(self, name)


class FailureEvent(Notice):
    """Base of the events that report a failure.

    Attributes:
        cause: The system's, TLS's or lomond's own error, or None.
        phase: Where it happened: ``"credentials"`` (what headers=, cookies= and the like call
            raised, so that the request could not be made), ``"resolve"``, ``"connect"``,
            ``"proxy"``, ``"tls"``, ``"upgrade"``, ``"enter"``, ``"read"`` or ``"write"``; None
            where nothing failed.
        address: The peer, like ``"192.0.2.1:443"`` or the name that was asked for; or None.
        elapsed: Seconds from the start of the connection to the failure, or None.
        timings: How long each phase of the connection took, or None.

    Example:
        >>> with pretend(Server().cuts()):
        ...     events = list(WebSocket("wss://example.org"))
        >>> [event.phase for event in events if isinstance(event, FailureEvent)]
        ['read']
    """

    __slots__ = ("address", "cause", "elapsed", "phase", "timings")
    _details: tuple[str, ...] = ("received_time", "cause", "phase", "address", "elapsed", "timings")

    def __init__(
        self,
        *,
        cause: BaseException | None = None,
        phase: str | None = None,
        address: str | None = None,
        elapsed: float | None = None,
        timings: Timings | None = None,
        received_time: float | None = None,
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.cause = cause
        self.phase = phase
        self.address = address
        self.elapsed = elapsed
        self.timings = timings


class Connecting(Notice):
    """The start of a connection: nothing has happened yet.

    Attributes:
        url: Where to; None where a callable is to be asked for that, after this.

    Example:
        >>> [event.url for event in WebSocket("wss://example.org") if event.name == "connecting"]
        ['wss://example.org']
    """

    __slots__ = ("url",)
    __match_args__ = ("url",)
    name: Literal["connecting"] = "connecting"

    def __init__(self, url: str | None, *, received_time: float | None = None) -> None:
        Event.__init__(self, received_time=received_time)
        self.url = url

    def __repr__(self) -> str:
        return f"Connecting(url={None if self.url is None else _shown_url(self.url)})"


class ConnectFail(FailureEvent):
    """No connection could be made. The last event.

    Attributes:
        reason: Why, for people.
        response: The refusal of an HTTP proxy, body included; or None.
        ending: All that is known of how it ended, and one line for people; None in an event that
            a program made.

    Example:
        >>> websocket = WebSocket("wss://example.org", proxies={"https": "http://proxy:8080"})
        >>> with pretend(Server().refuses(407)):
        ...     events = list(websocket)
        >>> events[-1].phase, events[-1].response.status_code
        ('proxy', 407)
    """

    __slots__ = ("ending", "reason", "response")
    __match_args__ = ("reason",)
    _details: tuple[str, ...] = (*FailureEvent._details, "response", "ending")
    name: Literal["connect_fail"] = "connect_fail"

    def __init__(
        self,
        reason: str,
        *,
        response: Response | None = None,
        ending: Ending | None = None,
        **details: Any,
    ) -> None:
        FailureEvent.__init__(self, **details)
        self.reason = reason
        self.response = response
        self.ending = ending


class Connected(Notice):
    """TCP and TLS stand and the upgrade request is written. Not yet the time to send.

    Attributes:
        url: Where to.
        proxy: The URL of the proxy that is used, with ``***`` for credentials; or None.
        address: The peer, like ``"192.0.2.1:443"``: the proxy's, if one is used.
        tls: What TLS has agreed on with the server: `version`, `cipher`, `alpn`, the server's
            `certificate` as ``getpeercert()`` gives it, and its bytes, `der`. None for ws://.
        proxy_source: Who names the proxy, like ``"proxies['https']"`` or
            ``"environment variable https_proxy"``; None without one.

    Example:
        >>> [event.address for event in WebSocket("wss://example.org") if event.name == "connected"]
        ['192.0.2.1:443']
    """

    __slots__ = ("address", "proxy", "proxy_source", "tls", "url")
    __match_args__ = ("url", "proxy")
    _details: tuple[str, ...] = ("received_time", "address", "tls", "proxy_source")
    name: Literal["connected"] = "connected"

    def __init__(
        self,
        url: str,
        proxy: str | None = None,
        *,
        address: str | None = None,
        tls: Secured | None = None,
        proxy_source: str | None = None,
        received_time: float | None = None,
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.url = url
        self.proxy = proxy
        self.address = address
        self.tls = tls
        self.proxy_source = proxy_source

    def __repr__(self) -> str:
        proxy = "" if self.proxy is None else f", proxy={redact(self.proxy)!r}"
        return f"Connected(url={_shown_url(self.url)}{proxy})"


class Rejected(FailureEvent):
    """The server answered, but did not upgrade (RFC 6455 section 4.1).

    Attributes:
        response: The answer, body included.
        reason: What was wrong with it, for people.

    Example:
        >>> with pretend(Server().refuses(401)):
        ...     events = list(WebSocket("wss://example.org"))
        >>> events[2].response.status_code
        401
    """

    __slots__ = ("reason", "response")
    __match_args__ = ("response", "reason")
    name: Literal["rejected"] = "rejected"

    def __init__(self, response: Response, reason: str, **details: Any) -> None:
        FailureEvent.__init__(self, **details)
        self.response = response
        self.reason = reason


class Ready(Notice):
    """The connection is open (RFC 6455 section 4.1): messages may be sent and will come.

    Attributes:
        response: The server's answer.
        protocol: The sub-protocol that the server chose, or None.
        extensions: The names of those in use.
        compression: What was negotiated about compression, with a live count of bytes; or None.
        timings: How long each phase of the connection took, or None.
        number: Which of the object's connections that became ready it is, from 1 on.
        gap: What may have been missed since the one before: `since`, `seconds`, `unconfirmed` and
            `ending`; None for the first one.

    Example:
        >>> [event.number for event in WebSocket("wss://example.org") if event.name == "ready"]
        [1]
    """

    __slots__ = (
        "compression", "extensions", "gap", "number", "protocol", "response", "timings",
    )  # fmt: skip
    __match_args__ = ("response", "protocol", "extensions")
    _details: tuple[str, ...] = ("received_time", "compression", "timings", "number", "gap")
    name: Literal["ready"] = "ready"

    def __init__(
        self,
        response: Response,
        protocol: str | None,
        extensions: set[str],
        *,
        compression: Compression | None = None,
        timings: Timings | None = None,
        number: int = 1,
        gap: Gap | None = None,
        received_time: float | None = None,
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.response = response
        self.protocol = protocol
        self.extensions = extensions
        self.compression = compression
        self.timings = timings
        self.number = number
        self.gap = gap


class Entered(Notice):
    """What `enter=` does is done: the connection serves what it is for.

    Attributes:
        number: As of `Ready`.
        gap: As of `Ready`, up to now.

    Example:
        >>> def enter(ready):
        ...     yield "login"
        >>> with pretend(Server().hears("login").after(1).closes()):
        ...     events = list(WebSocket("wss://example.org").connect(enter=enter))
        >>> [event.number for event in events if event.name == "entered"]
        [1]
    """

    __slots__ = ("gap", "number")
    __match_args__ = ("number", "gap")
    name: Literal["entered"] = "entered"

    def __init__(
        self, number: int = 1, gap: Gap | None = None, *, received_time: float | None = None
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.number = number
        self.gap = gap


class ProtocolError(FailureEvent):
    """The peer broke the protocol; the connection ends.

    Attributes:
        error: What the peer did.
        critical: The original library's label for broken UTF-8 or HTTP.
        code: The close code that answers it, or None before the upgrade.
        section: Where the rule stands, for example ``"RFC 6455 5.2"``.

    Example:
        >>> with pretend(Server().garbage()):
        ...     events = list(WebSocket("wss://example.org"))
        >>> events[-2].section
        'RFC 6455 5.2'
    """

    __slots__ = ("code", "critical", "error", "section")
    __match_args__ = ("error", "critical")
    _details: tuple[str, ...] = (
        "received_time",
        "cause",
        "phase",
        "address",
        "elapsed",
        "timings",
        "code",
        "section",
    )
    name: Literal["protocol_error"] = "protocol_error"

    def __init__(
        self,
        error: str,
        critical: bool,
        *,
        code: int | None = None,
        section: str = "",
        **details: Any,
    ) -> None:
        FailureEvent.__init__(self, **details)
        self.error = error
        self.critical = critical
        self.code = code
        self.section = section


class Unresponsive(FailureEvent):
    """Nothing came for `ping_timeout` seconds after a ping; the connection ends.

    Example:
        >>> with pretend(Server().ignores_pings()):
        ...     events = list(WebSocket("wss://example.org").connect(ping_rate=5, ping_timeout=5))
        >>> events[-2].name
        'unresponsive'
    """

    __slots__ = ()
    name: Literal["unresponsive"] = "unresponsive"


class Disconnected(FailureEvent):
    """The connection is over. The last event.

    Attributes:
        reason: Why, for people.
        graceful: Whether both sides ended it as the protocol says.
        unconfirmed: As `ending` has it.
        ending: All that is known of how it ended, and one line for people; None in an event that
            a program made.

    Example:
        >>> events = list(WebSocket("wss://example.org"))
        >>> events[-1].reason, events[-1].graceful
        ('closed', True)
    """

    __slots__ = ("ending", "graceful", "reason", "unconfirmed")
    __match_args__ = ("reason", "graceful")
    _details: tuple[str, ...] = (*FailureEvent._details, "unconfirmed", "ending")
    name: Literal["disconnected"] = "disconnected"

    def __init__(
        self,
        reason: str = "closed",
        graceful: bool = False,
        *,
        unconfirmed: int = 0,
        ending: Ending | None = None,
        **details: Any,
    ) -> None:
        FailureEvent.__init__(self, **details)
        self.reason = reason
        self.graceful = graceful
        self.unconfirmed = unconfirmed
        self.ending = ending


class Closed(Notice):
    """The server answered our close frame (RFC 6455 section 5.5.1).

    Attributes:
        code: Of its frame; None if it named none.
        reason: Its text as it came: escape it before you print it to a terminal.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> with pretend(Server()):
        ...     for event in websocket:
        ...         if event.name == "ready":
        ...             websocket.close()
        ...         elif event.name == "closed":
        ...             print(event.code)
        1000
    """

    __slots__ = ("code", "reason")
    __match_args__ = ("code", "reason")
    name: Literal["closed"] = "closed"

    def __init__(
        self, code: int | None, reason: str, *, received_time: float | None = None
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.code = code
        self.reason = reason

    def __repr__(self) -> str:
        return f"Closed(code={self.code!r}, reason={_shown(self.reason)})"


class Closing(Notice):
    """The server closes (RFC 6455 section 5.5.1).

    Messages may still be sent in the handler; the answer follows it.

    Attributes:
        code: Of its frame; None if it named none.
        reason: Its text as it came: escape it before you print it to a terminal.

    Example:
        >>> [event.code for event in WebSocket("wss://example.org") if event.name == "closing"]
        [1000]
    """

    __slots__ = ("code", "reason")
    __match_args__ = ("code", "reason")
    name: Literal["closing"] = "closing"

    def __init__(
        self, code: int | None, reason: str, *, received_time: float | None = None
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.code = code
        self.reason = reason

    def __repr__(self) -> str:
        return f"Closing(code={self.code!r}, reason={_shown(self.reason)})"


class UnknownMessage(Notice):
    """Kept for its name; unknown opcodes are a ProtocolError.

    Attributes:
        message: Anything.

    Example:
        >>> any(event.name == "unknown" for event in WebSocket("wss://example.org"))
        False
    """

    __slots__ = ("message",)
    __match_args__ = ("message",)
    name: Literal["unknown"] = "unknown"

    def __init__(self, message: object, *, received_time: float | None = None) -> None:
        Event.__init__(self, received_time=received_time)
        self.message = message

    def __repr__(self) -> str:
        return "UnknownMessage()"


class Ping(Notice):
    """The server sent a ping (RFC 6455 section 5.5.2).

    Unless `auto_pong` is off, it is answered already.

    Attributes:
        data: Up to 125 bytes.

    Example:
        >>> with pretend(Server().pings(b"7").closes()):
        ...     events = list(WebSocket("wss://example.org"))
        >>> [event.data for event in events if event.name == "ping"]
        [b'7']
    """

    __slots__ = ("data",)
    __match_args__ = ("data",)
    name: Literal["ping"] = "ping"

    def __init__(self, data: bytes, *, received_time: float | None = None) -> None:
        Event.__init__(self, received_time=received_time)
        self.data = data


class Pong(Notice):
    """The server sent a pong (RFC 6455 section 5.5.3).

    Attributes:
        data: Up to 125 bytes: those of the ping that it answers.

    Example:
        >>> with pretend(Server().after(1.5).closes()):
        ...     events = list(WebSocket("wss://example.org").connect(ping_rate=1))
        >>> [event.name for event in events].count("pong")
        1
    """

    __slots__ = ("data",)
    __match_args__ = ("data",)
    name: Literal["pong"] = "pong"

    def __init__(self, data: bytes, *, received_time: float | None = None) -> None:
        Event.__init__(self, received_time=received_time)
        self.data = data


class Text(Event):
    """A text message, whole (RFC 6455 section 5.6).

    It is its own first and last part, where `parts` asks for parts of what is longer.
    A pickle, or a copy, has its text alone: `json` is json's there, whatever `loads` was.

    Attributes:
        text: The message.

    Example:
        >>> [event.text for event in WebSocket("wss://example.org") if event.name == "text"]
        ['hello']
    """

    __slots__ = ("_json", "text")
    __match_args__ = ("text",)
    _derived = ("json",)
    name: Literal["text"] = "text"
    offset = 0
    is_first = is_last = True
    if not TYPE_CHECKING:
        data = Absent("data")

    def __init__(self, text: str, *, received_time: float | None = None) -> None:
        Event.__init__(self, received_time=received_time)
        self.text = text

    @property
    def json(self) -> Any:
        """The text decoded as JSON, once, by the WebSocket's `loads` if it has one.

        Raises ``json.JSONDecodeError``, or what `loads` raises, if it is none.
        """
        # Unset, or None, in an event fresh from the wire; then `loads`, if the WebSocket has one.
        known: Any = getattr(self, "_json", None)
        if known is None or callable(known):
            known = self._json = (read_json(self.text, known),)
        return known[0]

    def __repr__(self) -> str:
        return f"Text(text={cut(self.text, 'chars')})"


class Binary(Event):
    """A binary message, whole (RFC 6455 section 5.6).

    It is its own first and last part, as a Text.

    Attributes:
        data: The message.

    Example:
        >>> with pretend(Server().says(b"hi").closes()):
        ...     events = list(WebSocket("wss://example.org"))
        >>> [event.data for event in events if event.name == "binary"]
        [b'hi']
    """

    __slots__ = ("data",)
    __match_args__ = ("data",)
    name: Literal["binary"] = "binary"
    offset = 0
    is_first = is_last = True
    if not TYPE_CHECKING:
        json = Absent("json")
        text = Absent("text")

    def __init__(self, data: bytes, *, received_time: float | None = None) -> None:
        Event.__init__(self, received_time=received_time)
        self.data = data

    def __repr__(self) -> str:
        return f"Binary(data={cut(self.data, 'bytes')})"


class Part(Notice):
    """Base of the parts of messages.

    Attributes:
        offset: Bytes of the message before it.
        is_first: Whether the message begins with it.
        is_last: Whether the message ends with it. The last one may be empty.

    Example:
        >>> events = WebSocket("wss://example.org", parts=4)
        >>> [event.offset for event in events if isinstance(event, Part)]
        [0, 4]
    """

    __slots__ = ("is_first", "is_last", "offset")

    def __init__(
        self, offset: int, is_first: bool, is_last: bool, received_time: float | None
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.offset = offset
        self.is_first = is_first
        self.is_last = is_last


class TextPart(Part):
    """A part of a text message that is longer than `parts`.

    Attributes:
        text: At most so many bytes of it, as UTF-8; a code point is never cut.

    Example:
        >>> events = WebSocket("wss://example.org", parts=4)
        >>> [event.text for event in events if event.name == "text_part"]
        ['hell', 'o']
    """

    __slots__ = ("text",)
    __match_args__ = ("text", "offset", "is_first", "is_last")
    name: Literal["text_part"] = "text_part"

    def __init__(
        self,
        text: str,
        offset: int = 0,
        is_first: bool = True,
        is_last: bool = False,
        *,
        received_time: float | None = None,
    ) -> None:
        Part.__init__(self, offset, is_first, is_last, received_time)
        self.text = text

    def __repr__(self) -> str:
        return f"TextPart(text={cut(self.text, 'chars')}, {_place(self)})"


class BinaryPart(Part):
    """A part of a binary message that is longer than `parts`.

    Attributes:
        data: At most so many bytes of it.

    Example:
        >>> with pretend(Server().says(b"hello").closes()):
        ...     events = list(WebSocket("wss://example.org", parts=4))
        >>> [event.data for event in events if event.name == "binary_part"]
        [b'hell', b'o']
    """

    __slots__ = ("data",)
    __match_args__ = ("data", "offset", "is_first", "is_last")
    name: Literal["binary_part"] = "binary_part"

    def __init__(
        self,
        data: bytes,
        offset: int = 0,
        is_first: bool = True,
        is_last: bool = False,
        *,
        received_time: float | None = None,
    ) -> None:
        Part.__init__(self, offset, is_first, is_last, received_time)
        self.data = data

    def __repr__(self) -> str:
        return f"BinaryPart(data={cut(self.data, 'bytes')}, {_place(self)})"


def content(part: TextPart | BinaryPart) -> str | bytes:
    """What a part has of its message."""
    return part.text if part.name == "text_part" else part.data


def _place(part: Part) -> str:
    """Where in its message it lies."""
    return f"offset={part.offset}, is_first={part.is_first}, is_last={part.is_last}"


class Reply(Notice):
    """A message that answers one that was sent with `reply=`; it is no `text` or `binary` too.

    Attributes:
        request: What was sent, as the program gave it.
        message: The text, or binary, that answers it.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> with pretend(Server().hears().says({"id": 7}).closes()):
        ...     for event in websocket:
        ...         if event.name == "ready":
        ...             websocket.send_json({"id": 7}, reply=("id", 7))
        ...         elif event.name == "reply":
        ...             print(event.message.json)
        {'id': 7}
    """

    __slots__ = ("message", "request")
    __match_args__ = ("request", "message")
    name: Literal["reply"] = "reply"

    def __init__(
        self,
        request: Any,
        message: Any,  # as its `name` tells: a union would be asked for `json` in every program
        *,
        received_time: float | None = None,
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.request = request
        self.message = message

    def __repr__(self) -> str:
        return f"Reply(message={self.message!r})"  # what was sent may be a secret


class NoReply(Notice):
    """What was sent with `reply=` was not answered in time, or before the end.

    Attributes:
        request: What was sent, as the program gave it.
        ending: How the connection ended, where that was it; or None.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> for event in websocket:
        ...     if event.name == "ready":
        ...         websocket.send_json({"id": 7}, reply=("id", 7))
        ...     elif event.name == "no_reply":
        ...         print(event.request)
        {'id': 7}
    """

    __slots__ = ("ending", "request")
    __match_args__ = ("request", "ending")
    name: Literal["no_reply"] = "no_reply"

    def __init__(
        self, request: Any, ending: Ending | None = None, *, received_time: float | None = None
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.request = request
        self.ending = ending

    def __repr__(self) -> str:
        return f"NoReply(ending={self.ending!r})"


class BackOff(Notice):
    """`persist` waits before it connects again.

    Attributes:
        delay: For how many seconds.
        reason: Why the last connection ended, for people.
        attempt: How many attempts have failed since one was stable; 0 after a stable connection.
        unconfirmed: As `ending` has it.
        ending: All that is known of how the last connection ended, and one line for people; None
            in an event that a program made.

    Example:
        >>> for event in WebSocket("wss://example.org").persist():
        ...     if event.name == "back_off":
        ...         break
        >>> event.attempt, event.ending.code
        (1, 1000)
    """

    __slots__ = ("attempt", "delay", "ending", "reason", "unconfirmed")
    __match_args__ = ("delay",)
    _details: tuple[str, ...] = ("received_time", "reason", "attempt", "unconfirmed", "ending")
    name: Literal["back_off"] = "back_off"

    def __init__(
        self,
        delay: float,
        *,
        reason: str = "",
        attempt: int = 0,
        unconfirmed: int = 0,
        ending: Ending | None = None,
        received_time: float | None = None,
    ) -> None:
        Event.__init__(self, received_time=received_time)
        self.delay = delay
        self.reason = reason
        self.attempt = attempt
        self.unconfirmed = unconfirmed
        self.ending = ending

    def __repr__(self) -> str:
        return f"BackOff(delay={self.delay:.1f})"


class Posted(Notice):
    """The program posted something to this loop, by ``websocket.post(value)``.

    Attributes:
        value: What it posted.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> for event in websocket:
        ...     if event.name == "ready":
        ...         websocket.post("now")
        ...     elif event.name == "posted":
        ...         print(event.value)
        now
    """

    __slots__ = ("value",)
    __match_args__ = ("value",)
    name: Literal["posted"] = "posted"

    def __init__(self, value: Any, *, received_time: float | None = None) -> None:
        Event.__init__(self, received_time=received_time)
        self.value = value

    def __repr__(self) -> str:
        return f"Posted(value={_shown(self.value)})"


class Poll(Notice):
    """Comes every `poll` seconds, the first right after Ready, until one side begins to close.

    A place for regular work.

    Example:
        >>> with pretend(Server().after(12).closes()):
        ...     events = list(WebSocket("wss://example.org").connect(poll=5))
        >>> [event.name for event in events].count("poll")
        3
    """

    __slots__ = ()
    name: Literal["poll"] = "poll"


#: What a loop over a WebSocket gets: tests of `event.name` narrow it for type checkers.
AnyEvent = (
    Connecting | ConnectFail | Connected | Rejected | Ready | Entered | ProtocolError
    | Unresponsive | Disconnected | Closed | Closing | UnknownMessage | Ping | Pong | Text | Binary
    | TextPart | BinaryPart | Reply | NoReply | BackOff | Poll | Posted
)  # fmt: skip
# Parts come to whoever has asked for them: others are not told of what those have.
KINDS.extend([kind for kind in AnyEvent.__args__ if not issubclass(kind, Part)])
