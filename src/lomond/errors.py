"""Every exception that lomond raises: the caller's mistakes. The network's failures are events."""

from __future__ import annotations

import builtins
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ending import Ending
    from .response import Response

__all__ = [
    "CompressionParameterError",
    "ConnectFail",
    "ConnectionFailed",
    "CriticalProtocolError",
    "FrameBuildError",
    "HandshakeError",
    "NoReply",
    "PayloadTooLarge",
    "ProtocolError",
    "ProxyError",
    "Refused",
    "RestoredCause",
    "TransportFail",
    "WebSocketClosed",
    "WebSocketClosing",
    "WebSocketError",
    "WebSocketUnavailable",
]


class WebSocketError(Exception):
    """Base of all that is raised by lomond.

    Arguments:
        message: What happened. With further arguments it is a format string for them.

    Example:
        >>> try:
        ...     WebSocket("wss://example.org").send_text("hi")
        ... except WebSocketError as error:
        ...     print(type(error).__name__)
        WebSocketUnavailable
    """

    def __init__(self, message: str = "", *args: Any, **kwargs: Any) -> None:
        super().__init__(message.format(*args, **kwargs) if args or kwargs else message)


class FrameBuildError(WebSocketError):
    """A frame can't be made of what was given (RFC 6455 section 5.2), in lomond 0.3.4.

    A program may go on naming it: the arguments of ``send_*`` are TypeErrors and ValueErrors now.

    Example:
        >>> issubclass(FrameBuildError, WebSocketError)  # kept for its name
        True
    """


class HandshakeError(WebSocketError):
    """The server's answer does not upgrade the connection (RFC 6455 section 4.1).

    Seen by users as ``Rejected``.

    Example:
        >>> with pretend(Server().wrong_accept()):
        ...     events = list(WebSocket("wss://example.org"))
        >>> events[2].name
        'rejected'
    """


class CompressionParameterError(HandshakeError):
    """The server answered the compression offer with what is not allowed (RFC 7692 section 7.1).

    Example:
        >>> offer = "permessage-deflate; server_max_window_bits=99"
        >>> with pretend(Server(headers={"Sec-WebSocket-Extensions": offer})):
        ...     events = list(WebSocket("wss://example.org", compress=True))
        >>> events[2].reason
        '...server_max_window_bits=99 is invalid; it can be 8 to 15...'
    """


