"""A picture of a web page, taken by a Chromium through the Chrome DevTools Protocol.

Run it with a URL and a file, while `chromium --headless --remote-debugging-port=9222` runs.
"""

import base64
import json
import sys
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

from lomond import WebSocket


def screenshot(page: str, file: Path, browser: str = "http://127.0.0.1:9222") -> None:
    """Write the picture, a PNG. Raises RuntimeError where none comes."""

    def shoot(ready: object) -> Generator[Any, Any, None]:
        yield {"id": 1, "method": "Page.enable"}
        yield {"id": 2, "method": "Page.navigate", "params": {"url": page}}
        yield lambda e: e.name == "text" and e.json.get("method") == "Page.loadEventFired"
        yield {"id": 3, "method": "Page.captureScreenshot"}
        answer = yield lambda e: e.name == "text" and e.json.get("id") == 3
        file.write_bytes(base64.b64decode(answer.json["result"]["data"]))

    tab = urllib.request.Request(f"{browser}/json/new", method="PUT")
    with urllib.request.urlopen(tab, timeout=10) as answer:
        websocket = WebSocket(json.load(answer)["webSocketDebuggerUrl"], max_message_size=2**28)
    for event in websocket.connect(enter=shoot, enter_timeout=60):
        if event.name == "entered":
            return  # it is taken; whoever leaves the loop closes the connection
    raise RuntimeError(str(websocket.ending))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    screenshot(sys.argv[1], Path(sys.argv[2]))
