"""Who listens to a connection: what `trace=`, `record=` and the log are told of it.

Imported where somebody does; what there is to tell, a connection notes in its journal.
"""

# pyright: reportPrivateUsage=false
# A plan that tells is made of one that does not.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import logs
from .io.journal import Journal
from .plan import Plan

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from .base import Base
    from .events import AnyEvent
    from .io.journal import Entry
    from .options import Timing
    from .place import Place
    from .response import Response
    from .session.dialling import Target, Tunnel
    from .session.opening import Route
    from .state import State

__all__ = ["TellingPlan", "backs_off", "begins", "journal_of"]

_SAID = ("poll", "ping_rate", "ping_timeout", "auto_pong", "close_timeout")


def journal_of(door: State, asked: Base) -> Journal:
    """The journal of a connection, for all that its options and the log name.

    Arguments:
        door: Whose connection it is; keeps what writes its record.
        asked: Its options.

    Raises:
        OSError: The file of the record can't be opened.
    """
    listeners: list[Callable[[Entry], object]] = []
    if asked.trace:
        from .tracing import Tracer

        listeners.append(Tracer(asked.trace))
    if asked.record is not None:
        from .recording import recorder

        door._recorder = recorder(asked.record, door._recorder)
        listeners.append(door._recorder)
    has_frames = bool(listeners) or logs.has_details()
    if logs.is_heard():
        listeners.append(logs.Log(logs.has_details()))
    place = asked._place
    return Journal(listeners, None if place is None else place.url, has_frames, bool(asked.trace))


class TellingPlan(Plan):
    """The plan of a connection to which somebody listens.

    Arguments:
        journal: What it tells.
        websocket, contexts, awaits, keep_place: As of every plan.
    """

    __slots__ = ("_journal",)

    def __init__(
        self,
        journal: Journal,
        websocket: Base,
        contexts: Callable[[bool, bool], ssl.SSLContext],
        awaits: bool,
        keep_place: Callable[[Place], object],
    ) -> None:
        super().__init__(websocket, contexts, awaits, keep_place)
        self._journal = journal

    def context(self, of_proxy: bool) -> ssl.SSLContext:
        websocket = self._websocket
        given = websocket.proxy_ssl_context if of_proxy else websocket.ssl_context
        about = {
            "verify": websocket.ssl_verify is not False,
            "has_context": given is not None,
            "cafile": websocket.ssl_cafile is not None,
        }
        self._journal.note("here", "tls_wrapped", about)
        self._journal.tell()
        return super().context(of_proxy)

    def answer(self, name: str, value: Any) -> None:
        super().answer(name, value)
        self._journal.url = self.url

    def route(self, target: Target) -> Route:
        route = super().route(target)
        # For whoever is to know these secrets again, also where no head is told.
        self._journal.note("here", "asked", route.upgrade.request_bytes())
        return route

    def tunnel(self, target: Target, host: str) -> Tunnel:
        proxy = target.proxy
        tunnel = super().tunnel(target, host)
        if proxy is not None and proxy.username is not None and proxy.scheme.startswith("http"):
            from .credentials import basic

            # It may repeat them where it refuses.
            said = f"\r\nProxy-Authorization: {basic(proxy.username, proxy.password or '')}"
            self._journal.note("here", "asked", said.encode())
        return tunnel

    def answered(self, url: str, response: Response) -> None:
        self._journal.note("in", "response", response)
        super().answered(url, response)


def begins(journal: Journal, timing: Timing) -> None:
    """Tell that a connection begins, and what was asked of it."""
    journal.note("here", "connect_start", {name: getattr(timing, name) for name in _SAID})
    journal.tell()


def backs_off(door: State, event: AnyEvent) -> None:
    """Tell of a wait before the next connection whoever was told of the last one."""
    journal = None if door._exchange is None else door._exchange.journal
    if logs.waits_are_heard() and (journal is None or not journal.tells(logs.Log)):
        log = logs.Log(False)  # somebody listens since that connection began
        if journal is None:
            place = door._place
            journal = Journal([log], None if place is None else place.url, False, False)
        else:
            journal.join(log)
    if journal is not None:
        journal.event(event)
