"""What `persist` may be told: a row for each option."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, cast

from .checks import check_range, count, flag, seconds
from .options import ConnectFurther, ConnectKeywords, ConnectOptions
from .rows import Row, row, rows_of, table

if TYPE_CHECKING:
    from .events import Rejected


class ExitEvent(Protocol):
    """What `persist` needs of an event, like ``threading.Event`` or ``asyncio.Event``."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


Final = Iterable[int] | Callable[["Rejected"], object]


def _tells_final(_: Row, final: Any) -> Any:
    if callable(final):
        return final
    if not isinstance(final, Iterable) or isinstance(final, (str, bytes)):
        raise TypeError(f"final must be statuses, like {{401, 403}}, or a callable, not {final!r}")
    statuses: frozenset[object] = frozenset(cast("Iterable[object]", final))
    for status in statuses:
        check_range("a status of final", status, 100, 599)
    return statuses


def _waits(_: Row, event: Any) -> Any:
    if event is not None and not callable(getattr(event, "wait", None)):
        raise TypeError(f"exit_event must have wait(seconds), not {event!r}")
    return event


@table(owner="persist()", group="Reconnecting")
class PersistOptions:
    """When `persist` connects again, and when no more."""

    __slots__ = ()

    min_wait: float | None = row(
        default=None, check=lambda one, value: value if value is None else seconds(one, value),
        doc="Least seconds to wait (5, or `max_wait` if only that is given, and is less). Not with "
        "`full_jitter`, which makes every wait random, from 0 on.",
    )  # fmt: skip
    max_wait: float = row(
        default=30, check=seconds, unit="s",
        doc="Most to wait. One below `min_wait` counts as that. What is above `min_wait` is "
        "random: at most 1 s after a stable connection, 2 s, 4 s and so on after attempts that "
        "were not. After a status of 400 to 499 it is all of `max_wait`.",
    )  # fmt: skip
    exit_event: ExitEvent | None = row(
        default=None, check=_waits, also=("stop_event",),
        doc="Ends the iteration, at once where that waits to connect again, if its "
        "``wait(seconds)`` returns true (for an AsyncWebSocket or a TrioWebSocket: at once if it "
        "is an ``asyncio.Event`` or a ``trio.Event``, else its ``is_set()`` is asked ten times a "
        "second). It is only looked at between connections, so set it and then close the "
        "WebSocket, or see `watch_exit`.",
    )  # fmt: skip
    respect_retry_after: bool = row(
        default=True, check=flag,
        doc="Whether a rejection's Retry-After, up to an hour, is the wait. From the second "
        "attempt in a row that was not stable, not less than `min_wait`.",
    )  # fmt: skip
    final: Final = row(
        default=(), check=_tells_final,
        doc="Statuses (like ``{401, 403}``) after whose rejection the iteration ends; or a "
        "callable that is given the Rejected event and tells. What it raises comes out of the "
        "loop.",
    )  # fmt: skip
    max_attempts: int | None = row(
        default=None, check=count, none="no limit", also=("max_retries", "retries"),
        doc="After so many attempts in a row that were not stable the iteration ends.",
    )  # fmt: skip
    max_time: float | None = row(
        default=None, check=seconds, none="no limit",
        doc="So many seconds after the last stable connection (or the start), no further attempt "
        "is made, and the iteration ends.",
    )  # fmt: skip
    stable_after: float = row(
        default=0, check=seconds, unit="s",
        doc="A connection that was Ready so long is stable, and attempts are counted anew. 0: as "
        "soon as it is Ready; 30 keeps a server that accepts and hangs up at once from being "
        "hammered.",
    )  # fmt: skip
    full_jitter: bool = row(
        default=False, check=flag, also=("jitter",),
        doc="Whether every wait is random as a whole, from 0 on. For many clients of one server; "
        "where a Retry-After is obeyed, what would be waited without it is added.",
    )  # fmt: skip
    watch_exit: bool = row(
        default=False, check=flag,
        doc="Whether `exit_event` is also looked at while connecting and connected. Ten times a "
        "second, and before each event; an ``asyncio.Event`` of an AsyncWebSocket and a "
        "``trio.Event`` of a TrioWebSocket act at once. The WebSocket is then closed, and the "
        "iteration ends when the connection has. What is iterated by a thread wakes ten times a "
        "second for it.",
    )  # fmt: skip


#: All that `persist` takes: the first seven by their place too.
PERSIST = {
    name: (rows_of(ConnectOptions) | rows_of(PersistOptions))[name]
    for name in (
        "poll", "min_wait", "max_wait", "ping_rate", "ping_timeout", "exit_event",
        "respect_retry_after", *rows_of(PersistOptions), *rows_of(ConnectOptions),
    )
}  # fmt: skip


# As keywords, for type checkers: a test holds them equal to the rows.


class PersistFurther(ConnectFurther, total=False):
    """What `lomond.persist.persist` takes by name only."""

    final: Final
    max_attempts: int | None
    max_time: float | None
    stable_after: float
    full_jitter: bool
    watch_exit: bool


class PersistKeywords(ConnectKeywords, PersistFurther, total=False):
    """What `persist` takes of every door."""

    min_wait: float | None
    max_wait: float
    exit_event: ExitEvent | None
    respect_retry_after: bool
