"""What does it cost a message that somebody listens? `listening.py`.

Receives short texts over one connection: with nobody, with the log at INFO, at DEBUG, with `trace=`
and with `record=`; with the lomond that is installed where this runs. Ends with 1 if the log at
INFO costs a message more than 1.1 times as much: it is told how connections begin and end alone.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "clients"))

from time import process_time

from measure import GO
from turns import by_turns

from lomond import WebSocket

MESSAGES = 50_000
MOST_AT_INFO = 1.1


def receive(level: int, options: dict[str, Any], port: str) -> float:
    """Seconds for each message, with the log at a level, and these options."""
    logging.getLogger("lomond").setLevel(level)
    websocket = WebSocket(f"ws://127.0.0.1:{port}/receive/text/100/{MESSAGES}", **options)
    left, started = MESSAGES, 0.0
    events = websocket.connect(ping_timeout=30)
    for event in events:
        if event.name == "text":
            left -= 1
            if not left:
                break
        elif event.name == "ready":
            websocket.send_text(GO)
            started = process_time()
    took = process_time() - started
    events.close()
    return took / MESSAGES


def main() -> int:
    """Print a table; 1 if it is above its bound."""
    with tempfile.TemporaryFile("w") as nowhere, tempfile.TemporaryDirectory() as folder:
        logging.basicConfig(stream=nowhere)
        record = {"record": f"{folder}/record.jsonl"}
        ways: dict[str, tuple[int, dict[str, Any]]] = {
            "nobody": (logging.WARNING, {}),
            "the log at INFO": (logging.INFO, {}),
            "the log at DEBUG": (logging.DEBUG, {}),
            "trace=, which does nothing": (logging.WARNING, {"trace": len}),
            "record= to a file": (logging.WARNING, record),
        }
        tried = {
            name: partial(receive, level, {"proxies": {}, **options})
            for name, (level, options) in ways.items()
        }
        costs = by_turns("who listens", tried)
    return 0 if costs["the log at INFO"] <= MOST_AT_INFO * costs["nobody"] else 1


if __name__ == "__main__":
    sys.exit(main())
