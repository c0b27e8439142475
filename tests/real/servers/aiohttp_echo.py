"""Echo server on aiohttp; also sends close frames. aiohttp cannot send fragments."""

from aiohttp import WSMsgType, web
from listening import MAX_MESSAGE_SIZE, PROTOCOLS, listening_socket, tls_context


async def echo(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=MAX_MESSAGE_SIZE)
    await websocket.prepare(request)
    async for message in websocket:
        if message.type is WSMsgType.BINARY:
            await websocket.send_bytes(message.data)
        elif message.type is WSMsgType.TEXT:
            match message.data.split(":", 2):
                case ["close", code, reason]:
                    await websocket.close(code=int(code), message=reason.encode())
                case _:
                    await websocket.send_str(message.data)
    return websocket


def main() -> None:
    application = web.Application()
    application.router.add_get("/", echo)
    context = tls_context()
    web.run_app(
        application,
        sock=listening_socket(),
        ssl_context=context,
        shutdown_timeout=1.0,
        print=None,
        access_log=None,
    )


if __name__ == "__main__":
    main()
