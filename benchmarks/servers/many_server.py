"""picows' server for many connections, on uvloop; with CERTIFICATE and KEY over TLS.

/idle says nothing; /feed/RATE sends each connection so many texts of 100 bytes a second, that begin
with the monotonic clock in nanoseconds, in 20 digits.
"""

from __future__ import annotations

import asyncio
import resource
import ssl
import sys
import time

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

SLOT = 0.001  # seconds; the feed's connections take turns, so that no burst waits for itself
feeds: dict[int, list[list[WSTransport]]] = {}


class Quiet(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


class Feed(Quiet):
    def __init__(self, rate: int) -> None:
        slots = feeds.setdefault(rate, [[] for _ in range(round(1 / rate / SLOT))])
        self.slot = min(slots, key=len)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.slot.append(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.slot.remove(transport)


def listener(request: WSUpgradeRequest) -> WSListener:
    path = request.path.decode().strip("/").split("/")
    return Feed(int(path[1])) if path[0] == "feed" else Quiet()


async def feed() -> None:
    due = time.monotonic()
    number = 0
    while True:
        due += SLOT
        wait = due - time.monotonic()
        await asyncio.sleep(max(0.0, wait))
        for slots in feeds.values():
            for transport in slots[number % len(slots)]:
                transport.send(WSMsgType.TEXT, b"%-100d" % time.monotonic_ns())
        number += 1


async def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        context.num_tickets = 0
    server = await ws_create_server(
        listener, "127.0.0.1", 0, ssl=context, backlog=4096, enable_auto_ping=False
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    task = asyncio.create_task(feed())
    await server.serve_forever()
    await task


uvloop.run(main())
