"""Server on the websockets library that ends connections, each path in its own way."""

import asyncio
import http

from listening import listening_socket, tls_context
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Origin, Subprotocol

ORIGINS = [None, Origin("https://app.example")]


def gate(connection: ServerConnection, request: Request) -> Response | None:
    """Refuse what has no token, as the library's documentation shows it."""
    if request.path == "/signin":
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "token missing\n")
    return None


def select_protocol(connection: ServerConnection, offered: list[Subprotocol]) -> Subprotocol | None:
    """Want one at one path, and refuse as the library does where none is right."""
    if connection.request is None or connection.request.path != "/chat":
        return None
    if "chat" not in offered:
        raise NegotiationError("missing subprotocol")
    return Subprotocol("chat")


async def handle(connection: ServerConnection) -> None:
    assert connection.request is not None
    match connection.request.path:
        case "/token":
            await connection.close(1008, "bad token")
        case "/plain":
            await connection.close(1011)
        case "/breaks":
            raise LookupError
        case "/cut":
            connection.transport.abort()
        case "/over":
            pass  # which closes with 1000
        case _:
            async for message in connection:
                await connection.send(message)


async def main() -> None:
    async with serve(
        handle,
        sock=listening_socket(),
        ssl=tls_context(),
        process_request=gate,
        select_subprotocol=select_protocol,
        origins=ORIGINS,
        max_size=1000,
    ) as server:
        import signal

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.close)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
