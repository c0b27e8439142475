"""A device gateway: the devices of a house, each with a WebSocket server, behind one connection.

What a device says goes up with its name, and orders come down to one and are answered. Run it with
the upstream URL, and a name=URL for each device.
"""

import logging
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lomond import WebSocket, WebSocketGroup
from lomond.errors import WebSocketError

MOST = 10_000  # messages that wait for the upstream connection; then the oldest go


class Gateway:
    """All connections in one thread, which needs no lock and no queue.

    A device that is connected and takes nothing keeps the others waiting, for `send_timeout`.
    """

    def __init__(self, upstream: WebSocket, devices: Mapping[str, str]) -> None:
        self.upstream = upstream
        self.devices = {name: WebSocket(url, send_timeout=5) for name, url in devices.items()}
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST)

    def run(self) -> None:
        """Go on for ever. Raises PermissionError where the upstream does not want the gateway."""
        group = WebSocketGroup()
        is_up = False
        names = {websocket: name for name, websocket in self.devices.items()}
        group.persist(self.upstream, ping_timeout=30, final={401, 403})
        for device in names:
            group.persist(device, ping_rate=10, ping_timeout=10)
        for websocket, event in group:
            if self.upstream not in group:
                break
            if websocket is not self.upstream:
                self._of_device(names[websocket], event)
            elif event.name == "ready" or event.name == "disconnected":
                is_up = event.name == "ready"  # what is sent before that may be for nobody
            elif event.name == "text":
                self._order(event.json)
            if is_up:
                self._send()
        raise PermissionError(str(self.upstream.ending))

    def _of_device(self, name: str, event: Any) -> None:
        if event.name == "text":
            self._waiting.append({"device": name, "says": event.json})
        elif event.name == "ready" or (event.name == "disconnected" and event.ending.was_ready):
            self._waiting.append({"device": name, "online": event.name == "ready"})
        elif event.name == "reply":
            self._waiting.append({"id": event.request["id"], "answer": event.message.json})
        elif event.name == "no_reply":
            self._waiting.append({"id": event.request["id"], "error": f"{name} does not answer"})

    def _order(self, order: dict[str, Any]) -> None:
        number = order["id"]
        try:
            device = self.devices[order["device"]]
            device.send_json({"id": number, **order["do"]}, reply=("id", number), within=5)
        except (KeyError, WebSocketError) as error:
            self._waiting.append({"id": number, "error": f"no such device now: {error}"})

    def _send(self) -> None:
        with suppress(WebSocketError):  # it comes again, and then they go
            while self._waiting:
                self.upstream.send_json(self._waiting[0])
                self._waiting.popleft()


if __name__ == "__main__":
    if len(sys.argv) < 3 or not all("=" in one for one in sys.argv[2:]):
        sys.exit(__doc__)
    logging.basicConfig(level=logging.INFO)  # says how each connection begins and ends
    Gateway(WebSocket(sys.argv[1]), dict(one.split("=", 1) for one in sys.argv[2:])).run()
