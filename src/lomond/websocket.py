"""The synchronous door: a WebSocket that is iterated. Decides nothing about the protocol."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from . import constants, options
from .errors import WebSocketUnavailable
from .io.given import check_cafile, check_context, check_path, check_server_name, check_socket
from .protocol import frames
from .protocol.request import Request, check_header, check_protocols
from .url import authority, parse, redact

if TYPE_CHECKING:
    import socket as socket_module
    import ssl
    from types import TracebackType

    from .compression import Compression
    from .events import AnyEvent
    from .io.channel import Channel
    from .tracing import Tracer

__all__ = ["WebSocket"]

_MISSING: Any = object()
_NOT_CONNECTED = "not connected"
_PROXY_VARIABLES = ("https_proxy", "http_proxy", "all_proxy", "wss_proxy", "ws_proxy")


class WebSocket:
    """A WebSocket connection as an orderly stream of events.

    Iterating connects, and gives an event for whatever happens, until the connection is over. The
    object may be iterated again, for a new connection each time. Any thread may send or close.

    Arguments:
        url: ``ws://`` or ``wss://`` (``http://``, ``https://`` mean the same).
        proxies: Not available yet; None or an empty mapping.
        protocols: Sub-protocols to offer, the preferred first.
        agent: ``User-Agent`` header; None for lomond's own.
        compress: Whether to offer compression (False); or a `lomond.Deflate` that says how.
        ssl_verify: Whether the server's certificate and name are checked (True).
        ssl_cafile: PEM file of the certificates to trust, which must be there; None for the
            system's.
        ssl_context: Used as it is, instead of the two above.
        trace: Called with a dict at each stage of a connection; another true value logs them.
        headers: Further request headers, a mapping of str to str.
        server_name: Whose certificate is expected, if not the URL's host's.
        socket: A connected socket to use instead of connecting one.
        open_timeout: Seconds for name, TCP, TLS and upgrade together (30); None for no limit.
        send_timeout: Seconds a send may wait without progress (30); None for no limit.
        frame_timeout: Seconds without a byte inside a frame (60); None or 0 for no limit.
        max_message_size: Largest message accepted, bytes (16 MiB); None for no limit.
        max_fragments: Most fragments in a message (131072); None for no limit.
        max_header_size: Largest head of the server's answer, bytes (64 KiB).
        max_read_ahead: Most bytes read while a send is blocked (32 MiB).
        max_held: Most bytes of messages sent before the connection is ready (16 MiB).

    Raises:
        ValueError, TypeError: An argument can't be; the message names it and the fix.
        NotImplementedError: `proxies` is asked for.
        ImportError: Compression is asked for, and its library can't be imported.

    Example:
        >>> websocket = WebSocket("wss://example.org/feed")
        >>> for event in websocket:  # doctest: +SKIP
        ...     if event.name == "text":
        ...         print(event.text)
    """

    def __init__(
        self,
        url: str,
        proxies: Mapping[str, str] | None = None,
        protocols: Iterable[str] | None = None,
        agent: str | None = None,
        compress: bool | options.Deflate = False,
        ssl_verify: bool = True,
        ssl_cafile: str | os.PathLike[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trace: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        server_name: str | None = None,
        socket: socket_module.socket | None = None,
        open_timeout: float | None = options.OPEN_TIMEOUT,
        send_timeout: float | None = options.SEND_TIMEOUT,
        frame_timeout: float | None = options.FRAME_TIMEOUT,
        max_message_size: int | None = options.MAX_MESSAGE_SIZE,
        max_fragments: int | None = options.MAX_FRAGMENTS,
        max_header_size: int = options.MAX_HEADER_SIZE,
        max_read_ahead: int = options.MAX_READ_AHEAD,
        max_held: int = options.MAX_HELD,
    ) -> None:
        parts = parse(url)
        if proxies:
            raise NotImplementedError("proxies is not available yet; leave it out or pass {}")
        if proxies is None:
            _warn_of_proxy()
        self.url = url
        self.proxies = proxies
        self.protocols = check_protocols([] if protocols is None else protocols)
        self.agent = constants.USER_AGENT if agent in (None, "") else agent
        self.compress = compress
        _check_compress(compress)
        options.check_flag("ssl_verify", ssl_verify)
        check_cafile(ssl_cafile)
        self.ssl_verify = ssl_verify
        self.ssl_cafile = ssl_cafile
        self.ssl_context = ssl_context
        self.trace = trace
        self.scheme = parts.scheme
        self.host = parts.host
        self.port = parts.port
        self.resource = parts.resource
        self.server_name = server_name
        self.socket = socket
        self._headers: list[tuple[bytes, bytes]] = []
        self._check_given()
        for name, value in options.encoded_headers({} if headers is None else headers):
            self.add_header(name, value)
        self._limits = options.Limits(
            max_message_size, max_fragments, max_header_size, max_read_ahead, max_held
        )
        self._timing = options.Timing(
            open_timeout=open_timeout, send_timeout=send_timeout, frame_timeout=frame_timeout
        )
        self._channel: Channel | None = None

    def __repr__(self) -> str:
        return f"WebSocket({redact(self.url)!r})"

    # State

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("wss", "https")

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
    def session(self) -> object | None:
        """Something that stands for the current connection, or None before the first."""
        channel = self._channel
        return None if channel is None else channel.session

    # Connecting

    def add_header(self, header: bytes, value: bytes) -> None:
        """Add a header to the request of every later connection.

        Arguments:
            header: Its name.
            value: Its value.

        Raises:
            TypeError: One of them is not bytes.
            ValueError: It can't stand in a request, or is one that lomond writes.
        """
        if not isinstance(header, bytes):
            raise TypeError("'header' must be bytes")
        if not isinstance(value, bytes):
            raise TypeError("'value' must be bytes")
        check_header(header, value)
        self._headers.append((header, value))

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
        from .io.sync import Performer, events
        from .io.twin import Channel
        from .session.opening import Target, conversation
        from .session.session import Session

        upgrade = engine.Upgrade(self._request(), os.urandom, self._limits.max_header_size)
        request_bytes = upgrade.request_bytes()
        session = Session(engine, timing, self._limits, os.urandom)
        target = Target(
            self.url,
            self.host,
            self.port,
            self.is_secure,
            self.host if self.server_name is None else self.server_name,
            self.socket is not None,
        )
        tracer = self._tracer() if self.trace else None
        channel = Channel(session, tracer.length if tracer else None)
        script = conversation(session, target, upgrade, request_bytes)
        earlier, self._channel = self._channel, channel
        if earlier is not None:
            earlier.leave(reason="replaced by a new connection")
        if tracer is not None:
            tracer(
                "connect_start",
                poll=poll,
                ping_rate=ping_rate,
                ping_timeout=ping_timeout,
                auto_pong=auto_pong,
                close_timeout=close_timeout,
            )
        performer = Performer(channel, self._make_context, self.socket)
        return events(channel, script, performer, tracer.event if tracer else None)

    def __iter__(self) -> Generator[AnyEvent, None, None]:
        return self.connect()

    def _request(self) -> Request:
        """What to ask the server for, as the attributes say now."""
        return Request(
            self.resource,
            authority(self.host, self.port),
            self.agent,
            tuple(self._headers),
            check_protocols(self.protocols),
            _check_compress(self.compress),
        )

    def _check_given(self) -> None:
        """Raise unless the attributes, which anyone may set, can be used."""
        check_header(b"User-Agent", options.encoded_agent(self.agent))
        check_path(self.ssl_cafile)
        check_context(self.ssl_context)
        check_server_name(self.server_name)
        check_socket(self.socket)

    def _make_context(self) -> ssl.SSLContext:
        if self.trace:
            self._tracer()(
                "tls_wrapped",
                verify=self.ssl_verify is not False,
                has_context=self.ssl_context is not None,
                cafile=self.ssl_cafile is not None,
            )
        if self.ssl_context is not None:
            return self.ssl_context
        from .io.tls import make_context

        # Whatever else was put there: only False switches it off.
        return make_context(self.ssl_verify is not False, check_path(self.ssl_cafile))

    def reset(self) -> None:
        """Forget the last connection; one that stands ends at once."""
        earlier, self._channel = self._channel, None
        if earlier is not None:
            earlier.force("reset by the user")

    def force_disconnect(self) -> None:
        """End the connection at once, without a close frame. Raises nothing, from any thread."""
        if self._channel is not None:
            self._channel.force("disconnected by the user")

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._channel is not None:
            self._channel.leave()

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

    def _tracer(self) -> Tracer:
        from .tracing import Tracer

        return Tracer(self.trace, self.url)


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


def _check_compress(compress: object) -> options.Deflate | None:
    """What the option asks for. That its library can't be had is said here, not in the loop."""
    deflate = options.check_compress(compress)
    if deflate is not None:
        from .compression import chosen_backend

        chosen_backend()
    return deflate


def _warn_of_proxy() -> None:
    for name in _PROXY_VARIABLES:
        for variable in (name, name.upper()):
            if os.environ.get(variable):
                import logging

                said = "environment variable %s is ignored: no proxies yet"
                logging.getLogger("lomond").warning(said, variable)
                return
