"""The clients that are compared, ours and others, and in which versions."""

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
        module: What a program imports to use it.
        program: What imports all that a connection needs, where that is more.
        is_ours: Whether it is this checkout, or another one of ours.
        is_floor: Whether it is no client, but the least that one can do; see floors.py.
        acts: All that it is asked; empty for whatever its script can do.
    """

    name: str
    client: str
    requirements: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    least_python: tuple[int, int] = (3, 11)
    module: str = ""
    program: str = ""
    is_ours: bool = False
    is_floor: bool = False
    acts: tuple[str, ...] = ()


PURE = {"LOMOND_PURE": "1", "LOMOND_COMPILED": ""}
UVLOOP = "uvloop==0.23.0"
PICOWS = "picows==2.3.1"
AIOHTTP = "aiohttp==3.14.5"
WEBSOCKETS = "websockets==17.4"
ZLIB_NG = "zlib-ng==1.1.0"
OURS = (".", UVLOOP, "trio==0.35.0")  # one environment for all doors
ON_UVLOOP = {"BENCHMARK_LOOP": "uvloop"}
READER = {"BENCHMARK_READER": "1"}
PACKING = ("compressed", "send_compressed")

_WEBSOCKET = "from lomond import WebSocket; WebSocket('ws://localhost')"
_AIO = "from lomond.aio import AsyncWebSocket; AsyncWebSocket('ws://localhost')"
_TRIO = "from lomond.trio import TrioWebSocket; TrioWebSocket('ws://localhost')"

PEERS = [
    Peer("lomond compiled", "lomond", OURS, {}, module="lomond", program=_WEBSOCKET, is_ours=True),
    Peer("lomond pure", "lomond", OURS, PURE, module="lomond", program=_WEBSOCKET, is_ours=True),
    Peer(
        "lomond compiled, zlib-ng", "lomond", (*OURS, ZLIB_NG), {"LOMOND_DEFLATE": "zlib-ng"},
        is_ours=True, acts=PACKING,
    ),
    Peer("lomond group", "lomond_group", OURS, is_ours=True),
    Peer("lomond aio/uvloop", "lomond_aio", OURS, ON_UVLOOP, is_ours=True),
    Peer("lomond aio/asyncio", "lomond_aio", OURS, module="lomond.aio", program=_AIO, is_ours=True),
    Peer("lomond trio", "lomond_trio", OURS, module="lomond.trio", program=_TRIO, is_ours=True),
    Peer("picows/uvloop", "picows", (PICOWS, UVLOOP), ON_UVLOOP),
    Peer("picows/asyncio", "picows", (PICOWS, UVLOOP), module="picows"),
    Peer(
        "picows.websockets/uvloop", "picows_websockets", (PICOWS, UVLOOP), ON_UVLOOP,
        acts=PACKING,
    ),
    Peer("picows.websockets/asyncio", "picows_websockets", (PICOWS, UVLOOP), acts=PACKING),
    Peer("aiohttp/uvloop", "aiohttp", (AIOHTTP, UVLOOP), ON_UVLOOP, module="aiohttp"),
    Peer("aiohttp/asyncio", "aiohttp", (AIOHTTP, UVLOOP)),
    Peer(
        "websockets/uvloop", "websockets_asyncio", (WEBSOCKETS, UVLOOP), ON_UVLOOP,
        module="websockets.asyncio.client",
    ),
    Peer("websockets/asyncio", "websockets_asyncio", (WEBSOCKETS, UVLOOP)),
    Peer(
        "websockets sync", "websockets_sync", (WEBSOCKETS,),
        module="websockets.sync.client",
    ),
    Peer(
        "websocket-client", "websocket_client", ("websocket-client==1.9.2",),
        module="websocket",
    ),
    Peer("curl_cffi", "curl_cffi", ("curl_cffi==0.17.0",), module="curl_cffi.requests"),
    Peer("lomond 0.3.4", "lomond_034", ("lomond==0.3.4",), module="lomond"),
    Peer("websocket-rs", "websocket_rs", ("websocket-rs==0.7.10",), least_python=(3, 12)),
    Peer(
        "lomond compiled, Python >= 3.12", "lomond", OURS, least_python=(3, 12), is_ours=True
    ),
    Peer("bare socket", "bare_socket", (), is_floor=True),
    Peer("bare selectors", "bare_selectors", (), is_floor=True),
    Peer("bare protocol/uvloop", "bare_protocol", (UVLOOP,), ON_UVLOOP, is_floor=True),
    Peer("bare protocol/asyncio", "bare_protocol", (UVLOOP,), is_floor=True),
    Peer(
        "bare reader/uvloop", "bare_protocol", (UVLOOP,), {**ON_UVLOOP, **READER}, is_floor=True
    ),
    Peer("bare reader/asyncio", "bare_protocol", (UVLOOP,), READER, is_floor=True),
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
