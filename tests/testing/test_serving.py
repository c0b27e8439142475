"""Servers of a test on sockets: several clients, other processes, TLS, and what is left behind."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import sys
import threading
import warnings
from typing import Any

import pytest

from fair_clock import FairClock
from lomond import WebSocket
from lomond.testing import Conversation, Server, Turns, pretend, serve
from lomond.testing.peer import End, Hear, Peer, Say, Talk, say
from patience import PATIENCE
from testing.kit import QUIET, says, through

CLIENT = """
import sys
from lomond import WebSocket
websocket = WebSocket(sys.argv[1])
for event in websocket.connect(poll=None):
    if event.name == "ready":
        websocket.send_json({"op": "login"})
    elif event.name == "text":
        websocket.close()
sys.exit(0 if websocket.ending.code == 1000 else 1)
"""


def welcomes(peer: Conversation) -> Turns:
    assert (yield peer.hear()).json == {"op": "login"}
    yield peer.say("welcome")
    yield from peer.hear_close()


def run_client(url: str, **options: Any) -> int:
    command = [sys.executable, "-c", CLIENT, url]
    return subprocess.run(command, check=False, timeout=PATIENCE, **options).returncode


def connect(url: str) -> socket.socket:
    """A socket to there."""
    return socket.create_connection(("127.0.0.1", int(url.rstrip("/").rpartition(":")[2])))


def answer(url: str, *said: bytes) -> bytes:
    """All that a server says to who says that."""
    with connect(url) as sock:
        for data in said:
            sock.sendall(data)
        return b"".join(iter(lambda: sock.recv(1000), b""))


def test_a_client_of_another_process() -> None:
    with serve(welcomes) as serving:
        assert run_client(serving.url) == 0
    assert serving.heard == ['{"op":"login"}']
    assert serving.requests[0].path == "/"


def test_a_client_of_another_process_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(welcomes, tls=True) as serving:
        assert serving.url.startswith("wss://127.0.0.1:")
        monkeypatch.setenv("SSL_CERT_FILE", serving.ca)
        assert run_client(serving.url) == 0


def test_a_client_that_does_not_trust_it() -> None:
    server = Server().says("welcome").closes()
    with serve(server, tls=True) as serving:
        assert through("sync", serving.url).names == ["connecting", "connect_fail"]
        found = through("sync", serving.url, ssl_cafile=serving.ca)
        assert found.later == ["welcome", "closing", "disconnected"]
        found = through("asyncio", serving.url, ssl_cafile=serving.ca)
        assert found.later == ["welcome", "closing", "disconnected"]
    assert len(server.requests) == 2


def test_a_context_for_a_client() -> None:
    with (
        serve(Server().cuts(), tls=True) as serving,
        connect(serving.url) as plain,
        serving.context().wrap_socket(plain, server_hostname="127.0.0.1") as sock,
    ):
        assert sock.version()
        assert isinstance(sock, ssl.SSLSocket)


@pytest.mark.parametrize("secure", [False, True])
def test_faults_over_tls(secure: bool) -> None:
    """A stream that is cut or reset is so for a client of TLS too."""
    for server, kind in (
        (Server().says("a").cuts(), "lost"),
        (Server().says("a").resets(), "lost"),
    ):
        with serve(server, tls=secure) as serving:
            options = {"ssl_cafile": serving.ca} if secure else {}
            found = through("sync", serving.url, **options)
        assert (found.later, found.ending.kind) == (["a", "disconnected"], kind)


def test_a_large_message_over_tls_both_ways() -> None:
    large = "x" * 3_000_000
    with serve(Server().hears(large).says(large).closes(), tls=True) as serving:
        found = through("sync", serving.url, says(large), ssl_cafile=serving.ca)
    assert found.later == [large, "closing", "disconnected"]


def test_without_what_makes_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    code = """if True:
        import sys
        sys.modules["trustme"] = None
        from lomond.testing import Server, serve
        serve(Server(), tls=True)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'lomond[testing]'" in done.stderr.splitlines()[-1]


def test_each_connection_has_the_one_server() -> None:
    server = Server().hears("a").closes()
    with serve(server) as serving:
        for _ in range(3):
            through("sync", serving.url, says("a"))
    assert server.heard == serving.heard == ["a", "a", "a"]
    assert len(serving.requests) == 3


def test_each_connection_has_a_server_of_its_own() -> None:
    first, second = Server().says("one").cuts(), Server().says("two").closes()
    with serve(first, second) as serving:
        names = [name for _ in range(2) for name in through("sync", serving.url).later]
    assert names == ["one", "disconnected", "two", "closing", "disconnected"]


