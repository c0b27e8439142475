"""Every knob: its default, its unit, its check. The only place where a default stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from .url import shown_url

# Scheme, host and perhaps a port: nothing of a path, query, fragment or user.
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\x00-\x20/?#@\\\x7f-\U0010ffff]+")

# Seconds.
OPEN_TIMEOUT = 30.0
CLOSE_TIMEOUT = 30.0
SEND_TIMEOUT = 30.0
FRAME_TIMEOUT = 60.0
POLL = 5.0
PING_RATE = 30.0
BODY_TIMEOUT = 1.0
CLOSE_GRACE = 1.0  # for the answer to the upgrade, after a close
RACE_DELAY = 0.25  # RFC 8305 section 8, connection attempt delay

# Bytes, or counts.
MAX_MESSAGE_SIZE = 16 * 1024 * 1024
MAX_HEADER_SIZE = 64 * 1024
MAX_HEADER_LINE = 16 * 1024
MAX_HEADER_LINES = 256
MAX_INTERIM_RESPONSES = 8
MAX_BODY_SIZE = 64 * 1024
MAX_FRAGMENTS = 131_072
MAX_READ_AHEAD = 32 * 1024 * 1024
MAX_HELD = 16 * 1024 * 1024
MAX_COOKIE_SIZE = 4096  # as browsers have it, and RFC 6265 section 6.1
MAX_COOKIES_SET = 50
MAX_DOMAIN_COOKIES = 180  # as browsers have it
MAX_COOKIES = 3000  # RFC 6265 section 6.1
MAX_COOKIE_HEADER = 8 * 1024  # what servers take in a line
MAX_REDIRECTS = 20  # the most that may be asked for


class Fixed:
    """Base of values that do not change; `__match_args__` names their fields in order."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} can't be changed ({name}); make another")

    def __repr__(self) -> str:
        fields = zip(self.__match_args__, self._fields(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), *self._fields()))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), self._fields())


class Limits(Fixed):
    """What one connection may cost.

    Arguments:
        max_message_size: Largest message accepted, bytes; None for no limit.
        max_fragments: Most frames in one message, empty ones included; None for no limit.
        max_header_size: Largest head of the server's answer, bytes.
        max_read_ahead: Most bytes read while a send is blocked, before anyone asks for them.
        max_held: Most bytes of messages sent before the connection is ready.
        max_header_lines: Most lines of the head of the server's answer.
        max_header_line: Largest line of it, bytes.
        max_interim_responses: Most answers of 1xx before the one that counts.
        max_body_size: What is kept of a refusal's body, bytes.
        max_cookie_size: Largest cookie kept, bytes of name and value.
        max_cookies_set: Most cookies kept of one answer.
        max_domain_cookies: Most cookies of servers that a CookieJar keeps of a domain.
        max_cookies: Most cookies of servers that it keeps in all.
        max_cookie_header: Bytes of the Cookie header beyond which no cookie of a server is sent.
    """

    __slots__ = (
        "max_body_size", "max_cookie_header", "max_cookie_size", "max_cookies", "max_cookies_set",
        "max_domain_cookies", "max_fragments", "max_header_line", "max_header_lines",
        "max_header_size", "max_held", "max_interim_responses", "max_message_size",
        "max_read_ahead",
    )  # fmt: skip
    __match_args__ = (
        "max_message_size", "max_fragments", "max_header_size", "max_read_ahead", "max_held",
        "max_header_lines", "max_header_line", "max_interim_responses", "max_body_size",
        "max_cookie_size", "max_cookies_set", "max_domain_cookies", "max_cookies",
        "max_cookie_header",
    )  # fmt: skip
    max_message_size: int | None
    max_fragments: int | None
    max_header_size: int
    max_read_ahead: int
    max_held: int
    max_header_lines: int
    max_header_line: int
    max_interim_responses: int
    max_body_size: int
    max_cookie_size: int
    max_cookies_set: int
    max_domain_cookies: int
    max_cookies: int
    max_cookie_header: int

    def __init__(
        self,
        max_message_size: int | None = MAX_MESSAGE_SIZE,
        max_fragments: int | None = MAX_FRAGMENTS,
        max_header_size: int = MAX_HEADER_SIZE,
        max_read_ahead: int = MAX_READ_AHEAD,
        max_held: int = MAX_HELD,
        max_header_lines: int = MAX_HEADER_LINES,
        max_header_line: int = MAX_HEADER_LINE,
        max_interim_responses: int = MAX_INTERIM_RESPONSES,
        max_body_size: int = MAX_BODY_SIZE,
        max_cookie_size: int = MAX_COOKIE_SIZE,
        max_cookies_set: int = MAX_COOKIES_SET,
        max_domain_cookies: int = MAX_DOMAIN_COOKIES,
        max_cookies: int = MAX_COOKIES,
        max_cookie_header: int = MAX_COOKIE_HEADER,
    ) -> None:
        check_count("max_message_size", max_message_size, none="no limit")
        check_count("max_fragments", max_fragments, none="no limit")
        check_count("max_header_size", max_header_size)
        check_count("max_read_ahead", max_read_ahead)
        check_count("max_held", max_held)
        check_count("max_header_lines", max_header_lines)
        check_count("max_header_line", max_header_line)
        check_range("max_interim_responses", max_interim_responses, 0, sys.maxsize)
        check_range("max_body_size", max_body_size, 0, sys.maxsize)
        check_range("max_cookie_size", max_cookie_size, 0, sys.maxsize)
        check_range("max_cookies_set", max_cookies_set, 0, sys.maxsize)
        check_range("max_domain_cookies", max_domain_cookies, 0, sys.maxsize)
        check_range("max_cookies", max_cookies, 0, sys.maxsize)
        check_range("max_cookie_header", max_cookie_header, 0, sys.maxsize)
        self._set(
            max_message_size=max_message_size,
            max_fragments=max_fragments,
            max_header_size=max_header_size,
            max_read_ahead=max_read_ahead,
            max_held=max_held,
            max_header_lines=max_header_lines,
            max_header_line=max_header_line,
            max_interim_responses=max_interim_responses,
            max_body_size=max_body_size,
            max_cookie_size=max_cookie_size,
            max_cookies_set=max_cookies_set,
            max_domain_cookies=max_domain_cookies,
            max_cookies=max_cookies,
            max_cookie_header=max_cookie_header,
        )


