"""Several streams of events as one: for connections that one object has at the same time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..system.need import Need, joined, share

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from ..session.session import Session
    from ..system.need import Awaited

    #: Events, and between them what is waited for.
    Items = Generator[Any, None, None]

_TURN = 64  # events of one, before the others have their turn
_NOW = 0.0  # a moment that has passed


def merged(
    streams: Iterable[tuple[Session, Items]],
    follow: Callable[[Session], object] | None = None,
) -> Items:
    """The events of all streams, each one's in its order, until all are over.

    Where all wait, it waits for whatever any of them does. A stream may be gone on with though what
    it waits for is not there. All are closed when this one is.

    Arguments:
        streams: Each with its session; it says what it waits for, and does not wait itself.
        follow: Told whose events come next.
    """
    live = list(streams)
    waiting: dict[Items, Need] = {}
    awaited: Awaited | None = None
    with ExitStack() as stack:  # which goes on where one raises
        for _, items in live:
            stack.callback(items.close)
        while live:
            for one in live[:]:
                session, items = one
                if follow is not None:
                    follow(session)
                waiting.pop(items, None)
                for _ in range(_TURN):
                    try:
                        item = next(items)
                    except StopIteration:
                        live.remove(one)
                        break
                    if isinstance(item, Need):
                        waiting[items] = item
                        break
                    yield item
            if waiting:
                # Where the others have more, it is only looked what is there.
                needs = list(waiting.values())
                awaited = yield from _wait(needs, len(waiting) < len(live), awaited)


def _wait(
    needs: list[Need], only_looks: bool, awaited: Awaited | None
) -> Generator[Need, None, Awaited | None]:
    """One wait for all of them, of whom each is told what came of it; what was awaited.

    Arguments:
        needs: What each waits for.
        only_looks: Whether it is only to be looked what is there.
        awaited: What was awaited before: that is not given up for what another one has awaited.
    """
    both = joined(needs)
    if awaited is not None and any(need.awaited is awaited for need in needs):
        both.awaited = awaited
    if only_looks:
        both.until = _NOW
    yield both
    share(both, needs)
    return both.awaited
