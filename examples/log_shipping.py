"""Ships a log: all lines of a file, and those that are written to it, to a collector.

Each line has where it ends in the file as its id. The collector says up to where it has them, when
one connects and from time to time: so none is lost, also where this program was killed. A log that
was rotated is shipped to its end, then the new one. Run it with the collector's URL, and the file.
"""

import logging
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from lomond import WebSocket
from lomond.errors import WebSocketError

BATCH = 1000  # lines that are sent at a time
WINDOW = 2**20  # bytes of the file that may be sent and not yet confirmed


def lines_after(file: BinaryIO, position: int) -> Iterator[dict[str, Any]]:
    """The whole lines of a file from there on."""
    file.seek(position)
    for line in file:
        if not line.endswith(b"\n"):
            return  # it is being written
        position += len(line)
        yield {"id": position, "line": line[:-1].decode(errors="replace")}


def is_rotated(file: BinaryIO, path: Path) -> bool:
    """Whether the file of that name is another one by now."""
    try:
        return not os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:  # it was moved, and the new one is not there yet
        return False


def ship(websocket: WebSocket, path: Path) -> None:
    """Ship for ever. Raises PermissionError where the collector does not want it."""
    confirmed = sent = 0

    def enter(ready: object) -> Generator[Any, Any, None]:
        nonlocal confirmed, sent
        yield {"ship": path.name, "file": os.fstat(file.fileno()).st_ino}
        answer = yield lambda event: event.name == "text" and "confirmed" in event.json
        confirmed = sent = answer.json["confirmed"]  # what came after that goes again

    with ExitStack() as files:
        file: BinaryIO = files.enter_context(path.open("rb"))
        for event in websocket.persist(enter=enter, poll=1, ping_timeout=30, final={401, 403}):
            if event.name == "text":
                confirmed = event.json["confirmed"]
            if event.name in ("poll", "text") and sent - confirmed < WINDOW:
                is_over = is_rotated(file, path)  # before what was written up to then is read
                batch = list(islice(lines_after(file, sent), BATCH))
                with suppress(WebSocketError):  # the next connection begins at what is confirmed
                    websocket.send_many(batch)
                    sent = batch[-1]["id"] if batch else sent
                if is_over and sent == confirmed and not batch:
                    files.close()
                    file = files.enter_context(path.open("rb"))
                    websocket.close()  # the next connection is told where to begin in this one
    raise PermissionError(str(websocket.ending))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    logging.basicConfig(level=logging.INFO)  # says how each connection begins and ends
    ship(WebSocket(sys.argv[1]), Path(sys.argv[2]))
