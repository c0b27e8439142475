"""Every number that may be asked for: a row for each, with its default, unit and check.

What else a WebSocket takes has its rows in `settable.py`; what a row is, says `rows.py`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar, cast

from . import rows
from .checks import count, flag, is_coroutine_function, seconds, whole
from .fixed import Fixed
from .payloads import as_bytes
from .rows import Row, row, table

if TYPE_CHECKING:
    from typing_extensions import Buffer  # which checkers know themselves

# What nobody may ask for. Seconds, or counts.
BODY_TIMEOUT = 1.0
CLOSE_GRACE = 1.0  # for the answer to the upgrade, after a close
RACE_DELAY = 0.25  # RFC 8305 section 8, connection attempt delay
MAX_REDIRECTS = 20  # the most that may be asked for

_KIB, _MIB = 1 << 10, 1 << 20

Kind = TypeVar("Kind", bound="Values")

#: A message as a program gives it: text, binary, or what is sent as JSON.
Message: TypeAlias = "str | Buffer | dict[str, Any] | list[Any]"
PingMessage: TypeAlias = "Message | Callable[[], Message]"
#: What `enter` is, which is given the Ready event: it yields a message to send, or what tells which
#: event to wait for.
Enter = Callable[[Any], Generator[Any, Any, None] | AsyncGenerator[Any, Any]]


class Values(Fixed):
    """What was asked for of the rows of a table, in this order; what was not has its default."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        kind: Any = cls
        type.__setattr__(kind, "__match_args__", tuple(rows.rows_of(kind)))

    def __init__(self, *values: Any, **named: Any) -> None:
        kind: Any = type(self)
        own = rows.rows_of(kind)
        for name, value in zip(own, values, strict=False):
            named[name] = value
        self._set(**{name: one.default for name, one in own.items()} | rows.checked(own, named))


def changed(values: Kind, kept: Mapping[str, Any]) -> Kind:
    """Values like these, but for some that were checked."""
    if not kept:
        return values
    other = object.__new__(type(values))
    for name in values.__match_args__:
        object.__setattr__(other, name, kept[name] if name in kept else getattr(values, name))
    return other


def _ping_message(one: Row, value: Any) -> Any:
    """What is said instead of a ping; whether JSON can say it, the WebSocket's dumps tells."""
    if isinstance(value, (str, dict, list, NoneType)):
        return cast("object", value)
    if callable(value):
        if is_coroutine_function(value):
            raise TypeError(
                f"{one.name} is a coroutine function, and nobody awaits it: it is due while the "
                "program is elsewhere too; give a plain function"
            )
        return value
    try:
        return as_bytes(value)
    except TypeError:
        raise TypeError(
            f"{one.name} must be a message (a str, bytes-like, or a dict or a list for JSON) or a "
            f"callable that gives one, not {value!r}"
        ) from None


def check_pings(asked: Mapping[str, Any]) -> None:
    """Raise ValueError where there is something to say instead of a ping, and no time to say it."""
    if asked["ping_message"] is not None and not asked.get("ping_rate", True):
        raise ValueError(
            f"ping_message is sent every ping_rate seconds, and ping_rate is {asked['ping_rate']}: "
            "give how often, like ping_rate=20, or leave ping_message out"
        )


