"""``lomond URL``: one connection, in a pipe or in a terminal."""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from collections.abc import Sequence

from .. import constants, twin
from . import COMMANDS, arguments, exits, helping

_USAGE = """\
[OPTIONS] URL
       lomond ping|bench|serve|replay|doctor|demo --help"""
_ABOUT = """\
Lines of standard input are sent as texts, messages are written as lines. In a
terminal it is a conversation. In a pipe all else goes to standard error, and
it closes when for 1 s (--linger) after the end of the input no message came."""


def run(given: Sequence[str]) -> int:
    """Run it; the exit status."""
    reads = parser()
    options, rest = reads.parse_known_args(given)
    _check_command(reads, options.url)
    if rest:
        reads.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.once and options.n is not None:
        reads.refuse("-1 and -n exclude each other; leave one out")
    if _is_terminal(sys.stdin) and _is_terminal(sys.stdout) and not options.jsonl:
        from . import terminal

        return terminal.run(reads, options)
    from . import pipe

    return pipe.run(reads, options)


def _check_command(parser: arguments.Parser, url: str) -> None:
    """End the process where a command was meant."""
    if url in COMMANDS:
        parser.error(f"the command comes first: lomond {url} ...")
    if "/" not in url and ":" not in url:
        from difflib import get_close_matches

        for near in get_close_matches(url, COMMANDS, 1):
            parser.error(f"{url!r} is no command; did you mean {near}?")


def _is_terminal(stream: object) -> bool:
    return stream is not None and bool(getattr(stream, "isatty", bool)())


def parser() -> arguments.Parser:
    """The parser of its arguments."""
    made = arguments.Parser("", _USAGE, _ABOUT, _end())
    arguments.add_connection(made)
    add = made.add_argument
    arguments.add_ping(made)
    arguments.add_timeout(made, "S seconds in all")
    add("--reconnect", action="store_true", help="whenever it ends")
    add("--record", metavar="FILE", help="append a record")
    add("-n", type=arguments.count, metavar="N", help="end after N messages")
    add("-1", dest="once", action="store_true", help="send one, print one")
    add("--linger", type=_linger, metavar="S", help="quiet end (1; none)")
    add(
        "--binary",
        choices=("base64", "hex", "raw"),
        default="base64",
        metavar="AS",
        help="write them so",
    )
    add("-0", dest="nul", action="store_true", help="NUL ends lines")
    add("--jsonl", action="store_true", help="records' lines")
    add("--json", action="store_true", help="indented, in a tty")
    add("-q", "--quiet", action="store_true", help="no diagnostics")
    add("-v", action="count", default=0, dest="verbose", help="events; -vv: frames")
    add("--completion", action=_Completion, metavar="SHELL", help="bash, zsh, fish")
    add("--version", action=_Version, nargs=0, help="compiled or pure")
    return made


def _linger(text: str) -> float:
    return math.inf if text == "none" else arguments.pause(text)


def _end() -> str:
    rows = [f"{status} {meaning}" for status, meaning in exits.MEANINGS.items()]
    return textwrap.fill("exit status: " + ", ".join(rows), helping.WIDTH)


class _Version(argparse.Action):
    """Shows what is in use. Only then the library is asked for: help can do without it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from ..compression import chosen_backend

        try:
            library = chosen_backend().name
        except (ValueError, ImportError) as error:
            parser.exit(exits.USAGE, f"lomond: {error}\n")
        print(f"lomond {constants.__version__} ({twin.running}, {library})")
        parser.exit()


class _Completion(argparse.Action):
    """Shows what a shell is to read to complete the command."""

    def __call__(
        self, parser: argparse.ArgumentParser, _: object, shell: object, *__: object
    ) -> None:
        from . import completion

        print(completion.script(parser, str(shell)), end="")
        parser.exit()
