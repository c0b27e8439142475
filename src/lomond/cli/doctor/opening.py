"""The connection itself, as the library makes it: how far it came, phase by phase."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...redaction import discreet_url
from ...url import authority
from .. import exits
from . import chain, secure, upgrade
from .case import status_of, words
from .name import source_of, way_without

if TYPE_CHECKING:
    from ...ending import Ending
    from ...events import AnyEvent, Connected, Ready
    from ...response import Response
    from ...timings import Timings
    from ...websocket import WebSocket
    from .case import Case

PATIENCE = 15.0  # seconds for all of it
SHARE = 2 / 3  # of --timeout's rest, if that is less: a question that tells more needs some too
LOOKED_AT = 0.1  # seconds between two looks at a deadline
CLOSE_PATIENCE = 5.0  # seconds
_BEFORE_PROXY = ("resolve", "connect", "proxy")  # phases


@dataclass
class Opened:
    """A connection that was tried.

    Attributes:
        stream: Its further events.
        urls: Where it went, redirects included.
        connected: The event, of the last server; or None.
        ready: Likewise.
        response: What the server answered, if it did.
        answered_at: When, by the wall clock.
        timings: As far as they are known.
        ending: If it has ended.
        seen: What its handshake has shown of certificates, if that was watched.
    """

    websocket: WebSocket
    stream: Iterator[AnyEvent]
    urls: list[str] = field(default_factory=list[str])
    connected: Connected | None = None
    ready: Ready | None = None
    response: Response | None = None
    answered_at: float = 0.0
    timings: Timings | None = None
    ending: Ending | None = None
    seconds: float = 0.0  #: it was given, at most
    seen: chain.Seen = field(default_factory=chain.Seen)

    def run(self) -> Opened:
        """Go on until it is ready or over."""
        for event in self.stream:
            match event.name:
                case "connecting":
                    self.urls.append(event.url or "")
                case "connected":
                    self.connected = event
                case "ready" | "rejected":
                    self.response, self.timings = event.response, event.timings
                    self.answered_at = event.received_time
                    if event.name == "ready":
                        self.ready = event
                        return self
                case "connect_fail" | "disconnected":
                    self.ending = event.ending
                    self.timings = self.timings or event.timings
                case _:
                    pass
        return self

    def close(self, seconds: float) -> Iterator[AnyEvent]:
        """Close it: the events that follow, for so many seconds at most."""
        limit = threading.Timer(seconds, self.websocket.force_disconnect)
        limit.daemon = True
        limit.start()
        try:
            self.websocket.close()
            for event in self.stream:
                if event.name == "disconnected":
                    self.ending = event.ending
                yield event
        finally:
            limit.cancel()

    def leave(self, case: Case) -> None:
        """Close it, if it is open; the server has a moment to answer."""
        if self.ready is not None and self.ending is None:
            for _ in self.close(case.allowance.left_of(CLOSE_PATIENCE)):
                pass


def opened(case: Case) -> Opened:
    """The connection as it is asked for, whose certificates are watched; ready, or over."""
    if not case.url.secure and not case.given.max_redirects:
        return begun(case, case.websocket())
    with chain.watched(case.options) as seen:
        done = begun(case, case.websocket())
    done.seen = seen
    return done


def begun(case: Case, websocket: WebSocket, patience: float | None = None) -> Opened:
    """A connection by that WebSocket, within so many seconds; ready, or over.

    Arguments:
        case: What is examined.
        websocket: What connects.
        patience: Seconds, or what is left of all; None for `PATIENCE`, or a share of what is left.
    """
    if patience is None:
        seconds = case.allowance.of(PATIENCE, SHARE)
    else:
        seconds = case.allowance.of(patience)
    websocket.open_timeout = seconds
    stream = websocket.connect(poll=LOOKED_AT, ping_rate=0, close_timeout=CLOSE_PATIENCE)
    return Opened(websocket, stream, seconds=seconds).run()


def tell(case: Case, done: Opened) -> bool:
    """Say how far it came; whether it is open."""
    timings = done.timings
    if timings is not None:
        case.report.phases(phases(timings))
    ending = done.ending
    phase = None if ending is None else ending.phase
    if ending is not None and phase in _BEFORE_PROXY:
        _tell_unconnected(case, done, ending)
        return False
    if ending is not None and ending.kind in ("credentials", "resources"):
        case.fail("connect", *words(ending), exits.status_of(ending))
        return False
    if case.proxy is not None:
        seconds = None if timings is None else timings.proxy
        case.report.ok("tunnel", f"the proxy connected us to {case.authority}", seconds=seconds)
    for url in done.urls[1:]:
        case.report.ok("redirect", f"sent on to {discreet_url(url)}", "ask there at once")
    if phase == "tls" or (ending is not None and secure.is_told_later(ending)):
        secure.tell_failure(case, done)
        return False
    if done.connected is not None and done.connected.tls is not None:
        took = None if timings is None else timings.tls
        secure.tell(case, done.connected.tls, done.seen, took)
    is_open = upgrade.tell(case, done)
    secure.tell_clock(case, done)
    return is_open


def phases(timings: Timings) -> list[tuple[str, float]]:
    """What took which time, in its order, without what did not happen."""
    used = [attempt.seconds for attempt in timings.attempts if attempt.error is None]
    known = {
        "resolve": timings.resolve,
        "connect": used[-1] if used else None,
        "proxy": timings.proxy,
        "tls": timings.tls,
        "upgrade": timings.upgrade,
    }
    return [(name, seconds) for name, seconds in known.items() if seconds is not None]


def _tell_unconnected(case: Case, done: Opened, ending: Ending) -> None:
    """Say why the server was not reached: the proxy refused, or what answered before is gone."""
    said, advice = words(ending)
    if ending.kind == "timed_out":
        said = f"no answer within {done.seconds:.3g} s, in the phase {ending.phase!r}"
    proxy = case.proxy
    if proxy is None:
        advice = advice or "TCP went there a moment ago: try again, and look whether it is reliable"
        case.fail("connect", said, advice, status_of(ending))
        return
    response = ending.response
    if response is not None and response.status_code == 407:
        where = authority(proxy.host, proxy.port)
        put = f"put USER:PASSWORD@ of the proxy before {where} in {source_of(proxy)}"
        advice = f"{put}; {advice}" if advice else put
    case.fail("tunnel", said, advice or way_without(proxy), status_of(ending))
