"""A dashboard: many feeds in one thread, each a line of the screen, with what it said last.

Run it with the feeds' URLs.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from shutil import get_terminal_size

from lomond import WebSocket, WebSocketGroup

CLEAR = "\x1b[H\x1b[J"


@dataclass
class Feed:
    """What there is to show of a feed."""

    url: str
    state: str = "connecting"
    heard: int = 0
    last: str = ""
    at: float = 0.0

    def line(self, now: float) -> str:
        """Its line of the screen; what a server says can't control the terminal."""
        age = f"{now - self.at:.0f} s ago" if self.heard else ""
        text = ascii(self.last)[1:-1]
        return f"{self.url:30} {self.state:10} {self.heard:6} {age:>10}  {text}"


def watch(urls: Iterable[str], show: Callable[[list[str]], object]) -> None:
    """Show all feeds, once a second and where one comes or goes, as long as any of them is left."""
    group = WebSocketGroup()
    feeds: dict[WebSocket, Feed] = {}
    for url in urls:
        websocket = WebSocket(url)
        feeds[websocket] = Feed(url)
        group.persist(websocket, poll=1, ping_rate=10, ping_timeout=10, final={401, 403, 404})
    for websocket, event in group:
        feed = feeds[websocket]
        if event.name == "text":  # often: the next poll shows it
            feed.heard += 1
            feed.last, feed.at = event.text, event.received_time
            continue
        if event.name == "ready":
            feed.state = "live"
        elif event.name == "back_off" or event.name == "disconnected":
            feed.state, feed.last = "lost", str(event.ending)
        elif event.name == "connect_fail":
            feed.state, feed.last = "lost", event.reason
        elif event.name != "poll":
            continue
        show([feed.line(event.received_time) for feed in feeds.values()])


def on_screen(lines: list[str]) -> None:
    width = get_terminal_size().columns
    print(CLEAR + "\n".join(line[:width] for line in lines), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    watch(sys.argv[1:], on_screen)
