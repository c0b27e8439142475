"""The original's defects, each as a user would meet it, over real sockets (ids of the analysis)."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from doors.peer_server import served
from lomond import WebSocket, constants
from lomond.errors import TransportFail, WebSocketError, WebSocketUnavailable
from lomond.events import AnyEvent
from lomond.protocol import frames
from lomond.testing.echo import EchoServer
from lomond.testing.peer import Hear, Peer, Say, Talk, say


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def silent(peer: Peer) -> Talk:
    yield from peer.upgrade()
    while (yield Hear()):
        pass


def listens(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_end()


def test_two_sides_that_both_write_do_not_hang_b2() -> None:
    def writes_before_reading(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(100):
            frame = yield from peer.hear_until(frames.BINARY)
            assert frame is not None
            yield say(frames.BINARY, frame.payload)

    message = bytes(256 * 1024)
    received = 0
    with served(writes_before_reading) as server:
        websocket = WebSocket(server.url, send_timeout=10)
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                for _ in range(100):
                    websocket.send_binary(message)
            elif event.name == "binary":
                received += len(event.data)
    assert received == 100 * len(message)


def test_a_server_that_never_reads_ends_the_send_b2() -> None:
    release = threading.Event()

    def deaf(peer: Peer) -> Talk:
        yield from peer.upgrade()
        release.wait(10)

    with served(deaf) as server:
        websocket = WebSocket(server.url, send_timeout=0.3)
        last: AnyEvent | None = None
        for event in websocket.connect(ping_rate=0):
            last = event
            if event.name == "ready":
                with pytest.raises(TransportFail, match="send_timeout"):
                    websocket.send_binary(bytes(16 * 1024 * 1024))
                with pytest.raises(WebSocketUnavailable):
                    websocket.send_text("more")
        release.set()
    assert last is not None
    assert last.name == "disconnected"
    assert last.phase == "write"


def test_close_from_a_thread_returns_while_a_send_is_stuck_b2() -> None:
    release = threading.Event()

    def deaf(peer: Peer) -> Talk:
        yield from peer.upgrade()
        release.wait(10)

    def send() -> None:
        with pytest.raises(WebSocketError):
            websocket.send_binary(bytes(16 * 1024 * 1024))

    with served(deaf) as server:
        websocket = WebSocket(server.url, send_timeout=5)
        sender = threading.Thread(target=send)
        for event in websocket.connect(ping_rate=0, poll=0.2, close_timeout=0.5):
            if event.name == "poll" and not sender.ident:
                sender.start()
            elif event.name == "poll":
                websocket.close()
        assert websocket.is_closed
        release.set()
        sender.join(10)
        assert not sender.is_alive()


def test_a_silent_upgrade_ends_b3() -> None:
    def mute(peer: Peer) -> Talk:
        while (yield Hear()):
            pass

    with served(mute) as server:
        events = list(WebSocket(server.url, open_timeout=0.2))
    assert [event.name for event in events] == ["connecting", "connected", "disconnected"]
    assert "open_timeout" in repr(events[-1])


@pytest.mark.parametrize("moment", ["connecting", "connected", "ready", "poll", "protocol_error"])
@pytest.mark.parametrize("how", ["break", "exception", "drop"])
def test_leaving_the_loop_frees_the_socket_at_once_b6(moment: str, how: str) -> None:
    def nonsense(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=b"\xc1\x00")
        yield from peer.hear_end()

    with served(nonsense if moment == "protocol_error" else listens) as server:
        websocket = WebSocket(server.url)
        before = descriptors()
        gc.disable()
        try:
            if how == "drop":
                stream = iter(websocket)
                while next(stream).name != moment:
                    pass
                del stream
            else:
                try:
                    for event in websocket:
                        if event.name == moment:
                            if how == "break":
                                break
                            raise LookupError
                except LookupError:
                    pass
            after = descriptors()
        finally:
            gc.enable()
        # The server's own descriptor may come and go; ours are a socket and a pair.
        assert after <= before + 1
        assert websocket.is_closed
    if moment in ("ready", "poll"):
        assert server.peers[0].heard[-1].payload[:2] == (1001).to_bytes(2, "big")
    if moment == "protocol_error":
        assert server.peers[0].heard[-1].payload[:2] == (1002).to_bytes(2, "big")


def test_sending_while_another_thread_reconnects_raises_lomonds_errors_only_b7() -> None:
    with EchoServer() as server:
        websocket = WebSocket(server.url)
        stopped = threading.Event()
        odd: list[BaseException] = []

        def send() -> None:
            while not stopped.is_set():
                try:
                    websocket.send_text("x")
                except WebSocketError:
                    pass
                except BaseException as error:
                    odd.append(error)

        sender = threading.Thread(target=send)
        sender.start()
        for _ in range(20):
            for event in websocket:
                if event.name == "text":
                    break
        stopped.set()
        sender.join()
    assert odd == []


def test_a_long_control_frame_is_a_protocol_error_b9() -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Say(b"\x89\x7e\x00\x7e" + bytes(126))
        yield from peer.hear_end()

    with served(talk) as server:
        names = [event.name for event in WebSocket(server.url)]
    assert names[-2:] == ["protocol_error", "disconnected"]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_port(authority: trustme.CA) -> int:
    """A server that shakes hands and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


