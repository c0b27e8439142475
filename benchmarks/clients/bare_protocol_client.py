"""The floors of the asyncio door: a future, told by a BufferedProtocol or by a bare reader.

The second one does without the loop's transport: on uvloop that reads several times before the task
has its turn. On asyncio or uvloop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterable
from itertools import chain

from bare import GO, ROOM, Messages, Secured, address, framed, request
from measure import WARM, Delays, Meter, Task, context_of, monotonic_ns, run_async


class Bare(asyncio.BufferedProtocol):
    """What is read, with a bare SSLObject where it is asked for, and who waits for it."""

    def __init__(self, task: Task, secured: Secured | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._secured = secured
        self._cipher = memoryview(bytearray(ROOM)) if secured else None
        self._messages: Messages | None = None
        self._task = task
        self._head = bytearray()
        self._found: list[Iterable[object]] = []
        self._news = self._loop.create_future()
        self._opening = memoryview(bytearray(65536))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]  it is one

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._cipher is not None:
            return self._cipher
        if self._messages is None:
            return self._opening
        if self._found:  # the task was not quick enough, and its messages lie where to read to
            self._found = [list(messages) for messages in self._found]
        return self._messages.room

    def buffer_updated(self, count: int) -> None:
        secured, messages = self._secured, self._messages
        if secured is not None:
            assert self._cipher is not None
            secured.incoming.write(self._cipher[:count])
            if messages is None:
                self._hear(b"")
                return
            while count := secured.read_into(messages.room):
                if found := list(messages.got(count)):
                    self._found.append(found)
        elif messages is None:
            self._hear(bytes(self._opening[:count]))
            return
        elif (came := messages.got(count)) != ():
            self._found.append(came)
        if self._found and not self._news.done():
            self._news.set_result(None)

    def _hear(self, data: bytes) -> None:
        self._head += data
        if not self._news.done():
            self._news.set_result(None)

    async def open(self, task: Task) -> None:
        """Shake hands, and ask for the upgrade."""
        secured = self._secured
        if secured is not None:
            while secured.shakes_hands():
                self._transport.write(secured.outgoing.read())
                await self._more()
            self._transport.write(secured.outgoing.read())
        self.send(request(task))
        while not self._head.endswith(b"\r\n\r\n"):
            if secured is not None and (got := secured.read_into(self._opening)):
                self._head += self._opening[:got]
                continue
            await self._more()
        self.messages = self._messages = Messages(self._task, self._task.scenario == "receive")
        self._news = self._loop.create_future()

    async def _more(self) -> None:
        await self._news
        self._news = self._loop.create_future()

    def send(self, data: bytes) -> None:
        self._transport.write(data if self._secured is None else self._secured.seal(data))

    async def next(self) -> Iterable[object]:
        """The messages that have come, which may be none."""
        await self._more()
        found, self._found = self._found, []
        return found[0] if len(found) == 1 else chain.from_iterable(found)

    def end(self) -> None:
        self._transport.abort()


class Reader(asyncio.WriteTransport):
    """A socket that the loop only watches: one read in each of its turns."""

    def __init__(self, sock: socket.socket, protocol: Bare) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._socket, self._protocol = sock, protocol
        self._unsent = memoryview(b"")
        self._loop.add_reader(sock, self._read)
        protocol.connection_made(self)

    def _read(self) -> None:
        count = self._socket.recv_into(self._protocol.get_buffer(-1))
        if count:
            self._protocol.buffer_updated(count)
        else:
            self._loop.remove_reader(self._socket)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._unsent
        self._unsent = memoryview(data)
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        if self._unsent:
            self._loop.add_writer(self._socket, self._write)
            self._is_watched = True
        elif self._is_watched:
            self._loop.remove_writer(self._socket)
            self._is_watched = False

    _is_watched = False

    def abort(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()


async def connected(task: Task) -> Bare:
    host, port = address(task)
    context = context_of(task)
    secured = None if context is None else Secured(context, host)
    loop = asyncio.get_running_loop()
    if "BENCHMARK_READER" in os.environ:
        protocol = Bare(task, secured)
        sock = socket.create_connection((host, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        Reader(sock, protocol)
    else:
        _, protocol = await loop.create_connection(lambda: Bare(task, secured), host, port)
    await protocol.open(task)
    return protocol


async def receive(task: Task, meter: Meter) -> None:
    protocol = await connected(task)
    protocol.send(GO)
    left = task.count
    meter.start()
    while left:
        for message in await protocol.next():  # noqa: B007  the last is checked
            left -= 1
    meter.stop(task.count)
    protocol.messages.check(message)
    protocol.end()


async def paced(task: Task, meter: Meter) -> None:
    protocol = await connected(task)
    delays = Delays(task, meter)
    protocol.send(GO)
    is_over = False
    while not is_over:
        for message in await protocol.next():
            now = monotonic_ns()
            is_over = delays.got(now, str(message))
    delays.stop()
    protocol.end()


async def round_trip(task: Task, meter: Meter) -> None:
    protocol = await connected(task)
    frame = framed(bytes(task.size), 2)
    left = task.count + WARM
    protocol.send(frame)
    while True:
        for _ in await protocol.next():
            left -= 1
        if left == task.count:
            meter.start()
        elif not left:
            break
        protocol.send(frame)
    meter.stop(task.count)
    protocol.end()


run_async(
    {"receive": receive, "paced": paced, "round_trip": round_trip},
    os.environ.get("BENCHMARK_LOOP", "asyncio"),
)
