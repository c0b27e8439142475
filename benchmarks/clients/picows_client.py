"""picows, on asyncio or uvloop (its first argument says which). It has callbacks, no stream."""

from __future__ import annotations

import asyncio
import os

from measure import (
    GO,
    Crowd,
    Delays,
    Meter,
    Task,
    context_of,
    keepalive_of,
    monotonic_ns,
    run_async,
)
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect


async def connected(task: Task, listener: WSListener) -> tuple[WSTransport, WSListener]:
    transport, client = await ws_connect(lambda: listener, task.url, ssl_context=context_of(task))
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


class Follower(WSListener):
    def __init__(self, delays: Delays) -> None:
        self.delays = delays
        self.done = asyncio.get_running_loop().create_future()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now = monotonic_ns()
        if self.delays.got(now, frame.get_payload_as_utf8_text()):
            self.delays.stop()
            transport.disconnect()
            self.done.set_result(None)


async def paced(task: Task, meter: Meter) -> None:
    listener = Follower(Delays(task, meter))
    transport, _ = await connected(task, listener)
    transport.send(WSMsgType.TEXT, GO.encode())
    await listener.done


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


class Member(WSListener):
    def __init__(self, many: Crowd) -> None:
        self.many = many

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.many.got(frame.get_payload_as_utf8_text())


async def crowd(task: Task, meter: Meter) -> None:
    many = Crowd(task)
    room = asyncio.Semaphore(many.at_once)
    context = context_of(task)
    options = keepalive_of(task, "enable_auto_ping", False, True)
    if task.kind == "keepalive":
        options["auto_ping_idle_timeout"] = 30.0

    async def follow() -> None:
        await room.acquire()
        transport, _ = await ws_connect(
            lambda: Member(many), task.url, ssl_context=context, **options
        )
        room.release()
        many.is_ready()
        await transport.wait_disconnected()

    await asyncio.gather(*[follow() for _ in range(task.count)])


run_async(
    {
        "receive": receive,
        "paced": paced,
        "round_trip": round_trip,
        "send": send,
        "open_close": open_close,
        "crowd": crowd,
    },
    os.environ.get("BENCHMARK_LOOP", "asyncio"),
)
