"""Who is compared, in which versions, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Peer:
    """A client.

    Arguments:
        name: As the tables say.
        client: Its script in clients/, without "_client.py".
        requirements: What pip installs; "." is this checkout.
        environment: Variables of its process.
        least_python: The oldest Python that it runs on.
        modules: What a program imports to use it.
        is_ours: Whether it is this checkout, or another one of ours.
    """

    name: str
    client: str
    requirements: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    least_python: tuple[int, int] = (3, 11)
    modules: tuple[str, ...] = ()
    is_ours: bool = False


PURE = {"LOMOND_PURE": "1", "LOMOND_COMPILED": ""}
UVLOOP = "uvloop==0.23.0"
PICOWS = "picows==2.3.1"
AIOHTTP = "aiohttp==3.14.5"
WEBSOCKETS = "websockets==17.4"
OURS = (".", UVLOOP)  # one environment for all doors
ON_UVLOOP = {"BENCHMARK_LOOP": "uvloop"}

GROUP = Peer("lomond group", "lomond_group", OURS, is_ours=True)

PEERS = [
    Peer("lomond compiled", "lomond", OURS, {}, modules=("lomond",), is_ours=True),
    Peer("lomond pure", "lomond", OURS, PURE, modules=("lomond",), is_ours=True),
    GROUP,
    Peer("raw socket", "raw", ()),
    Peer("lomond aio/uvloop", "lomond_aio", OURS, ON_UVLOOP, is_ours=True),
    Peer("lomond aio/asyncio", "lomond_aio", OURS, modules=("lomond.aio",), is_ours=True),
    Peer("picows/uvloop", "picows", (PICOWS, UVLOOP), ON_UVLOOP),
    Peer("picows/asyncio", "picows", (PICOWS, UVLOOP), modules=("picows",)),
    Peer("aiohttp/uvloop", "aiohttp", (AIOHTTP, UVLOOP), ON_UVLOOP, modules=("aiohttp",)),
    Peer("aiohttp/asyncio", "aiohttp", (AIOHTTP, UVLOOP)),
    Peer(
        "websockets/uvloop", "websockets_asyncio", (WEBSOCKETS, UVLOOP), ON_UVLOOP,
        modules=("websockets.asyncio.client",),
    ),
    Peer("websockets/asyncio", "websockets_asyncio", (WEBSOCKETS, UVLOOP)),
    Peer(
        "websockets sync", "websockets_sync", (WEBSOCKETS,),
        modules=("websockets.sync.client",),
    ),
    Peer(
        "websocket-client", "websocket_client", ("websocket-client==1.9.2",),
        modules=("websocket",),
    ),
    Peer("curl_cffi", "curl_cffi", ("curl_cffi==0.17.0",), modules=("curl_cffi.requests",)),
    Peer("lomond 0.3.4", "lomond_034", ("lomond==0.3.4",), modules=("lomond",)),
    Peer("websocket-rs", "websocket_rs", ("websocket-rs==0.7.10",), least_python=(3, 12)),
    Peer(
        "lomond compiled, Python >= 3.12", "lomond", OURS, least_python=(3, 12), is_ours=True
    ),
]  # fmt: skip


def of_before(peers: list[Peer], checkout: str) -> list[Peer]:
    """Peers of ours as another checkout has them, to be compared with this one in one run.

    Arguments:
        peers: Those of this checkout.
        checkout: The other one's folder.
    """
    return [
        replace(peer, name=f"{peer.name}, before", requirements=(checkout, *peer.requirements[1:]))
        for peer in peers
    ]


#: Those that are compared with many connections.
CROWDS = [
    GROUP,
    *[peer for peer in PEERS if peer.client in ("lomond_aio", "aiohttp", "websockets_asyncio")],
]


@dataclass(frozen=True)
class Scenario:
    """What is asked.

    Arguments:
        name: As the tables say.
        act: The client's function.
        path: Asked of the raw server; empty for the echo server.
        tls: Whether over TLS.
        figure: What is compared: cpu (seconds a message) or memory (bytes a connection).
    """

    name: str
    act: str
    path: str = ""
    kind: str = "text"
    size: int = 0
    count: int = 0
    tls: bool = False
    figure: str = "cpu"


def _receive(kind: str, size: int, count: int, label: str) -> Scenario:
    path = f"receive/{kind}/{size}/{count}"
    return Scenario(f"receive {kind} {label}", "receive", path, kind, size, count)


def _trip(size: int, count: int, label: str, tls: bool) -> Scenario:
    name = f"round trip {label}" + (" TLS" if tls else "")
    return Scenario(name, "round_trip", "", "binary", size, count, tls)


SCENARIOS = [
    _receive("text", 20, 400_000, "20 B"),
    _receive("text", 100, 400_000, "100 B"),
    _receive("text", 1024, 200_000, "1 KiB"),
    _receive("text", 16_384, 30_000, "16 KiB"),
    _receive("binary", 1 << 20, 600, "1 MiB"),
    *[
        _trip(size, count, label, tls)
        for tls in (False, True)
        for size, count, label in [
            (256, 8000, "256 B"), (8192, 6000, "8 KiB"), (102_400, 2000, "100 KiB"),
        ]
    ],
    Scenario("send text 100 B", "send", "send/100/100000", "text", 100, 100_000),
    Scenario("receive JSON, deflate", "compressed", "compressed/100000", "text", 500, 100_000),
    Scenario("send JSON, deflate", "send_compressed", "frames/20001", "text", 0, 20_000),
    Scenario("open and close", "open_close", "close", "text", 0, 300),
    Scenario("idle connection, memory", "idle", "idle", "text", 0, 300, figure="memory"),
    Scenario("import", "import", figure="cpu"),
]  # fmt: skip