class Timing(Fixed):
    """When one connection polls, pings and gives up. All in seconds.

    Arguments:
        poll: Between two Poll events, until one side closes; 0 for one at every turn; None: none.
        ping_rate: From Ready to the first automatic ping, and between two; 0 or None for none.
        ping_timeout: From an unanswered ping to Unresponsive; 0 or None for never.
        auto_pong: Whether pings are answered.
        close_timeout: From the first close frame to the end of the connection; 0 or None: no end.
        open_timeout: For name, addresses, TLS and upgrade together; None for no end.
        send_timeout: Without a byte taken by the system while a send waits; None for no end.
        frame_timeout: Without a byte from the peer inside a frame; 0 or None for no end.
    """

    __slots__ = (
        "auto_pong", "close_timeout", "frame_timeout", "open_timeout", "ping_rate", "ping_timeout",
        "poll", "send_timeout",
    )  # fmt: skip
    __match_args__ = (
        "poll", "ping_rate", "ping_timeout", "auto_pong", "close_timeout", "open_timeout",
        "send_timeout", "frame_timeout",
    )  # fmt: skip
    poll: float | None
    ping_rate: float | None
    ping_timeout: float | None
    auto_pong: bool
    close_timeout: float | None
    open_timeout: float | None
    send_timeout: float | None
    frame_timeout: float | None

    def __init__(
        self,
        poll: float | None = POLL,
        ping_rate: float | None = PING_RATE,
        ping_timeout: float | None = None,
        auto_pong: bool = True,
        close_timeout: float | None = CLOSE_TIMEOUT,
        open_timeout: float | None = OPEN_TIMEOUT,
        send_timeout: float | None = SEND_TIMEOUT,
        frame_timeout: float | None = FRAME_TIMEOUT,
    ) -> None:
        check_seconds("poll", poll, none="no Poll events")
        check_seconds("ping_rate", ping_rate, none="no automatic pings")
        check_seconds("ping_timeout", ping_timeout, none="no limit")
        check_seconds("close_timeout", close_timeout, none="no limit")
        check_seconds("open_timeout", open_timeout, none="no limit", zero=False)
        check_seconds("send_timeout", send_timeout, none="no limit", zero=False)
        check_seconds("frame_timeout", frame_timeout, none="no limit")
        check_flag("auto_pong", auto_pong)
        self._set(
            poll=poll,
            ping_rate=ping_rate,
            ping_timeout=ping_timeout,
            auto_pong=auto_pong,
            close_timeout=close_timeout,
            open_timeout=open_timeout,
            send_timeout=send_timeout,
            frame_timeout=frame_timeout,
        )


