"""``lomond demo``: the loop of the README against an echo server in this process."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import arguments, exits

_ABOUT = "Connects to an echo server of its own, and shows each event."
_MESSAGES = 3
_POLL = 0.4  # seconds; the default of 5 would be a long demonstration
_PING_RATE = 0.6  # seconds; so that a ping is seen too


def parser() -> arguments.Parser:
    """The parser of its arguments."""
    return arguments.Parser("demo", "", _ABOUT)


def run(given: Sequence[str]) -> int:
    """Show it; the exit status."""
    parser().parse_args(given)
    from ..testing.echo import EchoServer  # not for help
    from ..websocket import WebSocket
    from .printing import Printer

    graceful = False
    with EchoServer() as server:
        websocket = WebSocket(server.url, proxies={})
        printer = Printer(lambda line: print(line, flush=True), sys.stdout)
        received = 0
        for event in websocket.connect(poll=_POLL, ping_rate=_PING_RATE, ping_timeout=30):
            printer.show(event)
            if event.name == "poll" and websocket.is_active:
                websocket.send_text("Hello, World")
            elif event.name == "text":
                received += 1
                if received == _MESSAGES:
                    websocket.close()
            elif event.name == "disconnected":
                graceful = event.graceful
    return exits.DONE if graceful else exits.LOST
