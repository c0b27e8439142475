"""What every door does: connecting, sending, and its checks.

A door says in which way it waits. Decides nothing about the protocol.
"""

# pyright: reportPrivateUsage=false
# What users do not see of a WebSocket, the functions below do for the rest of the package.

from __future__ import annotations

import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Never, NoReturn, Self, TypeVar, Unpack

from . import options, rows
from .base import check_together, restore, state_of
from .errors import WebSocketUnavailable
from .io.readiness import told
from .payloads import as_bytes, refuse_text, write_json
from .protocol import frames
from .session.counting import counted
from .settable import check_deep
from .state import State
from .system import forking
from .system.holding import abandon

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from typing_extensions import Buffer  # which checkers know themselves

    from .events import AnyEvent
    from .io.exchange import Exchange
    from .io.noticing import Look
    from .io.performing import Driving
    from .io.posting import Posts
    from .replies import Reply

__all__ = ["Door"]


class _Missing:
    """Stands for an argument that is not given; help() shows it as that."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<none given>"


_MISSING: Any = _Missing()
#: What every connection needs, and `import lomond` does not.
_NEEDED = ("making", "io.posting")  # that one not first in a signal handler that posts
_ROWS = rows.rows_of(options.ConnectOptions)
_loaded: dict[str, Any] = {}
_put = object.__setattr__  # of a name of ours, which needs no check
WITHIN = 30.0  # seconds for a reply; given, it is another one
_replacing = threading.RLock()  # for `_exchange`; a signal handler may connect too


Stream = TypeVar("Stream")
Sent = TypeVar("Sent")


def _renew() -> None:
    # A thread that held it stayed with the parent.
    global _replacing
    _replacing = threading.RLock()


forking.in_child(_renew)


class Door(State, Generic[Stream, Sent]):
    """A WebSocket without its way to wait.

    `Stream` is what `connect` gives, `Sent` what the methods give that send.
    """

    def __getstate__(self) -> dict[str, Any]:
        """What a deep copy, or a pickle, has. Raises TypeError, naming an option that has none."""
        check_deep(self)
        return state_of(self, self._unshared)

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        other.__setstate__(state_of(self, self._unshared))
        return other

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore(self, state)
        self._load()

    def _load(self) -> None:
        # Not first when connecting, where a process may have no file descriptor left to load it by.
        listens = ("listening", "tracing") if self.trace else ()
        records = ("listening", "records") if self.record is not None else ()
        for name in (*_NEEDED, *listens, *records):
            if name not in _loaded:
                _loaded[name] = import_module(f".{name}", __package__)

    def _stream(self, timing: options.Timing) -> Stream:
        """The events of a new connection."""
        raise NotImplementedError

    def _close(self, code: int | None, reason: str | bytes | None) -> Sent:
        """Start the closing handshake."""
        raise NotImplementedError

    # Connecting

    def connect(self, *args: Never, **options: Unpack[options.ConnectKeywords]) -> Stream:
        """A new connection (RFC 6455 section 4.1), as an iterator of events.

        Nothing is sent before you ask for the first event.

        An earlier connection of this object ends. The options are those that the object has now:
        what is set later, also before the first event, is for the next one. Mappings and jars are
        read when the request is made.

        Arguments:
            Options: as docs/reference/options.md has them.

        Raises:
            TypeError, ValueError: An argument can't be.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket.connect(ping_timeout=30):
            ...     if event.name == "text":
            ...         print(event.text)
            hello
        """
        if args:
            _fail_session_class()
        return self._stream(timed(self, options))

    def reset(self) -> None:
        """Forget the last connection; one that stands ends at once.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> names = [event.name for event in websocket]
            >>> websocket.reset()
            >>> websocket.is_active  # as before the first connection
            True
        """
        _replace(self, None, "reset by the user")

    def force_disconnect(self) -> None:
        """End the connection at once, without a close frame. Raises nothing, from any thread.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket:
            ...     if event.name == "text":
            ...         websocket.force_disconnect()
            >>> websocket.ending.kind, websocket.ending.by
            ('left', 'client')
        """
        exchange = self._exchange
        if exchange is not None:
            from .session.finish import Why

            exchange.force(Why("disconnected by the user"))
            told(exchange)

    def post(self, value: object) -> None:
        """Have the loop over this WebSocket get an event `posted` with that value, in its turn.

        From any thread, task or signal handler; never waits. Within 20 ms, however idle the
        connection is, also while it opens or closes, and between the connections of `persist`; in
        an event loop at once. What is posted before, or after the end, is kept for the next
        connection. Nothing bounds how much is kept.

        Arguments:
            value: Anything.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> websocket.post("work")  # from another thread, say
            >>> for event in websocket:
            ...     if event.name == "posted":
            ...         print(event.value)
            work
        """
        posts = self._posts
        if posts is None:
            from .io.posting import Posts

            posts = vars(self).setdefault("_posts", Posts())  # of two threads, one's
        posts.append(value)
        if self._exchange is None or not self._exchange.is_foreign:
            self._hurry(posts)

    def _hurry(self, posts: Posts) -> None:
        """Have whoever iterates look at what was posted."""
        from .io.posting import hurry

        # Looked at in this order, and set in the other one by who connects, and who waits.
        exchange = self._exchange
        if exchange is not None:
            hurry(exchange, posts)
        bell = self._bell
        if bell is not None:
            bell()

    # Sending

    def close(self, code: int | None = 1000, reason: str | bytes | None = b"goodbye") -> Sent:
        """Start the closing handshake (RFC 6455 section 7.1.2), from any thread; never waits.

        The loop goes on until Closed and Disconnected. Before Connected the connection is given up
        at once, before Ready one second later unless the server has accepted the upgrade by then.
        Does nothing where it was started already.

        Arguments:
            code: 1000-1003, 1007-1014 or 3000-4999 (1000; RFC 6455 section 7.4); None for a close
                frame without code.
            reason: For people (``b"goodbye"``); cut to 123 bytes of UTF-8.

        Raises:
            TypeError, ValueError: The code can't be sent.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket:
            ...     if event.name == "ready":
            ...         websocket.close(1000, "seen enough")
            >>> websocket.is_closed
            True
        """
        frames.build_close_payload(code, reason)
        return self._close(code, reason)

    def send_text(
        self,
        text: str,
        compress: bool = True,
        *,
        reply: Reply | None = None,
        within: float | None = WITHIN,
    ) -> Sent:
        """Send a text message (RFC 6455 section 5.6). Returns when the system has taken all of it.

        Before Ready it is held, and leaves when the server has accepted the upgrade.

        Arguments:
            text: The message.
            compress: Whether to compress it (True), where that was negotiated.
            reply: What tells the message that answers: a key of its JSON object and the value, like
                ``("id", 7)``, or a callable that is given a Text or Binary. It is the event `reply`
                then, instead of itself; or `no_reply` comes.
            within: Seconds for that (30); None for no limit but the connection's end.

        Raises:
            TypeError: It is not a str.
            UnicodeEncodeError: It holds half a surrogate pair.
            WebSocketUnavailable: There is no connection, or (WebSocketClosing) it closes.
            TransportFail: Writing failed; the connection is over.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket:
            ...     if event.name == "ready":
            ...         websocket.send_text("subscribe")
            ...     elif event.name == "text":
            ...         print(event.text)
            hello
        """
        if not isinstance(text, str):
            refuse_text(text)
        data = text.encode()
        if reply is not None or within is not WITHIN:
            return self._send_asking((frames.TEXT, data, compress), text, reply, within)
        exchange = self._exchange or self._connected()
        sent: Sent = exchange.send(frames.TEXT, data, compress)
        if exchange.journal is not None:
            exchange.journal.tell()
        return sent

    def send_binary(
        self,
        data: Buffer,
        compress: bool = True,
        *,
        reply: Reply | None = None,
        within: float | None = WITHIN,
    ) -> Sent:
        """Send a binary message (RFC 6455 section 5.6); else as `send_text`.

        Arguments:
            data: Bytes, or what is like them: bytearray, memoryview, mmap, array. It is copied at
                once, and may change then.
            compress: Whether to compress it (True), where that was negotiated.
            reply: As of `send_text`.
            within: Seconds for that (30); None for no limit but the connection's end.

        Raises:
            TypeError: It is not bytes-like.
            ValueError: Its bytes do not lie in one piece.
            WebSocketUnavailable, TransportFail: As `send_text` does.

        Example:
            >>> websocket = WebSocket("wss://example.org/upload")
            >>> for event in websocket:
            ...     if event.name == "ready":
            ...         websocket.send_binary(bytes(100))
            ...     elif event.name == "text":
            ...         print(event.text)
            hello
        """
        if not isinstance(data, bytes):
            data = as_bytes(data)
        if reply is not None or within is not WITHIN:
            return self._send_asking((frames.BINARY, data, compress), data, reply, within)
        exchange = self._exchange or self._connected()
        sent: Sent = exchange.send(frames.BINARY, data, compress)
        if exchange.journal is not None:
            exchange.journal.tell()
        return sent

    def send_json(self, _obj: Any = _MISSING, **kwargs: Any) -> Sent:
        """Send a text message that is JSON: of the one argument, or of the keywords as an object.

        It is written by the WebSocket's `dumps`, or compactly, in UTF-8 (RFC 8259 section 8.1).

        Arguments:
            _obj: The one argument, by its place. Beside it `compress`, `reply` and `within` are as
                of `send_text`; without it they are keys as any other.

        Raises:
            TypeError: It can't be written as JSON.
            ValueError: It holds NaN or Infinity; or both an argument and keywords are given.
            WebSocketUnavailable, TransportFail: As `send_text` does.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket:
            ...     if event.name == "ready":
            ...         websocket.send_json(op="subscribe", topic="trades")
            ...     elif event.name == "text":
            ...         print(event.text)
            hello
        """
        if _obj is _MISSING:
            return self.send_text(write_json(kwargs, self._dumps))
        if not kwargs:
            return self.send_text(write_json(_obj, self._dumps))
        compress = kwargs.pop("compress", True)
        reply, within = kwargs.pop("reply", None), kwargs.pop("within", WITHIN)
        if kwargs:
            raise ValueError(
                "send_json requires positional argument OR keyword arguments (and compress=, "
                "reply= and within= beside the first): "
                f"{', '.join(kwargs)} goes into the object, or without it"
            )
        text = write_json(_obj, self._dumps)
        if reply is None and within is WITHIN:
            return self.send_text(text, compress)
        return self._send_asking((frames.TEXT, text.encode(), compress), _obj, reply, within)

    def _send_asking(
        self, frame: tuple[int, bytes, bool], request: Any, reply: Any, within: float | None
    ) -> Sent:
        """Send a message whose reply is an event."""
        from .replies import sent

        given: Sent = sent(self, frame, request, reply, within)
        return given

    def send_ping(self, data: Buffer = b"") -> Sent:
        """Send a ping (RFC 6455 section 5.5.2); pings every `ping_rate` seconds need no call.

        Arguments:
            data: Up to 125 bytes (none); the pong has them too.

        Raises:
            ValueError: It is longer.
            TypeError, WebSocketUnavailable, TransportFail: As `send_binary` does.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> with pretend(Server().after(1).closes()):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_ping(b"are you there")
            ...         elif event.name == "pong":
            ...             print(event.data)
            b'are you there'
        """
        return self._send_control(frames.PING, "ping", data)

    def send_pong(self, data: Buffer) -> Sent:
        """Send a pong (RFC 6455 section 5.5.3); with `auto_pong` pings are answered without.

        Arguments:
            data: That of the ping, up to 125 bytes.

        Raises:
            ValueError: It is longer.
            TypeError, WebSocketUnavailable, TransportFail: As `send_binary` does.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> with pretend(Server().pings(b"ours").closes()):
            ...     for event in websocket.connect(auto_pong=False):
            ...         if event.name == "ping":
            ...             websocket.send_pong(event.data)
        """
        return self._send_control(frames.PONG, "pong", data)

    def _send_control(self, opcode: int, name: str, data: Buffer) -> Sent:
        if not isinstance(data, bytes):
            data = as_bytes(data)
        if len(data) > frames.MAX_CONTROL_PAYLOAD:
            raise ValueError(
                f"{name} data should be <= 125 bytes, not {len(data)}; send a message instead"
            )
        exchange = self._exchange or self._connected()
        sent: Sent = exchange.send(opcode, data)
        if exchange.journal is not None:
            exchange.journal.tell()
        return sent

    def _connected(self) -> Exchange:
        """The current connection. Raises WebSocketUnavailable: there is none."""
        if self._exchange is None:
            raise unavailable(self)
        return self._exchange


_connect: Any = vars(Door)["connect"]
rows.signed(_connect, _ROWS)


# For the doors


def unavailable(door: Door[Any, Any]) -> WebSocketUnavailable:
    """What a send raises where there is no connection."""
    from .session.finish import not_connected

    return WebSocketUnavailable(not_connected(door._ended), ending=door._ended)


def timed(
    door: Door[Any, Any], asked: Mapping[str, object], function: str = "connect()"
) -> options.Timing:
    """What a connection is asked, with the options. Raises TypeError or ValueError.

    Arguments:
        door: Whose options.
        asked: Of the next connection only.
        function: What the user called.
    """
    if not asked.keys() <= _ROWS.keys():
        if "session_class" in asked:
            _fail_session_class()
        raise rows.no_such(function, asked.keys() - _ROWS.keys(), _ROWS)
    check_together(door)
    if not asked:
        return door._timing
    kept = rows.checked(_ROWS, asked)
    if "ping_message" in kept:
        options.check_pings(kept)
    return timed_again(door, kept)


def timed_again(door: Door[Any, Any], kept: Mapping[str, object]) -> options.Timing:
    """What `timed` says, where it was checked: options that can't be are a failed attempt."""
    return options.changed(door._timing, kept)


