"""A send that can't be done says so to whoever sends, and to the loop; it holds up nobody."""

from __future__ import annotations

import errno
import os
import signal
import socket
from types import FrameType

import pytest

from doors.raw_server import frame, listens_into, raw_server, read_all, read_frame, until
from doors.signals import handled
from doors.tapped import LoopSight, Tapped, conversation, in_thread
from lomond import WebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.events import Disconnected
from lomond.protocol import frames
from patience import PATIENCE

pytestmark = pytest.mark.threads

SIZES = {"short": 10, "long": 300 * 1024}  # in one call with the lock held, and not


@pytest.mark.parametrize("where", ["the loop", "a thread"])
@pytest.mark.parametrize("number", [errno.EPIPE, errno.ECONNRESET, errno.EHOSTUNREACH])
@pytest.mark.parametrize("kind", SIZES)
def test_a_send_that_fails_is_told_to_the_sender_and_to_the_loop(
    kind: str, number: int, where: str
) -> None:
    failed: list[TransportFail] = []
    error = OSError(number, os.strerror(number))

    def fail(data: bytes) -> int:
        raise error

    def send() -> None:
        with pytest.raises(TransportFail) as caught:
            websocket.send_binary(bytes(SIZES[kind]))
        failed.append(caught.value)

    with conversation(read_all) as (sock, websocket, stream):
        websocket.send_text("it may have come")
        sock.on_send = fail
        if where == "the loop":
            send()
            (last,) = stream
        else:
            sender = in_thread(send)
            (last,) = stream
            sender.join(PATIENCE)
        assert isinstance(last, Disconnected)
        assert not last.graceful
        assert last.phase == "write"
        assert (type(last.cause), last.cause and last.cause.args) == (type(error), error.args)
        assert os.strerror(number) in last.reason
        assert failed[0].__cause__ is error
        assert failed[0].cause is error
        assert last.ending.unconfirmed == len("it may have come")
        assert failed[0].ending is last.ending
        with pytest.raises(WebSocketUnavailable):
            websocket.send_text("late")


def test_a_send_that_fails_because_the_connection_was_ended_says_who_ended_it() -> None:
    def end(data: bytes) -> int:
        websocket.force_disconnect()  # as any thread may, or the loop when a timer is due
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with conversation(read_all) as (sock, websocket, stream):
        sock.on_send = end
        with pytest.raises(TransportFail, match="disconnected by the user"):
            websocket.send_binary(bytes(SIZES["long"]))
        (last,) = stream
        assert last.reason == "disconnected by the user"  # type: ignore[union-attr]  # the event that has it


def test_an_interrupted_send_keeps_its_traceback_and_the_event_its_cause() -> None:
    def interrupt(data: bytes) -> int:
        raise KeyboardInterrupt("here")

    with conversation(read_all) as (sock, websocket, stream):
        sock.on_send = interrupt
        with pytest.raises(KeyboardInterrupt) as caught:
            websocket.send_binary(b"x")
        (last,) = stream
    assert caught.traceback[-1].name == "interrupt"
    cause = last.cause  # type: ignore[union-attr]  # a Disconnected
    assert (type(cause), cause.args, cause.__traceback__) == (KeyboardInterrupt, ("here",), None)


def test_a_send_that_fails_ends_a_loop_that_waits_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sight = LoopSight(monkeypatch)

    def fail(data: bytes) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    def send() -> None:
        assert sight.waits.wait(PATIENCE)
        sock.on_send = fail
        with pytest.raises(TransportFail):
            websocket.send_text("x")

    with conversation(read_all) as (sock, websocket, stream):
        sight.waits.clear()
        sender = in_thread(send)
        (last,) = stream
        sight.end()
        sender.join(PATIENCE)
        assert "Broken pipe" in last.reason  # type: ignore[union-attr]  # a Disconnected


