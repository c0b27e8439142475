"""``lomond bench``: how long a server that echoes takes, over many connections at once."""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
from array import array
from collections.abc import Iterable, Sequence
from time import monotonic, process_time
from typing import TYPE_CHECKING, Any

from ..errors import WebSocketError
from . import arguments, exits
from .ping import quantile, tell
from .stopping import Stopping

if TYPE_CHECKING:
    from ..ending import Ending
    from ..events import AnyEvent
    from ..group import WebSocketGroup
    from ..websocket import WebSocket

_USAGE = "[OPTIONS] URL"
_ABOUT = """\
Opens -c connections to a server that echoes, and has -n messages echoed, each
connection one after the other: the times of openings and echoes, echoes per
second, what failed and why, and how much of a core this client took."""
_END = """\
exit status: the largest of 0 done, 1 closed early, 2 usage, 3 unreachable,
4 refused, 5 lost, 6 protocol, 7 --timeout; 130 Ctrl-C, 143 SIGTERM"""
_TICK = 0.2  # seconds, between two looks at the time
_SILENCE = 30.0  # seconds without any echo, after which no more is expected
_PATIENCE = 5.0  # seconds, for the answer to the close frame
_LARGEST = 2**30  # bytes of a message
_WIDTH = 30  # characters of the bar
_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def parser() -> arguments.Parser:
    """The parser of its arguments."""
    made = arguments.Parser("bench", _USAGE, _ABOUT, _END)
    add = made.add_argument
    add(
        "-c", dest="connections", type=arguments.count, default=10, metavar="N", help="at once (10)"
    )
    add(
        "-n",
        dest="echoes",
        type=arguments.count,
        default=10_000,
        metavar="N",
        help="in all (10000)",
    )
    add("--size", type=arguments.size, default=256, metavar="BYTES", help="of a message (256)")
    add("--binary", action="store_true", help="instead of texts")
    arguments.add_timeout(made, "S seconds in all")
    add("--jsonl", action="store_true", help="JSON, seconds")
    arguments.add_connection(made)
    return made


def run(given: Sequence[str]) -> int:
    """Measure it; the exit status."""
    reader = parser()
    options = reader.parse_args(given)
    if options.size is None or options.size > _LARGEST:
        reader.refuse("--size must be a number of bytes, 1G at the most")
    more = {} if options.timeout is None else {"open_timeout": options.timeout}
    websockets = [arguments.websocket(reader, options, **more) for _ in range(options.connections)]
    return _Bench(options).run(websockets)


class Measured:
    """What was seen of all connections.

    Attributes:
        openings, echoes: Seconds of each.
        first_at, last_at: When the first message was sent, and the last echo came.
        failures: Of each kind of ending that is none of ours: how many, and the first one's words.
        status: The exit status: the largest.
    """

    def __init__(self) -> None:
        self.openings = array("d")
        self.echoes = array("d")
        self.first_at = self.last_at = 0.0
        self.failures: dict[str, tuple[int, str]] = {}
        self.status = exits.DONE

    def fail(self, ending: Ending) -> None:
        """Count the ending of a connection that had not done its part."""
        count, words = self.failures.get(ending.kind, (0, exits.advice(ending)))
        self.failures[ending.kind] = count + 1, words
        self.status = max(self.status, exits.status_of(ending) or exits.CLOSED)

    def summary(self, seconds: float, busy: float) -> dict[str, Any]:
        """All of it, in seconds.

        Arguments:
            seconds: From the first opening to the end.
            busy: Of a processor, for this process.
        """
        rate = len(self.echoes) / max(self.last_at - self.first_at, 1e-9)
        return {
            "openings": _times(self.openings),
            "echoes": {**_times(self.echoes), "per_second": rate},
            "errors": [
                {"kind": kind, "count": count, "first": words}
                for kind, (count, words) in self.failures.items()
            ],
            "seconds": seconds,
            "core": busy / seconds,
        }


def _times(seconds: Iterable[float]) -> dict[str, Any]:
    ordered = sorted(seconds)
    found = {name: quantile(ordered, share) for name, share in _SHARES.items()}
    return {"count": len(ordered), **found}


