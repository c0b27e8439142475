"""The least that a row can cost in Python, and whose floor that is.

A client can't do with less than these do. `bare socket` reads and writes on a blocking socket, with
a bare SSLObject over TLS and a bare decompressobj for what is compressed; `bare selectors` is a
selectors loop with recv; `bare protocol` is a BufferedProtocol and a future on the same loop, `bare
reader` the same without the loop's transport. They check nothing, know the size of each message
before, and mask with zero. A peer may still be below one: picows calls OpenSSL itself.
"""

from __future__ import annotations

from results import Pair, Runs, pair

NEAR = 1.15  # times its floor: who is within that can't be asked for more

_FLOORS = {
    "lomond compiled": ("bare socket",),
    "lomond pure": ("bare socket",),
    "lomond group": ("bare selectors",),
    "lomond aio/uvloop": ("bare protocol/uvloop", "bare reader/uvloop"),
    "lomond aio/asyncio": ("bare protocol/asyncio", "bare reader/asyncio"),
}


def floors_of(client: str) -> tuple[str, ...]:
    """The floors that this client may stand on, by name."""
    return _FLOORS.get(client, ())


def floor(client: str, row: dict[str, Runs], figure: str) -> Pair | None:
    """The lowest of a client's floors in one row; None where none was measured."""
    found = (pair(row.get(name, []), figure) for name in floors_of(client))
    return min((known for known in found if known is not None), default=None)