@table(group="Limits")
class LimitOptions:
    """What one connection may cost."""

    __slots__ = ()

    max_message_size: int | None = row(
        default=16 * _MIB, check=count, unit="bytes", none="no limit", also=("max_size",),
        doc="Largest message accepted, after inflating.",
        then="`protocol_error`; lomond closes with 1009",
    )  # fmt: skip
    max_fragments: int | None = row(
        default=131_072, check=count, none="no limit",
        doc="Most frames in one message, empty ones included.",
        then="`protocol_error`; lomond closes with 1009",
    )  # fmt: skip
    parts: int | None = row(
        default=None, check=whole, least=4, unit="bytes", none="whole messages",
        also=("part_size", "chunk_size"),
        doc="A longer message comes in parts of so many bytes, as `text_part` and `binary_part` "
        "events; 4 or more. With them `max_message_size` may be None: no more than a part is kept.",
    )  # fmt: skip
    max_header_size: int = row(
        default=64 * _KIB, check=count, unit="bytes",
        doc="Largest head of the server's or the proxy's answer.",
        then="`protocol_error`, `disconnected`",
    )  # fmt: skip
    max_read_ahead: int = row(
        default=32 * _MIB, check=count, unit="bytes", also=("read_limit",),
        doc="Most that is read while a send is blocked, before anyone asks for it.",
        then="nothing more is read until the loop goes on",
    )  # fmt: skip
    max_held: int = row(
        default=16 * _MIB, check=count, unit="bytes",
        doc="Most that is held of messages sent before the connection is ready.",
        then="`send_*` raises WebSocketUnavailable",
    )  # fmt: skip
    max_header_lines: int = row(
        default=256, check=count, doc="Most lines in the answer's head.",
        then="`protocol_error`, `disconnected`",
    )  # fmt: skip
    max_header_line: int = row(
        default=16 * _KIB, check=count, unit="bytes", doc="Largest line in the answer's head.",
        then="`protocol_error`, `disconnected`",
    )  # fmt: skip
    max_interim_responses: int = row(
        default=8, check=whole, doc="Most answers of 1xx before the one that counts.",
        then="`protocol_error`, `disconnected`",
    )  # fmt: skip
    max_body_size: int = row(
        default=64 * _KIB, check=whole, unit="bytes",
        doc="What is kept of a refusal's body. It is waited for 1 s.",
        then="`rejected`, with what came",
    )  # fmt: skip
    max_cookie_size: int = row(  # as browsers have it, and RFC 6265 section 6.1
        default=4 * _KIB, check=whole, unit="bytes",
        doc="Largest cookie put into a CookieJar, name and value.",
        then="it is not kept",
    )  # fmt: skip
    max_cookies_set: int = row(
        default=50, check=whole, doc="Most cookies of one answer that are put into a CookieJar.",
        then="what is more is not kept",
    )  # fmt: skip
    max_domain_cookies: int = row(  # as browsers have it
        default=180, check=whole,
        doc="Most cookies of servers that stay in a CookieJar for a domain. Those set longest ago "
        "go; what lomond did not put there is neither counted nor removed, but for what a "
        "``MozillaCookieJar`` has loaded, whose file does not tell it from the others.",
        then="those that servers set longest ago go",
    )  # fmt: skip
    max_cookies: int = row(  # RFC 6265 section 6.1
        default=3000, check=whole,
        doc="Most cookies of servers that stay in a CookieJar in all. As above.",
        then="those that servers set longest ago go",
    )  # fmt: skip
    max_cookie_header: int = row(  # what servers take in a line
        default=8 * _KIB, check=whole, unit="bytes",
        doc="Size of the Cookie header beyond which no cookies of servers are sent. Those set "
        "longest ago first; what you put into the jar, or a mapping, is sent.",
        then="those that servers set longest ago are not sent",
    )  # fmt: skip


class Limits(LimitOptions, Values):
    """What one connection may cost."""

    __slots__ = tuple(rows.rows_of(LimitOptions))
    if TYPE_CHECKING:  # in the order of the rows

        def __init__(self, *values: Any, **named: Any) -> None: ...


def _enters(_: Row, enter: Any) -> Any:
    if enter is None or (callable(enter) and not is_coroutine_function(enter)):
        return enter
    what = f"a coroutine function, {enter!r}" if callable(enter) else repr(enter)
    raise TypeError(
        f"enter must be a generator function that is given the Ready event, not {what}: it yields "
        "each message to send, and 'answer = yield lambda event: ...' to wait for one"
    )


