"""An echo server with a certificate that is not to be trusted."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trustme

from doors.raw_server import echo, raw_server

_PAST = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Certified:
    """Where it is, and the file of who signed its certificate."""

    url: str
    ca: str


@contextmanager
def certified(what: str) -> Iterator[Certified]:
    """The server; what is wrong with its certificate: "expired", "other name", or nothing."""
    authority = trustme.CA()
    name = "other.example" if what == "other name" else "127.0.0.1"
    over = _PAST if what == "expired" else None
    certificate = authority.issue_cert(name, not_before=over, not_after=over)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with (
        raw_server(echo, context=context) as server,
        authority.cert_pem.tempfile() as ca,
    ):
        yield Certified(server.url, ca)