def again(door: Door[Stream, Any], **kept: object) -> Stream:
    """A new connection of `persist`'s, which has checked what is asked."""
    return door._stream(timed_again(door, kept))


def begin(
    door: Door[Any, Any], timing: options.Timing, driver: Driving | None = None
) -> Generator[Any, None, None]:
    """A new connection, which is the current one now: its events, as `making.made` has them."""
    exchange, items = _loaded["making"].made(door, timing, driver)
    _replace(door, exchange, "replaced by a new connection")
    posts = door._posts  # looked at behind that: another thread may just have made them
    if posts is not None:
        from .io.posting import hurry

        hurry(exchange, posts)
    return items  # type: ignore[no-any-return]  # of the door's own kind


def start_closing(door: Door[Any, Any], code: int | None, reason: str | bytes | None) -> None:
    """Start the closing handshake, if there is a connection."""
    exchange = door._exchange
    if exchange is None or not exchange.close(code, reason):
        return
    if exchange.journal is not None:
        exchange.journal.note("here", "close_requested", {"code": code, "reason": reason})
        exchange.journal.tell()


def stay(door: Door[Any, Any], begins: bool) -> None:
    """Begin or end a time in which another connection follows where one of this door ends."""
    door._stays += 1 if begins else -1
    if not begins:
        told(door._exchange)


