"""The door to many connections in one thread. Decides nothing about the protocol."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack

from . import door, options, persisting, rows
from .io.group_loop import GroupLoop, Member
from .persist import stay_connected
from .url import redact
from .ways import Waiting
from .websocket import WebSocket
from .wrong_door import not_async_for, not_async_with, warn_of_loop

if TYPE_CHECKING:
    from .events import AnyEvent
    from .ways import Way

__all__ = ["WebSocketGroup"]


#: Here nobody wants a Poll of each connection, unless it is asked for.
_QUIET: dict[str, Any] = {"poll": None}


class WebSocketGroup:
    """Many connections as one stream of events, in one thread.

    ``for websocket, event in group`` connects those that were added, and gives what happens to any
    of them, in the order of each and with a turn for all, until none is left. Opening one keeps
    none of the others waiting. A send that must wait for its peer reads on for its own connection;
    the others wait for the loop's body, as for whatever else that does.

    Leaving the loop, or an exception in its body, closes all connections.

    Example:
        >>> group = WebSocketGroup()
        >>> group.add(WebSocket("wss://example.org/a"))
        >>> group.persist(WebSocket("wss://example.org/b"), max_attempts=1)
        >>> for websocket, event in group:
        ...     if event.name == "text":
        ...         print(websocket.resource, event.text)
        /a hello
        /b hello
    """

    def __init__(self) -> None:
        self._many = GroupLoop()

    def add(self, websocket: WebSocket, **options: Unpack[options.ConnectKeywords]) -> None:
        """Have one more connection; from the loop's body too, or from another thread.

        Arguments:
            websocket: What to connect; it leaves the group after its Disconnected or ConnectFail.
            Options: as docs/reference/options.md has them.

        Raises:
            TypeError: It is no WebSocket, or an argument can't be.
            ValueError: An argument can't be, or the WebSocket is in the group already.

        Example:
            >>> group = WebSocketGroup()
            >>> group.add(WebSocket("wss://example.org/a"), ping_timeout=30)
            >>> [event.text for websocket, event in group if event.name == "text"]
            ['hello']
        """
        _check("add", websocket)
        timing = door.timed(websocket, {**_QUIET, **options}, "WebSocketGroup.add()")
        self._enter(websocket, lambda member: door.begin(websocket, timing, member))

    def persist(self, websocket: WebSocket, **options: Unpack[persisting.PersistKeywords]) -> None:
        """Have one more connection, which is made again whenever it ends.

        Arguments:
            websocket: What to keep connected.
            Options: as docs/reference/options.md has them.

        An `exit_event` is asked ``is_set()`` ten times a second while it waits.

        Raises:
            TypeError, ValueError: As `add`.

        Example:
            >>> group = WebSocketGroup()
            >>> group.persist(WebSocket("wss://example.org/a"), max_attempts=2)
            >>> [event.name for websocket, event in group if event.name in ("ready", "back_off")]
            ['ready', 'back_off', 'ready']
        """

        _check("persist", websocket)

        def begin(member: Member) -> Any:
            def stay(perform: Callable[[Way], Any]) -> Any:
                return perform(Waiting(websocket, member))

            return stay_connected(websocket, {**_QUIET, **options}, stay)

        self._enter(websocket, begin)

    def _enter(self, websocket: WebSocket, begin: Callable[[Member], Any]) -> None:
        if websocket in self._many.members:
            raise ValueError(f"{websocket!r} is in the group already")
        member = Member(self._many, websocket)
        member.items = begin(member)
        self._many.add(member)

    def post(self, value: object) -> None:
        """Have the loop over the group get ``None, event``: an event `posted` with that value.

        From any thread or signal handler; never waits; within 20 ms, however idle all are. What is
        posted to one WebSocket comes with that. What is posted before the loop, or after its end,
        is kept for the next loop over the group.

        Arguments:
            value: Anything.

        Example:
            >>> group = WebSocketGroup()
            >>> group.add(WebSocket("wss://example.org/a"))
            >>> group.post("work")  # from another thread, say
            >>> for websocket, event in group:
            ...     if event.name == "posted":
            ...         print(event.value)
            work
        """
        self._many.post(value)

    def remove(self, websocket: WebSocket) -> None:
        """Leave a connection, as by `break`; no event of it follows. In the thread that iterates.

        Anywhere in the loop's body, also while that handles an event of this connection, the last
        one included; and in a signal handler.

        Arguments:
            websocket: One that was added, and has not ended.

        Raises:
            KeyError: It is not in the group.

        Example:
            >>> group = WebSocketGroup()
            >>> group.add(WebSocket("wss://example.org/a"))
            >>> for websocket, event in group:
            ...     if event.name == "text":
            ...         group.remove(websocket)
            >>> len(group)
            0
        """
        member = self._many.members.get(websocket)
        if member is None:
            raise KeyError(f"{websocket!r} is not in the group")
        self._many.stop(member)

    def close(self) -> None:
        """Leave all connections: the loop ends. In the thread that iterates, as `remove`.

        Example:
            >>> group = WebSocketGroup()
            >>> group.add(WebSocket("wss://example.org/a"))
            >>> for websocket, event in group:
            ...     if event.name == "text":
            ...         group.close()
            >>> event.name  # the last one
            'text'
        """
        self._many.close()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "a WebSocketGroup can't be copied or pickled; make another, and add copies of its "
            "WebSockets to that"
        )

    def __len__(self) -> int:
        return len(self._many.members)

    def __contains__(self, websocket: object) -> bool:
        return websocket in self._many.members

    # Any stands for None, which only a program that posts to the group gets: others need no check.
    def __iter__(self) -> Generator[tuple[WebSocket | Any, AnyEvent], None, None]:
        warn_of_loop()
        return self._many.events()

    if not TYPE_CHECKING:  # to which it is neither
        __aiter__ = not_async_for
        __aenter__ = __aexit__ = not_async_with

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _check(method: str, websocket: object) -> None:
    if isinstance(websocket, WebSocket):
        return
    shown = redact(repr(websocket))
    if isinstance(websocket, door.Door):
        hint = "which is another loop's; make a WebSocket of the same URL and options"
    elif isinstance(websocket, str):
        hint = "write WebSocket(...) around the URL"
    else:
        hint = "make one of the URL"
    raise TypeError(f"WebSocketGroup.{method}() needs a WebSocket, not {shown}; {hint}")


rows.signed(
    WebSocketGroup.add,
    rows.with_defaults(rows.rows_of(options.ConnectOptions), **_QUIET),
    ("self", "websocket"),
)
rows.signed(
    WebSocketGroup.persist,
    rows.with_defaults(persisting.PERSIST, **_QUIET),
    ("self", "websocket"),
)