def test_several_at_the_same_time() -> None:
    met = threading.Barrier(3, timeout=PATIENCE)

    def meets(peer: Conversation) -> Turns:
        yield peer.hear()
        met.wait()
        yield peer.close()

    with serve(meets) as serving:
        threads = [
            threading.Thread(target=through, args=("sync", serving.url, says("a")))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert serving.heard == ["a", "a", "a"]


def test_a_script_that_fails_refuses_later_clients() -> None:
    seen: list[list[str]] = []
    fails = pytest.raises(AssertionError, match=r"'login'.*'logout' instead")
    with fails, serve(Server().hears("login")) as serving:
        seen.extend(through("sync", serving.url, says("logout")).names for _ in range(2))
    assert seen[0][-2:] == ["ready", "disconnected"]
    assert seen[1] == ["connecting", "connect_fail"]


def test_what_waits_ends_with_the_block() -> None:
    with FairClock() as clock:
        with serve(Server().after(60), Server().stalls(60), Server()) as serving:
            for _ in range(3):
                for event in WebSocket(serving.url).connect(**QUIET):
                    if event.name == "ready":
                        break
        assert clock.now() < 5


def test_what_was_said_last_is_heard() -> None:
    """The program has gone, and its messages are still in the system."""
    server = Server().stalls(0.2).hears("last").hears_close()

    def leaves(websocket: Any, event: Any) -> list[Any]:
        if event.name == "ready":
            websocket.send_text("last")
            websocket.close()
            websocket.force_disconnect()
        return []

    with serve(server) as serving:
        through("sync", serving.url, leaves)
        threading.Event().wait(0.3)
    assert server.heard == ["last"]


def test_a_script_of_bytes_is_a_server_too() -> None:
    class Raw:
        def talk(self, peer: Peer) -> Talk:
            yield from peer.upgrade()
            yield say(1, b"raw")
            yield End()
            while (yield Hear()):
                pass

    with serve(Raw()) as serving:
        assert through("sync", serving.url).later == ["raw", "disconnected"]
    assert serving.heard == []


def test_what_asks_for_no_websocket_is_said() -> None:
    words = "did not ask for a WebSocket, but <request GET /x>"
    with pytest.raises(AssertionError, match=words), serve(Server()) as serving:
        assert answer(serving.url, b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n") == b""


def test_who_connects_and_says_nothing_is_no_connection() -> None:
    server = Server().hears("a").closes()
    with serve(server) as serving:
        connect(serving.url).close()
        assert through("sync", serving.url, says("a")).later == ["closing", "disconnected"]
    assert len(server.requests) == 1


def test_fragments_of_another_client_are_one_message() -> None:
    server = Server().hears("whole", b"\0\1").hears_close()
    frames = [(0x01, b"wh"), (0x89, b"ping"), (0x80, b"ole"), (0x02, b"\0"), (0x80, b"\1")]
    with serve(server) as serving:
        said = answer(
            serving.url,
            OPENING,
            *(bytes([first, 0x80 | len(data), 0, 0, 0, 0]) + data for first, data in frames),
            b"\x88\x80\0\0\0\0",
        )
    assert b"\r\n\r\n\x8a\x04ping" in said
    assert said.endswith(b"\x88\0")
    assert server.heard == ["whole", b"\0\1"]
    assert server.close_code is None


OPENING = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def test_a_program_that_resets_the_connection() -> None:
    fails = pytest.raises(AssertionError, match="message; the program reset the connection instead")
    with fails, serve(Server().hears(), patience=PATIENCE) as serving:
        with connect(serving.url) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(OPENING)
            assert sock.recv(1000)
        while not serving.requests:
            pass


def test_a_program_that_resets_it_while_it_is_told_something() -> None:
    """What it had said before is heard."""
    server = Server().hears("a").stalls(0.2).says("x" * 100, "y").hears("last").after(0)
    with serve(server) as serving:
        with connect(serving.url) as sock:
            sock.sendall(OPENING + b"\x81\x81\0\0\0\0a")
            assert sock.recv(1000)
            sock.sendall(b"\x81\x84\0\0\0\0last")
        threading.Event().wait(0.4)
    assert server.heard == ["a", "last"]


def test_a_text_that_is_no_utf_8() -> None:
    words = r"a text that is no UTF-8: .*invalid start byte"
    with pytest.raises(AssertionError, match=words), serve(Server()) as serving:
        answer(serving.url, OPENING, b"\x81\x81\0\0\0\0\xff")


def test_a_script_that_never_ends_is_said() -> None:
    done = threading.Event()

    def waits(peer: Conversation) -> Turns:
        yield peer.say("a")
        done.wait(PATIENCE)

    words = pytest.raises(AssertionError, match=r"a script still runs 0\.2 s after the test's end")
    with words, serve(waits, patience=0.2) as serving:
        for event in WebSocket(serving.url).connect(**QUIET):
            if event.name == "text":
                break
    done.set()


def test_two_scripts_that_fail() -> None:
    met = threading.Barrier(2, timeout=PATIENCE)

    def fails(peer: Conversation) -> Turns:
        yield peer.hear()
        met.wait()
        raise ValueError(peer.request.path)

    caught = pytest.raises(ValueError, match=r"/[ab]")
    with caught as found, serve(fails) as serving:
        threads = [
            threading.Thread(target=through, args=("sync", f"{serving.url}{name}", says("x")))
            for name in "ab"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    first = str(found.value)
    (note,) = found.value.__notes__
    assert note.endswith(f"ValueError: {'/b' if first == '/a' else '/a'}")


def test_what_a_failure_of_the_block_tells_of_a_script() -> None:
    def fails(peer: Conversation) -> Turns:
        yield peer.hear()
        raise ValueError("of the script")

    with pytest.raises(KeyError) as caught, serve(fails) as serving:
        raise KeyError(through("sync", serving.url, says("x")))
    (note,) = caught.value.__notes__
    assert note.startswith("of the servers of this test: Traceback")
    assert note.endswith("ValueError: of the script")


def test_nobody_came() -> None:
    server = Server().says("a")
    with pytest.raises(AssertionError, match=r"nobody connected to Server\(\) \(test_serving"):
        _ = server.request
    assert server.close_code is None
    with serve(server):
        pass
    assert repr(Server()) == "Server() (without a step)"


def test_no_server_is_no_server() -> None:
    with pytest.raises(TypeError, match=r"serve\(\) needs a server"):
        serve()
    with pytest.raises(TypeError, match="Say, Hear, Pause or End"), serve(Odd()) as serving:
        through("sync", serving.url)


class Odd:
    """A script of bytes that yields what is none."""

    def talk(self, peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Say(b"")
        odd: Any = b"hello"
        yield odd


def test_its_threads_are_not_the_programs_in_a_pretend_world() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pretend() as world, serve(Server().echoes()):
            pass
    assert world.notes == []
