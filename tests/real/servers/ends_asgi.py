"""Application for uvicorn that ends connections, each path in its own way."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
TEXT = [(b"content-type", b"text/plain; charset=utf-8")]


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Send
) -> None:
    if scope["type"] == "http":
        await _answer(send, "http.response", 404, b"Not Found")
    elif scope["type"] == "websocket":
        await receive()
        await _serve(scope["path"], receive, send)


async def _answer(send: Send, prefix: str, status: int, body: bytes) -> None:
    await send({"type": f"{prefix}.start", "status": status, "headers": TEXT})
    await send({"type": f"{prefix}.body", "body": body})


async def _serve(path: str, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    match path:
        case "/denied":
            await send({"type": "websocket.close"})
            return
        case "/signin":
            await _answer(send, "websocket.http.response", 401, b"token expired")
            return
        case "/broken":
            raise LookupError
    await send({"type": "websocket.accept"})
    match path:
        case "/breaks":
            raise LookupError
        case "/token":
            await send({"type": "websocket.close", "code": 4401, "reason": "token expired"})
        case _:
            while (event := await receive())["type"] == "websocket.receive":
                await send({**event, "type": "websocket.send"})
