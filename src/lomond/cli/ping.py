"""``lomond ping``: round trips to a WebSocket server, as ping(8) shows them."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..errors import WebSocketError
from . import arguments, exits
from .stopping import Stopping

if TYPE_CHECKING:
    from ..events import AnyEvent
    from ..websocket import WebSocket

_USAGE = "[OPTIONS] URL"
_ABOUT = """\
Sends pings, and writes a line for each answer; in the end how many were lost,
and the smallest, mean and largest time, and that of the slowest hundredth."""
_END = """\
exit status: 0 done, 2 usage, 3 unreachable, 4 refused, 5 lost, or no answer,
6 protocol, 7 --timeout, 130 Ctrl-C, 143 SIGTERM"""
_PAYLOAD = "lomond ping {}"
_OFTEN = 0.2  # seconds; how often it looks whether a ping is lost, at least
_PATIENCE = 5.0  # seconds, for the answer to the close frame


def parser() -> arguments.Parser:
    """The parser of its arguments."""
    made = arguments.Parser("ping", _USAGE, _ABOUT, _END)
    add = made.add_argument
    add("-c", dest="count", type=arguments.count, metavar="N", help="so many, then end")
    add("-i", dest="interval", type=arguments.seconds, default=1.0, metavar="S", help="between (1)")
    add(
        "-W",
        dest="within",
        type=arguments.seconds,
        default=10.0,
        metavar="S",
        help="else lost (10)",
    )
    arguments.add_timeout(made, "S seconds in all")
    add("--jsonl", action="store_true", help="JSON, seconds")
    arguments.add_connection(made)
    return made


def run(given: Sequence[str]) -> int:
    """Ping; the exit status."""
    reader = parser()
    options = reader.parse_args(given)
    until = math.inf if options.timeout is None else monotonic() + options.timeout
    more = {} if options.timeout is None else {"open_timeout": options.timeout}
    websocket = arguments.websocket(reader, options, **more)
    return _Pinging(websocket, options, until).run()


class Tally:
    """Pings that were sent, and what came of them.

    Arguments:
        within: Seconds after which one counts as lost.

    Attributes:
        sent: How many.
        times: Seconds of each answer, in their order.
    """

    def __init__(self, within: float) -> None:
        self.sent = 0
        self.times: list[float] = []
        self._within = within
        self._waiting: dict[bytes, tuple[int, float]] = {}  # payload -> number, when it was sent

    def next(self, now: float) -> bytes:
        """The payload of the next ping, which is sent now."""
        self.sent += 1
        payload = _PAYLOAD.format(self.sent).encode()
        self._waiting[payload] = self.sent, now
        return payload

    def answered(self, payload: bytes, now: float) -> tuple[int, float] | None:
        """The number and the seconds of the ping that has this answer; None if it is none's."""
        number, sent_at = self._waiting.pop(payload, (0, 0.0))
        if number == 0:
            return None
        self.times.append(now - sent_at)
        return number, now - sent_at

    def lost(self, now: float) -> list[int]:
        """The numbers of those that nobody waits for any more, each once."""
        late = [one for one in self._waiting.items() if now - one[1][1] >= self._within]
        for payload, _ in late:
            del self._waiting[payload]
        return [number for _, (number, _) in late]

    @property
    def is_waiting(self) -> bool:
        """Whether an answer may still come."""
        return bool(self._waiting)

    def summary(self) -> dict[str, Any]:
        """All of it, in seconds; the times are None where nothing was answered."""
        received, times = len(self.times), sorted(self.times)
        lost = 0.0 if not self.sent else 1 - received / self.sent
        found: dict[str, Any] = {"transmitted": self.sent, "received": received, "loss": lost}
        mean = sum(times) / received if times else None
        of_times = (quantile(times, 0), mean, quantile(times, 1), quantile(times, 0.99))
        return found | dict(zip(("min", "avg", "max", "p99"), of_times, strict=True))


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that so large a share does not exceed; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class _Pinging:
    """One run over one connection."""

    def __init__(self, websocket: WebSocket, options: argparse.Namespace, until: float) -> None:
        self._websocket = websocket
        self._options = options
        self._until = until
        self._poll = options.interval / math.ceil(options.interval / _OFTEN)
        self._tally = Tally(options.within)
        self._next_at = math.inf
        self._is_ready = False
        self._is_late = False  # --timeout is over

    def run(self) -> int:
        connect = self._websocket.connect
        with Stopping(self._stop) as stopping:
            for event in connect(poll=self._poll, ping_rate=None, close_timeout=_PATIENCE):
                self._on(event)
        if self._is_ready:
            self._conclude()
        return stopping.status or self._status()

    def _stop(self) -> None:
        """Ctrl-C, in its handler."""
        if self._is_ready:
            self._websocket.close()
        else:
            self._websocket.force_disconnect()

    def _on(self, event: AnyEvent) -> None:
        now = monotonic()
        match event.name:
            case "ready":
                self._is_ready = True
                self._next_at = now
            case "pong":
                answer = self._tally.answered(bytes(event.data), now)
                if answer is not None:
                    number, seconds = answer
                    self._show(number, seconds)
                self._look(now)
            case "poll":
                self._look(now)
            case _:
                pass

    def _look(self, now: float) -> None:
        """What is due by now: a ping, the loss of one, the end."""
        for number in self._tally.lost(now):
            self._show(number, None)
        has_all = self._options.count is not None and self._tally.sent >= self._options.count
        if has_all and not self._tally.is_waiting:
            self._websocket.close()
        elif now >= self._until:
            self._is_late = True
            self._websocket.close()
        elif not has_all and now >= self._next_at - self._poll / 2 and self._websocket.is_active:
            # By the clock, that the pings do not drift; one that is late is not made up for.
            self._next_at = max(self._next_at + self._options.interval, now)
            with contextlib.suppress(WebSocketError):  # the loop says what happened
                self._websocket.send_ping(self._tally.next(monotonic()))

    def _show(self, number: int, seconds: float | None) -> None:
        if self._options.jsonl:
            _print(json.dumps({"seq": number, "seconds": seconds}))
        elif seconds is None:
            _print(f"seq={number} no answer within {self._options.within:g} s")
        else:
            _print(f"seq={number} time={_ms(seconds)} ms")

    def _conclude(self) -> None:
        found = self._tally.summary()
        if self._options.jsonl:
            _print(json.dumps(found))
            return
        _print(
            f"{found['transmitted']} transmitted, {found['received']} received, "
            f"{100 * found['loss']:.3g}% loss"
        )
        if found["received"]:
            names = "min", "avg", "max", "p99"
            _print(f"{'/'.join(names)} = {'/'.join(_ms(found[name]) for name in names)} ms")

    def _status(self) -> int:
        ending = self._websocket.ending
        if self._is_late or ending is None:
            return exits.TIMED_OUT
        status = exits.status_of(ending)
        if status != exits.DONE:
            tell(f"lomond ping: {exits.advice(ending)}")
        elif not self._tally.times:
            tell("lomond ping: no ping was answered; see what the server says: lomond doctor URL")
            return exits.LOST
        return status


def tell(line: str) -> None:
    """Say it on standard error, if there is one."""
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)


def _print(line: str) -> None:
    print(line, flush=True)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g}" if seconds < 1 else f"{1000 * seconds:.0f}"
