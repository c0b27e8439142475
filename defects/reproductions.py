"""The defects B1 to B7 of lomond 0.3.4: each function shows one, with whichever lomond is imported.

Run by run.py, one to a process: `python reproductions.py b1` prints what was seen, and whether that
is the defect. Written for the API that both have.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import Callable
from itertools import pairwise

from server import CLOSE, PING, PONG, TEXT, Client, frame, serve

import lomond
from lomond import WebSocket

Seen = tuple[bool, str]
CERTIFICATE = os.environ.get("CERTIFICATE", "certificate.pem")  # and key, for 127.0.0.1


def answers(client: Client) -> None:
    """A server that does as it should, and answers pings."""
    client.upgrade()
    while True:
        first, payload = client.read_frame()
        if first & 15 == PING:
            client.send(PONG, payload)
        elif first & 15 == CLOSE:
            client.send(CLOSE, payload)
            return


def b1() -> Seen:
    """Compressed messages of several threads arrive broken."""
    sys.setswitchinterval(1e-5)
    good, read, wanted = [0], [0], 8 * 300
    done = threading.Event()

    def talk(client: Client) -> None:
        client.upgrade(b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
        inflater = zlib.decompressobj(-15)
        while read[0] < wanted:
            first, payload = client.read_frame()
            if first & 15 != TEXT:
                continue
            read[0] += 1
            with contextlib.suppress(zlib.error):
                if first & 0x40:
                    payload = inflater.decompress(payload + b"\0\0\xff\xff")
                good[0] += payload[:8] == b"message " and payload.endswith(b" of a thread" * 20)
        done.set()

    websocket = WebSocket(f"ws://127.0.0.1:{serve(talk)}/", compress=True, proxies={})

    def send(number: int) -> None:
        for count in range(300):
            websocket.send_text(f"message {count} {number}" + " of a thread" * 20)

    def watch() -> None:
        done.wait(20)
        websocket.close()
        time.sleep(0.5)
        os._exit(finish((good[0] < read[0] or read[0] < wanted), f"{good[0]} of {wanted} readable"))

    for event in websocket.connect(ping_rate=0, close_timeout=1):
        if event.name == "ready":
            threading.Thread(target=watch, daemon=True).start()
            for number in range(8):
                threading.Thread(target=send, args=(number,), daemon=True).start()
    time.sleep(3)
    return good[0] < wanted, f"{good[0]} of {wanted} readable"


def b2() -> Seen:
    """Two sides that both write wait for each other for ever."""
    sent = [0]

    def talk(client: Client) -> None:
        client.upgrade()
        for _ in range(400):  # an echo that writes before it reads on
            first, payload = client.read_frame()
            client.send(first & 15, payload)

    websocket = WebSocket(f"ws://127.0.0.1:{serve(talk)}/", proxies={})

    def watch() -> None:
        before = -1
        while sent[0] < 400 and sent[0] != before:
            before = sent[0]
            time.sleep(4)
        os._exit(finish(sent[0] < 400, f"{sent[0]} of 400 messages of 64 KiB were sent"))

    for event in websocket.connect(ping_rate=0):
        if event.name == "ready":
            threading.Thread(target=watch, daemon=True).start()
            for _ in range(400):
                websocket.send_binary(bytes(65536))
                sent[0] += 1
            break
    return False, "400 of 400 messages of 64 KiB were sent"


def b3() -> Seen:
    """A server that never answers the upgrade is waited for for ever, whatever the user does."""

    def talk(client: Client) -> None:
        time.sleep(60)

    websocket = WebSocket(f"ws://127.0.0.1:{serve(talk)}/", proxies={})
    start = time.monotonic()

    def watch() -> None:
        time.sleep(1)
        websocket.close()
        time.sleep(5)
        os._exit(finish(True, "5 s after close() the loop still waits"))

    threading.Thread(target=watch, daemon=True).start()
    for _ in websocket.connect(ping_rate=0, close_timeout=1):
        pass
    return False, f"close() after 1 s ended it at {time.monotonic() - start:.1f} s"


def b4() -> Seen:
    """A TLS record of which a part is missing stops every timer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def talk(client: Client) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        raw = client.sock

        def pump(act: Callable[[], object]) -> object:
            while True:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(65536))
                finally:
                    raw.sendall(outgoing.read())

        pump(tls.do_handshake)
        inner = Client(raw)
        inner._read = lambda: pump(lambda: tls.read(65536))  # type: ignore[method-assign, assignment, return-value]  # one way in

        class Out:
            def sendall(self, data: bytes) -> None:
                tls.write(data)
                raw.sendall(outgoing.read())

        inner.sock = Out()  # type: ignore[assignment]  # all that is used of it
        inner.upgrade()
        time.sleep(0.5)
        tls.write(frame(TEXT, b"x" * 1000))
        record = outgoing.read()
        raw.sendall(record[:100])
        time.sleep(3)
        raw.sendall(record[100:])
        time.sleep(1)

    tls_context = ssl.create_default_context(cafile=os.environ.get("AUTHORITY"))
    websocket = WebSocket(f"wss://127.0.0.1:{serve(talk)}/", proxies={}, ssl_context=tls_context)
    moments: list[float] = []
    for event in websocket.connect(poll=0.25, ping_rate=0):
        if event.name in ("poll", "text"):
            moments.append(time.monotonic())
        if event.name in ("text", "connect_fail", "disconnected"):
            break
    longest = max((b - a for a, b in pairwise(moments)), default=99.0)
    return longest > 1, f"the longest pause between two events (Polls: 0.25 s) was {longest:.2f} s"


