"""TLS with the server inside TLS with an https:// proxy."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve

from lomond import WebSocket
from patience import PATIENCE
from refcounts import at_once

pytestmark = pytest.mark.every_door


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


class Ports:
    """A proxy and a server, both over TLS, in a thread of their own."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.proxy = self.server = 0
        self._context = context
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    async def _run(self) -> None:
        server = await serve(echo, "127.0.0.1", 0, ssl=self._context, max_size=None)
        proxy = await asyncio.start_server(self._tunnel, "127.0.0.1", 0, ssl=self._context)
        self.server = next(iter(server.sockets)).getsockname()[1]
        self.proxy = proxy.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        proxy.close()
        await server.wait_closed()
        await asyncio.sleep(0.1)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        host, _, port = head.split()[1].decode().rpartition(":")
        onward_reader, onward_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(self._pipe(reader, onward_writer), self._pipe(onward_reader, writer))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(64 * 1024):
                writer.write(data)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)
        self._loop.close()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[Path, Ports]]:
    authority = trustme.CA()
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ports = Ports(context)
    try:
        yield file, ports
    finally:
        ports.stop()


@pytest.mark.parametrize("ends", ["closes", pytest.param("breaks", marks=at_once)])
@pytest.mark.parametrize("size", [1, 100, 20_000, 3_000_000])
def test_messages_and_the_end_pass_both_layers(
    authority: tuple[Path, Ports], size: int, ends: str
) -> None:
    file, ports = authority
    websocket = WebSocket(
        f"wss://127.0.0.1:{ports.server}/",
        proxies={"https": f"https://me:secret@127.0.0.1:{ports.proxy}"},
        ssl_cafile=file,
    )
    message = bytes(range(256)) * (size // 256 + 1)
    names = []
    for event in websocket.connect(poll=None, ping_rate=0):
        names.append(event.name)
        if event.name == "connected":
            assert event.proxy == f"https://***@127.0.0.1:{ports.proxy}"
        elif event.name == "ready":
            websocket.send_binary(message)
            websocket.send_text("x" * size)
        elif event.name == "binary":
            assert event.data == message
        elif event.name == "text":
            assert event.text == "x" * size
            if ends == "breaks":
                break
            websocket.close()
        elif event.name == "disconnected":
            assert event.graceful
    assert names[:5] == ["connecting", "connected", "ready", "binary", "text"]
    assert websocket.is_closed
