"""Echo application for uvicorn, whatever WebSocket implementation it runs on.

ASGI has no words for fragments and pings, so this one cannot send them.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from listening import PROTOCOLS

Message = MutableMapping[str, Any]


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    await receive()
    protocol = next((known for known in PROTOCOLS if known in scope["subprotocols"]), None)
    await send({"type": "websocket.accept", "subprotocol": protocol})
    while (event := await receive())["type"] == "websocket.receive":
        text: str | None = event.get("text")
        words = [] if text is None else text.split(":", 2)
        match words:
            case ["close", code, reason]:
                await send({"type": "websocket.close", "code": int(code), "reason": reason})
            case _ if text is not None:
                await send({"type": "websocket.send", "text": text})
            case _:
                await send({"type": "websocket.send", "bytes": event["bytes"]})
