"""How long a connection may be silent: two of them side by side, of which one pings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from ...ending import close_words, duration
from .. import exits
from .case import words
from .opening import CLOSE_PATIENCE

if TYPE_CHECKING:
    from ...ending import Ending
    from ...websocket import WebSocket
    from .case import Case

_OPEN_PATIENCE = 15.0  # seconds
_RAREST, _MOST_OFTEN = 5.0, 0.5  # seconds between two pings of the one that pings
_PINGS_IN_IT = 20
_OUTLIVES = 1.5  # times the limit, and the other one is no victim of it
_DEFAULT_PING = 30.0  # seconds; of the command, and of the library
#: From which half of a limit on -> to what it is rounded down.
_STEPS = ((60.0, 30.0), (20.0, 5.0), (2.0, 1.0), (1.0, 0.5), (0.0, 0.1))


class _Watched:
    """A connection in a thread, from its opening to its end.

    Arguments:
        websocket: Which.
        ping_rate: Seconds between two pings; 0 for none.
        changed: Is set when it is ready, and when it is over.
    """

    def __init__(self, websocket: WebSocket, ping_rate: float, changed: threading.Event) -> None:
        self.websocket = websocket
        self.ready_at: float | None = None
        self.ending: Ending | None = None
        self.is_over = False
        self.pings = 0  # of the server
        self._ping_rate = ping_rate
        self._changed = changed
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def is_settled(self) -> bool:
        """Whether its opening has come to something."""
        return self.ready_at is not None or self.is_over

    def _run(self) -> None:
        try:
            for event in self.websocket.connect(
                poll=None, ping_rate=self._ping_rate, close_timeout=CLOSE_PATIENCE
            ):
                match event.name:
                    case "ready":
                        self.ready_at = monotonic()
                        self._changed.set()
                    case "ping":
                        self.pings += 1
                    case "connect_fail" | "disconnected":
                        self.ending = event.ending
                    case _:
                        pass
        finally:
            self.is_over = True
            self._changed.set()


def tell(case: Case) -> None:
    """Say how long it may be silent, and which pings keep it."""
    wanted: float = case.given.idle
    seconds = case.allowance.of(wanted)
    rate = min(_RAREST, max(_MOST_OFTEN, wanted / _PINGS_IN_IT))
    changed = threading.Event()
    both = [_Watched(_made(case), pings, changed) for pings in (0.0, rate)]
    silent, pinging = both
    try:
        patience = case.allowance.of(_OPEN_PATIENCE)
        _wait(changed, patience, lambda: all(one.is_settled for one in both))
        if silent.ready_at is None or pinging.ready_at is None:
            measured = "the two connections that it needs did not both open"
            advice = "the server may allow one at a time: ask when no other one is open"
            case.fail("idle", measured, advice, exits.LOST)
        else:
            _wait(changed, seconds, lambda: silent.is_over)
            limit = monotonic() - silent.ready_at
            if silent.is_over:
                rest = max(limit * (_OUTLIVES - 1), rate)
                _wait(changed, case.allowance.of(rest), lambda: pinging.is_over)
            _tell(case, silent, pinging, limit, rate)
    except BaseException:
        for one in both:
            one.websocket.force_disconnect()
        raise
    for one in both:
        if not one.is_over:
            one.websocket.close()
    for one in both:
        one.thread.join(case.allowance.left_of(CLOSE_PATIENCE))
        one.websocket.force_disconnect()


def _tell(case: Case, silent: _Watched, pinging: _Watched, limit: float, rate: float) -> None:
    itself = ""
    if silent.pings:
        every = duration(limit / silent.pings)
        itself = f"; the server pings by itself, about every {every}, and was answered"
    if not silent.is_over:
        measured = f"open after {duration(limit)} in which this side said nothing{itself}"
        case.report.ok("idle", measured, seconds=limit)
        return
    ending = silent.ending
    limit = limit if ending is None else ending.lasted
    how = "" if ending is None else f": {_how(ending)}"
    measured = f"cut after {duration(limit)} in which this side said nothing{itself}{how}"
    if pinging.is_over:
        measured += f"; so was one that pings every {rate:g} s"
        advice = (
            "no --ping helps: the server, or what is between, wants messages, or lets no "
            "connection live longer: send messages, connect again with --reconnect"
        )
        case.fail("idle", measured, advice, exits.LOST, limit)
        return
    ping = fitting(limit)
    measured += f"; one that pings every {rate:g} s lives on"
    if ping >= _DEFAULT_PING:
        advice = f"--ping {_DEFAULT_PING:g}, which is the default, keeps it open"
        case.report.ok("idle", measured, advice, limit)
    else:
        case.report.warn("idle", measured, f"--ping {ping:g} keeps it open", limit)


def _how(ending: Ending) -> str:
    if ending.kind == "closed" and ending.by == "server":
        return f"the server closed the connection {close_words(ending.code, ending.reason)}"
    return ending.detail or words(ending)[0]


def fitting(limit: float) -> float:
    """How often to ping below a limit on silence: half of it, rounded down."""
    half = limit / 2
    step = next(step for least, step in _STEPS if half >= least)
    return max(step, round(half // step * step, 1))


def _made(case: Case) -> WebSocket:
    websocket = case.websocket()
    websocket.open_timeout = case.allowance.of(_OPEN_PATIENCE)
    return websocket


def _wait(changed: threading.Event, seconds: float, is_done: Callable[[], bool]) -> None:
    ends_at = monotonic() + seconds
    while not is_done() and (left := ends_at - monotonic()) > 0:
        changed.wait(left)
        changed.clear()
