"""TLS sessions that a later handshake may resume: whose, how often, how long, and how many.

Neither Python nor OpenSSL looks at the certificate again where a session is resumed, nor whose name
is expected: so a session is for one key alone, which says all of that.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from .clock import monotonic
from .forking import in_child

if TYPE_CHECKING:
    import ssl
    from collections.abc import Hashable

MOST = 64  # sessions of a context; one is some KiB
# RFC 8446 appendix C.4: "Clients SHOULD NOT reuse a ticket for multiple connections", because who
# watches can tell then that they come from one client. To get one out of Python costs more than it
# saves once; so it is used for some connections, which go to one server, and no more.
USES = 16
OLDEST = 3600.0  # seconds; so long nobody looks whether the certificate has expired


class _Ticket(NamedTuple):
    session: ssl.SSLSession
    uses: int  #: how often it may be used yet
    until: float


class Tickets:
    """The sessions of one context, which is not changed any more. The latest used are kept."""

    def __init__(self) -> None:
        # Each step is one call of C: threads that are in here at a time lose a session at worst.
        self._kept: OrderedDict[Hashable, _Ticket] = OrderedDict()

    def take(self, key: Hashable) -> ssl.SSLSession | None:
        """A session to resume, or None."""
        ticket = self._kept.pop(key, None)
        if ticket is None or monotonic() >= ticket.until:
            return None
        if ticket.uses > 1:
            self._kept[key] = ticket._replace(uses=ticket.uses - 1)
        return ticket.session

    def keep(self, key: Hashable, session: ssl.SSLSession) -> None:
        """Have later handshakes resume it."""
        self._kept[key] = _Ticket(session, USES, monotonic() + OLDEST)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def drop(self, key: Hashable) -> None:
        """Resume none of these any more."""
        self._kept.pop(key, None)

    def is_missing(self, key: Hashable) -> bool:
        """Whether there is none to take."""
        return key not in self._kept

    def forget(self) -> None:
        """Resume none at all."""
        self._kept.clear()


class Resumable(NamedTuple):
    """The sessions with one peer, as one context has them."""

    tickets: Tickets
    key: Hashable

    def take(self) -> ssl.SSLSession | None:
        """A session to resume, or None."""
        return self.tickets.take(self.key)

    def keep(self, session: ssl.SSLSession) -> None:
        """Have later handshakes with this peer resume it."""
        self.tickets.keep(self.key, session)

    def drop(self) -> None:
        """Resume none any more."""
        self.tickets.drop(self.key)

    def is_missing(self) -> bool:
        """Whether there is none to take."""
        return self.tickets.is_missing(self.key)


#: Of contexts that lomond has made, which verify, and which nobody changes.
allowed: WeakKeyDictionary[ssl.SSLContext, Tickets] = WeakKeyDictionary()


def _forget() -> None:
    for tickets in list(allowed.values()):
        tickets.forget()


in_child(_forget)  # they are the parent's, which uses them too


def allow(context: ssl.SSLContext) -> None:
    """Have sessions of this context be resumed: it verifies, and nobody changes it any more."""
    allowed[context] = Tickets()


def resumable(context: ssl.SSLContext, key: Hashable) -> Resumable | None:
    """The sessions of a context for one key; None where none is to be resumed."""
    try:
        tickets = allowed.get(context)
    except TypeError:  # of a class of a user's own, which can't be a key
        return None
    return None if tickets is None else Resumable(tickets, key)