class Deflate(Fixed):
    """How messages are compressed: permessage-deflate, RFC 7692 section 7.1.

    A connection that has sent and received keeps about 300 KiB for it: 220 to 290 to send, 40 to
    receive. With zlib and the smallest windows and `memory_level` that falls to 15 KiB. With
    zlib-ng it falls to 180 KiB only: a stream to receive is always of one size, and one to send
    has tables that no setting makes smaller. Where neither side takes over context, nothing is
    kept between messages.

    Arguments:
        server_max_window_bits: The server's largest window, as a power of two, 9 to 15 (15).
            A smaller one saves memory here, with zlib; a server that can't do it declines
            compression.
        client_max_window_bits: Our largest window, 9 to 15 (15). A smaller one saves memory.
        server_no_context_takeover: Ask the server to compress each message for itself (False).
        client_no_context_takeover: Compress each message for itself (False).
        level: 0 (none) to 9 (smallest), or -1 for the library's default (-1).
        memory_level: 1 (least memory) to 9 (8).
        min_size: Smallest message that is worth compressing, bytes (32).

    Raises:
        TypeError, ValueError: An argument can't be.

    Example:
        >>> Deflate(client_no_context_takeover=True, memory_level=5).level
        -1
    """

    __slots__ = (
        "client_max_window_bits", "client_no_context_takeover", "level", "memory_level", "min_size",
        "server_max_window_bits", "server_no_context_takeover",
    )  # fmt: skip
    __match_args__ = (
        "server_max_window_bits", "client_max_window_bits", "server_no_context_takeover",
        "client_no_context_takeover", "level", "memory_level", "min_size",
    )  # fmt: skip
    server_max_window_bits: int
    client_max_window_bits: int
    server_no_context_takeover: bool
    client_no_context_takeover: bool
    level: int
    memory_level: int
    min_size: int

    def __init__(
        self,
        server_max_window_bits: int = 15,
        client_max_window_bits: int = 15,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        level: int = -1,
        memory_level: int = 8,
        min_size: int = 32,
    ) -> None:
        # 8 is legal, but no library can compress with it.
        check_range("server_max_window_bits", server_max_window_bits, 9, 15)
        check_range("client_max_window_bits", client_max_window_bits, 9, 15)
        check_flag("server_no_context_takeover", server_no_context_takeover)
        check_flag("client_no_context_takeover", client_no_context_takeover)
        check_range("level", level, -1, 9)
        check_range("memory_level", memory_level, 1, 9)
        check_range("min_size", min_size, 0, sys.maxsize)
        self._set(
            server_max_window_bits=server_max_window_bits,
            client_max_window_bits=client_max_window_bits,
            server_no_context_takeover=server_no_context_takeover,
            client_no_context_takeover=client_no_context_takeover,
            level=level,
            memory_level=memory_level,
            min_size=min_size,
        )


def check_compress(compress: object) -> Deflate | None:
    """What the option `compress` asks for; None if that is False. Raises TypeError."""
    if isinstance(compress, Deflate):
        return compress
    if isinstance(compress, bool):
        return Deflate() if compress else None
    raise TypeError(f"compress must be True, False or a lomond.Deflate, not {compress!r}")


def check_flag(name: str, value: object) -> None:
    """Raise unless the value is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")


def check_range(name: str, value: object, least: int, most: int) -> None:
    """Raise unless the value is a whole number in the range."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, not {value!r}")


def check_seconds(name: str, value: object, *, none: str = "", zero: bool = True) -> None:
    """Raise unless the value is a time span in seconds (or None, where `none` says its meaning)."""
    if value is None and none:
        return
    hint = f", or None for {none}" if none else ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds{hint}, not {value!r}")
    if not 0 <= value <= sys.float_info.max or (value == 0 and not zero):  # nan fails too
        least = "0 or more" if zero else "more than 0"
        raise ValueError(f"{name} must be {least} seconds{hint}, not {value!r}")


def check_count(name: str, value: object, *, none: str = "") -> None:
    """Raise unless the value is a whole number from 1 (or None, where `none` says its meaning)."""
    if value is None and none:
        return
    hint = f", or None for {none}" if none else ""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number{hint}, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be 1 or more{hint}, not {value!r}")


def encoded_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Header names and values as bytes; raises unless it is a mapping of str to str."""
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a mapping of str to str, not {type(headers).__name__}")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"headers must map str to str; look at the value of {name!r}")
    return [
        (_encoded(f"header {name!r}", name), _encoded(f"value of header {name!r}", value))
        for name, value in headers.items()
    ]


def check_origin(origin: object) -> None:
    """Raise unless it is None or an origin as RFC 6454 section 6.2 writes it."""
    if origin is None:
        return
    if not isinstance(origin, str):
        raise TypeError(f"origin must be a str, like 'https://example.org', not {origin!r}")
    if origin != "null" and not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"origin must be scheme and host, like 'https://example.org', not {shown_url(origin)!r}"
        )


def encoded_agent(agent: str) -> bytes:
    """The value of User-Agent as bytes. Raises TypeError or ValueError."""
    if not isinstance(agent, str):
        raise TypeError(f"agent must be a str, not {agent!r}")
    return _encoded("agent", agent)


def _encoded(what: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        shown = text[error.start]
        raise ValueError(f"{what} can't be written as UTF-8; remove {shown!r}") from None
