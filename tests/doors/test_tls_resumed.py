"""TLS sessions that are resumed, and above all those that are not."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from doors.raw_server import RawServer, raw_server, read_all, read_frame, read_request
from localhost import need_localhost
from lomond import WebSocket
from lomond.protocol import frames
from lomond.system import tickets, tls
from lomond.system.tickets import MOST, OLDEST, USES, Tickets

pytestmark = pytest.mark.every_door

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    tls.kept_context.cache_clear()
    yield
    tls.kept_context.cache_clear()


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@contextmanager
def telling(context: ssl.SSLContext) -> Iterator[tuple[RawServer, list[bool]]]:
    """A server that closes, and of each connection whether its session was resumed."""
    resumed: list[bool] = []

    def talk(connection: Any) -> None:
        resumed.append(bool(connection.session_reused))
        connection.sendall(frames.build(frames.CLOSE, b"\x03\xe8", None))
        read_frame(connection)
        read_all(connection)

    with raw_server(talk, context=context) as server:
        yield server, resumed


def connect(
    port: int, cafile: Path | None = None, host: str = "127.0.0.1", **options: Any
) -> list[Any]:
    """The events of a connection that was made for it."""
    options = {"ssl_cafile": cafile, **options}
    websocket = WebSocket(f"wss://{host}:{port}/", **options)
    return list(websocket.connect(ping_rate=0, poll=None))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_next_connection_to_the_same_server_resumes(
    version: ssl.TLSVersion, server_context: ssl.SSLContext, cafile: Path
) -> None:
    server_context.maximum_version = version
    with telling(server_context) as (server, resumed):
        seen = [connect(server.port, cafile) for _ in range(3)]
    assert resumed == [False, True, True]
    assert all(events[-1].graceful for events in seen)
    told = [event.tls for events in seen for event in events if event.name == "connected"]
    assert told[0].certificate is not None
    assert told[0] == told[1] == told[2]


def test_the_certificate_is_looked_at_again_after_some_connections(
    server_context: ssl.SSLContext, cafile: Path
) -> None:
    """One that was resumed gives a session too, which would go on for ever."""
    with telling(server_context) as (server, resumed):
        for _ in range(USES + 3):
            connect(server.port, cafile)
    assert resumed == [False, *[True] * USES, False, True]


def test_another_name_is_looked_for_in_the_certificate(
    server_context: ssl.SSLContext, cafile: Path
) -> None:
    """OpenSSL would not look at it again: see the next test."""
    with telling(server_context) as (server, resumed):
        connect(server.port, cafile)
        for _ in range(2):
            failed = connect(server.port, cafile, server_name="other.example")[-1]
            assert failed.name == "connect_fail"
            assert isinstance(failed.cause, ssl.SSLCertVerificationError)
            assert "other.example" in failed.reason
        connect(server.port, cafile)
    assert resumed == [False, True]


@pytest.mark.doors("sync")
def test_python_looks_at_no_name_of_a_session_that_is_resumed(
    server_context: ssl.SSLContext, cafile: Path
) -> None:
    """If it ever does, what the keys say of names need no longer be said."""
    context = ssl.create_default_context(cafile=cafile)
    session: ssl.SSLSession | None = None
    with telling(server_context) as (server, resumed):
        for name in ("localhost", "other.example"):
            with (
                socket.create_connection(("127.0.0.1", server.port)) as plain,
                context.wrap_socket(plain, server_hostname=name, session=session) as sock,
            ):
                sock.sendall(
                    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    b"Sec-WebSocket-Version: 13\r\n\r\n"
                )
                assert sock.recv(4096)
                session = sock.session
    assert resumed == [False, True]


def test_another_host_port_or_context_has_sessions_of_its_own(
    server_context: ssl.SSLContext, authority: trustme.CA, cafile: Path, tmp_path: Path
) -> None:
    need_localhost()
    other_file = tmp_path / "other.pem"
    authority.cert_pem.write_to_path(str(other_file))
    with (
        telling(server_context) as (server, resumed),
        telling(server_context) as (other, resumed_there),
    ):
        connect(server.port, cafile)
        connect(server.port, cafile, host="localhost")
        connect(server.port, other_file)
        connect(other.port, cafile)
    assert resumed == [False, False, False]
    assert resumed_there == [False]


def own(authority: trustme.CA, cafile: Path, port: int) -> dict[str, Any]:
    """A context of the user's, of which nobody knows whom it names."""
    context = ssl.create_default_context(cafile=cafile)
    return {"ssl_context": context}


def unverified(authority: trustme.CA, cafile: Path, port: int) -> dict[str, Any]:
    return {"ssl_verify": False}


def given(authority: trustme.CA, cafile: Path, port: int) -> dict[str, Any]:
    """A socket that may lead anywhere."""
    return {"socket": socket.create_connection(("127.0.0.1", port)), "ssl_cafile": cafile}


@pytest.mark.parametrize("options", [own, unverified, given])
def test_what_is_never_resumed(
    options: Callable[[trustme.CA, Path, int], dict[str, Any]],
    server_context: ssl.SSLContext,
    authority: trustme.CA,
    cafile: Path,
) -> None:
    with telling(server_context) as (server, resumed):
        shared = None
        for _ in range(3):
            if shared is None or options is given:
                shared = options(authority, cafile, server.port)
            connect(server.port, **shared)
    assert resumed == [False, False, False]