def tell(door: Door[Any, Any], event: AnyEvent) -> None:
    """Tell whoever listens to this door's connections that another one is waited for."""
    exchange = door._exchange
    is_told = exchange is not None and exchange.journal is not None
    if is_told or "logging" in sys.modules:
        from .listening import backs_off

        backs_off(door, event)


def look_with(door: Door[Any, Any], look: Look | None) -> None:
    """The connection that is made next looks at something else too while it waits."""
    if look is not door._look:
        door._look = look


def forget_look(door: Door[Any, Any], look: Look | None) -> None:
    """Where no connection was made, the next one has nothing to look at."""
    if look is door._look:
        door._look = None


def _replace(door: Door[Any, Any], exchange: Exchange | None, reason: str) -> None:
    """Make another connection the current one; the last one ends, also if this is interrupted."""
    earlier = None
    try:
        _replacing.acquire()
        earlier = door._exchange
        _put(door, "_exchange", exchange)
        _replacing.release()
        if earlier is not None:
            _end(door, earlier, reason, says_so=exchange is not None)
            session = earlier.session
            _replacing.acquire()  # of two threads that replace, each adds its own
            carried = counted(session.connection, session.course, door._carried).total
            _put(door, "_carried", carried)
            _replacing.release()
    except BaseException:
        abandon(_replacing)
        if earlier is not None:
            _end(door, earlier, reason, says_so=False)
        raise


def _end(door: Door[Any, Any], exchange: Exchange, reason: str, *, says_so: bool) -> None:
    """End a connection that is no longer the current one; how it ended is not forgotten."""
    why = _loaded["making"].Why(reason, kind="replaced" if says_so else "left")
    if says_so:
        exchange.leave(why=why)
    exchange.force(why)
    _put(door, "_ended", exchange.session.finish.ending or door._ended)


def _fail_session_class() -> NoReturn:
    raise TypeError(
        "connect() takes keyword arguments only, and no session_class; give WebSocket "
        "ssl_context=, server_name= or socket= for what it was used for"
    )