@table(owner="connect()", group="Each connection")
class ConnectOptions:
    """What each connection is told."""

    __slots__ = ()

    poll: float | None = row(
        default=5.0, check=seconds, unit="s", none="no Poll events",
        doc="Between two Poll events. Until one side begins to close; 0 for one at every turn "
        "until the end.",
    )  # fmt: skip
    ping_rate: float | None = row(
        default=30.0, check=seconds, unit="s", none="no automatic pings",
        also=("ping_interval", "heartbeat"),
        doc="From Ready to the first ping, and between two. 0 is as None.",
    )  # fmt: skip
    ping_timeout: float | None = row(
        default=None, check=seconds, unit="s", none="no limit", also=("pong_timeout",),
        doc="How long no byte may come after a ping; then comes Unresponsive. Set it (30, say): "
        "without it a dead network is not noticed. 0 is as None.",
        then="`unresponsive`, `disconnected`",
    )  # fmt: skip
    ping_message: PingMessage | None = row(
        default=None, check=_ping_message, none="a ping frame",
        also=("heartbeat_message", "ping_payload", "keepalive_message"),
        doc="What is sent every `ping_rate` seconds instead of a ping, for servers that want a "
        "heartbeat of their own: a str (text), bytes-like (binary), a dict or a list (JSON, by "
        "`dumps`), or a callable that gives one of these. It is called each time, without "
        "arguments, by whoever iterates, and not awaited; what it raises ends the connection. "
        "With `ping_timeout` any byte that comes after it is an answer.",
    )  # fmt: skip
    auto_pong: bool = row(
        default=True, check=flag, also=("autoping",), doc="Whether pings are answered."
    )
    close_timeout: float | None = row(
        default=30.0, check=seconds, unit="s", none="no limit",
        doc="How long closing may take, from the first close frame on. What the loop has not got "
        "by then is dropped; 0 is as None.",
        then="`disconnected`",
    )  # fmt: skip
    enter: Enter | None = row(
        default=None, check=_enters, also=("on_ready", "on_open", "login", "subscribe"),
        doc="What to do first with each connection, log in, say: a generator function that is "
        "given the Ready event (in an event loop also an async one). It yields a message (str, "
        "bytes-like, dict, list), which is sent, or a callable that tells of an event whether to "
        "go on with it. Its end is the event `entered`, unless the connection closes by then; the "
        "first Poll follows that.",
    )  # fmt: skip
    enter_timeout: float | None = row(
        default=10.0, check=seconds, unit="s", none="no limit",
        doc="How long `enter` may take, from its first step on. What handlers take meanwhile does "
        "not count. 0 is as None.",
        then="`disconnected`; the ending names what was waited for",
    )  # fmt: skip


@table(group="Time")
class TimeOptions:
    """When a connection gives up, whoever asks for it."""

    __slots__ = ()

    open_timeout: float | None = row(
        default=30.0, check=seconds, unit="s", none="no limit", zero=False,
        also=("timeout", "connect_timeout", "handshake_timeout"),
        doc="How long opening may take: names, TCP, proxy, TLS and upgrade together, redirects "
        "included. While something else keeps the thread from the connection (another task of its "
        "event loop, the body of a group's loop), they stand still.",
        then="`connect_fail`; from the upgrade on `disconnected`",
    )  # fmt: skip
    send_timeout: float | None = row(
        default=30.0, check=seconds, unit="s", none="no limit", zero=False,
        also=("write_timeout",), doc="How long a send may wait without progress.",
        then="the send raises TransportFail; `disconnected`",
    )  # fmt: skip
    frame_timeout: float | None = row(
        default=60.0, check=seconds, unit="s", none="no limit",
        also=("read_timeout", "receive_timeout"),
        doc="How long no byte may come inside a frame. 0 is as None.",
        then="`disconnected`; lomond closes with 1008",
    )  # fmt: skip


