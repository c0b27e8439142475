"""A file to a server, or from it, as one message, with a progress bar; in memory is a part of it.

python transfer.py send wss://example.org/upload FILE
python transfer.py receive wss://example.org/download FILE
"""

import contextlib
import os
import sys

from lomond import Ending, WebSocket
from lomond.errors import WebSocketError

WIDTH = 40


class Bar:
    """Shows how much is done: of a whole, where that is known."""

    def __init__(self, whole: int | None = None) -> None:
        self.whole = whole

    def __call__(self, done: int) -> None:
        shown = f"{done / 1e6:.1f} MB"
        if self.whole:
            filled = WIDTH * done // self.whole
            shown = f"[{'#' * filled:<{WIDTH}}] {shown}"
        print(f"\r{shown}", end="", file=sys.stderr, flush=True)


def send(url: str, path: str) -> Ending | None:
    websocket = WebSocket(url)
    with open(path, "rb") as file:
        for event in websocket.connect(ping_timeout=30):
            if event.name == "ready":
                with contextlib.suppress(WebSocketError):  # it broke: the ending says why
                    websocket.send_stream(file, on_progress=Bar(os.path.getsize(path)))
                    websocket.close()  # answered when the server has read it all
    return websocket.ending


def receive(url: str, path: str) -> Ending | None:
    websocket = WebSocket(url, parts=64 * 1024, max_message_size=None)
    bar = Bar()
    with open(path, "wb") as file:
        for event in websocket.connect(ping_timeout=30):
            if event.name == "binary" or event.name == "binary_part":
                file.write(event.data)
                bar(event.offset + len(event.data))
                if event.is_last:
                    websocket.close()
    return websocket.ending


def main(what: str, url: str, path: str) -> int:
    ending = {"send": send, "receive": receive}[what](url, path)
    print(f"\n{ending}", file=sys.stderr)
    return int(ending is None or ending.is_failure)


if __name__ == "__main__":
    is_known = len(sys.argv) == 4 and sys.argv[1] in ("send", "receive")
    sys.exit(main(*sys.argv[1:]) if is_known else __doc__)
