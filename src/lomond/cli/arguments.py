"""The command's options: how they are read, and the WebSocket that they ask for."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import exits, helping

if TYPE_CHECKING:
    from ..websocket import WebSocket

_LONGEST = 1e9  # seconds, which every system can wait
_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


class Parser(argparse.ArgumentParser):
    """Reads the arguments of a command; what is wrong with them is one line, and ends it with 2.

    Arguments:
        name: Of the command; empty for the one without a name.
        usage: What stands behind the name.
        about: What it does: the first lines of its help.
        end: The last lines of it.
    """

    def __init__(self, name: str, usage: str, about: str, end: str = "") -> None:
        self._page = about, end
        self._shown: list[argparse.Action] = []
        called = f"lomond {name}".rstrip()
        super().__init__(prog=called, usage=f"{called} {usage}", allow_abbrev=False, add_help=False)
        self.add_argument("-h", "--help", action="help", help="this page")

    def add_argument(self, *names: str, **how: Any) -> argparse.Action:
        """Have another argument, as argparse has it."""
        action = super().add_argument(*names, **how)
        self._shown.append(action)
        return action

    def format_help(self) -> str:
        """The help, on a screen."""
        about, end = self._page
        return helping.page(self.usage or "", about, self._shown, end)

    def error(self, message: str) -> NoReturn:
        """End the process, for arguments that can't be read."""
        self.refuse(f"{message}; see {self.prog} --help")

    def refuse(self, message: object) -> NoReturn:
        """End the process, for what can't be done with what was given."""
        from ..redaction import discreet_text  # not for help

        said = message.strerror if isinstance(message, OSError) and message.strerror else message
        if isinstance(message, OSError) and message.filename is not None:
            said = f"{message.filename} can't be read ({said})"
        told = discreet_text(exits.advice(said)).replace("\n", " ")
        self.exit(exits.USAGE, f"{self.prog}: {told}\n")


# What an option's value must be


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    return _number(text, "above 0", lambda value: value > 0)


def pause(text: str) -> float:
    """A number of seconds, 0 included."""
    return _number(text, "0 or more", lambda value: value >= 0)


def count(text: str) -> int:
    """A whole number above 0."""
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def size(text: str) -> int | None:
    """Bytes: a whole number, with K, M or G behind it if you like; None for "none"."""
    if text == "none":
        return None
    digits, unit = text.rstrip("kKmMgG"), text[len(text.rstrip("kKmMgG")) :].upper()
    if not (digits.isascii() and digits.isdigit()) or unit not in _SIZES or int(digits) == 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size; write a number of bytes, as 1000000, 64K or 16M, or none"
        )
    return int(digits) * _SIZES[unit]


def _redirects(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is none; write a whole number, 0 or more")
    return int(text)


def _number(text: str, which: str, is_right: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value <= _LONGEST and is_right(value)):
        raise argparse.ArgumentTypeError(f"{text!r} is none; write a number {which}")
    return value


# Where to, as whom, and how


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Give the parser the URL, and the options that say how to connect to it."""
    parser.add_argument("url", metavar="URL", help="ws://... or wss://...")
    add = parser.add_argument
    add("-H", "--header", action="append", metavar="'NAME: VALUE'", help="header, or @FILE")
    add("--auth", metavar="USER:PASS", help="or TOKEN, or @FILE")
    add("--cookie", action="append", metavar="NAME=VALUE", help="more than once")
    add("--protocol", action="append", metavar="A,B", help="sub-protocols")
    add("--origin", metavar="URL", help="Origin header")
    add("--ca", metavar="FILE", help="CA to trust, PEM")
    add("--cert", metavar="FILE", help="our certificate")
    add("--key", metavar="FILE", help="its key")
    add("-k", "--insecure", action="store_true", help="trust anybody")
    add("--proxy", metavar="URL", help="http, https, socks")
    add("--no-proxy", action="store_true", help="also if one is set")
    add("--unix", metavar="PATH", help="socket to connect")
    add("--compress", action="store_true", help="offer compression")
    add("--max-redirects", type=_redirects, default=0, metavar="N", help="at most (0)")
    add("--max-size", type=size, default=size("16M"), metavar="BYTES", help="of a message (16M)")


def add_ping(parser: argparse.ArgumentParser) -> None:
    """Give the parser the option that says how often to ping."""
    parser.add_argument("--ping", type=pause, metavar="S", help="seconds (30; 0: no)")


def add_timeout(parser: argparse.ArgumentParser, of_what: str) -> None:
    """Give the parser the option that bounds the time."""
    parser.add_argument("--timeout", type=seconds, metavar="S", help=of_what)


def websocket(parser: Parser, given: argparse.Namespace, **more: Any) -> WebSocket:
    """The WebSocket that is asked for. Ends the process with 2 where that can't be.

    Arguments:
        parser: Says what is wrong.
        given: What it has read.
        more: Further options of WebSocket.
    """
    from ..websocket import WebSocket

    try:
        options = connection_options(given) | more
        made = WebSocket(given.url, **options)
        for name, value in headers(given.header or ()):
            made.add_header(name, value)
    except (ValueError, TypeError, ImportError, OSError) as error:
        parser.refuse(error)
    return made


def connection_options(given: argparse.Namespace) -> dict[str, Any]:
    """The options of WebSocket that the connection's options stand for, without headers.

    Raises:
        ValueError, OSError: One can't be that.
    """
    if given.proxy and given.no_proxy:
        raise ValueError("--proxy and --no-proxy exclude each other; leave one out")
    options: dict[str, Any] = {
        "protocols": [name for names in given.protocol or () for name in names.split(",") if name],
        "origin": given.origin,
        "cookies": dict(_cookies(given.cookie or ())) or None,
        "auth": _auth(given.auth),
        "compress": given.compress,
        "ssl_cafile": given.ca,
        "ssl_certfile": given.cert,
        "ssl_keyfile": given.key,
        "ssl_verify": not given.insecure,
        "unix_socket": given.unix,
        "max_redirects": given.max_redirects,
        "max_message_size": given.max_size,
    }
    if given.proxy:
        options["proxies"] = {"all": given.proxy}
    elif given.no_proxy:
        options["proxies"] = {}
    return options


def headers(lines: Iterable[str]) -> Iterable[tuple[bytes, bytes]]:
    """The headers of ``-H``: a line each, or the lines of a file.

    Raises:
        ValueError: There is no colon, or what can't be in a header; or the file can't be read.
    """
    from .. import checks

    for given in lines:
        for line in _read(given[1:]).splitlines() if given.startswith("@") else [given]:
            name, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon:
                raise ValueError("a -H has no ':'; write 'NAME: VALUE'")
            yield from checks.encoded_headers({name.strip(): value.strip()})


def _auth(given: str | None) -> tuple[str, str] | str | None:
    if given is None:
        return None
    if given.startswith("@"):
        given = _read(given[1:]).strip()
    if not given:
        raise ValueError("--auth is empty; write USER:PASS, TOKEN, or @FILE with one of them")
    user, colon, password = given.partition(":")
    return (user, password) if colon else given


def _cookies(given: Iterable[str]) -> Iterable[tuple[str, str]]:
    for part in (part.strip() for cookies in given for part in cookies.split(";")):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError("a --cookie has no '='; write NAME=VALUE")
        yield name, value


def _read(path: str) -> str:
    """The text of a file, or of standard input for ``-``. Raises ValueError."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text()
    except OSError as error:
        raise ValueError(f"@{path} can't be read ({error.strerror}); name a file") from None
    except UnicodeError:
        raise ValueError(f"@{path} is no text") from None
