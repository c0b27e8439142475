"""What is wrong with a server, or with the way to it: each as a handler for raw_server.py."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from time import monotonic
from typing import Any, NamedTuple

import pytest
import trustme

from doors.raw_server import (
    Handler,
    accept_upgrade,
    echo,
    frame,
    read_all,
    read_frame,
    read_request,
)
from lomond.cli import doctor
from lomond.protocol import frames

_STRIPPED = re.compile(rb"(?im)^(upgrade|connection):.*\r\n")


class Examined(NamedTuple):
    """What doctor has said, of which the lines are for people."""

    status: int
    findings: list[dict[str, Any]]

    def of(self, check: str) -> dict[str, Any]:
        """The one finding of that check."""
        (found,) = [one for one in self.findings if one["check"] == check]
        return found

    def worst(self) -> dict[str, Any]:
        """The one that failed."""
        (found,) = [one for one in self.findings if one["result"] == "fail"]
        return found

    def results(self) -> set[str]:
        return {one["result"] for one in self.findings}


def examine(capsys: pytest.CaptureFixture[str], *arguments: object) -> Examined:
    """Run doctor in this process; each of its lines is an object with the same keys."""
    status = doctor.run(["--jsonl", *map(str, arguments)])
    printed = capsys.readouterr()
    assert printed.err == ""
    findings = [json.loads(line) for line in printed.out.splitlines()]
    for one in findings:
        more = ["chain"] if one["check"] == "chain" else []
        assert list(one) == ["check", "result", "measured", "advice", "seconds", *more]
        assert one["result"] == "ok" or one["advice"], one
    assert findings[-1]["check"] == "python"  # what is here is told, whatever failed
    return Examined(status, findings)


def http_date(seconds_ahead: float = 0.0) -> bytes:
    moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds_ahead, UTC)
    return format_datetime(moment, usegmt=True).encode()


def answers(head: bytes, body: bytes = b"") -> Handler:
    """A handler that gives each request this answer, whatever it asks."""

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        length = b"Content-Length: %d\r\n" % len(body)
        connection.sendall(head + length + b"Connection: close\r\n\r\n" + body)

    return answer


def wants_origin(connection: socket.socket) -> None:
    """Refuse who does not say where it comes from."""
    request = read_request(connection)
    if b"\r\nOrigin: http" not in request:
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nno origin")
        return
    accept_upgrade(connection, request)
    echo(connection)


def never_answers_a_close(connection: socket.socket) -> None:
    """Answer pings alone."""
    while True:
        opcode, payload = read_frame(connection)
        if opcode == frames.PING:
            connection.sendall(frame(frames.PONG, payload))


def hangs_up_on_a_close(connection: socket.socket) -> None:
    """Answer pings, and a close by hanging up."""
    while True:
        opcode, payload = read_frame(connection)
        if opcode == frames.CLOSE:
            return
        connection.sendall(frame(frames.PONG, payload))


def never_answers_a_ping(connection: socket.socket) -> None:
    """Answer the close alone."""
    while True:
        opcode, payload = read_frame(connection)
        if opcode == frames.CLOSE:
            connection.sendall(frame(frames.CLOSE, payload))
            return


def cuts_the_silent(seconds: float) -> Handler:
    """A handler that hangs up when nothing has come for so long."""

    def serve(connection: socket.socket) -> None:
        connection.settimeout(seconds)
        echo(connection)

    return serve


def cuts_everybody(seconds: float) -> Handler:
    """A handler that hangs up after so long, or at a ping that is not of the five."""

    def serve(connection: socket.socket) -> None:
        connection.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            while True:  # which are answered, and count for nothing
                opcode, payload = read_frame(connection)
                if opcode == frames.CLOSE:
                    connection.sendall(frame(frames.CLOSE, payload))
                    return
                if payload.startswith(b"doctor"):
                    connection.sendall(frame(frames.PONG, payload))
                else:
                    return

    return serve


def pings_by_itself(connection: socket.socket) -> None:
    """Ping all the time; echo what comes."""
    connection.settimeout(0.2)
    while True:
        connection.sendall(frame(frames.PING, b"x"))
        with contextlib.suppress(TimeoutError):
            opcode, payload = read_frame(connection)
            if opcode == frames.PING:
                connection.sendall(frame(frames.PONG, payload))
            elif opcode == frames.CLOSE:
                connection.sendall(frame(frames.CLOSE, payload))
                return


def closes_with(code: int, text: bytes) -> Handler:
    """A handler that closes at once."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.CLOSE, text, code))
        read_all(connection)

    return serve


def closes_after(seconds: float, code: int, text: bytes) -> Handler:
    """A handler that answers pings and closes, and closes by itself after so long."""

    def serve(connection: socket.socket) -> None:
        over = monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            while (left := over - monotonic()) > 0:
                connection.settimeout(left)
                opcode, payload = read_frame(connection)
                if opcode == frames.CLOSE:
                    connection.sendall(frame(frames.CLOSE, payload))
                    return
                connection.sendall(frame(frames.PONG, payload))
        connection.settimeout(None)
        closes_with(code, text)(connection)

    return serve


def strips_upgrade(port: int) -> Handler:
    """A proxy before the server of that port that passes everything on but Upgrade."""

    def serve(connection: socket.socket) -> None:
        request = read_request(connection)
        with socket.create_connection(("127.0.0.1", port), 10) as server:
            server.sendall(_STRIPPED.sub(b"", request))
            answer = b""
            while b"\r\n\r\n" not in answer and (data := server.recv(65536)):
                answer += data
            connection.sendall(answer)

    return serve


@contextmanager
def filtered_port() -> Iterator[int]:
    """A port that answers no more: as many are waiting there as it lets wait."""
    waiting: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port: int = listener.getsockname()[1]
        try:
            for _ in range(8):
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(("127.0.0.1", port))
            yield port
        finally:
            for one in waiting:
                one.close()


def certified(authority: trustme.CA, *names: str, **times: Any) -> ssl.SSLContext:
    """A server's context, with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **times).configure_cert(context)
    return context


def chained(leaf: trustme.LeafCert, *above: trustme.CA) -> ssl.SSLContext:
    """A server's context that sends the certificate, and those of these authorities."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pems = [leaf.private_key_pem, leaf.cert_chain_pems[0], *(one.cert_pem for one in above)]
    with trustme.Blob(b"".join(pem.bytes() for pem in pems)).tempfile() as path:
        context.load_cert_chain(path)
    return context
