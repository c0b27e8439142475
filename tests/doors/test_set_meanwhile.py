"""What is set behind `connect()` is for the next connection: every option, also before Connecting.

For each there is a case below that tells how it shows; the walk over `NAMES` misses none.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from doors.raw_server import accept_upgrade, frame, raw_server, read_all, read_frame, read_request
from lomond import WebSocket
from lomond.cookies import keep
from lomond.errors import WebSocketError
from lomond.protocol import frames
from lomond.settable import NAMES
from lomond.system import connecting, tls
from lomond.system.sockets import SocketSettings

pytestmark = pytest.mark.every_door

CLOSE = frame(frames.CLOSE, code=1000)
COOKIES = b"Set-Cookie: a=%s; Path=/\r\nSet-Cookie: b=y; Path=/\r\n" % (b"x" * 100)
Handler = Callable[[socket.socket], None]


@lru_cache(maxsize=1)
def authority() -> trustme.CA:
    return trustme.CA()


@lru_cache(maxsize=1)
def of_server() -> trustme.LeafCert:
    return authority().issue_cert("127.0.0.1")


class Place:
    """Where a case plays.

    Arguments:
        folder: For files.
        stack: Closes what was opened for it.

    Attributes:
        port: Of the server.
        is_over: Whether it is, for its server.
        requests: What came there.
        seen: What else there is to see.
    """

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.port = 0
        self.is_over = threading.Event()
        self.requests: list[bytes] = []
        self.seen: list[Any] = []

    @cached_property
    def files(self) -> dict[str, str]:
        """Our certificate, its key with a password, both without, and who signs all of them."""
        leaf = authority().issue_cert("me.example")
        plain, certificate = leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()
        locked = serialization.load_pem_private_key(plain, None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"right"),
        )
        other = authority().issue_cert("other.example").private_key_pem.bytes()
        ca = authority().cert_pem.bytes()
        files = {"ca": ca, "cert": certificate, "key": locked, "other": other}
        for name, data in {**files, "both": plain + certificate}.items():
            (self.folder / name).write_bytes(data)
        return {name: str(self.folder / name) for name in [*files, "both"]}

    def trusting(self) -> ssl.SSLContext:
        """A client's context."""
        return ssl.create_default_context(cafile=self.files["ca"])

    def dead(self) -> str:
        """Where nobody listens."""
        listener = self.stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"

    def dangling(self) -> socket.socket:
        """A connected socket, whose peer has gone."""
        here, there = socket.socketpair()
        there.close()
        return self.stack.enter_context(here)

    def jar(self) -> CookieJar:
        """A cookie of a server; what stays there in the end is seen."""
        jar = CookieJar()
        keep(jar, "ws://127.0.0.1/", [("Set-Cookie", "old=1; Path=/")])
        self.seen.append(jar)
        return jar


# What the servers do, behind the request, which is read already


Act = Callable[[socket.socket, Place], None]


def says(data: bytes = b"", extra: bytes = b"", first: bytes = b"") -> Act:
    """Accepts, hears a message, says so much, and closes."""

    def act(connection: socket.socket, place: Place) -> None:
        connection.sendall(first)
        accept_upgrade(connection, place.requests[-1], extra)
        read_frame(connection)
        connection.sendall(data + CLOSE)
        read_all(connection)

    return act


