"""Servers in one line: a chain of what one does, for tests of a program.

Server().hears("login").says("welcome").after(3600).cuts()
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import currentframe
from secrets import randbelow
from typing import Any, Self

from .conversation import Run, Scripts, place_of
from .faults import chosen, words_of
from .heard import Expected
from .line import Line
from .peer import Talk
from .steps import Kind, Step, Steps, Turns

_STEPS = Steps()
_SEEDS = 1_000_000


class Chained(Scripts):
    """The steps of a server, in order; each remembers where it was written.

    Arguments:
        host, headers: As of a Server.
    """

    def __init__(self, host: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(host, headers)
        self._steps: list[tuple[str, Step[Any]]] = []
        self._answers = False  # the request, by a step
        self._last = ""  # the method behind which nothing can come
        self._demanded: int | None = None  # how many steps, where those behind may be left out
        self._seeds: list[str] = []

    def __repr__(self) -> str:
        return f"Server() ({self._steps[0][0] if self._steps else 'without a step'})"

    def finish(self, world: object = None) -> list[str]:
        """What the chain has waited for in vain, in sentences.

        Arguments:
            world: The one that asks; None for `serve`.

        Example:
            >>> Server().hears("hello").finish()[0].endswith("nobody connected")
            True
        """
        steps = list(enumerate(self._steps[: self._demanded]))
        awaited = [(n, place, step) for n, (place, step) in steps if step.kind is Kind.AWAITS]
        if awaited and not self.runs:
            _, place, step = awaited[0]
            return [f"{place} {step.words}; nobody connected"]
        sentences: list[str] = []
        for run in self.runs:
            rest = [one for one in awaited if one[0] >= run.count - 1]
            if run.has_failed or run.is_done or not rest:
                continue
            number, place, step = rest[0]
            late = "" if number == run.count - 1 else f", while {run.doing()}"
            sentences.append(f"{place} {step.words}; the test ended before{late}")
        return sentences

    def remarks(self) -> list[str]:
        """The seeds, and what came of them.

        Example:
            >>> Server().misbehaves(seed=7).remarks()
            ['Server().misbehaves(seed=7) was Server().after(1.0).closes(1001)']
        """
        return self._seeds

    def _add(self, name: str, step: Step[Any], *, ends: bool = False) -> Self:
        if self._demanded is None:
            if self._last:
                raise ValueError(f"{name}() comes after {self._last}(), which ends the connection")
            if step.kind is Kind.ANSWERS and not self._may_answer():
                raise ValueError(f"{name}() answers the request; write it before all that is said")
        self._answers = self._answers or step.kind is Kind.ANSWERS
        if ends or step.kind in (Kind.ENDS, Kind.ANSWERS):
            self._last = name
        frame = currentframe()
        while frame is not None and frame.f_code.co_filename == __file__:
            frame = frame.f_back
        self._steps.append(("a chain" if frame is None else place_of(frame), step))
        return self

    def _may_answer(self) -> bool:
        """Whether the request is not answered yet, as far as the chain goes."""
        return all(step.kind in (Kind.PASSES, Kind.MANNER) for _, step in self._steps)

    def _run(self, line: Line) -> Run:
        return Run(line, is_strict=False, answers=self._answers)

    def _converse(self, run: Run) -> Talk:
        places = iter([place for place, _ in self._steps])
        return run.conduct(self._turns(run), lambda: next(places))

    def _turns(self, run: Run) -> Turns:
        for number, (_, step) in enumerate(self._steps):
            try:
                yield step
            except AssertionError:
                is_demanded = self._demanded is None or number < self._demanded
                if is_demanded or run.line.end is None:
                    raise
                return  # the server has misbehaved, and so that can't come any more


class Server(Chained):
    """A server that does one thing after the other, on each connection that is made to it.

    Each method adds what it does, and returns the server. It accepts the connection, unless the
    chain has what answers otherwise; it answers pings and the program's close by itself; when its
    chain has ended it stays, and hears on. It hears everything, and fails a test only for what a
    `hears`, `hears_close` or `pings` has waited for in vain. A chain that can't be is a ValueError.

    Arguments:
        host: In the pretend world, only connections to that host come here, a name or
            ``"name:port"``; None for all.
        headers: More of them, for the answer that accepts a connection.

    Attributes:
        host: As given.
        heard: All messages of the program, each a str or bytes.
        requests: Those of the program, one for each connection.

    Example:
        >>> from lomond import WebSocket
        >>> from lomond.testing import serve
        >>> with serve(Server().says("welcome").closes()) as served:
        ...     names = [event.name for event in WebSocket(served.url)]
        >>> names[2:]
        ['ready', 'poll', 'text', 'closing', 'disconnected']
    """

    # Messages

    def says(self, *messages: str | bytes | dict[str, Any] | list[Any]) -> Self:
        """Say messages.

        Arguments:
            messages: A str is a text, bytes are a binary, a dict or a list is JSON.

        Example:
            >>> with pretend(Server().says("a", b"b", {"c": 1}).cuts()):
            ...     print([event.name for event in WebSocket("wss://example.org")][4:7])
            ['text', 'binary', 'text']
        """
        for message in messages:
            self._add("says", _STEPS.say(message))
        return self

    def hears(self, *expected: Expected) -> Self:
        """Wait for the program's next message; with several, for as many.

        Arguments:
            expected: What they have to be: a str, the bytes of a binary, a list that the JSON is, a
                dict that the JSON has at least, a function that is given the message, or None for
                any, as nothing given is.

        Example:
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(Server().hears({"op": "login"}).says("welcome").closes()):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_json(op="login", user="me")
        """
        for one in expected or (None,):
            self._add("hears", _STEPS.hear(one))
        return self

    def echoes(self) -> Self:
        """Say again whatever the program says, until the connection ends.

        Example:
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(Server().echoes()):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_text("hello")
            ...         elif event.name == "text":
            ...             print(event.text)
            ...             websocket.close()
            hello
        """
        return self._add("echoes", _STEPS.echo())

    def pings(self, data: bytes = b"lomond") -> Self:
        """Say a ping, and wait for its pong.

        Arguments:
            data: Up to 125 bytes.

        Example:
            >>> with pretend(Server().pings(b"there?").closes()):
            ...     print([event.name for event in WebSocket("wss://example.org")][4:])
            ['ping', 'closing', 'disconnected']
        """
        return self._add("pings", _STEPS.ping(data))

    # Time

    def after(self, seconds: float) -> Self:
        """Let time pass, in which pings and a close are answered.

        Arguments:
            seconds: How long.

        Example:
            >>> with pretend(Server().after(3600).cuts()) as world:
            ...     *_, last = WebSocket("wss://example.org")
            >>> round(world.hours), last.ending.kind
            (1, 'lost')
        """
        return self._add("after", _STEPS.wait(seconds))

    def stalls(self, seconds: float) -> Self:
        """Do nothing for a time: read nothing, and answer no ping.

        Arguments:
            seconds: How long.

        Example:
            >>> with pretend(Server().stalls(60)):
            ...     *_, last = WebSocket("wss://example.org").connect(ping_rate=5, ping_timeout=10)
            >>> last.ending.kind
            'unresponsive'
        """
        return self._add("stalls", _STEPS.stall(seconds))

    # The end

    def closes(self, code: int | None = 1000, reason: str = "") -> Self:
        """Say a close frame, hear what comes until the program's own, and hang up.

        Arguments:
            code: 1000 unless it says otherwise; None for a close frame without code.
            reason: Up to 123 bytes of UTF-8 (none).

        Example:
            >>> with pretend(Server().closes(1001, "going away")):
            ...     *_, last = WebSocket("wss://example.org")
            >>> last.ending.code, last.ending.kind
            (1001, 'closed')
        """
        return self._add("closes", _STEPS.close(code, reason))

    def hears_close(self, code: int | None = None) -> Self:
        """Wait until the program closes the connection.

        Arguments:
            code: What its close frame has to have; None for any.

        Example:
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(Server().hears_close(1000)):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.close(1000)
        """
        return self._add("hears_close", _STEPS.hear_close(code), ends=True)

    def cuts(self) -> Self:
        """End the connection without a close frame, as a server does that is stopped.

        Example:
            >>> with pretend(Server().says("a").cuts()):
            ...     *_, last = WebSocket("wss://example.org")
            >>> last.graceful, last.ending.kind
            (False, 'lost')
        """
        return self._add("cuts", _STEPS.cut())

    def resets(self) -> Self:
        """Reset the connection, as the system does for a server that has died.

        Example:
            >>> with pretend(Server().resets()):
            ...     *_, last = WebSocket("wss://example.org")
            >>> print(last.ending)
            the connection was lost after 0 s: Connection reset by peer
        """
        return self._add("resets", _STEPS.reset())

    # The answer to the request

    def negotiates(self, protocol: str) -> Self:
        """Choose a sub-protocol, wherever that stands in the chain.

        Arguments:
            protocol: Which one.

        Example:
            >>> with pretend(Server().negotiates("chat").closes()):
            ...     for event in WebSocket("wss://example.org", protocols=["chat"]):
            ...         if event.name == "ready":
            ...             print(event.protocol)
            chat
        """
        self._protocol = protocol
        return self

    def refuses(
        self,
        status: int,
        retry_after: float | str | None = None,
        body: str | bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Answer the request with a status, and hang up.

        Arguments:
            status: From 200 to 599, for example 503.
            retry_after: Seconds, or a date of HTTP; None for none.
            body: What a page would say (nothing).
            headers: More of them.

        Example:
            >>> with pretend(Server().refuses(503, retry_after=5, body="busy")):
            ...     *_, last = WebSocket("wss://example.org")
            >>> print(last.ending)
            the server refused the upgrade with 503 Service Unavailable; it said 'busy'
        """
        return self._add("refuses", _STEPS.refuse(status, retry_after, body, headers))

    def wrong_accept(self) -> Self:
        """Accept the connection with a Sec-WebSocket-Accept that is another key's.

        Example:
            >>> with pretend(Server().wrong_accept()):
            ...     *_, last = WebSocket("wss://example.org")
            >>> print(last.ending)
            the server's answer to the upgrade is not right: Sec-WebSocket-Accept challenge failed
        """
        return self._add("wrong_accept", _STEPS.wrong_accept())

    def never_answers(self) -> Self:
        """Say nothing to the request, until the program has gone.

        Example:
            >>> with pretend(Server().never_answers()) as world:
            ...     *_, last = WebSocket("wss://example.org", open_timeout=20)
            >>> last.ending.kind, round(world.seconds)
            ('timed_out', 20)
        """
        return self._add("never_answers", _STEPS.never_answer())

    # What else is wrong

    def half_a_frame(self) -> Self:
        """Say the first half of a text's frame; nothing that is said later gets out.

        Example:
            >>> with pretend(Server().half_a_frame().cuts()):
            ...     *_, last = WebSocket("wss://example.org")
            >>> last.ending.kind
            'lost'
        """
        return self._add("half_a_frame", _STEPS.half_a_frame())

    def garbage(self) -> Self:
        """Say bytes that are no frame.

        Example:
            >>> with pretend(Server().garbage()):
            ...     *_, last = WebSocket("wss://example.org")
            >>> print(last.ending)
            the server broke the protocol after 0 s: reserved bits set
        """
        return self._add("garbage", _STEPS.garbage())

    def floods(self, count: int = 10_000, message: str | bytes = "flood") -> Self:
        """Say many messages at once.

        Arguments:
            count: How many (10000).
            message: Each of them, a str or bytes.

        Example:
            >>> with pretend(Server().floods(1000, "tick").closes()):
            ...     print(sum(event.name == "text" for event in WebSocket("wss://example.org")))
            1000
        """
        return self._add("floods", _STEPS.flood(count, message))

    def byte_by_byte(self) -> Self:
        """Say everything from here on byte by byte.

        Example:
            >>> with pretend(Server().byte_by_byte().says("hello").closes()):
            ...     for event in WebSocket("wss://example.org"):
            ...         if event.name == "text":
            ...             print(event.text)
            hello
        """
        return self._add("byte_by_byte", _STEPS.byte_by_byte())

    def ignores_pings(self) -> Self:
        """Answer no ping from here on.

        Example:
            >>> with pretend(Server().ignores_pings()):
            ...     *_, last = WebSocket("wss://example.org").connect(ping_timeout=10)
            >>> last.ending.kind
            'unresponsive'
        """
        return self._add("ignores_pings", _STEPS.ignore_pings())

    def reads_slowly(self, rate: float = 1000) -> Self:
        """Read slowly from here on, beside what systems keep in their buffers.

        Arguments:
            rate: Bytes a second (1000).

        Example:
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(Server().reads_slowly(100).hears().closes()):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_binary(bytes(1000))
        """
        return self._add("reads_slowly", _STEPS.read_slowly(rate))

    def misbehaves(self, seed: int | None = None) -> Self:
        """Do something wrong, which the seed chooses; a failure names it.

        What stands after it in the chain is done as far as that is possible then.

        Arguments:
            seed: Has the same done again; None for another one each time.

        Example:
            >>> with pretend(Server().misbehaves(seed=7)):
            ...     *_, last = WebSocket("wss://example.org")
            >>> last.ending.kind
            'closed'
        """
        number = randbelow(_SEEDS) if seed is None else seed
        calls = chosen(number, self._may_answer())
        for name, given in calls:
            getattr(self, name)(*given)
        if self._demanded is None:
            self._demanded = len(self._steps)
        self._seeds.append(f"Server().misbehaves(seed={number}) was Server(){words_of(calls)}")
        return self