def test_another_certificate_of_ours_is_another_session(
    server_context: ssl.SSLContext, authority: trustme.CA, cafile: Path, tmp_path: Path
) -> None:
    server_context.verify_mode = ssl.CERT_OPTIONAL
    authority.configure_trust(server_context)
    whose: list[Any] = []

    def talk(connection: Any) -> None:
        subject = (connection.getpeercert() or {}).get("subjectAltName")
        whose.append((connection.session_reused, subject and subject[0][1]))
        connection.sendall(frames.build(frames.CLOSE, b"\x03\xe8", None))
        read_frame(connection)
        read_all(connection)

    files = {}
    for name in ("anna@example.org", "bert@example.org"):
        files[name] = tmp_path / f"{name}.pem"
        authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(files[name]))
    order = ["anna@example.org", "bert@example.org", None, "anna@example.org"]
    with raw_server(talk, context=server_context) as server:
        for name in order:
            certfile = None if name is None else files[name]
            connect(server.port, cafile, ssl_certfile=certfile)
    assert [name for _, name in whose] == order
    assert [bool(reused) for reused, _ in whose] == [False, False, False, True]


def test_a_redirect_resumes_nothing(server_context: ssl.SSLContext, cafile: Path) -> None:
    with telling(server_context) as (server, resumed):
        connect(server.port, cafile)
        there = f"https://127.0.0.1:{server.port}/"
        redirect = f"HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n"

        def send_on(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(redirect.encode())

        with raw_server(send_on, upgrades=False, context=server_context) as first:
            for _ in range(2):
                events = connect(first.port, cafile, max_redirects=1)
                assert events[-1].graceful
        connect(server.port, cafile)
    assert resumed == [False, False, False, True]


class Turns:
    """Contexts of a server, one for each connection."""

    def __init__(self, *contexts: ssl.SSLContext) -> None:
        self._contexts = iter(contexts)

    def wrap_socket(self, sock: socket.socket, server_side: bool) -> ssl.SSLSocket:
        return next(self._contexts).wrap_socket(sock, server_side=server_side)


def test_a_handshake_that_fails_takes_the_session_with_it(
    server_context: ssl.SSLContext, cafile: Path
) -> None:
    """A stranger on the same port, who can't resume it, and then the old server again."""
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(stranger)
    turns: Any = Turns(server_context, stranger, server_context, server_context)
    with telling(turns) as (server, resumed):
        names = [connect(server.port, cafile)[-1].name for _ in range(4)]
    assert names == ["disconnected", "connect_fail", "disconnected", "disconnected"]
    assert resumed == [False, False, True]


def test_a_server_that_wants_no_session_is_given_none_again(
    server_context: ssl.SSLContext, authority: trustme.CA, cafile: Path
) -> None:
    """It has other keys now, and what it gives then is resumed."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(other)
    turns: Any = Turns(server_context, other, other)
    with telling(turns) as (server, resumed):
        assert all(connect(server.port, cafile)[-1].graceful for _ in range(3))
    assert resumed == [False, False, True]


@pytest.mark.doors("sync")
def test_a_server_that_others_wrote(
    server_context: ssl.SSLContext, authority: trustme.CA, cafile: Path, tmp_path: Path
) -> None:
    """OpenSSL's own tells on its page whether it has resumed a session."""
    pem = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(pem), "-www"]
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ACCEPT"):
                break
        pages = []
        for _ in range(3):
            rejected = connect(port, cafile)[-2]
            assert rejected.name == "rejected"
            pages.append(rejected.response.body.decode())
    finally:
        process.terminate()
        process.communicate()
    assert ["Reused, TLSv1.3" in page for page in pages] == [False, True, True]


# The store itself


def session() -> Any:
    """What stands for one of ssl's, which can't be made: nobody looks into it."""
    return object()


@pytest.mark.doors("sync")
def test_only_so_many_are_kept_the_latest_used_ones() -> None:
    store, one = Tickets(), session()
    for number in range(MOST):
        store.keep(number, one)
    assert store.take(0) is one
    store.keep(MOST, one)
    assert store.take(1) is None
    assert store.take(0) is store.take(2) is store.take(MOST) is one


@pytest.mark.doors("sync")
def test_an_old_one_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(tickets, "monotonic", lambda: now[0])
    store, one = Tickets(), session()
    for age, found in ((OLDEST - 0.001, one), (OLDEST, None)):
        store.keep("key", one)
        now[0] += age
        assert store.take("key") is found
    assert store.is_missing("key")


@pytest.mark.doors("sync")
def test_a_child_resumes_nothing_of_its_parents() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tickets.allow(context)
    ours = tickets.resumable(context, "key")
    assert ours is not None
    ours.keep(session())
    child = os.fork()
    if child == 0:
        os._exit(0 if ours.is_missing() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not ours.is_missing()


@pytest.mark.doors("sync")
def test_a_context_that_is_gone_takes_its_sessions_along(cafile: Path) -> None:
    context = tls.make_context(True, str(cafile))
    assert tickets.resumable(context, "key") is not None
    before = len(tickets.allowed)
    tls.kept_context.cache_clear()
    del context
    assert len(tickets.allowed) == before - 1


@pytest.mark.doors("sync")
def test_a_users_context_that_is_no_key() -> None:
    class Odd(ssl.SSLContext):
        __hash__ = None  # type: ignore[assignment]  # so Python says it

    assert tickets.resumable(Odd(ssl.PROTOCOL_TLS_CLIENT), "key") is None
