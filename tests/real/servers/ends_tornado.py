"""Server on tornado that ends connections, each path in its own way."""

import asyncio
import logging

from listening import listening_socket
from tornado.httpserver import HTTPServer
from tornado.web import Application
from tornado.websocket import WebSocketHandler


class Echo(WebSocketHandler):
    """Takes small messages from pages of its own host, which is tornado's rule."""

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


class Fails(WebSocketHandler):
    """Has a fault."""

    def on_message(self, message: str | bytes) -> None:
        raise LookupError


async def main() -> None:
    logging.disable()
    application = Application([("/", Echo), ("/fails", Fails)], websocket_max_message_size=1000)
    HTTPServer(application).add_socket(listening_socket())
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