def refuses(head: bytes, body: bytes = b"") -> Act:
    def act(connection: socket.socket, place: Place) -> None:
        connection.sendall(b"%s\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body))

    return act


def is_silent(connection: socket.socket, place: Place) -> None:
    place.is_over.wait(10)


def reads_nothing(connection: socket.socket, place: Place) -> None:
    accept_upgrade(connection, place.requests[-1])
    place.is_over.wait(10)


def speaks_first(connection: socket.socket, place: Place) -> None:
    accept_upgrade(connection, place.requests[-1])
    connection.sendall(frame(frames.BINARY, bytes(10_000)) * 1000)
    read_frame(connection)
    connection.sendall(CLOSE)
    read_all(connection)


def stalls(connection: socket.socket, place: Place) -> None:
    accept_upgrade(connection, place.requests[-1])
    connection.sendall(b"\x81\x05ab")
    read_all(connection)


def hears(connection: socket.socket, place: Place) -> None:
    accept_upgrade(connection, place.requests[-1])
    place.seen.append(read_frame(connection))
    connection.sendall(CLOSE)
    read_all(connection)


def is_a_proxy(connection: socket.socket, place: Place) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    place.requests.append(read_request(connection))
    says()(connection, place)


class Case(NamedTuple):
    """How an option shows. The values are asked for with the place, where they are functions."""

    value: Any  #: what it is set to
    before: Any = None  #: the options at first
    act: Act = says()
    secure: bool = False  #: whether the server speaks TLS
    scheme: str = ""  #: of the URL, if not the server's
    size: int = 2  #: of the message that is sent
    sent_at: str = "ready"
    sends: str = "send_text"


def trusting(place: Place) -> dict[str, Any]:
    return {"ssl_cafile": place.files["ca"]}


def with_jar(place: Place) -> dict[str, Any]:
    return {"cookies": place.jar()}


def of_ours(place: Place) -> dict[str, Any]:
    files = place.files
    key = {"ssl_keyfile": files["key"], "ssl_password": "right"}
    return {"ssl_cafile": files["ca"], "ssl_certfile": files["cert"], **key}


def by_proxy(place: Place) -> dict[str, Any]:
    return {"proxies": {"http": f"https://127.0.0.1:{place.port}"}}


TEXT = says(frame(frames.TEXT, b"xy"))
SETS_COOKIES = says(extra=COOKIES)
CASES = {
    "loads": Case(lambda place: len, None, says(frame(frames.TEXT, b"[1]"))),
    "dumps": Case(lambda place: repr, None, hears, sends="send_json"),
    "url": Case(lambda place: f"ws://127.0.0.1:{place.port}/other"),
    "scheme": Case("wss"),
    "host": Case("127.0.0.9"),
    "port": Case(lambda place: int(place.dead().split(":")[1])),
    "resource": Case("/other"),
    "proxies": Case(lambda place: {"http": place.dead()}),
    "protocols": Case(["chat"]),
    "agent": Case("me"),
    "compress": Case(True),
    "ssl_verify": Case(False, secure=True),
    "ssl_cafile": Case(lambda place: place.files["ca"], secure=True),
    "ssl_context": Case(Place.trusting, secure=True),
    "trace": Case(lambda place: place.seen.append),
    "record": Case(lambda place: place.seen.append),
    "headers": Case({"X-New": "1"}),
    "origin": Case("https://example.org"),
    "cookies": Case({"a": "b"}),
    "auth": Case("token"),
    "max_redirects": Case(1, None, refuses(b"HTTP/1.1 302 Onward\r\nLocation: /on")),
    "ssl_certfile": Case(lambda place: place.files["both"], trusting, secure=True),
    "ssl_keyfile": Case(lambda place: place.files["other"], of_ours, secure=True),
    "ssl_password": Case("wrong", of_ours, secure=True),
    "truststore": Case(True, trusting, secure=True),  # which exclude each other
    "proxy_ssl_context": Case(Place.trusting, by_proxy, is_a_proxy, secure=True, scheme="ws"),
    "server_name": Case("example.org", trusting, secure=True),
    "socket": Case(Place.dangling),
    "unix_socket": Case(lambda place: str(place.folder / "nope")),
    "source_address": Case(("127.0.0.2", 0)),
    "socket_options": Case([(socket.SOL_SOCKET, 9999, 1)]),
    "tcp_keepalive": Case(5),
    # Long enough for a busy machine to connect in: it is the answer that does not come.
    "open_timeout": Case(0.6, {"open_timeout": 0.4}, is_silent),
    "send_timeout": Case(0.2, {"send_timeout": 0.1}, reads_nothing, size=16_000_000),
    "frame_timeout": Case(0.1, {"frame_timeout": 0.05}, stalls),
    "max_message_size": Case(1, None, TEXT),
    "parts": Case(4, None, says(frame(frames.TEXT, b"longer"))),
    "max_fragments": Case(1, None, says(b"\x01\x01a\x80\x01b")),
    "max_header_size": Case(50),
    "max_header_lines": Case(1),
    "max_header_line": Case(10),
    "max_interim_responses": Case(0, None, says(first=b"HTTP/1.1 100 Continue\r\n\r\n")),
    "max_body_size": Case(2, None, refuses(b"HTTP/1.1 503 Busy", b"so busy")),
    "max_cookie_size": Case(10, with_jar, SETS_COOKIES),
    "max_cookies_set": Case(1, with_jar, SETS_COOKIES),
    "max_domain_cookies": Case(1, with_jar, SETS_COOKIES),
    "max_cookies": Case(1, with_jar, SETS_COOKIES),
    "max_cookie_header": Case(1, with_jar, SETS_COOKIES),
    "max_read_ahead": Case(1, {"send_timeout": 0.3}, speaks_first, size=12_000_000),
    "max_held": Case(1, sent_at="connected"),
}


# What there is to see


@contextlib.contextmanager
def playing(case: Case, folder: Path) -> Iterator[Place]:
    """The server of a case."""
    context = None
    if case.secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        of_server().configure_cert(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        authority().configure_trust(context)

    def serve(connection: socket.socket) -> None:
        if isinstance(connection, ssl.SSLSocket):
            place.seen.append(bool(connection.getpeercert()))
        elif connection.recv(1, socket.MSG_PEEK) == b"\x16":  # TLS
            return
        place.seen.append(connection.getpeername()[0])
        place.requests.append(read_request(connection))
        case.act(connection, place)

    with contextlib.ExitStack() as stack:
        place = Place(folder, stack)
        server = stack.enter_context(raw_server(serve, context=context, upgrades=False))
        stack.callback(place.is_over.set)
        place.port = server.port
        yield place
    tls.kept_context.cache_clear()


def given(value: Any, place: Place) -> Any:
    return value(place) if callable(value) else value


def shown(case: Case, name: str, folder: Path, when: str) -> Any:
    """All that a connection shows whose option was set then."""
    with playing(case, folder) as place, pytest.MonkeyPatch.context() as patch:

        def apply(sock: socket.socket, settings: SocketSettings) -> None:
            place.seen.append(settings.keepalive)
            applies(sock, settings)

        applies: Any = vars(connecting)["apply"]
        patch.setattr(connecting, "apply", apply)
        scheme = case.scheme or ("wss" if case.secure else "ws")
        before = {"proxies": {}, **(given(case.before, place) or {})}
        websocket = WebSocket(f"{scheme}://127.0.0.1:{place.port}/", **before)
        value = given(case.value, place)
        if when == "before":
            setattr(websocket, name, value)
        try:
            stream = websocket.connect(poll=None, ping_rate=0)
        except ValueError as error:
            return str(error)
        if when == "behind":
            setattr(websocket, name, value)
        events: list[tuple[str, Any, bytes]] = []
        for event in stream:
            said = (getattr(event, "reason", ""), getattr(event, "response", None))
            events.append((event.name, said[0], getattr(said[1], "body", b"")))
            if event.name == "text":
                with contextlib.suppress(ValueError):
                    place.seen.append(event.json)
            if event.name == case.sent_at:
                try:
                    getattr(websocket, case.sends)("x" * case.size)
                except WebSocketError as error:
                    events.append(("failed", str(error), b""))
                    websocket.close()
        seen = [sorted(c.name for c in s) if isinstance(s, CookieJar) else s for s in place.seen]
        # What is different each time: ports, keys, dates of records.
        keys = re.compile(rb"(?<=Sec-WebSocket-Key: )\S+|(?<=127.0.0.1:)\d+")
        return (
            re.sub(r":\d+\b", ":port", repr(events)),
            [keys.sub(b"", request) for request in place.requests],
            [s.get("stage") or s["op"] if isinstance(s, dict) else s for s in seen],
        )


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_set_behind_connect_is_for_the_next_connection(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    if name == "truststore":
        pytest.importorskip("truststore")
    never = shown(case, name, tmp_path, "never")
    assert shown(case, name, tmp_path, "before") != never  # it shows
    assert shown(case, name, tmp_path, "behind") == never


def test_no_case_is_of_no_option() -> None:
    assert CASES.keys() == NAMES


def test_a_header_that_is_added_behind_connect_too() -> None:
    with playing(CASES["headers"], Path()) as place:
        websocket = WebSocket(f"ws://127.0.0.1:{place.port}/", proxies={})
        stream = websocket.connect(poll=None, ping_rate=0)
        websocket.add_header(b"X-New", b"1")
        for event in stream:
            if event.name == "ready":
                websocket.send_text("x")
        assert b"X-New" not in place.requests[0]
