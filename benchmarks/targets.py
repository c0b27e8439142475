"""What was promised of each row: at most so many times what a peer needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A promise.

    Arguments:
        scenario: The row.
        client: Of ours.
        most: What it may need at most, in times of what the peer needs.
        peer: A pattern: the best of those that it fits, without ours and the floors; or one of
            ours by its name.
        figure: What is compared.
        other: The row that the peer's figure is of, if that is another one.
    """

    scenario: str
    client: str
    most: float
    peer: str
    figure: str = "cpu"
    other: str = ""

    @property
    def row(self) -> str:
        """The row that the peer's figure is of."""
        return self.other or self.scenario


COMPILED, PURE, GROUP = "lomond compiled", "lomond pure", "lomond group"
NEWER = "lomond compiled, Python >= 3.12"
PICOWS = "picows/uvloop"
BEST = "*"
WORDS = {
    BEST: "the best peer",
    "*/uvloop": "the best peer on uvloop",
    "*/asyncio": "the best peer on asyncio",
    "aiohttp/*": "aiohttp",
}

_BLOCKING = [
    Target("receive text 100 B", COMPILED, 0.6, PICOWS),
    Target("receive text 100 B, timers off", COMPILED, 0.6, PICOWS),
    Target(
        "receive text 100 B", COMPILED, 1.10, COMPILED, other="receive text 100 B, timers off"
    ),
    Target("receive text 100 B", NEWER, 0.9, "websocket-rs"),
    Target("receive text 100 B", COMPILED, 0.1, "websockets sync"),
    Target("receive text 100 B", PURE, 0.4, "websockets sync"),
    Target("receive text 100 B", PURE, 1.0, "aiohttp/uvloop"),
    Target("receive text 16 KiB", COMPILED, 1.0, PICOWS),
    Target("receive binary 1 MiB", COMPILED, 0.95, PICOWS),
    Target("round trip 256 B", COMPILED, 0.9, PICOWS),
    Target("round trip 256 B", COMPILED, 1.25, "bare socket"),
    Target("round trip 8 KiB", COMPILED, 0.85, PICOWS),
    Target("round trip 100 KiB", COMPILED, 0.8, PICOWS),
    Target("round trip 256 B TLS", COMPILED, 1.0, PICOWS),
    Target("round trip 8 KiB TLS", COMPILED, 1.0, PICOWS),
    Target("round trip 100 KiB TLS", COMPILED, 1.0, PICOWS),
    Target("send text 100 B", COMPILED, 0.8, BEST),
    Target("receive JSON 500 B, deflate", COMPILED, 0.6, BEST),
    Target("open and close", COMPILED, 0.9, BEST),
    Target("open and close TLS", COMPILED, 0.9, BEST),
]  # fmt: skip

_ASYNCIO = [
    Target(scenario, f"lomond aio/{loop}", most, f"{peer}/{loop}")
    for loop in ("uvloop", "asyncio")
    for scenario, most, peer in [
        ("receive text 100 B", 0.6, "aiohttp"),
        *[
            (f"receive {message}{tls}", 1.1, "picows")
            for tls in ("", " TLS")
            for message in ("text 1 KiB", "text 16 KiB", "binary 1 MiB")
        ],
        ("round trip 256 B", 0.8, "aiohttp"),
        *[
            (f"round trip {size}{tls}", 1.1, "picows")
            for tls in ("", " TLS")
            for size in ("256 B", "8 KiB", "100 KiB")
        ],
    ]
]

_PACED = [
    Target(f"paced feed, every {gap}", client, most, peer, figure)
    for gap in ("50 µs", "200 µs", "1 ms")
    for client, most, peer in [
        (COMPILED, 0.9, BEST),
        ("lomond aio/uvloop", 1.0, "*/uvloop"),
        ("lomond aio/asyncio", 1.0, "*/asyncio"),
    ]
    for figure in ("cpu", "p50", "p99")
]

_MANY = [
    Target("1,000 with 100 messages a second", GROUP, 0.7, BEST, "busy"),
    Target("1,000 with 100 messages a second", GROUP, 1.0, "aiohttp/*", "p99"),
    Target("10,000 opened", GROUP, 0.9, BEST, "opening"),
    Target("10,000 opened TLS", GROUP, 0.9, BEST, "opening"),
]

TARGETS = [
    *_BLOCKING,
    *_ASYNCIO,
    *_PACED,
    *_MANY,
    Target("idle connection, memory", COMPILED, 0.25, "websockets sync", "memory"),
    Target("import", COMPILED, 0.7, "websocket-client"),
]
