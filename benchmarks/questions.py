"""What do open questions cost a message that answers none? `questions.py [HOW MANY]`.

Receives texts of JSON over one connection, each decoded by the handler (`event.json`), without and
with 10,000 questions that are open by key, with the lomond that is installed where this runs;
ends with 1 if a message then costs more than 1.3 times as much, or if the short way does not open
again once none is open.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "clients"))

from time import process_time

from measure import GO

from lomond import WebSocket, twin

MESSAGES = 100_000
ROUNDS = 5
MOST = 1.3


def receive(port: str, questions: int) -> float:
    """Seconds for each message."""
    url = f"ws://127.0.0.1:{port}/receive/json/100/{MESSAGES}"
    websocket = WebSocket(url, proxies={})
    events = websocket.connect(ping_timeout=30)
    left, started = MESSAGES, 0.0
    for event in events:
        if event.name == "text":
            assert event.json
            left -= 1
            if not left:
                break
        elif event.name == "ready":
            for number in range(questions):
                websocket.send_json({"ask": number}, reply=("answers", number), within=None)
            websocket.send_text(GO)
            started = process_time()
    took = process_time() - started
    events.close()
    return took / MESSAGES


def main() -> int:
    """Print a table; 1 if it is above its bound."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    script = Path(__file__).parent / "servers" / "raw_server.py"
    costs: dict[int, list[float]] = {0: [], 1: [], most: []}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        for _ in range(ROUNDS):
            for count, runs in costs.items():
                runs.append(receive(port, count))
        server.terminate()
    print(f"{twin.running} twin\n\n| open questions | µs a message | ratio |\n|--:|--:|--:|")
    least = min(costs[0])
    for count, runs in costs.items():
        print(f"| {count:,} | {min(runs) * 1e6:.3f} | {min(runs) / least:.2f} |")
    return 0 if min(costs[most]) <= MOST * least else 1


if __name__ == "__main__":
    sys.exit(main())
