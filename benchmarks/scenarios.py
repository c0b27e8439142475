"""The rows of the benchmark: what is asked of each client, and which figures it gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """How a figure is shown.

    Arguments:
        words: As the tables say.
        scale: What it is multiplied by to be shown.
        digits: Behind the point.
    """

    words: str
    scale: float
    digits: int = 2


#: All that a client may print of one run.
FIGURES = {
    "cpu": Figure("processor time µs", 1e6),
    "wall": Figure("wall µs", 1e6),
    "p50": Figure("delay p50 µs", 1e6, 1),
    "p99": Figure("delay p99 µs", 1e6, 1),
    "memory": Figure("memory KiB", 1 / 1024),
    "opening": Figure("opening, processor time µs", 1e6, 1),
    "busy": Figure("processor time %", 100),
    "messages": Figure("messages/s", 1, 0),
}


@dataclass(frozen=True)
class Scenario:
    """A row.

    Arguments:
        name: As the tables say.
        act: The client's function.
        path: Asked of the raw server, or of that for many; empty for the echo server. What is
            equal to `count`, or one more, follows it where fewer messages are asked for.
        kind: Of the messages, text or binary; of many connections, whose keepalive they have:
            that of each client's defaults, the same one, or none.
        size: Of a message, in bytes.
        count: Of messages, or of connections.
        tls: Whether over TLS.
        figure: What is compared, of FIGURES.
        more: Other figures that are shown.
        timers: Whether with the client's defaults; else without any timer.
        turns: Rows that follow each other and have the same word take turns in each round, so
            that they can be compared.
        seconds: How long many connections are watched, that have a server of their own.
        most_rounds: So many at most; 0 for as many as are asked for.
    """

    name: str
    act: str
    path: str = ""
    kind: str = "text"
    size: int = 0
    count: int = 0
    tls: bool = False
    figure: str = "cpu"
    more: tuple[str, ...] = ("wall",)
    timers: bool = True
    turns: str = ""
    seconds: float = 0.0
    most_rounds: int = 0

    @property
    def figures(self) -> tuple[str, ...]:
        """All that are shown, that which is compared first."""
        return (self.figure, *self.more)


def _receive(kind: str, size: int, count: int, label: str, tls: bool = False) -> Scenario:
    path = f"receive/{kind}/{size}/{count}"
    name = f"receive {kind} {label}" + (" TLS" if tls else "")
    return Scenario(name, "receive", path, kind, size, count, tls)


def _trip(size: int, count: int, label: str, tls: bool) -> Scenario:
    name = f"round trip {label}" + (" TLS" if tls else "")
    return Scenario(name, "round_trip", "", "binary", size, count, tls)


def _packed(way: str, size: int, count: int, label: str) -> Scenario:
    """JSON that comes compressed, each for itself, or with a window that several share."""
    name = f"receive JSON {label}, deflate" + ", context" * (way == "context")
    return Scenario(name, "compressed", f"{way}/{size}/{count}", "text", size, count)


def _send_packed(size: int, count: int, label: str) -> Scenario:
    path = f"frames/{count + 1}"
    return Scenario(f"send JSON {label}, deflate", "send_compressed", path, "text", size, count)


def _paced(gap: int, count: int, label: str) -> Scenario:
    path = f"paced/{gap}/{count}"
    return Scenario(
        f"paced feed, {label}", "paced", path, "text", 100, count, more=("p50", "p99", "wall")
    )


def _crowd(name: str, path: str, kind: str, count: int, seconds: float, figure: str) -> Scenario:
    shown = ["opening", "memory", *(["busy"] if seconds else [])]
    if path.startswith("feed"):
        shown = ["p50", "p99", "messages"]
    more = tuple(f for f in shown if f != figure)
    tls = "TLS" in name
    return Scenario(
        name, "crowd", path, kind, 100, count, tls, figure=figure, more=more, seconds=seconds,
        most_rounds=1 if tls or seconds > 10 else 2,  # a round takes minutes
    )  # fmt: skip


RECEIVING = [
    _receive("text", 20, 400_000, "20 B"),
    Scenario(
        "receive text 100 B", "receive", "receive/text/100/400000", "text", 100, 400_000,
        turns="timers",
    ),
    Scenario(
        "receive text 100 B, timers off", "receive", "receive/text/100/400000", "text", 100,
        400_000, timers=False, turns="timers",
    ),
    _receive("text", 1024, 200_000, "1 KiB"),
    _receive("text", 16_384, 30_000, "16 KiB"),
    _receive("binary", 1 << 20, 600, "1 MiB"),
    _receive("text", 100, 200_000, "100 B", tls=True),
    _receive("text", 1024, 100_000, "1 KiB", tls=True),
    _receive("text", 16_384, 10_000, "16 KiB", tls=True),
    _receive("binary", 1 << 20, 200, "1 MiB", tls=True),
]  # fmt: skip

#: A message at a time, each at a moment that nobody can foresee.
PACED = [
    _paced(50, 10_000, "every 50 µs"),
    _paced(200, 3_000, "every 200 µs"),
    _paced(1000, 1_200, "every 1 ms"),
]

TRIPS = [
    _trip(size, count, label, tls)
    for tls in (False, True)
    for size, count, label in [
        (256, 8000, "256 B"),
        (8192, 6000, "8 KiB"),
        (102_400, 2000, "100 KiB"),
    ]
]

#: Compressed feeds.
PACKED = [
    _packed("compressed", 100, 200_000, "100 B"),
    _packed("compressed", 500, 100_000, "500 B"),
    _packed("compressed", 5120, 40_000, "5 KiB"),
    _packed("context", 500, 100_000, "500 B"),
    _send_packed(100, 40_000, "100 B"),
    _send_packed(500, 20_000, "500 B"),
    _send_packed(5120, 10_000, "5 KiB"),
]

#: Many connections in one thread.
CROWDS = [
    _crowd("10,000 opened", "idle", "default", 10_000, 0.0, "opening"),
    _crowd("10,000 opened TLS", "idle", "default", 10_000, 0.0, "opening"),
    _crowd("1,000 with 100 messages a second", "feed/100", "default", 1_000, 5.0, "busy"),
    _crowd("10,000 idle, keepalive", "idle", "keepalive", 10_000, 35.0, "busy"),
]

SCENARIOS = [
    *RECEIVING,
    *PACED,
    *TRIPS,
    Scenario("send text 100 B", "send", "send/100/100000", "text", 100, 100_000),
    *PACKED,
    Scenario("open and close", "open_close", "close", "text", 0, 300),
    Scenario("open and close TLS", "open_close", "close", "text", 0, 100, tls=True),
    Scenario("idle connection, memory", "idle", "idle", "text", 0, 300, figure="memory"),
    Scenario("import", "import", more=()),
    Scenario("import, make a WebSocket", "make", more=()),
    *CROWDS,
]
