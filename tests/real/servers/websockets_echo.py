"""Echo server on the websockets library; also sends fragments, pings and close frames."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence

from listening import MAX_MESSAGE_SIZE, PROTOCOLS, listening_socket, tls_context
from websockets.asyncio.server import ServerConnection, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.typing import Subprotocol

COMPRESSIONS = {
    "": ServerPerMessageDeflateFactory(),
    "forgetful": ServerPerMessageDeflateFactory(
        server_no_context_takeover=True, client_no_context_takeover=True
    ),
    "narrow": ServerPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=10),
}


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        match message.split(":", 3) if isinstance(message, str) else []:
            case ["close", code, reason]:
                await connection.close(int(code), reason)
            case ["ping", data]:
                pong_arrived = await connection.ping(data)
                await pong_arrived
                await connection.send(f"pong:{data}")
            case ["fragment", kind, count, size]:
                parts = fragments(connection, int(count), int(size))
                await connection.send(parts, text=kind == "text")
            case _:
                await connection.send(message)


async def fragments(connection: ServerConnection, count: int, size: int) -> AsyncIterator[bytes]:
    """Yield `count` parts of two-byte characters, cut anywhere, with a ping before each."""
    characters = range(count * size // 2)
    payload = "".join(chr(0x100 + number % 0x600) for number in characters).encode()
    for index in range(count):
        await connection.ping(str(index))
        yield payload[index * size : (index + 1) * size]


def select_protocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Take the first that we know; the library's own rule refuses clients that offer none."""
    return next((Subprotocol(known) for known in PROTOCOLS if known in offered), None)


async def main() -> None:
    context = tls_context()
    async with serve(
        echo,
        sock=listening_socket(),
        ssl=context,
        select_subprotocol=select_protocol,
        max_size=MAX_MESSAGE_SIZE,
        extensions=[COMPRESSIONS[os.environ.get("ECHO_COMPRESSION", "")]],
        compression=None,
    ) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
