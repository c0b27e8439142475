"""The synchronous door: a WebSocket that is iterated. Decides nothing about the protocol."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NoReturn

from . import options
from .base import Base
from .errors import WebSocketUnavailable
from .io import forking
from .protocol import frames

if TYPE_CHECKING:
    from types import TracebackType

    from .compression import Compression
    from .events import AnyEvent
    from .io.channel import Channel
    from .timings import Latency

__all__ = ["WebSocket"]

_MISSING: Any = object()
_NOT_CONNECTED = "not connected"
_replacing = threading.RLock()  # while `_channel` is read and set; a signal handler may connect too


def _renew() -> None:
    # A thread that held it stayed with the parent.
    global _replacing
    _replacing = threading.RLock()


forking.in_child(_renew)


class WebSocket(Base):
    """A WebSocket connection as an orderly stream of events.

    Iterating connects, and gives an event for whatever happens, until the connection is over. The
    object may be iterated again, for a new connection each time. Any thread may send or close.

    Arguments:
        url: ``ws://`` or ``wss://`` (``http://``, ``https://`` mean the same).
        proxies: A mapping: ``"https"`` (or ``"wss"``) for wss://, ``"http"`` (or ``"ws"``) for
            ws://, ``"all"`` for both, each the URL of a proxy: ``http://``, ``https://``,
            ``socks4://``, ``socks4a://``, ``socks5://`` or ``socks5h://``, with user and password
            if it wants them. None for what the environment says now (``https_proxy``,
            ``no_proxy``, ...); an empty one for no proxy.
        protocols: Sub-protocols to offer, the preferred first.
        agent: ``User-Agent`` header; None for lomond's own.
        compress: Whether to offer compression (False); or a `lomond.Deflate` that says how.
        ssl_verify: Whether the server's certificate and name are checked (True).
        ssl_cafile: PEM file of the certificates to trust, or a directory of such files, which
            must be there; None for the system's.
        ssl_context: Used as it is, instead of all that begins with ``ssl_``, and for every server
            to which a redirect leads.
        trace: Called with a dict at each stage of a connection; another true value logs them.
        headers: Further request headers: a mapping of str to str, or a callable that gives one
            and is asked for each connection (for tokens that expire).
        origin: ``Origin`` header, like ``https://example.org``; None for none.
        cookies: A mapping of str to str; or an ``http.cookiejar.CookieJar``, which also gets those
            that a server sets.
        auth: ``(user, password)`` for Basic, a str for a bearer token; None for the user and
            password of the URL, if it has them.
        max_redirects: How many redirects are followed, 0 to 20 (0). None from wss:// to ws://; to
            another origin go neither `headers`, `add_header`, `auth` nor a mapping of cookies.
        ssl_certfile: PEM file of our certificate, for a server that asks who we are.
        ssl_keyfile: PEM file of its key, if that is not in the same file.
        ssl_password: What the key is encrypted with.
        truststore: Whether the operating system judges certificates (False), by truststore.
        proxy_ssl_context: As `ssl_context`, for TLS with an ``https://`` proxy.
        server_name: Whose certificate is expected, if not the URL's host's.
        socket: A connected socket to use instead of connecting one.
        unix_socket: Path of a Unix socket to connect to instead of the URL's host.
        source_address: ``(address, port)`` to connect from; port 0 for any.
        socket_options: Tuples for ``setsockopt``, set before connecting; TCP_NODELAY is on.
        tcp_keepalive: Seconds without traffic after which the system probes the peer; None: off.
        open_timeout: Seconds for names, TCP, proxy, TLS and upgrade together, redirects included
            (30); None for no limit.
        send_timeout: Seconds a send may wait without progress (30); None for no limit.
        frame_timeout: Seconds without a byte inside a frame (60); None or 0 for no limit.
        max_message_size: Largest message accepted, bytes (16 MiB); None for no limit.
        max_fragments: Most fragments in a message (131072); None for no limit.
        max_header_size: Largest head of the server's or the proxy's answer, bytes (64 KiB).
        max_header_lines: Most lines in it (256).
        max_header_line: Largest line in it, bytes (16 KiB).
        max_interim_responses: Most answers of 1xx before the one that counts (8).
        max_body_size: What is kept of a refusal's body, bytes (64 KiB); it is waited for 1 s.
        max_read_ahead: Most bytes read while a send is blocked (32 MiB).
        max_held: Most bytes of messages sent before the connection is ready (16 MiB).

    Raises:
        ValueError, TypeError: An argument can't be; the message names it and the fix.
        ImportError: Compression, a SOCKS proxy or truststore is asked for, and what it needs is
            not installed.

    Example:
        >>> websocket = WebSocket("wss://example.org/feed")
        >>> for event in websocket:  # doctest: +SKIP
        ...     if event.name == "text":
        ...         print(event.text)
    """

    _channel: Channel | None = None  # the current connection's

    # State

    @property
    def is_closing(self) -> bool:
        """Whether a close frame was sent, and the connection is not over yet."""
        channel = self._channel
        return channel is not None and channel.session.is_closing

    @property
    def is_closed(self) -> bool:
        """Whether the last connection is over, however it ended."""
        channel = self._channel
        return channel is not None and (channel.session.has_ended or channel.is_over)

    @property
    def is_active(self) -> bool:
        """Neither closing nor closed. True before the first connection too."""
        return not self.is_closing and not self.is_closed

    @property
    def sent_close_time(self) -> float | None:
        """Seconds from Ready to our close; 0.0 if it was asked for before; None without one."""
        channel = self._channel
        return None if channel is None else channel.session.sent_close_time

    @property
    def supports_compression(self) -> bool:
        """Whether compression was negotiated for this connection."""
        return self.compression is not None

    @property
    def compression(self) -> Compression | None:
        """What was negotiated about compression, with a live count of bytes; None without it."""
        channel = self._channel
        return None if channel is None else channel.session.compression

    @property
    def latency(self) -> Latency | None:
        """How long the pings of this connection took; None while none was answered."""
        channel = self._channel
        return None if channel is None else channel.session.pings.latency

    @property
    def session(self) -> object | None:
        """Something that stands for the current connection, or None before the first."""
        channel = self._channel
        return None if channel is None else channel.session

    # Connecting

    def connect(
        self,
        *args: object,
        poll: float | None = options.POLL,
        ping_rate: float | None = options.PING_RATE,
        ping_timeout: float | None = None,
        auto_pong: bool = True,
        close_timeout: float | None = options.CLOSE_TIMEOUT,
        **unknown: object,
    ) -> Generator[AnyEvent, None, None]:
        """A new connection, as an iterator of events; nothing is sent before its first event.

        An earlier connection of this object ends.

        Arguments:
            poll: Seconds between two Poll events (5); 0 for one at every turn, None for none.
            ping_rate: Seconds between two pings (30); 0 or None for none.
            ping_timeout: Seconds without any byte after a ping until Unresponsive (None: never).
            auto_pong: Whether pings are answered (True).
            close_timeout: Seconds from the first close frame to the end (30); 0 or None: no limit.

        Raises:
            TypeError, ValueError: An argument can't be.
        """
        _refuse(args, unknown)
        self._check_given()
        timing = options.Timing(
            poll,
            ping_rate,
            ping_timeout,
            auto_pong,
            close_timeout,
            self._timing.open_timeout,
            self._timing.send_timeout,
            self._timing.frame_timeout,
        )
        # Imported by whoever connects: sockets, the protocol, and all that they need.
        from .engine import engine
        from .io.performing import Performer
        from .io.stream import events
        from .io.twin import Channel
        from .plan import Plan
        from .session.opening import conversation
        from .session.session import Session

        plan = Plan(self, self._make_context)
        session = Session(engine, timing, self.limits, os.urandom)
        tracer = self._tracer() if self.trace else None
        channel = Channel(session, tracer.length if tracer else None)
        script = conversation(session, plan)
        self._replace(channel, "replaced by a new connection")
        if tracer is not None:
            tracer(
                "connect_start",
                poll=poll,
                ping_rate=ping_rate,
                ping_timeout=ping_timeout,
                auto_pong=auto_pong,
                close_timeout=close_timeout,
            )
        performer = Performer(channel, plan)
        return events(channel, script, performer, tracer.event if tracer else None)

    def __iter__(self) -> Generator[AnyEvent, None, None]:
        return self.connect()

    def reset(self) -> None:
        """Forget the last connection; one that stands ends at once."""
        self._replace(None, "reset by the user")

    def _replace(self, channel: Channel | None, reason: str) -> None:
        """Another connection is the current one; the last one ends, also if this is interrupted."""
        earlier = None
        try:
            with _replacing:
                earlier, self._channel = self._channel, channel
            if earlier is not None and channel is not None:
                earlier.leave(reason=reason)
        finally:
            if earlier is not None:
                earlier.force(reason)

    def force_disconnect(self) -> None:
        """End the connection at once, without a close frame. Raises nothing, from any thread."""
        channel = self._channel
        if channel is not None:
            channel.force("disconnected by the user")

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        channel = self._channel
        if channel is not None:
            channel.leave()

    # Sending

    def close(self, code: int | None = 1000, reason: str | bytes | None = b"goodbye") -> None:
        """Start the closing handshake (RFC 6455 section 7.1.2), from any thread; never waits.

        The loop goes on until Closed and Disconnected. Before Connected the connection is given up
        at once, before Ready one second later unless the server has accepted the upgrade by then.
        Does nothing where it was started already.

        Arguments:
            code: 1000-1003, 1007-1014 or 3000-4999; None for a close frame without code.
            reason: For people; cut to 123 bytes.

        Raises:
            TypeError, ValueError: The code can't be sent.
        """
        frames.build_close_payload(code, reason)
        channel = self._channel
        if channel is not None and channel.close(code, reason):
            self._trace_sent("close_requested", code=code, reason=reason)

    def send_text(self, text: str, compress: bool = True) -> None:
        """Send a text message. Returns when the system has taken all of it.

        Before Ready it is held, and leaves when the server has accepted the upgrade.

        Arguments:
            text: The message.
            compress: Whether to compress it, where that was negotiated.

        Raises:
            TypeError: It is not a str.
            UnicodeEncodeError: It holds half a surrogate pair.
            WebSocketUnavailable: There is no connection, or (WebSocketClosing) it closes.
            TransportFail: Writing failed; the connection is over.
        """
        if not isinstance(text, str):
            if isinstance(text, bytes):
                raise TypeError("text argument must not be bytes")
            raise TypeError(f"text argument must be str, not {type(text).__name__}")
        data = text.encode()
        if self.trace:
            self._trace_sent("send_text", length=len(text), compressed=compress)
        channel = self._channel
        if channel is None:
            raise WebSocketUnavailable(_NOT_CONNECTED)
        channel.send(frames.TEXT, data, compress)

    def send_binary(self, data: bytes, compress: bool = True) -> None:
        """Send a binary message; else as `send_text`.

        Raises:
            TypeError: It is not bytes.
        """
        if not isinstance(data, bytes):
            raise TypeError("data argument must be bytes")
        if self.trace:
            self._trace_sent("send_binary", length=len(data), compressed=compress)
        channel = self._channel
        if channel is None:
            raise WebSocketUnavailable(_NOT_CONNECTED)
        channel.send(frames.BINARY, data, compress)

    def send_json(self, _obj: Any = _MISSING, **kwargs: Any) -> None:
        """Send a text message that is JSON: of the one argument, or of the keywords as an object.

        Raises:
            ValueError: Both are given.
            TypeError: It can't be written as JSON.
        """
        if _obj is not _MISSING and kwargs:
            raise ValueError("send_json requires positional argument OR keyword arguments")
        import json

        self.send_text(json.dumps(kwargs if _obj is _MISSING else _obj))

    def send_ping(self, data: bytes = b"") -> None:
        """Send a ping of at most 125 bytes; else as `send_binary`. Raises ValueError if longer."""
        self._send_control(frames.PING, "ping", data)

    def send_pong(self, data: bytes) -> None:
        """Send a pong of at most 125 bytes; else as `send_binary`. Raises ValueError if longer."""
        self._send_control(frames.PONG, "pong", data)

    def _send_control(self, opcode: int, name: str, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError("data argument must be bytes")
        if len(data) > frames.MAX_CONTROL_PAYLOAD:
            raise ValueError(f"{name} data should be <= 125 bytes")
        self._trace_sent(f"send_{name}", length=len(data))
        channel = self._channel
        if channel is None:
            raise WebSocketUnavailable(_NOT_CONNECTED)
        channel.send(opcode, data)

    def _trace_sent(self, stage: str, **fields: object) -> None:
        if self.trace:
            self._tracer()(stage, **fields)


def _refuse(args: tuple[object, ...], unknown: dict[str, object]) -> None:
    if args or "session_class" in unknown:
        _fail_session_class()
    if unknown:
        names = ", ".join(sorted(unknown))
        raise TypeError(f"connect() has no argument {names}")


def _fail_session_class() -> NoReturn:
    raise TypeError(
        "connect() takes keyword arguments only, and no session_class; give WebSocket "
        "ssl_context=, server_name= or socket= for what it was used for"
    )
