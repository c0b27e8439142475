"""All that happens in a home: the events of a Home Assistant, also after its restarts.

Run it with ws://homeassistant.local:8123/api/websocket; the environment variable HASS_TOKEN has a
long-lived access token.
"""

import logging
import os
import sys
from collections.abc import Generator
from typing import Any

from lomond import WebSocket
from lomond.errors import Refused


def happenings(websocket: WebSocket, token: str) -> Generator[Any, None, None]:
    """Each event of the home, and `entered` for each connection, with the gap before it."""

    def enter(ready: object) -> Generator[Any, Any, None]:
        yield {"type": "auth", "access_token": token}
        answer = yield lambda e: e.name == "text" and e.json["type"] in ("auth_ok", "auth_invalid")
        if answer.json["type"] == "auth_invalid":
            raise Refused(answer.json["message"], final=True)
        yield {"id": 1, "type": "subscribe_events"}
        yield lambda e: e.name == "text" and e.json["type"] == "result" and e.json["success"]

    for event in websocket.persist(enter=enter, ping_timeout=30):
        if event.name == "entered" or (event.name == "text" and event.json["type"] == "event"):
            yield event
    raise PermissionError(str(websocket.ending))  # all else it tries to mend


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    logging.basicConfig(level=logging.INFO)  # says how each connection begins and ends
    for happening in happenings(WebSocket(sys.argv[1]), os.environ["HASS_TOKEN"]):
        print(happening)
