"""Server on aiohttp that ends connections, each path in its own way."""

from aiohttp import WSCloseCode, WSMsgType, web
from listening import listening_socket

OPEN: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("open", set)


async def handle(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse(max_msg_size=1000)
    await websocket.prepare(request)
    if request.path == "/breaks":
        raise LookupError
    request.app[OPEN].add(websocket)
    async for message in websocket:
        if message.type is WSMsgType.TEXT:
            await websocket.send_str(message.data)
    request.app[OPEN].discard(websocket)
    return websocket


async def fails(_: web.Request) -> web.Response:
    raise LookupError


async def leave(application: web.Application) -> None:
    """Say goodbye, as aiohttp's documentation has it."""
    for websocket in set(application[OPEN]):
        await websocket.close(code=WSCloseCode.GOING_AWAY, message=b"Server shutdown")


def main() -> None:
    application = web.Application()
    application[OPEN] = set()
    application.on_shutdown.append(leave)
    application.router.add_get("/", handle)
    application.router.add_get("/breaks", handle)
    application.router.add_get("/fails", fails)
    web.run_app(
        application, sock=listening_socket(), shutdown_timeout=1.0, print=None, access_log=None
    )


if __name__ == "__main__":
    main()
