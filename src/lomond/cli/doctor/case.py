"""What is examined: the options as given, and the connections that are made from them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ...redaction import Discretion, discreet_url
from ...url import Url, authority, parse
from .. import arguments, exits
from .allowance import Allowance
from .report import Report

if TYPE_CHECKING:
    from ...ending import Ending
    from ...proxies import Proxy
    from ...websocket import WebSocket

#: What a connection that is only to look may be told: where to and how, nothing of who asks.
_OF_THE_WAY = ("proxies", "unix_socket", "ssl_cafile", "ssl_verify")
_OF_ATTEMPTS = "persist()"
_UNREACHED = ("resolve", "connect", "proxy", "tls")  # phases


class Case:
    """One examination.

    Arguments:
        parser: Says what is wrong with the options, and ends the process.
        given: The options.

    Attributes:
        url: Taken apart.
        proxy: Which is taken, when that is known.
        report: Where each finding goes.
        allowance: The time that is left.
        options: Of a WebSocket as it is asked for.
    """

    def __init__(self, parser: arguments.Parser, given: argparse.Namespace) -> None:
        self.given = given
        discretion = Discretion()
        try:
            # Once: they may come from standard input.
            self.options = arguments.connection_options(given)
            self._headers = list(arguments.headers(given.header or ()))
            self.websocket()  # which refuses what can't be
        except (ValueError, TypeError, ImportError, OSError) as error:
            parser.refuse(error)
        self.url: Url = parse(given.url)
        self.proxy: Proxy | None = None
        self.allowance = Allowance(given.timeout)
        self._learn(discretion)
        self.report = Report(given.jsonl, discretion)

    def _learn(self, discretion: Discretion) -> None:
        """Know what is secret, also where a server says it back."""
        from ...credentials import authorization

        for url in (self.given.url, self.given.proxy):
            if url:
                discretion.learn_url(url)
        lines = list(self._headers)
        auth: Any = self.options["auth"]
        if auth is not None:
            lines.append((b"Authorization", authorization(auth).encode()))
        cookies: dict[str, str] = self.options["cookies"] or {}
        for name, value in cookies.items():
            lines.append((b"Cookie", f"{name}={value}".encode()))
        protocols: list[str] = self.options["protocols"]
        lines.append((b"Sec-WebSocket-Protocol", ", ".join(protocols).encode()))
        head = b"\r\n".join(b"%s: %s" % line for line in lines)
        discretion.learn_head(b"GET / HTTP/1.1\r\n" + head + b"\r\n\r\n")

    @property
    def authority(self) -> str:
        """Host and port, for people."""
        return authority(self.url.host, self.url.port)

    def like(self, scheme: str) -> str:
        """The URL, for people, with another scheme."""
        where = authority(self.url.host, self.url.port)
        return discreet_url(f"{scheme}://{where}{self.url.resource}")

    def websocket(self, **options: Any) -> WebSocket:
        """A connection as it is asked for, but for these options."""
        from ...websocket import WebSocket

        asked: dict[str, Any] = {**self.options, "compress": True, **options}
        made = WebSocket(self.given.url, **asked)
        for name, value in self._headers:
            made.add_header(name, value)
        return made

    def onlooker(self, secure: bool, **options: Any) -> WebSocket:
        """A connection to the same port that knows nothing of who asks, nor of the path."""
        from ...websocket import WebSocket

        way = {name: self.options[name] for name in _OF_THE_WAY if name in self.options}
        scheme = "wss" if secure else "ws"
        return WebSocket(f"{scheme}://{self.authority}/", **{**way, **options})

    def fail(
        self, check: str, measured: str, advice: str, status: int, seconds: float | None = None
    ) -> None:
        """Say that something does not work; for want of time, if the time for all is over."""
        status = exits.TIMED_OUT if self.allowance.is_over else status
        self.report.fail(check, measured, advice, status, seconds)


def status_of(ending: Ending) -> int:
    """The exit status of an examination whose connection ended so."""
    if ending.phase in _UNREACHED:
        return exits.UNREACHABLE
    if ending.kind == "timed_out":  # of deadlines of ours, not --timeout
        return exits.LOST
    return exits.status_of(ending)


def words(ending: Ending) -> tuple[str, str]:
    """What happened, and what to do, or "", in the names of the command's options."""
    said = str(ending)
    if not ending.hint:
        return exits.advice(said), ""
    said = exits.advice(said.removesuffix(f"; {ending.hint}"))
    # Whether another attempt makes sense is for programs that try again.
    return said, "" if _OF_ATTEMPTS in ending.hint else exits.advice(ending.hint)