class _Bench:
    """One run."""

    def __init__(self, options: argparse.Namespace) -> None:
        from ..group import WebSocketGroup

        self._options = options
        self._group: WebSocketGroup = WebSocketGroup()
        text = "x" * options.size
        self._message: str | bytes = text.encode() if options.binary else text
        self._kind = "binary" if options.binary else "text"
        self._measured = Measured()
        self._left = options.echoes  # not sent yet
        self._began: dict[WebSocket, float] = {}  # its opening, or its message in flight
        self._done: set[WebSocket] = set()
        self._until = math.inf
        self._heard_at = 0.0  # an echo, or an opening
        self._is_over = False
        self._bar = _Bar(options.echoes)

    def run(self, websockets: list[WebSocket]) -> int:
        started_at, busy = monotonic(), process_time()
        self._heard_at = started_at
        if self._options.timeout is not None:
            self._until = started_at + self._options.timeout
        for websocket in websockets:
            self._group.add(websocket, ping_rate=None, close_timeout=_PATIENCE)
        over = threading.Event()
        ticking = threading.Thread(target=self._tick, args=(over,), daemon=True)
        with Stopping(lambda: self._group.post("stop")) as stopping:
            ticking.start()
            try:
                for websocket, event in self._group:
                    self._on(websocket, event)
            finally:
                over.set()
                ticking.join()
                self._bar.clear()
        self._show(monotonic() - started_at, process_time() - busy)
        return stopping.status or self._measured.status

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(_TICK):
            self._group.post("tick")

    def _on(self, websocket: WebSocket | None, event: AnyEvent) -> None:
        now = monotonic()
        if websocket is None:
            self._look(now, getattr(event, "value", ""))
            return
        match event.name:
            case "connecting":
                self._began.setdefault(websocket, now)
            case "ready":
                self._measured.openings.append(now - self._began.pop(websocket, now))
                self._heard_at = now
                self._measured.first_at = self._measured.first_at or now
                self._next(websocket)
            case "text" | "binary":
                self._hear(websocket, event, now)
            case "disconnected" | "connect_fail":
                self._began.pop(websocket, None)
                if websocket not in self._done and websocket.ending is not None:
                    self._measured.fail(websocket.ending)
            case _:
                pass

    def _hear(self, websocket: WebSocket, event: AnyEvent, now: float) -> None:
        """A message, which is an echo or else none of ours."""
        said = getattr(event, "text" if event.name == "text" else "data", None)
        if event.name != self._kind or said != self._message or websocket not in self._began:
            return
        self._measured.echoes.append(now - self._began.pop(websocket))
        self._heard_at = self._measured.last_at = now
        self._next(websocket)

    def _next(self, websocket: WebSocket) -> None:
        """Have the connection send the next message, or close where none is left."""
        if self._left == 0 or self._is_over:
            self._done.add(websocket)
            websocket.close()
            return
        self._left -= 1
        self._began[websocket] = monotonic()
        try:
            if isinstance(self._message, str):
                websocket.send_text(self._message)
            else:
                websocket.send_binary(self._message)
        except WebSocketError:  # its ending says why
            self._left += 1

    def _look(self, now: float, posted: object) -> None:
        """Is it time to end?"""
        self._bar.show(len(self._measured.echoes), len(self._measured.openings))
        if posted == "stop":
            self._end()
        elif now >= self._until:
            self._measured.status = exits.TIMED_OUT
            tell(f"lomond bench: {self._options.timeout:g} s are over (--timeout)")
            self._end()
        elif self._measured.openings and now - self._heard_at > _SILENCE and self._began:
            self._measured.status = exits.LOST
            tell(
                f"lomond bench: no echo came for {_SILENCE:g} s; is it a server that echoes, like "
                "lomond serve --echo?"
            )
            self._end()

    def _end(self) -> None:
        """Leave all connections, whatever they do."""
        self._is_over = True
        self._bar.clear()
        self._group.close()

    def _show(self, seconds: float, busy: float) -> None:
        found = self._measured.summary(seconds, busy)
        if self._options.jsonl:
            print(json.dumps(found), flush=True)
            return
        openings, echoes = found["openings"], found["echoes"]
        lines = [
            f"openings  {openings['count']:>9}   {_in_words(openings)}",
            f"echoes    {echoes['count']:>9}   {_in_words(echoes)}   "
            f"{echoes['per_second']:.0f} per second",
        ]
        for error in found["errors"]:
            lines.append(f"{error['kind']:<9} {error['count']:>9}   {error['first']}")
        lines.append(f"in {seconds:.3g} s; this client took {100 * found['core']:.0f}% of a core")
        print("\n".join(lines), flush=True)


def _in_words(times: dict[str, Any]) -> str:
    if times["p50"] is None:
        return "none"
    return "   ".join(f"{name} {1000 * times[name]:.3g} ms" for name in _SHARES)


class _Bar:
    """A bar on standard error, if that is a terminal."""

    def __init__(self, whole: int) -> None:
        self._whole = whole
        self._longest = 0  # of the lines that were shown
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()

    def show(self, done: int, connections: int) -> None:
        if self._is_shown:
            full = _WIDTH * done // self._whole
            bar = "#" * full + "." * (_WIDTH - full)
            said = f"[{bar}] {done}/{self._whole} echoes, {connections} opened"
            self._longest = max(self._longest, len(said))
            print(f"\r{said:<{self._longest}}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._is_shown:
            print(f"\r{' ' * self._longest}\r", end="", file=sys.stderr, flush=True)
