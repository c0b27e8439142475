"""The floor of the blocking loop: a blocking socket, SSLObject and decompressobj, all bare."""

from __future__ import annotations

import socket
import zlib

from bare import (
    CLOSE,
    GO,
    LARGE,
    RSV1,
    Connection,
    Messages,
    address,
    connected,
    framed,
    head_of,
    request,
)
from measure import DONE, WARM, Delays, Meter, Task, context_of, monotonic_ns, run


def receive(task: Task, meter: Meter) -> None:
    connection = connected(task, context_of(task))
    connection.send(GO)
    meter.start()
    messages = Messages(task, in_bursts=True)
    if task.size >= LARGE and connection.secured is None:
        message: object = in_place(connection.socket, task)
    else:
        left = task.count
        while left:
            count = connection.read_into(messages.room)
            for message in messages.got(count):  # noqa: B007  the last is checked
                left -= 1
    meter.stop(task.count)
    messages.check(message)


def in_place(sock: socket.socket, task: Task) -> bytes:
    """The last of large messages, each of which the system puts where it stays."""
    head = len(head_of(0x82, task.size))
    for _ in range(task.count):
        sock.recv(head, socket.MSG_WAITALL)
        message = sock.recv(task.size, socket.MSG_WAITALL)
    return message


def paced(task: Task, meter: Meter) -> None:
    connection = connected(task, context_of(task))
    messages = Messages(task)
    delays = Delays(task, meter)
    connection.send(GO)
    is_over = False
    while not is_over:
        for message in messages.got(connection.read_into(messages.room)):
            now = monotonic_ns()
            is_over = delays.got(now, str(message))
    delays.stop()


def compressed(task: Task, meter: Meter) -> None:
    """One stream for all, which inflates what shares a window and what was packed for itself."""
    connection = connected(task, None)
    connection.send(GO)
    room = memoryview(bytearray(1 << 19))
    inflater = zlib.decompressobj(-15)
    filled = at = 0
    left = task.count
    meter.start()
    while left:
        filled += connection.read_into(room[filled:])
        while left and filled - at >= 4:
            size, head = room[at + 1], 2
            if size == 126:
                size, head = room[at + 2] << 8 | room[at + 3], 4
            end = at + head + size
            if end > filled:
                break
            message = inflater.decompress(b"%b\0\0\xff\xff" % room[at + head : end]).decode()
            at = end
            left -= 1
        room[: filled - at] = room[at:filled]
        filled, at = filled - at, 0
    meter.stop(task.count)
    task.check(message)


def round_trip(task: Task, meter: Meter) -> None:
    connection = connected(task, context_of(task))
    frame = framed(bytes(task.size), 2)
    answer = len(frame) - 4
    room = memoryview(bytearray(answer))
    for n in range(task.count + WARM):
        if n == WARM:
            meter.start()
        connection.send(frame)
        got = 0
        while got < answer:
            got += connection.read_into(room[got:])
    meter.stop(task.count)


def send(task: Task, meter: Meter) -> None:
    connection = connected(task, None)
    frame = framed(b"x" * task.size, 1)
    meter.start()
    for _ in range(task.count):
        connection.send(frame)
    connection.socket.recv(100)
    meter.stop(task.count)


def send_compressed(task: Task, meter: Meter) -> None:
    """One stream for all, as the library makes it by default."""
    connection = connected(task, None)
    deflater = zlib.compressobj(wbits=-15)
    messages = task.feed
    meter.start()
    for n in range(task.count):
        data = deflater.compress(messages[n % 1000].encode()) + deflater.flush(zlib.Z_SYNC_FLUSH)
        connection.send(framed(data[:-4], RSV1 | 1))
    connection.send(framed(DONE.encode(), 1))
    connection.socket.recv(100)
    meter.stop(task.count)


def open_close(task: Task, meter: Meter) -> None:
    where, asked, context = address(task), request(task), context_of(task)
    room = memoryview(bytearray(4096))
    for n in range(task.count + 1):
        if n == 1:
            meter.start()
        connection = Connection(where, context)
        connection.upgrade(asked, room)
        connection.send(CLOSE)
        while not connection.read_into(room):
            pass
        assert room[0] == CLOSE[0]
        connection.socket.close()
    meter.stop(task.count)


run(
    {
        "receive": receive,
        "paced": paced,
        "compressed": compressed,
        "round_trip": round_trip,
        "send": send,
        "send_compressed": send_compressed,
        "open_close": open_close,
    }
)
