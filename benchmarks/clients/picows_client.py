"""picows, on asyncio or uvloop (its first argument says which). It has callbacks, no stream."""

from __future__ import annotations

import asyncio
import os
import ssl

from measure import GO, Meter, Task, run_async
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect


async def connected(task: Task, listener: WSListener) -> tuple[WSTransport, WSListener]:
    context = ssl.create_default_context(cafile=task.ca) if task.ca else None
    transport, client = await ws_connect(
        lambda: listener, task.url, ssl_context=context, max_frame_size=1 << 30
    )
    return transport, client


class Receiver(WSListener):
    def __init__(self, task: Task, meter: Meter) -> None:
        self.left = task.count
        self.is_text = task.kind == "text"
        self.done = asyncio.get_running_loop().create_future()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # An owned str or bytes, as the other clients give.
        message = frame.get_payload_as_utf8_text() if self.is_text else frame.get_payload_as_bytes()
        self.left -= 1
        if not self.left:
            self.done.set_result(message)


async def receive(task: Task, meter: Meter) -> None:
    listener = Receiver(task, meter)
    transport, _ = await connected(task, listener)
    transport.send(WSMsgType.TEXT, GO.encode())
    meter.start()
    message = await listener.done
    meter.stop(task.count)
    task.check(message)
    transport.disconnect()


class Pinger(WSListener):
    def __init__(self, task: Task, meter: Meter) -> None:
        self.left = task.count + 50
        self.count = task.count
        self.meter = meter
        self.message = task.message
        self.done = asyncio.get_running_loop().create_future()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        got = frame.get_payload_as_bytes()
        self.left -= 1
        if self.left == self.count:
            self.meter.start()
        if not self.left:
            self.meter.stop(self.count)
            self.done.set_result(got)
        else:
            transport.send(WSMsgType.BINARY, self.message)


async def round_trip(task: Task, meter: Meter) -> None:
    listener = Pinger(task, meter)
    transport, _ = await connected(task, listener)
    transport.send(WSMsgType.BINARY, listener.message)
    task.check(await listener.done)
    transport.disconnect()


async def send(task: Task, meter: Meter) -> None:
    single = Receiver(task, meter)
    single.left = 1
    transport, _ = await connected(task, single)
    message = task.message
    assert isinstance(message, str)
    meter.start()
    for n in range(task.count):
        transport.send(WSMsgType.TEXT, message.encode())
        if n % 256 == 255:
            await asyncio.sleep(0)  # so that its buffer does not grow without bound
    await single.done
    meter.stop(task.count)
    transport.disconnect()


async def open_close(task: Task, meter: Meter) -> None:
    for n in range(task.count + 1):
        if n == 1:
            meter.start()
        transport, _ = await connected(task, WSListener())
        transport.send_close()
        await transport.wait_disconnected()
    meter.stop(task.count)


run_async(
    {"receive": receive, "round_trip": round_trip, "send": send, "open_close": open_close},
    os.environ.get("BENCHMARK_LOOP", "asyncio"),
)
