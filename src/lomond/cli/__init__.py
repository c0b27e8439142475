"""The lomond command: a stream of events in a terminal, and a demonstration."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from .. import checks, constants, twin
from ..compression import chosen_backend
from ..websocket import WebSocket
from . import demo, stream

_DESCRIPTION = """\
Connect to a WebSocket server and print what happens. Lines from standard input are sent as text
once the connection is ready. At the end of a file or pipe it goes on until the server closes, so
that answers are seen; Ctrl-D in a terminal closes. Ctrl-C closes with the closing handshake; a
second one, or one before the connection is ready, ends at once.

'lomond demo' shows the same against an echo server of its own."""

_STATUS = """\
exit status: 0 after a graceful end, 1 if there was no connection or it ended otherwise, 2 if the
arguments are wrong, 130 if Ctrl-C ended it at once"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    output: object = sys.stdout
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(errors="backslashreplace")  # a peer's text may not fit its encoding
    try:
        if given.url == "demo":
            return demo.run()
        source = None if sys.stdin is None else sys.stdin.fileno()  # None where it was closed
        return stream.run(_websocket(parser, given), source)
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
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="show the version, the twin and the library"
    )
    parser.add_argument("url", metavar="URL", help="ws://... or wss://..., or the word demo")
    parser.add_argument(
        "--protocol", action="append", metavar="NAME", help="offer a sub-protocol (repeatable)"
    )
    parser.add_argument(
        "--header", action="append", metavar="NAME:VALUE", help="add a header (repeatable)"
    )
    parser.add_argument("--compress", action="store_true", help="offer compression")
    parser.add_argument("--ca", metavar="FILE", help="trust the certificates of this PEM file")
    parser.add_argument(
        "--insecure", action="store_true", help="do not check the server's certificate"
    )
    return parser


class _Version(argparse.Action):
    """Shows what is in use. Only then the library is asked for: help can do without it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        try:
            library = chosen_backend().name
        except (ValueError, ImportError) as error:
            parser.exit(2, f"lomond: {error}\n")
        print(f"lomond {constants.__version__} ({twin.running}, {library})")
        parser.exit()


def _websocket(parser: argparse.ArgumentParser, given: argparse.Namespace) -> WebSocket:
    try:
        websocket = WebSocket(
            given.url,
            protocols=given.protocol,
            compress=given.compress,
            ssl_cafile=given.ca,
            ssl_verify=not given.insecure,
        )
        headers: list[str] = given.header or []
        for header in headers:
            name, colon, value = header.partition(":")
            if not colon:
                raise ValueError(f"--header {header!r} has no colon; write NAME:VALUE")
            [pair] = checks.encoded_headers({name.strip(): value.strip()})
            websocket.add_header(*pair)
    except (ValueError, ImportError) as error:
        parser.exit(2, f"lomond: {error}\n")
    return websocket
