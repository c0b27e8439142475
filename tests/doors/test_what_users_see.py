"""The original's defects, each as a user would meet it, over real sockets (ids of the analysis)."""

from __future__ import annotations

import gc
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doors.descriptors import opened
from doors.peer_server import served
from lomond import WebSocket, constants
from lomond.errors import WebSocketUnavailable
from lomond.testing.echo import EchoServer
from lomond.testing.peer import Peer, Say, Talk
from refcounts import at_once
from scripted import is_silent

pytestmark = pytest.mark.every_door


@at_once
@pytest.mark.parametrize("moment", ["connecting", "connected", "ready", "poll", "protocol_error"])
@pytest.mark.parametrize("how", ["break", "exception", "drop"])
def test_leaving_the_loop_frees_the_socket_at_once_b6(moment: str, how: str) -> None:
    def nonsense(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=b"\xc1\x00")
        yield from peer.hear_end()

    with served(nonsense if moment == "protocol_error" else is_silent) as server:
        websocket = WebSocket(server.url)
        gc.collect()  # what earlier tests left, an event loop for one
        before = len(opened())
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
            after = len(opened())
        finally:
            gc.enable()
        # The server's own descriptor may come and go; ours is the socket.
        assert after <= before + 1
        assert websocket.is_closed
    if moment in ("ready", "poll"):
        assert server.peers[0].heard[-1].payload[:2] == (1001).to_bytes(2, "big")
    if moment == "protocol_error":
        assert server.peers[0].heard[-1].payload[:2] == (1002).to_bytes(2, "big")


def test_a_long_control_frame_is_a_protocol_error_b9() -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Say(b"\x89\x7e\x00\x7e" + bytes(126))
        yield from peer.hear_end()

    with served(talk) as server:
        names = [event.name for event in WebSocket(server.url)]
    assert names[-2:] == ["protocol_error", "disconnected"]


def test_sending_before_connecting_b17() -> None:
    websocket = WebSocket("ws://127.0.0.1:1/")
    websocket.close()
    assert websocket.is_active
    with pytest.raises(WebSocketUnavailable, match="not connected"):
        websocket.send_text("x")
    with pytest.raises(ValueError, match="close code 1005"):
        websocket.close(1005)


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
    url = "ws://user:secret@127.0.0.1:1/?token=secret"
    websocket = WebSocket(url, trace=True)
    assert websocket.url == url
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
    with pytest.raises(TypeError, match="proxies"):
        WebSocket("ws://h/", proxies=["http://p"])  # type: ignore[arg-type]  # wrong, on purpose
    with pytest.raises(TypeError, match=r"compress must be True, False or a lomond\.Deflate"):
        WebSocket("ws://h/", compress="yes")  # type: ignore[arg-type]  # wrong, on purpose


def test_the_proxy_of_the_environment_is_taken_where_none_is_given(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:1")
    assert [n for n in os.environ if n.lower().endswith("_proxy")] == ["http_proxy"]
    with EchoServer() as server:
        through, past = WebSocket(server.url), WebSocket(server.url, proxies={})
        monkeypatch.delenv("http_proxy")  # it is read when the WebSocket is made
        seen = list(through)
        assert [event.name for event in seen] == ["connecting", "connect_fail"]
        assert "unable to connect to proxy http://***@127.0.0.1:1;" in seen[-1].reason  # type: ignore[union-attr]  # the event that has it
        for event in past:
            if event.name == "ready":
                past.close()
        assert event.name == "disconnected"
    assert "secret" not in caplog.text + repr(seen) + repr(through)
    monkeypatch.setenv("http_proxy", "ftp://me:secret@h")
    with pytest.raises(ValueError, match=r"http_proxy.*\*\*\*@h"):
        WebSocket("ws://h/")


@pytest.mark.doors("sync")  # in which all of them are tried
def test_the_tests_run_whatever_proxies_are_set() -> None:
    test = f"{__file__}::test_the_proxy_of_the_environment_is_taken_where_none_is_given"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", test],
        env={**os.environ, "http_proxy": "http://127.0.0.1:9", "WS_PROXY": "http://127.0.0.1:9"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


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


@pytest.mark.doors("sync", "group")
def test_with_closes_the_socket() -> None:
    with EchoServer() as server:
        gc.collect()  # what earlier tests left, an event loop for one
        before = len(opened())
        with WebSocket(server.url) as websocket:
            stream = iter(websocket)
            while next(stream).name != "ready":
                pass
        assert websocket.is_closed
        assert [event.name for event in stream][-1] == "disconnected"
        assert len(opened()) <= before + 1


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
