"""The synchronous door: a WebSocket that is iterated. Decides nothing about the protocol."""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

from . import options, persisting, rows, settable
from .checks import check_seconds
from .door import Door, begin, start_closing, timed
from .io.readiness import WRONG_WAIT, is_own_loop, wait_in_thread
from .iterated import Events
from .protocol.frames import BINARY, TEXT
from .wrong_door import look_at_loop, not_async_for, not_async_with, warn_of_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .events import AnyEvent, Binary, Text
    from .options import Message
    from .replies import Fits, Pair, Reply
    from .sources import Source

__all__ = ["WebSocket"]

_connect: Any = vars(Door)["connect"]


class WebSocket(Door["Generator[AnyEvent, None, None]", None]):
    """A WebSocket connection as an orderly stream of events.

    Iterating connects, and gives an event for whatever happens, until the connection is over. The
    object may be iterated again, for a new connection each time. Any thread may send or close.

    `connect` gives the events too, and takes what is of a connection (pings, a login); `persist`
    connects again and again. `send_text`, `send_binary` and `send_json` send a message. Afterwards
    `ending` tells who ended the connection, and why.

    All options are attributes too, and may be set: for the next connection, which takes all of them
    as they are at its `connect`. `url` sets `scheme`, `host`, `port` and `resource`, and each of
    these sets `url`.

    Example:
        >>> for event in WebSocket("wss://example.org/feed"):
        ...     if event.name == "text":
        ...         print(event.text)
        hello

    Any option may be given by its name, and the first nine by their place.

    Options: as docs/reference/options.md has them.

    Raises:
        ValueError, TypeError: An argument can't be; the message names it and the fix. Also where
            an attribute is set.
        AttributeError: What is set is no option, but one slip away from one.
        ImportError: Compression, a SOCKS proxy or truststore is asked for, and what it needs is
            not installed.
    """

    def _stream(self, timing: options.Timing) -> Generator[AnyEvent, None, None]:
        return Events(self._items(timing))

    def _items(self, timing: options.Timing) -> Generator[AnyEvent, None, None]:
        # Asked here, that it costs no call where no event loop runs.
        modules = sys.modules
        running_loop = getattr(modules.get("asyncio"), "_get_running_loop", None)
        of_trio = getattr(modules.get("sniffio"), "thread_local", None)
        if (running_loop is not None and running_loop()) or getattr(of_trio, "name", None):
            warn_of_loop()
        return begin(self, timing)

    def __iter__(self) -> Generator[AnyEvent, None, None]:
        look_at_loop(self)
        if type(self).connect is _connect:
            return self._items(timed(self, {}))  # as that, without three calls
        return iter(self.connect())

    def persist(
        self, **options: Unpack[persisting.PersistKeywords]
    ) -> Generator[AnyEvent, None, None]:
        """The events of one connection after another, as `lomond.persist.persist` gives them.

        Arguments:
            Options: as docs/reference/options.md has them.

        Raises:
            TypeError, ValueError: An argument can't be; at once, not at the first event.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket.persist(ping_timeout=30):
            ...     if event.name == "text":
            ...         print(event.text)
            ...         break
            hello
        """
        from .persist import persist

        return persist(self, **options)

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until messages may be sent: for threads beside the one that iterates.

        Arguments:
            timeout: Seconds; None, the default, for no limit.

        Returns:
            True when messages may be sent; False after the time, or when it is over for good. With
            `persist` it is over when that ends, else when the connection does.

        Raises:
            RuntimeError: This thread iterates: while it waits here, nothing goes on.
            TypeError, ValueError: The timeout can't be.

        Example:
            >>> def work():
            ...     print("ready:", websocket.wait_ready(10))
            ...     websocket.close()
            >>> with serve(Server().echoes()) as server:
            ...     websocket = WebSocket(server.url)
            ...     thread = threading.Thread(target=work)
            ...     thread.start()
            ...     for event in websocket:
            ...         pass
            ...     thread.join()
            ready: True
        """
        check_seconds("timeout", timeout, none="no limit")
        if is_own_loop(self):
            raise RuntimeError(WRONG_WAIT.format("thread"))
        return wait_in_thread(self._readiness, lambda: self._exchange, timeout)

    @overload
    def ask(self, message: Message, *, reply: Pair, within: float | None = ...) -> Text: ...

    @overload
    def ask(
        self, message: Message, *, reply: Fits, within: float | None = ...
    ) -> Text | Binary: ...

    def ask(self, message: Message, *, reply: Reply, within: float | None = 30.0) -> Text | Binary:
        """Send a message and wait for its reply: for threads beside the one that iterates.

        What answers is no event of the loop.

        Arguments:
            message: A str (text), bytes-like (binary), or a dict or list (JSON, by `dumps`).
            reply: A key of the JSON object that answers and its value, like ``("id", 7)``, or a
                callable that tells of a Text or Binary whether it is the answer.
            within: Seconds (30); None for no limit but the connection's end.

        Returns:
            The Text (or Binary) that answered.

        Raises:
            NoReply: None came in time, or before the connection ended; it is a TimeoutError.
            RuntimeError: This thread iterates, so that nothing is read while it waits: write
                ``send_json(obj, reply=..., within=...)`` there.
            TypeError, ValueError, WebSocketUnavailable, TransportFail: As `send_json` does.

        Example:
            >>> def work():
            ...     if websocket.wait_ready(10):
            ...         answer = websocket.ask({"id": 7, "op": "time"}, reply=("id", 7))
            ...         print(answer.json)
            ...     websocket.close()
            >>> with serve(Server().echoes()) as server:
            ...     websocket = WebSocket(server.url)
            ...     thread = threading.Thread(target=work)
            ...     thread.start()
            ...     for event in websocket:
            ...         pass
            ...     thread.join()
            {'id': 7, 'op': 'time'}
        """
        from .replies import asked_by_thread

        return asked_by_thread(self, message, reply, within)

    def send_stream(
        self,
        source: Source,
        text: bool = False,
        *,
        compress: bool = True,
        on_progress: Callable[[int], object] | None = None,
    ) -> int:
        """Send one message as its bytes come, in fragments (RFC 6455 section 5.4), from Ready on.

        Pings, pongs and a close go between. In the body of the loop too what comes meanwhile is
        acted on, and its events follow afterwards, up to `max_read_ahead`. Messages of
        other threads wait their turn. If the source raises, that comes out here, and the connection
        is closed with 1011, for half a message can't be taken back.

        Arguments:
            source: A file (binary, or of text), or an iterable of bytes-like pieces, or of str.
                Of a file what is there is taken, up to 64 KiB at a time; it is not closed. A
                generator is, whatever happens.
            text: Whether it is a text, and each piece a str (False: it is a binary).
            compress: Whether to compress it (True), where that was negotiated.
            on_progress: Is called with the number of bytes that the system has so far.

        Returns:
            How many bytes the message has.

        Raises:
            TypeError: It is no source, or a piece of it can't be sent.
            WebSocketUnavailable: There is no connection, or (WebSocketClosing) it closes; or this
                is called from within such a source.
            TransportFail: Writing failed; the connection is over.

        Example:
            >>> websocket = WebSocket("wss://example.org/upload")
            >>> with pretend(Server().hears(b"a file in pieces").closes()):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             print(websocket.send_stream([b"a file ", b"in pieces"]))
            16
        """
        from .io.streaming import send_by_thread
        from .sources import pieces

        given = pieces(source, text)
        exchange: Any = self._exchange
        if exchange is None:
            given.close()
            exchange = self._connected()  # raises
        opcode = TEXT if text else BINARY
        is_ours = is_own_loop(self) and not exchange.is_in_use  # not in a signal handler
        return send_by_thread(exchange, opcode, given, compress, on_progress, is_ours)

    def send_many(self, messages: Iterable[Message], *, compress: bool = True) -> None:
        """Send many messages (RFC 6455 section 5.6), in order, in as few system calls as can be.

        They are gathered outside of every lock, and go out in batches of 256 KiB at most; other
        threads' messages may stand between two batches. Returns when the system has all. If the
        iterable raises, what it gave before is sent first.

        Arguments:
            messages: Each a str (text), bytes-like (binary), or a dict or list (JSON, by `dumps`).
            compress: Whether to compress them (True), where that was negotiated.

        Raises:
            TypeError, ValueError: What is no message; what came before it is sent.
            WebSocketUnavailable, TransportFail: As `send_text` does.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket:
            ...     if event.name == "ready":
            ...         websocket.send_many(["one", b"two", {"number": 3}])
            ...     elif event.name == "text":
            ...         print(event.text)
            hello
        """
        from .gathering import Batches

        for batch in Batches(messages, self._dumps):
            exchange: Any = self._connected()
            exchange.send_all(batch, compress)
            if exchange.journal is not None:
                exchange.journal.tell()

    def _close(self, code: int | None, reason: str | bytes | None) -> None:
        start_closing(self, code, reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        exchange = self._exchange
        if exchange is not None:
            exchange.leave()

    if not TYPE_CHECKING:  # to which it is neither
        __aiter__ = not_async_for
        __aenter__ = __aexit__ = not_async_with


rows.signed(WebSocket.persist, persisting.PERSIST)
rows.document(WebSocket, settable.BY_GROUP)