def test_an_untrusted_certificate_is_said_b12(tls_port: int) -> None:
    _connecting, failed = WebSocket(f"wss://127.0.0.1:{tls_port}/")
    assert failed.name == "connect_fail"
    assert failed.phase == "tls"
    assert isinstance(failed.cause, ssl.SSLCertVerificationError)
    assert "ssl_cafile" in failed.reason
    assert failed.elapsed is not None
    assert failed.address == f"127.0.0.1:{tls_port}"


def test_a_wrong_host_name_is_said_b12(
    tls_port: int, authority: trustme.CA, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    _, failed = WebSocket(f"https://127.0.0.1:{tls_port}/", ssl_cafile=file)
    assert failed.name == "connect_fail"
    assert "server_name" in failed.reason


def test_a_context_of_the_user_is_not_changed_s1(tls_port: int, authority: trustme.CA) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, failed = WebSocket(
            f"wss://127.0.0.1:{tls_port}/", ssl_context=context, server_name="localhost"
        )
    assert failed.name == "connect_fail"
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3


def test_sending_before_connecting_b17() -> None:
    websocket = WebSocket("ws://127.0.0.1:1/")
    websocket.close()
    assert websocket.is_active
    with pytest.raises(WebSocketUnavailable, match="not connected"):
        websocket.send_text("x")
    with pytest.raises(ValueError, match="close code 1005"):
        websocket.close(1005)


def test_a_second_iteration_ends_the_first_b18() -> None:
    with EchoServer() as server:
        websocket = WebSocket(server.url)
        first = iter(websocket)
        while next(first).name != "ready":
            pass
        second = iter(websocket)
        while next(second).name != "ready":
            pass
        last = list(first)[-1]
        assert last.name == "disconnected"
        assert last.reason == "replaced by a new connection"
        assert websocket.is_active
        websocket.close()
        assert [event.name for event in second][-2:] == ["closed", "disconnected"]


def test_force_disconnect_raises_nothing_b19() -> None:
    with EchoServer() as server:
        websocket = WebSocket(server.url)
        websocket.force_disconnect()
        for event in websocket:
            if event.name == "ready":
                websocket.force_disconnect()
        assert event.name == "disconnected"
        assert not event.graceful


EVIL = "x\r\nInjected: yes"


@pytest.mark.parametrize(
    "inject",
    [
        lambda: WebSocket("ws://h/", agent=EVIL),
        lambda: WebSocket("ws://h/", headers={"X": EVIL}),
        lambda: WebSocket("ws://h/", headers={EVIL: "x"}),
        lambda: WebSocket("ws://h/", protocols=[EVIL]),
        lambda: WebSocket("ws://h/").add_header(b"X", EVIL.encode()),
        lambda: WebSocket(f"ws://h/{EVIL}"),
    ],
)
def test_line_breaks_can_not_get_into_the_request_s4(inject: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"holds|token"):
        inject()


def test_no_password_and_no_platform_is_shown_s5(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    websocket = WebSocket("ws://user:secret@127.0.0.1:1/", trace=True)
    shown = repr(websocket) + "".join(repr(event) for event in websocket) + caplog.text
    assert "secret" not in shown
    assert constants.USER_AGENT.startswith("Lomond/")
    assert "Linux" not in constants.USER_AGENT


def test_what_connect_does_not_take_any_more_is_explained() -> None:
    websocket = WebSocket("ws://127.0.0.1:1/")
    for arguments, keywords in [((object,), {}), ((), {"session_class": object})]:
        with pytest.raises(TypeError, match=r"ssl_context=, server_name= or socket="):
            websocket.connect(*arguments, **keywords)
    with pytest.raises(TypeError, match="no argument speed"):
        websocket.connect(speed=1)
    with pytest.raises(NotImplementedError, match="proxies"):
        WebSocket("ws://h/", proxies={"http": "http://p"})
    with pytest.raises(TypeError, match=r"compress must be True, False or a lomond\.Deflate"):
        WebSocket("ws://h/", compress="yes")  # type: ignore[arg-type]


def test_a_proxy_of_the_environment_is_ignored_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("https_proxy", "http://secret@proxy")
    monkeypatch.setenv("HTTP_PROXY", "http://secret@proxy")
    WebSocket("ws://h/")
    (record,) = caplog.records
    assert "https_proxy" in record.getMessage()
    assert "secret" not in caplog.text


def test_a_trace_callable_may_send_and_may_raise_b16() -> None:
    stages: list[str] = []
    with EchoServer() as server:

        def trace(record: dict[str, object]) -> None:
            stages.append(str(record["stage"]))
            if record["stage"] == "message_text" and stages.count("send_text") < 3:
                websocket.send_text("from the trace")
            raise RuntimeError("a callable that fails")

        logging.getLogger("lomond").disabled = True
        try:
            websocket = WebSocket(server.url, trace=trace)
            texts = 0
            for event in websocket.connect(ping_rate=0):
                if event.name == "ready":
                    websocket.send_text("x")
                elif event.name == "text":
                    texts += 1
                    if texts == 3:
                        websocket.close()
        finally:
            logging.getLogger("lomond").disabled = False
    assert texts == 3
    assert stages[0] == "connect_start"
    assert {"socket_send", "socket_recv", "handshake_ready", "close_requested"} <= set(stages)


def test_a_close_from_a_thread_wakes_the_loop() -> None:
    with EchoServer() as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                threading.Timer(0.05, websocket.close).start()
        assert event.name == "disconnected"
        assert event.graceful


def test_with_closes_the_socket() -> None:
    with EchoServer() as server:
        before = descriptors()
        with WebSocket(server.url) as websocket:
            stream = iter(websocket)
            while next(stream).name != "ready":
                pass
        assert websocket.is_closed
        assert [event.name for event in stream][-1] == "disconnected"
        assert descriptors() <= before + 1


def test_a_connected_socket_of_the_user() -> None:
    with EchoServer() as server:
        websocket = WebSocket("ws://name.invalid/")
        port = int(server.url.rpartition(":")[2].strip("/"))
        websocket.socket = socket.create_connection(("127.0.0.1", port))
        for event in websocket:
            if event.name == "poll":
                websocket.close()
        assert event.name == "disconnected"
        _, failed = websocket
        assert failed.name == "connect_fail"
        assert "used by an earlier connection" in failed.reason
