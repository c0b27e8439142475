"""What the programs of a page meet: servers of this machine, under the names that the page says."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import shutil
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from unittest import mock

from docs import names
from lomond.testing import Server, serve
from lomond.testing.serving import Serving, server_context, write_authority


class Places:
    """The servers of a page, and that its names lead to them, in every process.

    Arguments:
        folder: Where the page's programs run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports: dict[str, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Places:
        startup = self._folder / ".startup"
        startup.mkdir()
        shutil.copy(names.__file__, startup / "sitecustomize.py")
        authority = str(startup / "authority.pem")
        write_authority(authority)
        told = {"SSL_CERT_FILE": authority, "PYTHONPATH": str(startup), names.NAMES: "{}"}
        self._stack.enter_context(mock.patch.dict(os.environ, told))
        self._stack.enter_context(mock.patch.object(socket, "getaddrinfo", names.look_up))
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)  # which has servers say beside an error what they missed

    def serve(self, place: str, *scripts: Any, patience: float = 10.0) -> Serving:
        """Have servers at ``wss://feed.example`` or ``ws://localhost:8765``, to the page's end.

        One that is given alone serves each connection; none echoes.
        """
        scheme, _, name = place.rpartition("://")
        serving = serve(*(scripts or (Server().echoes(),)), patience=patience)
        if scheme == "wss":
            serving._context = server_context(name)  # noqa: SLF001  # serve() has one for us
        self.lead(name, int(serving.url.rstrip("/").rpartition(":")[2]))
        return self._stack.enter_context(serving)

    def at_end(self, function: Callable[..., object], *given: Any) -> None:
        """Have that called at the page's end, before what was told of earlier."""
        self._stack.callback(function, *given)

    def run(self, name: str, server: Any) -> None:
        """Have that name lead to a server that others wrote, which serves to the page's end.

        Arguments:
            name: As of `lead`.
            server: Has `serve_forever`, `shutdown` and `socket`, as those of websockets and http.
        """
        thread = threading.Thread(target=server.serve_forever)
        for end in (server.socket.close, thread.join, server.shutdown):  # the last one first
            self.at_end(end)
        thread.start()
        self.lead(name, server.socket.getsockname()[1])

    def pass_on(self, name: str, way: Callable[..., Coroutine[Any, Any, None]]) -> None:
        """Have that name lead to what stands on the way to a server, to the page's end.

        Arguments:
            name: As of `lead`.
            way: Takes each connection, as the callback of `asyncio.start_server`. Where it ends, by
                an error of the network too, the connection is closed.
        """
        told: queue.SimpleQueue[tuple[int, Callable[[], object]]] = queue.SimpleQueue()
        thread = threading.Thread(target=lambda: asyncio.run(_stand_on(way, told.put)))
        thread.start()
        port, end = told.get()
        self.at_end(thread.join)
        self.at_end(end)
        self.lead(name, port)

    def lead(self, name: str, port: int) -> None:
        """Have that name, or ``name:port``, lead to a port of 127.0.0.1."""
        self._ports[name] = port
        os.environ[names.NAMES] = json.dumps(self._ports)


async def _stand_on(
    way: Callable[..., Coroutine[Any, Any, None]],
    tell: Callable[[tuple[int, Callable[[], object]]], None],
) -> None:
    """Serve until the second that it tells, which any thread may call; the first is the port."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            try:
                await way(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    tell((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(over.set)))
    await over.wait()
    server.close()
