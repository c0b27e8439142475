"""What a server does on one connection, step by step; a script of a test has each of them done.

A step says in words what it waits for, so that one that waits in vain can say so, and where.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator, Mapping
from typing import Any, Generic, TypeVar

from ..checks import as_number, check_count, check_range, check_seconds, encoded_headers
from ..payloads import as_message
from ..protocol import frames
from ..status import may_be_sent
from ..system.clock import monotonic
from .heard import Expected, Heard, check_expected, is_expected, words_of
from .line import Line, Part
from .peer import Pause, Talk

Result = TypeVar("Result")

_GARBAGE = b"\xff" + b"no frame" * 3  # the first byte has all reserved bits set
_HALF = "half a frame"
_OTHER_KEY = b"d3Jvbmc="
_PIECE = 65536  # bytes of a flood that are said at once
_PINGED = b"lomond"


class InVain(Exception):  # noqa: N818  # no error: it says what came instead
    """A step can't be done any more, or something else came: in words, for whoever runs it."""


class Kind(enum.Enum):
    """What a step is to those who put steps in order."""

    ANSWERS = enum.auto()  #: the request
    AWAITS = enum.auto()  #: something of the program's
    SAYS = enum.auto()  #: something to a program that is there
    PASSES = enum.auto()  #: time
    MANNER = enum.auto()  #: only how all else is done
    ENDS = enum.auto()  #: the connection


class Step(Generic[Result]):
    """One thing that the server does: write ``yield`` before it.

    ``yield from`` does as well, and there type checkers know what it gives.

    Arguments:
        act: What it takes, on a connection.
        kind: Where it may stand.
        words: What it does, for people: a verb first.

    Example:
        >>> def talk(peer):
        ...     step = peer.say("hello")
        ...     print(step)
        ...     yield step
        ...     yield peer.close()
        >>> with pretend(talk):
        ...     print([event.name for event in WebSocket("wss://example.org")][4:])
        <step: says the text 'hello'>
        ['text', 'closing', 'disconnected']
    """

    __slots__ = ("act", "kind", "words")

    def __init__(self, act: Callable[[Line], Part[Result]], kind: Kind, words: str) -> None:
        self.act = act
        self.kind = kind
        self.words = words

    def __iter__(self) -> Generator[Step[Any], Any, Result]:
        result: Result = yield self
        return result

    def __repr__(self) -> str:
        return f"<step: {self.words}>"


#: What a conversation is, as a generator of a test.
Turns = Generator[Step[Any], Any, None]


