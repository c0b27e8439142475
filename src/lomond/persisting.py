"""What `persist` may be told: a row for each option."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, cast

from .checks import check_range, count, flag, is_coroutine_function, seconds
from .options import ConnectFurther, ConnectKeywords, ConnectOptions
from .rows import Row, row, rows_of, table

if TYPE_CHECKING:
    from .ending import Ending


class ExitEvent(Protocol):
    """What `persist` needs of an event, like ``threading.Event`` or ``asyncio.Event``."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


Final = Iterable[int] | Callable[["Ending"], object]

_UNSENT = (1005, 1006, 1015)  # RFC 6455 section 7.4.1: no close frame has them
_LARGEST_STATUS, _SMALLEST_CODE = 599, 1000


def _final(_: Row, final: Any) -> Any:
    if callable(final):
        if is_coroutine_function(final):
            raise TypeError(
                "final is a coroutine function, and nobody awaits it; give a plain function"
            )
        return final
    if not isinstance(final, Iterable) or isinstance(final, (str, bytes)):
        raise TypeError(
            "final must be HTTP statuses and close codes, like {401, 4403}, or a callable that is "
            f"given the Ending, not {final!r}"
        )
    numbers: frozenset[object] = frozenset(cast("Iterable[object]", final))
    for number in numbers:
        check_range("a status or close code of final", number, 100, 4999)
        if number in _UNSENT:
            raise ValueError(
                f"final has {number}, which no server sends; give a callable, like "
                "lambda ending: ending.kind == 'lost'"
            )
        assert isinstance(number, int)
        if _LARGEST_STATUS < number < _SMALLEST_CODE:
            raise ValueError(
                f"final has {number}; a status is from 100 to {_LARGEST_STATUS}, a close code "
                f"from {_SMALLEST_CODE} to 4999"
            )
    return numbers


def told_final(final: Any) -> Callable[[Ending], object]:
    """Whether an ending is final, by what was given, which was checked."""
    if callable(final):
        tells: Callable[[Ending], object] = final
        return tells
    return lambda ending: ending.status in final or ending.code in final


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
        "were not. It is all of `max_wait` after a status of 400 to 499, and after what no further "
        "attempt can mend: a certificate that is not accepted, a name that does not exist, an "
        "unknown scheme (with `full_jitter`, and a random part of as much again).",
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
        default=(), check=_final,
        doc="HTTP statuses and close codes (like ``{401, 403, 4403}``) after which the iteration "
        "ends: those that the Ending has as `status` or `code`. Or a callable that is given the "
        "`lomond.Ending` after the last event of a connection, and tells. What it raises comes "
        "out of the loop.",
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
        default=10, check=seconds, unit="s",
        doc="A connection that was Ready (with `enter`: entered) so long is stable, and attempts "
        "are counted anew. So the waits grow for a server that accepts and hangs up at once. 0: as "
        "soon as it is Ready.",
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
