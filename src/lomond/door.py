"""What every door is: the state of the current connection, connecting, sending, and its checks.

A door says in which way it waits. Decides nothing about the protocol.
"""

from __future__ import annotations

import os
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, cast

from . import options
from .base import Base
from .errors import WebSocketUnavailable
from .io import forking
from .io.holding import abandon
from .protocol import frames
from .settable import CONNECT, check_deep

if TYPE_CHECKING:
    from collections.abc import Generator

    from .compression import Compression
    from .io.channel import Channel
    from .io.noticing import Look
    from .io.performing import Driving
    from .timings import Latency
    from .tracing import Tracer

__all__ = ["Door"]

_MISSING: Any = object()
#: What every connection needs, and `import lomond` does not.
_NEEDED = ("plan", "io.performing", "io.stream", "session.opening", "session.session")
_replacing = threading.RLock()  # while `_channel` is read and set; a signal handler may connect too


Stream = TypeVar("Stream")
Sent = TypeVar("Sent")


def _renew() -> None:
    # A thread that held it stayed with the parent.
    global _replacing
    _replacing = threading.RLock()


forking.in_child(_renew)


class Door(Base, Generic[Stream, Sent]):
    """A WebSocket without its way to wait.

    `Stream` is what `connect` gives, `Sent` what the methods give that send.
    """

    _channel: Channel | None = None  # the current connection's
    _look: Look | None = None  # for the next connection
    _traced: Tracer | None = None  # of the current connection
    _unshared: tuple[str, ...] = ("_channel", "_look", "_traced")  # what no copy has

    def __getstate__(self) -> dict[str, Any]:
        """What a deep copy, or a pickle, has. Raises TypeError, naming an option that has none."""
        check_deep(self)
        return self._copied()

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        other.__setstate__(self._copied())
        return other

    def _copied(self) -> dict[str, Any]:
        """The options, and what the user keeps here; nothing of a connection."""
        kept, options = cast("tuple[dict[str, Any] | None, dict[str, Any]]", super().__getstate__())
        state = (kept or {}) | options | {"_headers": self.added_headers()}
        return {name: value for name, value in state.items() if name not in self._unshared}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)  # it was checked when the original was made
        self._load()

    def _load(self) -> None:
        # Not first when connecting, where a process may have no file descriptor left to load it by.
        for name in (*_NEEDED, "tracing") if self.trace else _NEEDED:
            import_module(f"lomond.{name}")

    def _stream(self, timing: options.Timing) -> Stream:
        """The events of a new connection."""
        raise NotImplementedError

    def _send(self, opcode: int, payload: bytes, compress: bool = False) -> Sent:
        """Send a message that was checked."""
        raise NotImplementedError

    def _close(self, code: int | None, reason: str | bytes | None) -> Sent:
        """Start the closing handshake."""
        raise NotImplementedError

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
    ) -> Stream:
        """A new connection, as an iterator of events; nothing is sent before its first event.

        An earlier connection of this object ends. The options are those that the object has now:
        what is set later, also before the first event, is for the next one.

        Arguments:
            poll: Seconds between two Poll events (5), until one side begins to close; 0 for one at
                every turn until the end, None for none.
            ping_rate: Seconds from Ready to the first ping, and between two (30); 0 or None: none.
            ping_timeout: Seconds without any byte after a ping until Unresponsive (None: never).
            auto_pong: Whether pings are answered (True).
            close_timeout: Seconds from the first close frame to the end (30); what is not handed
                out by then is dropped. 0 or None: no limit.

        Raises:
            TypeError, ValueError: An argument can't be.
        """
        if args:
            _fail_session_class()
        timing = self.timed(
            poll=poll,
            ping_rate=ping_rate,
            ping_timeout=ping_timeout,
            auto_pong=auto_pong,
            close_timeout=close_timeout,
            **unknown,
        )
        return self._stream(timing)

    def again(self, **connect: Any) -> Stream:
        """As `connect`, for `persist`: options that can't be are a failed attempt."""
        return self._stream(self.timed_again(**connect))

    def timed(self, **connect: Any) -> options.Timing:
        """What `connect` is asked, with the options, checked. Raises as `connect`."""
        _refuse(connect.keys() - set(CONNECT))
        self.check_together()
        return self.timed_again(**connect)

    def timed_again(self, **connect: Any) -> options.Timing:
        """What `timed` says, for `persist`: options that can't be are a failed attempt."""
        return options.Timing(
            **connect,
            open_timeout=self.open_timeout,
            send_timeout=self.send_timeout,
            frame_timeout=self.frame_timeout,
        )

    def begin(
        self,
        timing: options.Timing,
        driver: Driving | None = None,
    ) -> Generator[Any, None, None]:
        """A new connection: its events, and between them what to wait for if there is a driver.

        Arguments:
            timing: What `timed` said.
            driver: What waits, and goes on then; None for a wait in here.
        """
        # Imported by whoever connects: sockets, the protocol, and all that they need.
        from .engine import engine
        from .io.performing import Performer
        from .io.stream import events
        from .io.twin import Channel
        from .plan import Plan
        from .session.opening import conversation
        from .session.session import Session

        asked = self.options_now()
        plan = Plan(asked, asked._make_context)
        session = Session(engine, timing, self.limits, os.urandom)
        tracer = self._tracer() if self.trace else None
        if tracer is not self._traced:
            self._traced = tracer
        channel = Channel(session, tracer.length if tracer else None, driver)
        script = conversation(session, plan)
        self._replace(channel, "replaced by a new connection")
        if tracer is not None:
            tracer(
                "connect_start",
                poll=timing.poll,
                ping_rate=timing.ping_rate,
                ping_timeout=timing.ping_timeout,
                auto_pong=timing.auto_pong,
                close_timeout=timing.close_timeout,
            )
        performer = Performer(channel, plan, None if driver is None else driver.carry)
        traced = tracer.event if tracer else None
        look = self._look
        if look is not None:
            self._look = None
        return events(channel, script, performer, traced, driver is None, look)

    def look_with(self, look: Look | None) -> None:
        """The connection that is made next looks at something else too while it waits."""
        if look is not self._look:
            self._look = look

    def forget_look(self, look: Look | None) -> None:
        """Where no connection was made, the next one has nothing to look at."""
        if look is self._look:
            self._look = None

    def reset(self) -> None:
        """Forget the last connection; one that stands ends at once."""
        self._replace(None, "reset by the user")

    def _replace(self, channel: Channel | None, reason: str) -> None:
        """Another connection is the current one; the last one ends, also if this is interrupted."""
        earlier = None
        try:
            _replacing.acquire()
            earlier, self._channel = self._channel, channel
            _replacing.release()
            if earlier is not None:
                if channel is not None:
                    earlier.leave(reason=reason)
                earlier.force(reason)
        except BaseException:
            abandon(_replacing)
            if earlier is not None:
                earlier.force(reason)
            raise

    def force_disconnect(self) -> None:
        """End the connection at once, without a close frame. Raises nothing, from any thread."""
        channel = self._channel
        if channel is not None:
            channel.force("disconnected by the user")

    # Sending

    def close(self, code: int | None = 1000, reason: str | bytes | None = b"goodbye") -> Sent:
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
        return self._close(code, reason)

    def start_closing(self, code: int | None, reason: str | bytes | None) -> None:
        channel = self._channel
        if channel is not None and channel.close(code, reason):
            self._trace_sent("close_requested", code=code, reason=reason)

    def send_text(self, text: str, compress: bool = True) -> Sent:
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
        if self._traced is not None:
            self._trace_sent("send_text", length=len(text), compressed=compress)
        return self._send(frames.TEXT, data, compress)

    def send_binary(self, data: bytes, compress: bool = True) -> Sent:
        """Send a binary message; else as `send_text`.

        Raises:
            TypeError: It is not bytes.
        """
        if not isinstance(data, bytes):
            raise TypeError("data argument must be bytes")
        if self._traced is not None:
            self._trace_sent("send_binary", length=len(data), compressed=compress)
        return self._send(frames.BINARY, data, compress)

    def send_json(self, _obj: Any = _MISSING, **kwargs: Any) -> Sent:
        """Send a text message that is JSON: of the one argument, or of the keywords as an object.

        Raises:
            ValueError: Both are given.
            TypeError: It can't be written as JSON.
        """
        if _obj is not _MISSING and kwargs:
            raise ValueError("send_json requires positional argument OR keyword arguments")
        import json

        return self.send_text(json.dumps(kwargs if _obj is _MISSING else _obj))

    def send_ping(self, data: bytes = b"") -> Sent:
        """Send a ping of at most 125 bytes; else as `send_binary`. Raises ValueError if longer."""
        return self._send_control(frames.PING, "ping", data)

    def send_pong(self, data: bytes) -> Sent:
        """Send a pong of at most 125 bytes; else as `send_binary`. Raises ValueError if longer."""
        return self._send_control(frames.PONG, "pong", data)

    def _send_control(self, opcode: int, name: str, data: bytes) -> Sent:
        if not isinstance(data, bytes):
            raise TypeError("data argument must be bytes")
        if len(data) > frames.MAX_CONTROL_PAYLOAD:
            raise ValueError(f"{name} data should be <= 125 bytes")
        self._trace_sent(f"send_{name}", length=len(data))
        return self._send(opcode, data)

    def _connected(self) -> Channel:
        """The current connection. Raises WebSocketUnavailable: there is none."""
        channel = self._channel
        if channel is None:
            raise WebSocketUnavailable("not connected")
        return channel

    def _trace_sent(self, stage: str, **fields: object) -> None:
        if self._traced is not None:
            self._traced(stage, **fields)


def _refuse(unknown: set[str]) -> None:
    if "session_class" in unknown:
        _fail_session_class()
    if unknown:
        raise TypeError(f"connect() has no argument {', '.join(sorted(unknown))}")


def _fail_session_class() -> NoReturn:
    raise TypeError(
        "connect() takes keyword arguments only, and no session_class; give WebSocket "
        "ssl_context=, server_name= or socket= for what it was used for"
    )
