"""The lomond command: a stream of events in a terminal, and a demonstration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .. import constants
from ..engine import engine
from ..websocket import WebSocket
from . import demo, stream

_DESCRIPTION = """\
Connect to a WebSocket server and print what happens. Lines from standard input are sent as text
once the connection is ready; at the end of the input it goes on until the server closes. Ctrl-C
closes with the closing handshake, a second one ends at once.

'lomond demo' shows the same against an echo server of its own."""

_STATUS = """\
exit status: 0 after a graceful end, 1 if there was no connection or it ended otherwise, 2 if the
arguments are wrong, 130 after a second Ctrl-C"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        if given.url == "demo":
            return demo.run()
        return stream.run(_websocket(parser, given), sys.stdin.fileno())
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; keep the interpreter from flushing into the pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lomond",
        description=_DESCRIPTION,
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"lomond {constants.__version__} ({engine.name})"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("url", metavar="URL", help="ws://... or wss://..., or the word demo")
    parser.add_argument(
        "--protocol", action="append", metavar="NAME", help="offer a sub-protocol (repeatable)"
    )
    parser.add_argument(
        "--header", action="append", metavar="NAME:VALUE", help="add a header (repeatable)"
    )
    parser.add_argument("--ca", metavar="FILE", help="trust the certificates of this PEM file")
    parser.add_argument(
        "--insecure", action="store_true", help="do not check the server's certificate"
    )
    return parser


def _websocket(parser: argparse.ArgumentParser, given: argparse.Namespace) -> WebSocket:
    headers: dict[str, str] = {}
    added: list[str] = given.header or []
    for header in added:
        name, colon, value = header.partition(":")
        if not colon:
            parser.error(f"--header {header!r} has no colon; write NAME:VALUE")
        headers[name.strip()] = value.strip()
    try:
        return WebSocket(
            given.url,
            protocols=given.protocol,
            headers=headers,
            ssl_cafile=given.ca,
            ssl_verify=not given.insecure,
        )
    except ValueError as error:
        parser.error(str(error))