class ProtocolError(WebSocketError):
    """The peer broke a rule. Seen by users as the event of the same name.

    Arguments:
        message: What the peer did.
        code: The close code that answers it (1002; RFC 6455 section 7.4.1).
        section: Where the rule stands, for example ``"RFC 6455 5.2"``.

    Example:
        >>> with pretend(Server().garbage()):
        ...     events = list(WebSocket("wss://example.org"))
        >>> events[-2].name, events[-2].code
        ('protocol_error', 1002)
    """

    #: The original library's label: violations which it answered without a close frame.
    critical = False

    def __init__(self, message: str = "", *, code: int = 1002, section: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.section = section


class PayloadTooLarge(ProtocolError):
    """A frame or message is larger than the limit (RFC 6455 section 10.4).

    Example:
        >>> with pretend(Server().says("hello").closes()):
        ...     events = list(WebSocket("wss://example.org", max_message_size=4))
        >>> events[-2].code
        1009
    """


class CriticalProtocolError(ProtocolError):
    """The peer's bytes make no sense any more: broken UTF-8, broken HTTP.

    Example:
        >>> CriticalProtocolError("broken UTF-8", code=1007).critical
        True
    """

    critical = True


class ConnectFail(WebSocketError):
    """Kept for its name. Failures to connect are the event ``ConnectFail``.

    Example:
        >>> issubclass(ConnectFail, WebSocketError)
        True
    """


class TransportFail(WebSocketError):
    """Raised by ``send_*`` when the operating system did not take the bytes.

    The message may have arrived in part, and the connection is over.

    Attributes:
        cause: The system's or TLS's own error, or None.
        ending: How the connection ended, as far as that is known; or None.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> with pretend(Server().resets()):
        ...     try:
        ...         for event in websocket:
        ...             if event.name == "ready":
        ...                 websocket.send_text("hi")
        ...     except TransportFail as error:
        ...         print(isinstance(error.cause, OSError))
        True
    """

    def __init__(
        self,
        message: str = "",
        *,
        cause: BaseException | None = None,
        ending: Ending | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.ending = ending


class ProxyError(WebSocketError):
    """A proxy did not connect us. Seen by users as the cause of a ``ConnectFail``.

    Attributes:
        response: The proxy's answer where it speaks HTTP and has answered, body included; or None.

    Example:
        >>> websocket = WebSocket("wss://example.org", proxies={"https": "http://proxy:8080"})
        >>> with pretend(Server().refuses(407)):
        ...     events = list(websocket)
        >>> websocket.ending.cause.response.status_code
        407
    """

    def __init__(self, message: str = "", *, response: Response | None = None) -> None:
        super().__init__(message)
        self.response = response


class WebSocketUnavailable(WebSocketError):
    """Raised by ``send_*`` when there is no connection that could take the data.

    Attributes:
        ending: How the last connection ended, as far as that is known; or None.

    Example:
        >>> websocket = WebSocket("wss://example.org/feed")
        >>> for event in websocket:
        ...     pass
        >>> try:
        ...     websocket.send_text("too late")
        ... except WebSocketUnavailable as error:
        ...     print(error.ending.kind, error.ending.code)
        closed 1000
    """

    def __init__(self, message: str = "", *, ending: Ending | None = None) -> None:
        super().__init__(message)
        self.ending = ending


class WebSocketClosed(WebSocketUnavailable):
    """A send after the closing handshake (RFC 6455 section 7.1.4), by its name in lomond 0.3.4.

    A program may go on naming it: what ``send_*`` raises there now is its base.

    Example:
        >>> issubclass(WebSocketClosed, WebSocketUnavailable)  # catch that one
        True
    """


class WebSocketClosing(WebSocketUnavailable):
    """Raised by ``send_*`` after a close frame was sent or received (RFC 6455 section 5.5.1).

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> for event in websocket:
        ...     if event.name == "ready":
        ...         websocket.close()
        ...         try:
        ...             websocket.send_text("too late")
        ...         except WebSocketClosing:
        ...             print("closing")
        closing
    """


class Refused(WebSocketError):
    """Raised by the program's `enter`: this connection won't do; it is closed with 1000.

    It ends with an Ending of the kind ``"refused"``, and is a failed attempt for `persist`.

    Arguments:
        reason: Why, for people.
        final: Whether `persist` is not to connect again (False).

    Example:
        >>> def enter(ready):
        ...     yield {"op": "auth", "key": "..."}
        ...     answer = yield lambda event: event.name == "text"
        ...     if answer.text != "welcome":
        ...         raise Refused(f"it said {answer.text}", final=True)
        >>> websocket = WebSocket("wss://example.org/feed")
        >>> for event in websocket.persist(enter=enter):
        ...     pass
        >>> websocket.ending.kind
        'refused'
    """

    def __init__(self, reason: str = "", *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final

    def __reduce__(self) -> tuple[Any, ...]:
        return (_refused, (str(self), self.final))


def _refused(reason: str, final: bool) -> Refused:
    return Refused(reason, final=final)


class NoReply(WebSocketError, TimeoutError):
    """Raised by ``ask``: no reply came in time, or before the connection ended.

    Attributes:
        ending: How the connection ended, where that was it; or None.

    Example:
        >>> async def main():
        ...     async with AsyncWebSocket("wss://example.org/feed") as websocket:
        ...         async for event in websocket:
        ...             if event.name == "ready":
        ...                 try:
        ...                     await websocket.ask({"id": 7}, reply=("id", 7), within=5)
        ...                 except NoReply as error:
        ...                     print(error.ending.by)
        >>> asyncio.run(main())  # of a server that closes instead
        server
    """

    def __init__(self, message: str = "", *, ending: Ending | None = None) -> None:
        super().__init__(message)
        self.ending = ending

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unanswered, (str(self), self.ending))


def _unanswered(message: str, ending: Ending | None) -> NoReply:
    return NoReply(message, ending=ending)


class ConnectionFailed(WebSocketError, ConnectionError):
    """Raised by ``ending.raise_for_failure()``: the connection did not end as it should.

    Attributes:
        ending: How it ended.

    Example:
        >>> websocket = WebSocket("wss://example.org/feed")
        >>> with pretend(Server().closes(1011, "database")):
        ...     for event in websocket:
        ...         pass
        >>> try:
        ...     websocket.ending.raise_for_failure()
        ... except ConnectionFailed as error:
        ...     print(error)
        the server closed the connection with 1011 'database' after 0 s
    """

    def __init__(self, message: str = "", *, ending: Ending) -> None:
        super().__init__(message)
        self.ending = ending

    def __reduce__(self) -> tuple[Any, ...]:
        return (_failed, (str(self), self.ending))


def _failed(message: str, ending: Ending) -> ConnectionFailed:
    return ConnectionFailed(message, ending=ending)


class RestoredCause(Exception):
    """What is left of an event's ``cause`` after pickling, where its type can't be had.

    Arguments:
        type_name: Name of the original exception's class.
        args: Its arguments.

    Example:
        >>> RestoredCause("SSLError", "bad certificate")
        SSLError('bad certificate')
    """

    def __init__(self, type_name: str, *args: Any) -> None:
        super().__init__(*args)
        self.type_name = type_name

    def __repr__(self) -> str:
        return f"{self.type_name}({', '.join(map(repr, self.args))})"

    def __reduce__(self) -> tuple[type[RestoredCause], tuple[Any, ...]]:
        return (RestoredCause, (self.type_name, *self.args))


Portable = tuple[str, tuple[Any, ...]]


def portable(cause: BaseException) -> Portable:
    """The name of its type and its arguments, which can be pickled; else its text for these."""
    if isinstance(cause, RestoredCause):
        return (cause.type_name, cause.args)
    import pickle  # by whoever pickles, alone

    name = type(cause).__name__
    with suppress(Exception):
        written = pickle.dumps(cause.args)
        pickle.loads(written)  # noqa: S301  (ours; some can be written, and not read)
        return (name, cause.args)
    with suppress(Exception):
        return (name, (str(cause),))
    return (name, ())


def restored(found: Portable) -> BaseException:
    """A cause as it was before `portable`, if its type is built in; else a RestoredCause."""
    type_name, args = found
    kind = getattr(builtins, type_name, None)
    if isinstance(kind, type) and issubclass(kind, BaseException):
        with suppress(Exception):  # another one of that name; or no text is what it is made of
            return kind(*args)
    return RestoredCause(type_name, *args)
