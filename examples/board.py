"""An agent on a small board on a bad mobile network: it sends what a sensor measures.

Each reading is kept until the server has confirmed it, up to a thousand of them. Run it with the
server's URL and the file of a sensor, like /sys/class/thermal/thermal_zone0/temp.
"""

import asyncio
import logging
import secrets
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lomond import AsyncWebSocket, Deflate
from lomond.errors import WebSocketError

MOST = 1000  # readings that are kept; then the oldest go
BOOT = secrets.token_hex(4)  # tells the server that the numbers begin anew


def small(url: str) -> AsyncWebSocket:
    """A WebSocket that needs little memory, and little of a volume of data that is paid for."""
    compress = Deflate(client_max_window_bits=10, server_max_window_bits=10, memory_level=1)
    return AsyncWebSocket(url, compress=compress, max_message_size=4096, max_read_ahead=65536)


async def run(websocket: AsyncWebSocket, read: Callable[[], str], every: float = 60) -> None:
    """Send readings for ever. Raises PermissionError where the server does not want them."""

    async def measure() -> None:
        while True:
            websocket.post(read())
            await asyncio.sleep(every)

    kept: deque[dict[str, Any]] = deque(maxlen=MOST)
    number = 0
    async with websocket, asyncio.TaskGroup() as tasks:
        measuring = tasks.create_task(measure())
        async for event in websocket.persist(
            ping_rate=240,  # most networks forget a silent connection after five minutes
            ping_timeout=60,
            max_wait=600,
            full_jitter=True,  # a mast that comes back has a thousand boards
            final={401, 403},
        ):
            unsent: list[dict[str, Any]] = []
            if event.name == "ready":
                unsent = list(kept)  # all that nobody has confirmed
            elif event.name == "posted":  # also while there is no connection
                number += 1
                at = event.received_time
                unsent = [{"boot": BOOT, "id": number, "at": at, "value": event.value}]
                kept.extend(unsent)
            elif event.name == "text":
                while kept and kept[0]["id"] <= event.json["confirmed"]:
                    kept.popleft()
            with suppress(WebSocketError):  # they are kept
                await websocket.send_many(unsent)
        measuring.cancel()
    raise PermissionError(str(websocket.ending))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    logging.basicConfig(level=logging.INFO)  # says how each connection begins and ends
    sensor = Path(sys.argv[2])
    asyncio.run(run(small(sys.argv[1]), lambda: sensor.read_text().strip()))
