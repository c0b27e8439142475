"""What do open questions cost a message that answers none? `questions.py [HOW MANY]`.

Receives texts of JSON over one connection, each decoded by the handler (`event.json`): without
questions, with 10,000 that are open by key, and once these are over; with the lomond that is
installed where this runs. Ends with 1 if a message costs more than 1.3 times as much while they are
open, or more than 1.1 times behind that.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "clients"))

from time import process_time

from measure import GO
from turns import by_turns

from lomond import WebSocket

MESSAGES = 100_000
MOST, MOST_BEHIND = 1.3, 1.1


def receive(questions: int, within: float | None, port: str) -> float:
    """Seconds for each message, while questions are open; with `within`, once they are over."""
    url = f"ws://127.0.0.1:{port}/receive/json/100/{MESSAGES}"
    websocket = WebSocket(url, proxies={})
    events = websocket.connect(ping_timeout=30)
    left = counted = MESSAGES
    started, waits = 0.0, 0 if within is None else questions
    for event in events:
        if event.name == "text":
            assert event.json
            left -= 1
            if not left:
                break
        elif event.name == "ready":
            for number in range(questions):
                websocket.send_json({"ask": number}, reply=("answers", number), within=within)
            websocket.send_text(GO)
            started = process_time()
        elif event.name == "no_reply":
            waits -= 1
            if not waits:
                started, counted = process_time(), left
    took = process_time() - started
    events.close()
    return took / counted


def main() -> int:
    """Print a table; 1 if it is above its bound."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    open_ones, over = f"{most:,} open", f"behind {most:,}"
    tried = {"none": (0, None), "1 open": (1, None), open_ones: (most, None), over: (most, 0.001)}
    costs = by_turns("questions", {name: partial(receive, *how) for name, how in tried.items()})
    is_kept = costs[open_ones] <= MOST * costs["none"]
    return 0 if is_kept and costs[over] <= MOST_BEHIND * costs["none"] else 1


if __name__ == "__main__":
    sys.exit(main())
