"""The pretend world: what a program's connections find in it, and what they wait by."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..checks import as_number
from .clock import PretendClock
from .conversation import as_server
from .far_end import FarEnd
from .outside import Names
from .real import RealUse, Reports
from .seams import Seams
from .stuck import waiting_now
from .verdict import each, remarks_of, tell

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from .conversation import Played
    from .peer import Peer, Talk

__all__ = ["RealUse", "Scripted", "World", "WorldOver", "pretend"]

_BEGIN = 1000.0  # what the clock of a world says at first
_TICK = 1e-6  # seconds; behind a wait the clock is a little late, so that rounding loses nothing
_DAY = 24 * 3600.0
_MOST_STRANGERS = 100  # connections that nobody expected, of a program that always tries again
_MOST_AFTER = 1000  # waits behind the world's end, for what a program does on its way out
_current: list[World] = []  # the one that there is


class Scripted(Protocol):
    """What plays a server: one connection each, or several, if it is given several times.

    It may have more, which the world looks for by these names:

    - ``host: str | None``: only connections to that host come here, a name, or ``"name:port"``.
      With a proxy that is the proxy's.
    - ``connect_error: OSError | None``: what connecting fails with; with a TimeoutError nothing
      answers, until the program gives up. No connection is made then, and `talk` is not called.
    - ``tls_error: OSError | None``: what the TLS handshake fails with, where the program asks for
      one; all TLS is pretended else.
    - ``finish(world: World) -> list[str]``: asked when the block is left: sentences about what was
      not right. Each server once, however often it was given.
    - ``remarks() -> list[str]``: what is to be known where anything was not right.

    Example:
        >>> class Refused:
        ...     connect_error = ConnectionRefusedError(111, "Connection refused")
        ...     def talk(self, peer):
        ...         yield from peer.upgrade()
        >>> with pretend(Refused()):
        ...     print([event.name for event in WebSocket("wss://example.org")])
        ['connecting', 'connect_fail']
    """

    def talk(self, peer: Peer) -> Talk:
        """What it does on a connection: a script that yields Say, Hear, Pause and End.

        Where it ends, the server hangs up. An exception in it ends the world, and is raised when
        the block is left. ``Pause(math.inf)`` is for ever.

        Arguments:
            peer: The connection.

        Example:
            >>> from lomond.testing.peer import say
            >>> class Greets:
            ...     def talk(self, peer):
            ...         yield from peer.upgrade()
            ...         yield say(1, b"hello")
            >>> with pretend(Greets()):
            ...     print([event.name for event in WebSocket("wss://example.org")][4:])
            ['text', 'disconnected']
        """
        ...


class WorldOver(BaseException):
    """The world is over, which the program hears where it waits: on its way out of the block.

    It does not come out of that: an AssertionError does, or what a script has raised.
    """


class World(PretendClock):
    """A world in which a program is tested without a network and without waiting: see `pretend`.

    Arguments:
        servers, names: As of `pretend`.
        limit: Virtual seconds after which the block fails.

    Raises:
        RuntimeError: It is entered a second time, or while there is another one.

    Attributes:
        now: The monotonic seconds of its clock, by which everything in it waits.
        servers: Those it was made of.
        names: What its names resolve to.
        connections: All, in their order.
        watched: Exit events, each of which tells when it is set.
        is_over: Nothing happens any more.

    Example:
        >>> with pretend(Server().after(3600).closes()) as world:
        ...     *_, last = WebSocket("wss://example.org")
        >>> len(world.connections), round(world.hours)
        (1, 1)
    """

    def __init__(
        self,
        servers: Sequence[Scripted],
        names: Mapping[str, Sequence[str] | str | None],
        limit: float,
    ) -> None:
        super().__init__(_BEGIN)
        self.servers = tuple(servers)
        self.names = Names(names)
        self.connections: list[FarEnd] = []
        self.watched: list[Any] = []
        self.is_over = False
        self._expected = list(servers)  # whose connection has not come yet
        self._limit = limit
        self._thread = 0
        self._open: list[FarEnd] = []
        self._strangers: list[str] = []
        self._cause: BaseException | None = None  # of an early end
        self._waits_after = 0
        self._reports = Reports(self)
        self._seams = Seams(self)

    # For tests

    @property
    def seconds(self) -> float:
        """The time that has passed, in seconds.

        Example:
            >>> with pretend(Server().after(3600).closes()) as world:
            ...     *_, last = WebSocket("wss://example.org")
            >>> round(world.seconds)
            3600
        """
        return self.now - _BEGIN

    @property
    def minutes(self) -> float:
        """The time that has passed, in minutes.

        Example:
            >>> with pretend(Server().after(3600).closes()) as world:
            ...     *_, last = WebSocket("wss://example.org")
            >>> round(world.minutes)
            60
        """
        return self.seconds / 60

    @property
    def hours(self) -> float:
        """The time that has passed, in hours.

        Example:
            >>> with pretend(Server().after(3600).closes()) as world:
            ...     *_, last = WebSocket("wss://example.org")
            >>> round(world.hours)
            1
        """
        return self.seconds / 3600

    @property
    def notes(self) -> list[str]:
        """Sentences about what the program did that is real: sleeping, and threads.

        Example:
            >>> import time, pytest
            >>> with pytest.warns(RealUse), pretend() as world:
            ...     time.sleep(0.001)
            >>> len(world.notes)
            1
        """
        return self._reports.sentences()

    def clock(self) -> float:
        """Seconds since the epoch, as the program's events have them.

        Example:
            >>> with pretend(Server().after(5).says("a").closes()) as world:
            ...     for event in WebSocket("wss://example.org"):
            ...         if event.name == "text":
            ...             print(world.clock() - event.received_time < 1)
            True
        """
        return self.time()

    def spend(self, seconds: float) -> None:
        """Let time pass in which the program is elsewhere; the servers go on.

        Arguments:
            seconds: How long, of the world's time.

        Example:
            >>> with pretend() as world:
            ...     world.spend(90)
            >>> world.minutes
            1.5
        """
        end = self.now + seconds
        while (at := self._serve()) is not None and at <= end:
            self.now = max(self.now, at)
        self.now = end

    # The block

    def __enter__(self) -> World:
        if _current:
            raise RuntimeError(
                "there is a pretend world already, around this one or in another thread; leave "
                "that first, or give it the servers of both"
            )
        if self._thread:
            raise RuntimeError("this pretend world is over; make another one")
        _current.append(self)
        self._thread = threading.get_ident()
        try:
            self._seams.enter()
            super().__enter__()
            self._reports.begin()
        except BaseException:
            self._seams.leave()
            _current.clear()
            raise
        return self

    def __exit__(self, *raised: Any) -> None:
        __tracebackhide__ = True  # as of tell()
        error: BaseException | None = raised[1]
        try:
            sentences = self._finished()
        finally:
            self.is_over = True
            self._reports.end()
            super().__exit__()
            is_ours = self._seams.leave(error) or _is_end(error)
            _current.clear()
        try:
            self._reports.warn()
        except Warning as warning:  # where they are errors
            self._cause = self._cause or warning
        failures = [] if self._cause is None else [self._cause]
        remarks = remarks_of(self.servers)
        tell(None if is_ours else error, failures, sentences, remarks, "in the pretend world")

    def _finished(self) -> list[str]:
        """What was not right, in sentences, once all are told that it is over."""
        if not self.is_over:
            self._serve()  # which hears what the program has said last
        sentences = [f"a connection that nobody expected: {url}" for url in self._strangers[:1]]
        if len(self._strangers) > 1:
            sentences[0] += f", and {len(self._strangers) - 1} more of them"
        for server in each(self.servers):
            finish: Callable[[World], list[str]] | None = getattr(server, "finish", None)
            if finish is not None:
                try:
                    sentences += finish(self)
                except Exception as error:
                    self._cause = self._cause or error
        for end in self.connections:
            try:
                end.close()
            except Exception as error:
                self._cause = self._cause or error
        return sentences

    # For what stands for the network

    def is_here(self) -> bool:
        """Whether this thread is in the world."""
        return threading.get_ident() == self._thread and bool(_current)

    def next_server(self, host: str, port: int, url: str) -> Scripted | None:
        """The server of the next connection to a host; None, and noted, where there is none.

        Arguments:
            host, port: Where to.
            url: For people.

        Raises:
            WorldOver: Nothing happens any more.
        """
        if self.is_over:
            raise WorldOver(str(self._cause))  # a program may connect and never wait
        for server in self._expected:
            wanted: str | None = getattr(server, "host", None)
            if wanted is None or wanted.lower() in (host, f"{host}:{port}"):
                self._expected.remove(server)
                return server
        self._strangers.append(url)
        if len(self._strangers) == _MOST_STRANGERS:
            self.end("the program tries again and again to connect, and no server is left")
        return None

    def connect(self, talk: Callable[[Peer], Talk], url: str) -> socket.socket:
        """The near end of a connection to a script.

        Arguments:
            talk: The script.
            url: For people.

        Raises:
            ConnectionResetError: The script has failed at once.
        """
        try:
            end = FarEnd(self, talk, url)
        except Exception as error:
            self._fail(error)
            raise ConnectionResetError("the script of the server has failed") from None
        self.connections.append(end)
        if not end.is_over:
            self._open.append(end)
        return end.take()

    def has_made(self, sock: socket.socket) -> bool:
        """Whether that is the near end of one of the connections.

        Arguments:
            sock: Any socket.
        """
        return any(end.is_of(sock) for end in self.connections)

    # For who waits

    def wait(self, look: Callable[[], Any], seconds: float | None, halt: Any = None) -> Any:
        """What `look` finds, when it finds something or that time is over.

        Arguments:
            look: Must not wait.
            seconds: None for no limit.
            halt: Has the program leave the block, where the world is over; without it,
                WorldOver is raised.
        """
        end = None if seconds is None else self.now + max(0.0, seconds)
        while True:
            at = None if self.is_over else self._serve()
            if self.is_over:
                return self._wait_after(look, end, halt)
            found = look()
            if found:
                return found
            if end is not None and self.now >= end:
                self.now += _TICK
                return found
            if at is None or (end is not None and end < at):
                at = end
            if at is None:
                if self._reports.waited(look):
                    continue
                self.end(f"everybody waits, and nothing will ever happen: {waiting_now(self)}")
            elif at - _BEGIN > self._limit:
                days = self._limit / _DAY
                self.end(f"{days:g} virtual days are over (limit=): {waiting_now(self)}")
            elif at > self.now:
                self.now = at

    def end(self, sentence: str) -> None:
        """Have the world be over.

        Arguments:
            sentence: Why: the AssertionError that comes out of the block.
        """
        self._fail(AssertionError(sentence))

    def _fail(self, error: BaseException) -> None:
        self._cause = self._cause or error
        self.is_over = True
        for end in self._open:
            end.hang_up()
        self._open.clear()

    def _wait_after(self, look: Callable[[], Any], end: float | None, halt: Any) -> Any:
        """Wait in a world that is over: what the program does on its way out takes no time."""
        self._waits_after += 1
        if self._waits_after == 1 and halt is not None:
            halt()
            return look()
        found = look() if self._waits_after > 1 else None
        if not found:
            if not 1 < self._waits_after < _MOST_AFTER or end is None:
                raise WorldOver(str(self._cause))
            self.now = max(self.now, end) + _TICK
        return found or look()

    def _serve(self) -> float | None:
        """Have all scripts go on, up to where they wait; when the first goes on by itself."""
        nearest: float | None = None
        for end in self._open:
            try:
                end.serve()
            except Exception as error:
                self._fail(error)
                return None
            at = end.goes_on_at
            if at is not None and (nearest is None or at < nearest):
                nearest = at
        if any(end.is_over for end in self._open):
            self._open = [end for end in self._open if not end.is_over]
        for one in self.watched:
            one.look()
        return nearest


def _is_end(error: Any) -> bool:
    """Whether that is a WorldOver, or a group of them."""
    within: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return isinstance(error, WorldOver) or (bool(within) and all(map(_is_end, within)))


def pretend(
    *servers: Played,
    names: Mapping[str, Sequence[str] | str | None] | None = None,
    limit: float = 3 * _DAY,
) -> World:
    """A world in which a program is tested without a network and without waiting.

    In its block, and its thread, every wait of lomond's, asyncio's and trio's takes no time, and
    nothing is connected: the first connection is to the first server, and so on. What no server is
    there for is refused, and fails the block when it is left; so does what the servers say was not
    right. The program's own ``time.sleep`` and threads are real, which a `RealUse` warning tells.

    Arguments:
        servers: Each a Server, a function that gets a Conversation and yields steps, or what else
            is Scripted. Each is for one connection; one that is given twice, for two.
        names: The addresses of host names; None where one is not known. All others are known.
        limit: Virtual seconds after which the block fails (259200: three days).

    Returns:
        The world, which begins when its block is entered; `hours` is the time that has passed.

    Raises:
        TypeError: What was given is no server, or no names.
        AssertionError: When the block is left: what was not right. Where the block raises itself,
            it is a note on that.
        RuntimeError: When it is entered: there is one already, or an event loop that can't be in
            one, as uvloop's or gevent's.

    Example:
        >>> from lomond import WebSocket
        >>> from lomond.testing.peer import Pause, say
        >>> class Greets:
        ...     def talk(self, peer):
        ...         yield from peer.upgrade()
        ...         yield Pause(3600)
        ...         yield say(8, code=1000)
        ...         yield from peer.hear_end()
        >>> with pretend(Greets()) as world:
        ...     names = [event.name for event in WebSocket("wss://feed.example/")]
        >>> names[-1], round(world.hours)
        ('disconnected', 1)
    """
    as_number("limit", limit, "a number of seconds")
    if names is not None and not isinstance(names, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # a list, for example
        raise TypeError(f"names must be a mapping of names to addresses, not {names!r}")
    return World([as_server(server) for server in servers], names or {}, limit)