class Steps:
    """All the steps that there are; arguments that are wrong are a TypeError or ValueError."""

    __slots__ = ()

    # The answer to the request

    def accept(
        self, protocol: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Step[None]:
        """Accept the connection, which is needed only with a sub-protocol, or more headers.

        Arguments:
            protocol: The sub-protocol; None for none.
            headers: More of the answer's.

        Example:
            >>> def talk(peer):
            ...     yield peer.accept("chat")
            ...     yield peer.close()
            >>> with pretend(talk):
            ...     for event in WebSocket("wss://example.org", protocols=["chat"]):
            ...         if event.name == "ready":
            ...             print(event.protocol)
            chat
        """
        if headers is not None:
            encoded_headers(headers)  # raises: they are none

        def act(line: Line) -> Talk:
            line.protocol = protocol or line.protocol
            line.headers |= headers or {}
            yield from line.accept()

        return Step(act, Kind.ANSWERS, "accepts the connection")

    def refuse(
        self,
        status: int,
        retry_after: float | str | None = None,
        body: str | bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Step[None]:
        """Answer the request with a status, and hang up.

        Arguments:
            status: From 200 to 599, for example 503.
            retry_after: Seconds, or a date of HTTP; None for none.
            body: What a page would say (nothing).
            headers: More of them.

        Raises:
            ValueError: The status can't be.

        Example:
            >>> def talk(peer):
            ...     yield peer.refuse(503, body="busy")
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org")
            >>> print(last.ending)
            the server refused the upgrade with 503 Service Unavailable; it said 'busy'
        """
        check_range("status", status, 200, 599)
        more = {} if retry_after is None else {"Retry-After": f"{retry_after}"}
        if headers is not None:
            encoded_headers(headers)  # raises: they are none
            more.update(headers)
        said = body.encode() if isinstance(body, str) else body
        words = f"refuses the connection with {status}"
        return Step(lambda line: line.refuse(status, more, said), Kind.ANSWERS, words)

    def wrong_accept(self) -> Step[None]:
        """Accept the connection with a Sec-WebSocket-Accept that is another key's.

        Example:
            >>> def talk(peer):
            ...     yield peer.wrong_accept()
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org")
            >>> last.ending.kind
            'rejected'
        """

        def act(line: Line) -> Talk:
            yield from line.accept(_OTHER_KEY)
            yield from line.drain()
            line.end = "the server's answer was wrong"

        return Step(act, Kind.ANSWERS, "accepts the connection wrongly")

    def never_answer(self) -> Step[None]:
        """Say nothing to the request, until the program has gone.

        Example:
            >>> def talk(peer):
            ...     yield peer.never_answer()
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org", open_timeout=20)
            >>> last.ending.kind
            'timed_out'
        """

        def act(line: Line) -> Talk:
            yield from line.drain()
            line.end = "the server never answered"

        return Step(act, Kind.ANSWERS, "answers nothing")

    # Messages

    def hear(self, expected: Expected = None, within: float | None = None) -> Step[Heard]:
        """Wait for the program's next message, and give it.

        Arguments:
            expected: What it has to be: a str, the bytes of a binary, a list that its JSON is, a
                dict that its JSON has at least, or a function that is given the message.
            within: Seconds in which it has to come; None for no limit in a pretend world, and for
                `serve`'s patience on a socket.

        Example:
            >>> def talk(peer):
            ...     heard = yield peer.hear()
            ...     yield peer.say(f"you said {heard.text}")
            ...     yield peer.close()
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(talk):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_text("hello")
            ...         elif event.name == "text":
            ...             print(event.text)
            you said hello
        """
        check_expected(expected)
        if within is not None:
            check_seconds("within", within)

        def difference(heard: Heard) -> str | None:
            return None if is_expected(heard, expected) else f"the program sent {heard} instead"

        return hearing(words_of(expected), difference, within)

    def say(self, message: str | bytes | dict[str, Any] | list[Any]) -> Step[None]:
        """Say a message.

        Arguments:
            message: A str is a text, bytes are a binary, a dict or a list is JSON.

        Example:
            >>> def talk(peer):
            ...     yield peer.say({"price": 1})
            ...     yield peer.say(b"data")
            ...     yield peer.close()
            >>> with pretend(talk):
            ...     print([event.name for event in WebSocket("wss://example.org")][4:6])
            ['text', 'binary']
        """
        opcode, payload = frames.of_message(message, None)
        words = f"says {Heard(opcode == frames.TEXT, payload)}"
        return Step(lambda line: line.say(opcode, payload), Kind.SAYS, words)

    def echo(self) -> Step[None]:
        """Say again whatever the program says, until the connection ends.

        Example:
            >>> def talk(peer):
            ...     yield peer.echo()
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(talk):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_text("hello")
            ...         elif event.name == "text":
            ...             print(event.text)
            ...             websocket.close()
            hello
        """

        def act(line: Line) -> Talk:
            while True:
                while line.messages:
                    heard = line.messages.popleft()
                    opcode = frames.TEXT if heard.is_text else frames.BINARY
                    yield from line.say(opcode, heard.data)
                if line.end is not None:
                    return
                yield from line.listen(None)

        return Step(act, Kind.ENDS, "echoes")

    def ping(self, data: bytes = _PINGED) -> Step[None]:
        """Say a ping, and wait for its pong.

        Arguments:
            data: Up to 125 bytes.

        Example:
            >>> def talk(peer):
            ...     yield peer.ping()
            ...     yield peer.close()
            >>> with pretend(talk):
            ...     print([event.name for event in WebSocket("wss://example.org")][4:])
            ['ping', 'closing', 'disconnected']
        """
        _check_ping(data)

        def act(line: Line) -> Talk:
            yield from line.say(frames.PING, data)
            yield from _await(line, lambda: data in line.pongs, None)
            line.pongs.clear()

        return Step(act, Kind.AWAITS, "waits for the pong to its ping")

    def flood(self, count: int = 10_000, message: str | bytes = "flood") -> Step[None]:
        """Say many messages at once.

        Arguments:
            count: How many (10000).
            message: Each of them, a str or bytes.

        Raises:
            ValueError: The count is below 1.

        Example:
            >>> def talk(peer):
            ...     yield peer.flood(1000, "tick")
            ...     yield peer.close()
            >>> with pretend(talk):
            ...     print(sum(event.name == "text" for event in WebSocket("wss://example.org")))
            1000
        """
        check_count("count", count)
        is_text, payload = as_message(message, None)
        frame = frames.build(frames.TEXT if is_text else frames.BINARY, payload, None)

        def act(line: Line) -> Talk:
            at_once = max(1, _PIECE // len(frame))
            for done in range(0, count, at_once):
                yield from line.write(frame * min(at_once, count - done))

        return Step(act, Kind.SAYS, f"says {count} messages at once")

    # Time

    def wait(self, seconds: float) -> Step[None]:
        """Let time pass, in which pings and a close are answered.

        Arguments:
            seconds: How long.

        Example:
            >>> def talk(peer):
            ...     yield peer.wait(3600)
            ...     yield peer.close()
            >>> with pretend(talk) as world:
            ...     *_, last = WebSocket("wss://example.org")
            >>> round(world.hours)
            1
        """
        check_seconds("seconds", seconds)
        return Step(
            lambda line: line.listen_for(seconds), Kind.PASSES, f"lets {seconds:g} seconds pass"
        )

    def stall(self, seconds: float) -> Step[None]:
        """Do nothing for a time: read nothing, and answer no ping.

        Arguments:
            seconds: How long.

        Example:
            >>> def talk(peer):
            ...     yield peer.stall(60)
            ...     yield peer.close()
            >>> with pretend(talk) as world:
            ...     *_, last = WebSocket("wss://example.org")
            >>> round(world.seconds)
            60
        """
        check_seconds("seconds", seconds)

        def act(line: Line) -> Talk:
            yield Pause(seconds)

        return Step(act, Kind.PASSES, f"stalls for {seconds:g} seconds")

    # The end

    def close(self, code: int | None = 1000, reason: str = "") -> Step[None]:
        """Say a close frame, hear what comes until the program's own, and hang up.

        Arguments:
            code: 1000 unless it says otherwise; None for a close frame without code.
            reason: Up to 123 bytes of UTF-8 (none).

        Raises:
            ValueError: No close frame may carry the code, or so long a reason.
            TypeError: The reason is no str.

        Example:
            >>> def talk(peer):
            ...     yield peer.close(1001, "going away")
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org")
            >>> last.ending.code
            1001
        """
        _check_code(code)
        if code is not None and not may_be_sent(code):
            raise ValueError(f"no close frame may carry {code!r}; see RFC 6455 section 7.4")
        if not isinstance(reason, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # bytes
            raise TypeError(f"the reason of a close frame is a str, not {reason!r}")
        if len(reason.encode()) > frames.MAX_CONTROL_PAYLOAD - 2:
            raise ValueError("the reason of a close frame has up to 123 bytes")
        return Step(
            lambda line: line.close(code, reason),
            Kind.ENDS,
            "waits for the answer to its close frame",
        )

    def hear_close(self, code: int | None = None) -> Step[int | None]:
        """Wait until the program closes the connection, and give its code.

        Arguments:
            code: What that has to be; None for any.

        Example:
            >>> def talk(peer):
            ...     print((yield peer.hear_close()))
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(talk):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.close(1000)
            1000
        """
        _check_code(code)

        def act(line: Line) -> Part[int | None]:
            yield from _await(line, lambda: line.end is not None, None)
            if not line.was_closed:
                raise InVain(f"{line.end} instead")
            if code not in (None, line.close_code):
                raise InVain(f"{line.end} instead of {code}")
            return line.close_code

        return Step(act, Kind.AWAITS, "waits for the program's close frame")

    def cut(self) -> Step[None]:
        """End the connection without a close frame, as a server does that is stopped.

        Example:
            >>> def talk(peer):
            ...     yield peer.say("a")
            ...     yield peer.cut()
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org")
            >>> last.graceful, last.ending.kind
            (False, 'lost')
        """
        words = "the server cut the connection"
        return Step(lambda line: line.hang_up(words), Kind.ENDS, "cuts the connection")

    def reset(self) -> Step[None]:
        """Reset the connection, as the system does for a server that has died.

        Example:
            >>> def talk(peer):
            ...     yield peer.reset()
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org")
            >>> print(last.ending)
            the connection was lost after 0 s: Connection reset by peer
        """
        words = "the server reset the connection"
        return Step(
            lambda line: line.hang_up(words, resets=True), Kind.ENDS, "resets the connection"
        )

    # What else is wrong

    def half_a_frame(self, message: str = _HALF) -> Step[None]:
        """Say the first half of a text's frame; nothing that is said later gets out.

        Arguments:
            message: The text.

        Example:
            >>> def talk(peer):
            ...     yield peer.half_a_frame()
            ...     yield peer.cut()
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org")
            >>> last.ending.kind
            'lost'
        """
        return Step(lambda line: line.say_half(message.encode()), Kind.SAYS, "says half a frame")

    def garbage(self, data: bytes = _GARBAGE) -> Step[None]:
        """Say bytes that are no frame.

        Arguments:
            data: Which ones.

        Example:
            >>> def talk(peer):
            ...     yield peer.garbage()
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org")
            >>> print(last.ending)
            the server broke the protocol after 0 s: reserved bits set
        """
        return Step(lambda line: line.write(data), Kind.SAYS, "says garbage")

    def byte_by_byte(self) -> Step[None]:
        """Say everything from now on byte by byte.

        Example:
            >>> def talk(peer):
            ...     yield peer.byte_by_byte()
            ...     yield peer.say("hello")
            ...     yield peer.close()
            >>> with pretend(talk):
            ...     print([event.name for event in WebSocket("wss://example.org")][4:])
            ['text', 'closing', 'disconnected']
        """
        return _manner(lambda line: setattr(line, "is_bytewise", True))

    def ignore_pings(self) -> Step[None]:
        """Answer no ping from now on.

        Example:
            >>> def talk(peer):
            ...     yield peer.ignore_pings()
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org").connect(ping_timeout=10)
            >>> last.ending.kind
            'unresponsive'
        """
        return _manner(lambda line: setattr(line, "answers_pings", False))

    def read_slowly(self, rate: float = 1000) -> Step[None]:
        """Read slowly from now on, beside what systems keep in their buffers.

        Arguments:
            rate: Bytes a second (1000).

        Raises:
            ValueError: The rate is not above 0.

        Example:
            >>> def talk(peer):
            ...     yield peer.read_slowly(100)
            ...     print(len((yield peer.hear()).data))
            ...     yield peer.close()
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(talk):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_binary(bytes(1000))
            1000
        """
        if not as_number("rate", rate, "a number of bytes a second") > 0:
            raise ValueError(f"rate must be above 0 bytes a second, not {rate!r}")
        return _manner(lambda line: line.slow_down(rate))


def hearing(
    words: str, difference: Callable[[Heard], str | None], within: float | None = None
) -> Step[Heard]:
    """A step that waits for a message, and looks whether it is the right one.

    Arguments:
        words: What is waited for.
        difference: What is said of one that is not the right one; None of one that is.
        within: As of `hear`.
    """

    def act(line: Line) -> Part[Heard]:
        yield from _await(line, lambda: bool(line.messages), within)
        heard = line.messages.popleft()
        if said := difference(heard):
            raise InVain(said)
        return heard

    return Step(act, Kind.AWAITS, f"waits for {words}")


def _manner(change: Callable[[Line], None]) -> Step[None]:
    def act(line: Line) -> Talk:
        yield from ()
        change(line)

    return Step(act, Kind.MANNER, "has another manner")


def _await(line: Line, is_here: Callable[[], bool], within: float | None) -> Talk:
    """Hear until it is here. Raises InVain where that is not to be expected any more."""
    span = line.peer.patience if within is None else within
    until = None if span is None else monotonic() + span
    while not is_here():
        if line.end is not None:
            raise InVain(f"{line.end} instead")
        if not (yield from line.listen(until)):
            raise InVain(f"nothing came within {span:g} seconds")


def _check_code(code: int | None) -> None:
    if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
        raise TypeError(f"code must be a whole number, or None for none, not {code!r}")


def _check_ping(data: bytes) -> None:
    if not isinstance(data, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]  # a str
        raise TypeError(f"a ping carries bytes, not {data!r}")
    if len(data) > frames.MAX_CONTROL_PAYLOAD:
        raise ValueError(f"a ping has up to 125 bytes, not {len(data)}")
