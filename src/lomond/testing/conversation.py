"""Conversations: how a script's steps are done on a connection, and what was not right in the end.

A chain of chain.py's and a generator of a test are both scripts of steps. Of a generator nothing
may be left: no step, and no message that it did not hear.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Union, cast

from ..checks import encoded_headers
from .heard import ClientRequest, Heard
from .line import Line, Part
from .peer import Peer, Talk
from .steps import InVain, Kind, Step, Steps, Turns

if TYPE_CHECKING:
    from .world import Scripted

_OF_A_STEP = vars(Step)["__iter__"].__code__  # where `yield from` a step ends
_FEW = 3  # messages that are shown


class Left(AssertionError):  # noqa: N818  # no error, where a server stands for people
    """A step is in vain because the program has closed, as programs do that are done."""


class Conversation(Steps):
    """The server's side of one connection, as a script of a test has it: its `peer`.

    Each method gives a step, which is done where it is yielded. A script that does not begin with
    the answer to the request has it accepted. Meanwhile, and once the script has ended, pings are
    answered, and the program's close.

    Arguments:
        line: The connection.

    Example:
        >>> def talk(peer: Conversation) -> Turns:
        ...     assert (yield peer.hear()).json["op"] == "auth"
        ...     yield peer.say({"op": "auth", "success": True})
    """

    __slots__ = ("_line",)

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def request(self) -> ClientRequest:
        """The program's request: `path`, `headers`.

        Example:
            >>> def talk(peer):
            ...     print(peer.request.path)
            ...     yield peer.close()
            >>> with pretend(talk):
            ...     *_, last = WebSocket("wss://example.org/feed?x=1")
            /feed?x=1
        """
        return self._line.request

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands, as far as was heard.

        Example:
            >>> def talk(peer):
            ...     while peer.is_open:
            ...         yield peer.wait(1)
            >>> websocket = WebSocket("wss://example.org")
            >>> with pretend(talk):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.close()
        """
        return self._line.end is None


class Run:
    """One connection of a script, and how far it has come there.

    Arguments:
        line: The connection.
        is_strict: Whether it is a failure that a step says something to a program that has gone.
        answers: Whether a step answers the request, even if others come before it.

    Attributes:
        line: As given.
        step: What is being done, or was done last; None before the first.
        place: Where that stands in the test.
        count: How many steps were begun.
        is_done: Whether the script has got to its end.
        has_failed: Whether it has raised, which tells all that is to be told.
    """

    __slots__ = (
        "_answers",
        "_is_strict",
        "count",
        "has_failed",
        "is_done",
        "line",
        "place",
        "step",
    )

    def __init__(self, line: Line, *, is_strict: bool, answers: bool = False) -> None:
        self.line = line
        self.step: Step[Any] | None = None
        self.place = ""
        self.count = 0
        self.is_done = self.has_failed = False
        self._is_strict = is_strict
        self._answers = answers

    def conduct(self, script: Turns, where: Callable[[], str]) -> Talk:
        """Do what the script yields, step after step.

        Arguments:
            script: Gives the steps, and is sent what they give.
            where: Tells where the step stands that it has just given.
        """
        advance: Callable[[], Any] = partial(script.send, None)
        while True:
            try:
                step = advance()
            except StopIteration:
                self.is_done = True
                return
            if not isinstance(step, Step):  # which a script of a test may have got wrong
                raise _no_step(step, where())
            self.step, self.place = step, where()
            self.count += 1
            try:
                result = yield from self._do(self.step)
            except InVain as vain:
                said = f"{self.place} {self.step.words}; {vain}"
                advance = partial(script.throw, self._in_vain(said))
            else:
                advance = partial(script.send, result)

    def _in_vain(self, said: str) -> AssertionError:
        line = self.line
        has_left = line.was_closed and line.close_code in (None, 1000, 1001)
        return Left(said) if has_left else AssertionError(said)

    def doing(self) -> str:
        """What is being done, and where, in words."""
        if self.is_done:
            return "its script is at its end"
        return "its script begins" if self.step is None else f"{self.place} {self.step.words}"

    def _do(self, step: Step[Any]) -> Part[Any]:
        line = self.line
        if step.kind is Kind.ANSWERS and line.is_open:
            raise AssertionError(
                f"{self.place}: the request is answered already; begin with what answers it"
            )
        if line.is_open:
            yield from line.listen_now()
        elif not self._answers and step.kind not in (Kind.ANSWERS, Kind.MANNER):
            yield from line.accept()
        if line.end is not None and step.kind is not Kind.AWAITS:
            if self._is_strict and step.kind is Kind.SAYS:
                raise InVain(f"{line.end} before")
            return None
        return (yield from step.act(line))