def b5() -> Seen:
    """A handler that takes longer than ping_timeout makes a healthy server Unresponsive."""
    websocket = WebSocket(f"ws://127.0.0.1:{serve(answers)}/", proxies={})
    names = []
    for event in websocket.connect(poll=0.2, ping_rate=0.3, ping_timeout=1, close_timeout=1):
        names.append(event.name)
        if names.count("poll") == 3 and event.name == "poll":
            time.sleep(1.5)
        elif names.count("poll") == 8 and event.name == "poll":
            websocket.close()
    is_false = "unresponsive" in names
    return (
        is_false,
        "Unresponsive, though every ping was answered" if is_false else "no Unresponsive",
    )


def b6() -> Seen:
    """Leaving the loop at some events leaves the socket open."""
    port = serve(answers)
    gc.disable()
    kept = []
    for _ in range(20):
        websocket = WebSocket(f"ws://127.0.0.1:{port}/", proxies={})
        kept.append(websocket)
        for event in websocket.connect(ping_rate=0):
            if event.name == "connected":
                break
    left = _connected_to(port)
    return left > 0, f"{left} sockets are left of 20 loops that were left at Connected"


def _connected_to(port: int) -> int:
    """How many sockets of this process, in which the server runs too, are the client's."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with (
            contextlib.suppress(OSError, ValueError),
            socket.socket(fileno=os.dup(int(name))) as sock,
        ):
            count += sock.getpeername()[1] == port
    return count


def b7() -> Seen:
    """A send while another thread connects again raises AttributeError."""
    websocket = WebSocket(f"ws://127.0.0.1:{serve(answers)}/", proxies={})
    odd: dict[str, int] = {}
    over = threading.Event()

    def send() -> None:
        while not over.is_set():
            try:
                websocket.send_text("x")
            except lomond.errors.WebSocketError:
                pass
            except Exception as error:
                odd[type(error).__name__] = odd.get(type(error).__name__, 0) + 1

    for event in websocket.connect(ping_rate=0):
        if event.name == "ready":
            websocket.close()
    threads = [threading.Thread(target=send, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    sys.setswitchinterval(1e-5)
    until = time.monotonic() + 3
    while time.monotonic() < until and not odd:
        stream = iter(websocket.connect(ping_rate=0))
        next(stream)
        stream.close()  # type: ignore[attr-defined]  # a generator
    over.set()
    for thread in threads:
        thread.join(5)
    return bool(odd), f"other exceptions than lomond's: {odd or 'none'}"


def finish(is_shown: bool, said: str) -> int:
    """Print what was seen."""
    print(f"{'shown' if is_shown else 'gone'}: {said}", flush=True)
    return 0


if __name__ == "__main__":
    finish(*globals()[sys.argv[1]]())
    sys.stdout.flush()
    os._exit(0)  # threads of the server, and of the defect, may wait for ever