def test_while_a_large_message_is_written_another_thread_can_close_at_once() -> None:
    heard: list[tuple[int, bytes]] = []
    was_held_up: list[bool] = []

    def take(data: bytes) -> int:
        if not was_held_up:
            closer = in_thread(websocket.close)
            closer.join(2)
            was_held_up.append(closer.is_alive())
        return sock.take_all(data)

    with conversation(listens_into(heard), close_timeout=1) as (sock, websocket, stream):
        sock.on_send = take
        websocket.send_binary(bytes(SIZES["long"]))
        assert was_held_up == [False]
        until(stream, "disconnected")
    assert [opcode for opcode, _ in heard] == [frames.BINARY, frames.CLOSE]


def take_half(sock: Tapped, data: bytes) -> int:
    """The system takes half of it, and a signal comes."""
    half = sock.take_all(data[: len(data) // 2])
    signal.raise_signal(signal.SIGUSR1)
    return half


@pytest.mark.parametrize("what", ["a message", "a ping", "a large message"])
@pytest.mark.parametrize("kind", SIZES)
def test_a_signal_handler_that_interrupts_a_send_can_not_send(kind: str, what: str) -> None:
    heard: list[tuple[int, bytes]] = []
    refused: list[str] = []

    def handle(number: int, where: FrameType | None) -> None:
        size = SIZES["long" if what == "a large message" else "short"]
        send = websocket.send_ping if what == "a ping" else websocket.send_binary
        with pytest.raises(WebSocketUnavailable) as caught:
            send(bytes(size))
        refused.append(str(caught.value))

    def take(data: bytes) -> int:
        return take_half(sock, data) if not refused else sock.take_all(data)

    with (
        handled(signal.SIGUSR1, handle),
        conversation(listens_into(heard)) as (sock, websocket, stream),
    ):
        sock.on_send = take
        websocket.send_binary(bytes(SIZES[kind]))
        sock.on_send = None
        websocket.send_text("after")  # and nothing is broken
        stream.close()
    assert len(refused) == 1
    assert "signal handler that interrupted a send" in refused[0]
    assert heard[:2] == [(frames.BINARY, bytes(SIZES[kind])), (frames.TEXT, b"after")]


@pytest.mark.parametrize("kind", SIZES)
def test_a_signal_handler_that_interrupts_a_send_can_close(kind: str) -> None:
    heard: list[tuple[int, bytes]] = []
    signals: list[int] = []

    def handle(number: int, where: FrameType | None) -> None:
        signals.append(number)
        websocket.close()

    def take(data: bytes) -> int:
        return take_half(sock, data) if not signals else sock.take_all(data)

    with (
        handled(signal.SIGUSR1, handle),
        conversation(listens_into(heard), close_timeout=0.5) as (sock, websocket, stream),
    ):
        sock.on_send = take
        websocket.send_binary(bytes(SIZES[kind]))
        assert websocket.is_closing
        until(stream, "disconnected")
    assert [opcode for opcode, _ in heard] == [frames.BINARY, frames.CLOSE]


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("taken", [0, 5])
def test_ctrl_c_inside_the_system_call_of_a_send_ends_the_connection(kind: str, taken: int) -> None:
    heard: list[tuple[int, bytes]] = []

    def interrupt(data: bytes) -> int:
        sock.take_all(data[:taken])
        sock.on_send = None
        raise KeyboardInterrupt  # how much was taken is not known any more

    with conversation(listens_into(heard)) as (sock, websocket, stream):
        sock.on_send = interrupt
        with pytest.raises(KeyboardInterrupt):
            websocket.send_binary(bytes(SIZES[kind]))
        assert websocket.is_closed
        with pytest.raises(WebSocketUnavailable):
            websocket.send_text("after")
        (last,) = stream
        assert last.name == "disconnected"
        assert "KeyboardInterrupt" in last.reason
        assert sock.fileno() == -1
    assert heard == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("kind", SIZES)
def test_a_forked_child_can_not_send_into_its_parents_connection(kind: str) -> None:
    heard: list[tuple[int, bytes]] = []

    def listen(connection: socket.socket) -> None:
        heard.append(read_frame(connection))
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    with raw_server(listen) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        child = os.fork()
        if child == 0:
            status = 1
            try:
                websocket.send_binary(bytes(SIZES[kind]))
            except WebSocketUnavailable:
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        websocket.send_text("the parent's")
        assert until(stream, "disconnected").graceful
    assert heard == [(frames.TEXT, b"the parent's")]
