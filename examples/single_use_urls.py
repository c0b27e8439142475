"""A service that gives a URL for one connection only: it is asked for one each time.

Run it with the address that gives `{"url": "wss://..."}`.
"""

import json
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial

from lomond import WebSocket


def fresh_url(address: str) -> str:
    """A URL that nobody has used yet. What this raises is a failed attempt, as any other."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(json.load(answer)["url"])


def messages(address: str) -> Iterator[str]:
    """All texts, for ever: while the service is down, it waits longer after each attempt."""
    for event in WebSocket(partial(fresh_url, address)).persist(ping_timeout=30):
        if event.name == "text":
            yield event.text
        elif event.name == "back_off":
            print(event.ending, file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for message in messages(sys.argv[1]):
        print(message)
