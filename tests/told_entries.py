"""What the journal of a connection tells, made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lomond import events
from lomond.compression import Compression
from lomond.ending import Ending, Gap, Pause
from lomond.errors import ProtocolError, ProxyError
from lomond.io.journal import Entry
from lomond.records import Recorder
from lomond.response import Response
from lomond.secured import Secured
from lomond.timings import Attempt, Timings

URL = "wss://feed.example/live?symbol=X"
REQUEST = b"GET /live?symbol=X HTTP/1.1\r\nHost: feed.example\r\nUpgrade: websocket\r\n\r\n"
ANSWER = Response(b"HTTP/1.1 101 Switching Protocols\r\nServer: demo\r\n\r\n")
REFUSAL = Response(b"HTTP/1.1 503 Busy\r\nRetry-After: 5\r\n\r\n", body=b"come back later")
ODD = Response(b"HTTP/1.1 403 N\xf6\nX: \xff\n\n", body=b"\xff\xfe\x00")
CERTIFICATE = {
    "subject": ((("commonName", "h"),),),
    "subjectAltName": (("DNS", "h"),),
    "version": 3,
}


def timings() -> Timings:
    found = Timings()
    found.resolve, found.tls, found.upgrade = 0.001, 0.02, 0.004
    found.attempts = (Attempt("192.0.2.1:443", 0.25, "refused"), Attempt("192.0.2.2:443", 0.01))
    return found


def failure(**further: Any) -> dict[str, Any]:
    return {
        "cause": ConnectionResetError(104, "Connection reset by peer"),
        "phase": "read",
        "address": "192.0.2.2:443",
        "elapsed": 1.25,
        "timings": timings(),
        **further,
    }


def ending(**further: Any) -> Ending:
    known: dict[str, Any] = {
        "kind": "lost", "by": "network", "code": None, "phase": "read", "was_ready": True,
        "address": "192.0.2.2:443", "cause": ConnectionResetError(104, "Connection reset by peer"),
        "lasted": 3.5, "since_received": 1.5, "since_sent": 0.25, "since_pong": None,
        "unconfirmed": 12, "pause": Pause(1.5, 3, "text"), "hint": "ask again",
        "detail": "recv fail; reset",
    }  # fmt: skip
    return Ending(**known | further)


REFUSED = ending(kind="rejected", by="server", status=503, response=REFUSAL, cause=None)
GAP = Gap(1_700_000_000.5, 7.25, 3, ending(response=REFUSAL))

#: One event of each kind that has a line, in each shape.
EVENTS: list[Any] = [
    events.Connecting(URL),
    events.Connecting(None),
    events.Connected(
        URL,
        "http://***@proxy:3128",
        address="192.0.2.2:443",
        tls=Secured("TLSv1.3", "TLS_AES_256_GCM_SHA384", "http/1.1", CERTIFICATE, b"\x30\x82\xff"),
        proxy_source="proxies['https']",
    ),
    events.Connected("ws://h/", tls=Secured(None, None)),
    events.Ready(ANSWER, None, set()),
    events.Ready(
        ANSWER,
        "mqtt",
        {"permessage-deflate", "x"},
        compression=Compression(True, False, 15, 9, "zlib"),
        timings=timings(),
        number=2,
        gap=GAP,
    ),
    events.Entered(2, GAP),
    events.Entered(),
    events.Rejected(REFUSAL, "Websocket upgrade failed (code=503)", **failure(phase="upgrade")),
    events.ConnectFail("no route", response=ODD, ending=ending(kind="unreachable"), **failure()),
    events.ConnectFail("no route"),
    events.ProtocolError("bad", True, code=1007, section="RFC 6455 8.1", **failure()),
    events.ProtocolError("bad", False, **failure(cause=ProtocolError("bad", code=1002))),
    events.Unresponsive(**failure(cause=None)),
    events.Unresponsive(),
    events.Disconnected("closed", True, ending=ending(kind="closed", reason="a\ud800b", code=4000)),
    events.Disconnected("lost", unconfirmed=12, ending=REFUSED, **failure()),
    events.Disconnected(
        "lost", ending=ending(cause=ProxyError("no")), **failure(cause=KeyError(1))
    ),
    events.BackOff(2.5, reason="lost", attempt=3, unconfirmed=12, ending=REFUSED),
    events.BackOff(2.5),
]


class Told:
    """Entries of one connection, a tenth of a second after another."""

    def __init__(self, connection: int = 1, url: str | None = URL, moment: float = 100.0) -> None:
        self.connection = connection
        self.url = url
        self.moment = moment

    def entry(self, direction: str, op: str, value: Any) -> Entry:
        self.moment += 0.1
        wall = 1_700_000_000.0 + self.moment
        return Entry(self.connection, self.url, self.moment, wall, direction, op, value)

    def event(self, event: Any) -> Entry:
        return self.entry("here", event.name, event)


def conversation(told: Told) -> list[Entry]:
    """A connection that serves, and is closed by the server."""
    return [
        told.entry("here", "connect_start", {"poll": 5}),
        told.event(events.Connecting(told.url)),
        told.entry("here", "tls_wrapped", {"verify": True}),
        told.entry("out", "request", REQUEST),
        told.event(events.Connected(told.url or "")),
        told.entry("in", "socket_recv", 100),
        told.entry("in", "response", ANSWER),
        told.event(events.Ready(ANSWER, None, set())),
        told.entry("out", "text", "subscribe"),
        told.entry("in", "text", "welcome \u20ac\U0001f600"),
        told.entry("in", "binary", b"\x00\xff"),
        told.entry("in", "ping", b"p"),
        told.entry("out", "pong", b"p"),
        told.entry("in", "pong", b""),
        told.entry("in", "close", b"\x03\xe8bye"),
        told.entry("out", "close", b"\x03\xe8bye"),
        told.event(events.Disconnected("closed", True, ending=ending(kind="closed", by="server"))),
    ]


NAMES = [
    "connecting", "connected", "ready", "text", "binary", "ping", "pong", "closing", "disconnected",
]  # fmt: skip


def lines_of(*entries: Entry, **options: Any) -> list[dict[str, Any]]:
    """The lines that a recorder makes of entries."""
    found: list[dict[str, Any]] = []
    recorder = Recorder(found.append, **options)
    for entry in entries:
        recorder(entry)
    return found


def record(path: Path, *entries: Entry, **options: Any) -> Recorder:
    """Entries, recorded in a file; the recorder."""
    recorder = Recorder(path, **options)
    for entry in entries:
        recorder(entry)
    return recorder
