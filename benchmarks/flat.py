"""Does a message cost the same, and take no memory, however many came before? `flat.py [LARGEST]`.

Receives 1,000 to 10,000,000 texts of 100 bytes over one connection each, with the lomond that
is installed where this runs; ends with 1 if the cost grows by more than a tenth (from 100,000 on,
where its start no longer counts) or memory by more than a MiB.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "clients"))

from time import process_time

from measure import GO, resident_bytes

from lomond import WebSocket, twin

ROUNDS = 3


def receive(port: str, count: int) -> tuple[float, int]:
    """Seconds for each message, and bytes that this process grew."""
    websocket = WebSocket(f"ws://127.0.0.1:{port}/receive/text/100/{count}", proxies={})
    events = websocket.connect(ping_timeout=30)
    left = count
    started = before = 0.0
    for event in events:
        if event.name == "text":
            left -= 1
            if not left:
                break
        elif event.name == "ready":
            websocket.send_text(GO)
            before, started = resident_bytes(), process_time()
    took = process_time() - started
    grew = resident_bytes() - before
    events.close()
    return took / count, int(grew)


def main() -> int:
    """Print a table; 1 if something grows."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    counts = [10**power for power in range(3, 9) if 10**power <= largest]
    script = Path(__file__).parent / "servers" / "raw_server.py"
    costs: dict[int, float] = {}
    growths: dict[int, int] = {}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        receive(port, 100_000)  # so that all memory that is kept is there
        for count in counts:
            runs = [receive(port, count) for _ in range(ROUNDS)]
            costs[count] = min(cost for cost, _ in runs)
            growths[count] = min(growth for _, growth in runs)
        server.terminate()
    print(f"{twin.running} twin\n\n| texts | µs each | memory grew, KiB |\n|--:|--:|--:|")
    for count in counts:
        print(f"| {count:,} | {costs[count] * 1e6:.3f} | {growths[count] // 1024} |")
    settled = [costs[count] for count in counts if count >= 100_000]
    is_flat = not settled or max(settled) <= 1.1 * settled[0]
    return 0 if is_flat and max(growths.values()) < 1 << 20 else 1


if __name__ == "__main__":
    sys.exit(main())
