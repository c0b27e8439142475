"""What a connection has inside, for tests of the moments between two of its steps.

The one place where tests look behind the doors' public names. A lock that is held, a socket that
is still open and a turn that was not given back show at no door before it is too late; and no
option bends them. What shows outside is looked at there.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from lomond.system.holding import is_mine

if TYPE_CHECKING:
    from lomond.group import WebSocketGroup
    from lomond.io.guarded import Guarded


def exchange_of(websocket: Any) -> Guarded:
    """What the threads of its current connection share."""
    exchange: Guarded | None = websocket._exchange  # noqa: SLF001  # see above
    assert exchange is not None
    return exchange


def socket_of(websocket: Any) -> socket.socket | None:
    """The socket of its current connection; None if there is none yet, or no more."""
    exchange = websocket._exchange  # noqa: SLF001  # see above
    pipe = None if exchange is None else exchange.pipe
    return None if pipe is None else pipe.sock


def is_freed(websocket: Any) -> bool:
    """Whether no socket of its current connection is open."""
    sock = socket_of(websocket)
    return sock is None or sock.fileno() == -1


def after_each_change(websocket: Any, act: Callable[[Guarded], object]) -> None:
    """Have `act` called whenever a `with` block of the connection's lock has ended."""
    exchange = exchange_of(websocket)

    class Telling(type(exchange.lock)):  # type: ignore[misc]  # one class for each twin
        def __exit__(self, *args: object) -> None:
            super().__exit__(*args)
            act(exchange)

    exchange.lock = Telling()
    exchange.is_owned = partial(is_mine, exchange.lock)


def is_at_rest(group: WebSocketGroup) -> bool:
    """Whether the group has no member, and no descriptor of its own is open."""
    # What it waits with is made and ended by it; a count of all descriptors has others' too.
    many = group._many  # noqa: SLF001  # see above
    own = (many._poller, many._wakeup)  # noqa: SLF001  # see above
    return len(group) == 0 and own == (None, None)
