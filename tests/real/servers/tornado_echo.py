"""Echo server on tornado; also sends pings and close frames. tornado cannot send fragments."""

import asyncio

from listening import MAX_MESSAGE_SIZE, PROTOCOLS, listening_socket, tls_context
from tornado.httpserver import HTTPServer
from tornado.web import Application
from tornado.websocket import WebSocketHandler


class Echo(WebSocketHandler):
    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return next((known for known in PROTOCOLS if known in subprotocols), None)

    def get_compression_options(self) -> dict[str, int]:
        return {}  # willing

    async def on_message(self, message: str | bytes) -> None:
        match message.split(":", 2) if isinstance(message, str) else []:
            case ["close", code, reason]:
                self.close(int(code), reason)
            case ["ping", data]:
                self.ping(data)
            case _:
                await self.write_message(message, binary=isinstance(message, bytes))

    def on_pong(self, data: bytes) -> None:
        self.write_message(f"pong:{data.decode()}")


async def main() -> None:
    application = Application([("/", Echo)], websocket_max_message_size=MAX_MESSAGE_SIZE)
    server = HTTPServer(application, ssl_options=tls_context())
    server.add_socket(listening_socket())
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