class Timing(TimeOptions, ConnectOptions, Values):  # the last one's rows come first
    """When one connection polls, pings and gives up. All in seconds."""

    __slots__ = tuple({**rows.rows_of(ConnectOptions), **rows.rows_of(TimeOptions)})
    if TYPE_CHECKING:  # in the order of the rows

        def __init__(self, *values: Any, **named: Any) -> None: ...


@table(owner="Deflate()", frozen=True)
class DeflateOptions:
    """How messages are compressed. 8 bits are legal, but no library can compress with them."""

    __slots__ = ()

    server_max_window_bits: int = row(
        default=15, check=whole, least=9, most=15, kw_only=False,
        doc="The server's largest window, as a power of two, 9 to 15. A smaller one saves memory "
        "here, with zlib; a server that can't do it declines compression.",
    )  # fmt: skip
    client_max_window_bits: int = row(
        default=15, check=whole, least=9, most=15, kw_only=False,
        doc="Our largest window, 9 to 15. A smaller one saves memory.",
    )  # fmt: skip
    server_no_context_takeover: bool = row(
        default=False, check=flag, kw_only=False,
        doc="Whether the server is asked to compress each message for itself.",
    )  # fmt: skip
    client_no_context_takeover: bool = row(
        default=False, check=flag, kw_only=False, doc="Whether we compress each for itself."
    )
    level: int = row(
        default=-1, check=whole, least=-1, most=9, kw_only=False, also=("compression_level",),
        doc="0 (none) to 9 (smallest), or -1 for the library's own, mostly 6. Of JSON of a few KiB "
        "level 1 takes less than half of the time, and makes about a sixth more bytes.",
    )  # fmt: skip
    memory_level: int = row(
        default=8, check=whole, least=1, most=9, kw_only=False, also=("mem_level", "memLevel"),
        doc="1 (least memory) to 9.",
    )  # fmt: skip
    min_size: int = row(
        default=32, check=whole, unit="bytes", kw_only=False, also=("threshold",),
        doc="Smallest message that is worth compressing.",
    )  # fmt: skip


class Deflate(DeflateOptions, Values):
    """How messages are compressed: permessage-deflate, RFC 7692 section 7.1.

    A connection that has sent and received keeps about 300 KiB for it: 220 to 290 to send, 40 to
    receive. With zlib and the smallest windows and `memory_level` that falls to 15 KiB. With
    zlib-ng it falls to 180 KiB only: a stream to receive is always of one size, and one to send
    has tables that no setting makes smaller. Where neither side takes over context, nothing is
    kept between messages.

    Arguments:
        Options: as docs/reference/options.md has them.

    Raises:
        TypeError, ValueError: An argument can't be.

    Example:
        >>> Deflate(client_no_context_takeover=True, memory_level=5).level
        -1
    """

    __slots__ = tuple(rows.rows_of(DeflateOptions))
    if not TYPE_CHECKING:  # which take the rows for its arguments

        def __init__(self, *values: Any, **named: Any) -> None:
            super().__init__(**rows.bound("Deflate()", rows.rows_of(Deflate), values, named))


rows.signed(Deflate.__init__, rows.rows_of(Deflate))
rows.document(Deflate, rows.rows_of(Deflate))
_DEFLATE = Deflate()


def check_compress(compress: object) -> Deflate | None:
    """What the option `compress` asks for; None if that is False. Raises TypeError."""
    if isinstance(compress, Deflate):
        return compress
    if isinstance(compress, bool):
        return _DEFLATE if compress else None
    raise TypeError(f"compress must be True, False or a lomond.Deflate, not {compress!r}")


# The same as keywords, for type checkers: a test holds them equal to the rows.


class ConnectFurther(TypedDict, total=False):
    """What `lomond.persist.persist` hands on to `connect`."""

    ping_message: PingMessage | None
    auto_pong: bool
    close_timeout: float | None
    enter: Enter | None
    enter_timeout: float | None


class ConnectKeywords(ConnectFurther, total=False):
    """What `connect` and `WebSocketGroup.add` take."""

    poll: float | None
    ping_rate: float | None
    ping_timeout: float | None