class Scripts:
    """What plays a server, on each connection anew; what it has heard, and whether all was right.

    Arguments:
        host: In the pretend world, only connections to that host come here; None for all.
        headers: More of them, for the answer that accepts a connection.

    Attributes:
        host: As given.
        heard: All messages of the program, each a str or bytes.
        requests: Those of the program, one for each connection.
        runs: The connections.
    """

    def __init__(self, host: str | None, headers: Mapping[str, str] | None = None) -> None:
        if host is not None and not isinstance(host, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # a script, for example
            raise TypeError(f"host must be a str, not {host!r}; a script is a server by itself")
        if headers is not None:
            encoded_headers(headers)  # raises: they are none
        self.host = host
        self.heard: list[str | bytes] = []
        self.requests: list[ClientRequest] = []
        self.runs: list[Run] = []
        self._headers = headers
        self._protocol: str | None = None

    @property
    def request(self) -> ClientRequest:
        """The last request: `path`, `headers`. Raises AssertionError where none came.

        Example:
            >>> server = Server().closes()
            >>> with pretend(server):
            ...     *_, last = WebSocket("wss://example.org/feed?x=1")
            >>> server.request.path, server.request.headers["host"]
            ('/feed?x=1', 'example.org:443')
        """
        if not self.requests:
            raise AssertionError(f"nobody connected to {self}")
        return self.requests[-1]

    @property
    def close_code(self) -> int | None:
        """The code of the program's close frame on the last connection, or None.

        Example:
            >>> server = Server().closes(1001)
            >>> with pretend(server):
            ...     *_, last = WebSocket("wss://example.org")
            >>> server.close_code
            1001
        """
        return self.runs[-1].line.close_code if self.runs else None

    def talk(self, peer: Peer) -> Talk:
        """What is done on a connection, in the words of `lomond.testing.peer`.

        Arguments:
            peer: The connection.

        Example:
            >>> from lomond.testing.peer import Peer
            >>> Peer(Server().closes().talk).actions.send(None)
            Hear(within=None, most=65536)
        """
        yield from peer.read_request()
        if not peer.request:  # who connected has gone
            return
        line = Line(peer, self._tell, self._headers, self._protocol)
        self.requests.append(line.request)
        run = self._run(line)
        peer.doing = run.doing
        peer.farewell = line.farewell
        self.runs.append(run)
        try:
            yield from self._converse(run)
        except Exception:
            run.has_failed = True
            raise
        if not line.is_open and line.end is None:  # of a script without a step
            yield from line.accept()
        yield from line.linger()
        if not line.was_reset:
            yield from line.drain()

    def finish(self, world: object = None) -> list[str]:
        """What was not right, in sentences; asked for when the test has ended."""
        raise NotImplementedError

    def remarks(self) -> list[str]:
        """What is to be known where anything was not right."""
        return []

    def _run(self, line: Line) -> Run:
        raise NotImplementedError

    def _converse(self, run: Run) -> Talk:
        """Do all steps of the script."""
        raise NotImplementedError

    def _left(self) -> list[str]:
        """What is left of each script, and of what the program said there, in sentences."""
        sentences: list[str] = []
        for run in self.runs:
            messages = [str(heard) for heard in run.line.messages]
            if run.has_failed:
                continue
            if not run.is_done:
                sentences.append(f"{run.doing()}; the test ended before")
            elif messages:
                more = [f"{len(messages) - _FEW} more"] if len(messages) > _FEW else []
                sentences.append(f"{self} did not hear {', '.join(messages[:_FEW] + more)}")
        return sentences

    def _tell(self, heard: Heard) -> None:
        self.heard.append(heard.value)


class Conversing(Scripts):
    """A generator of a test as a server: strict.

    Arguments:
        script: Gets a Conversation, and yields steps.
        host: As of a Server.
    """

    def __init__(self, script: Callable[[Conversation], Turns], host: str | None = None) -> None:
        super().__init__(host)
        self._script = script

    def __repr__(self) -> str:
        code = getattr(self._script, "__code__", None)
        name = getattr(self._script, "__name__", repr(self._script))
        return name if code is None else f"{name} ({_place(code.co_filename, code.co_firstlineno)})"

    def finish(self, world: object = None) -> list[str]:
        """What is left of the generator, or of what the program said, in sentences."""
        if not self.runs:
            return [f"nobody connected to {self}"]
        return self._left()

    def _run(self, line: Line) -> Run:
        return Run(line, is_strict=True)

    def _converse(self, run: Run) -> Talk:
        turns = self._script(Conversation(run.line))
        if not isinstance(turns, Generator):
            raise TypeError(f"{self} gave {turns!r}: a script is a function with 'yield' in it")
        return run.conduct(turns, lambda: place_in(turns))


#: What a test gives as a server: a Server, a generator of steps, or what is a script of peer.py.
Played = Union[Callable[[Conversation], Turns], "Scripted"]


def as_server(given: Played) -> Scripted:
    """The server that a test gave; a generator function becomes one.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(given, type):
        if callable(getattr(given, "talk", None)):
            return cast("Scripted", given)
        if callable(given):
            return Conversing(given)
    raise TypeError(f"a server is a Server(), or a function with 'yield' in it, not {given!r}")


def place_in(script: Turns) -> str:
    """Where a generator has yielded: in the file of a test, and in which line of it."""
    found: Any = script
    while getattr(found.gi_yieldfrom, "gi_code", _OF_A_STEP) is not _OF_A_STEP:
        found = found.gi_yieldfrom
    frame: FrameType | None = found.gi_frame
    return place_of(frame) if frame is not None else "a script that has ended"


def place_of(frame: FrameType) -> str:
    """Where a frame is."""
    return _place(frame.f_code.co_filename, frame.f_lineno)


def _place(file: str, line: int) -> str:
    return f"{os.path.basename(file)}:{line}"


def _no_step(given: object, place: str) -> TypeError:
    """What to raise for what a script has yielded and is no step."""
    fix = "write 'yield from' before it" if isinstance(given, Generator) else "see peer.say()"
    return TypeError(f"{place}: a script yields steps of its peer's, not {given!r}; {fix}")
