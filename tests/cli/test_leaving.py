"""How a run of the command ends that somebody ends: signals, readers that go, full disks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from cli.commanding import COMMAND, LONGEST, lomond, start
from doors.raw_server import refusing_port
from lomond.protocol.http.upgrade import accept_value
from lomond.testing import Server, serve
from lomond.testing.echo import EchoServer

ACCEPT = (
    b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %s\r\n\r\n"
)
NOT_YET = b"HTTP/1.1 100 Continue\r\n\r\n"
TOLD = {
    signal.SIGINT: "lomond: closing; Ctrl-C again ends at once\n",
    signal.SIGTERM: "lomond: closing; another signal ends at once\n",
}
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives one client the answer, and nothing after it."""

    def serve_one() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", connection.recv(65536))
            assert key
            connection.sendall(answer.replace(b"%s", accept_value(key[1])))
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_one, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(LONGEST)


def until(words: bytes, stream: IO[bytes] | None) -> None:
    """Read lines until one has the words."""
    assert stream is not None
    while words not in (line := stream.readline()):
        assert line, f"no line has {words!r}"


def rest_of(stream: IO[bytes] | None) -> str:
    assert stream is not None
    return stream.read().decode()


@pytest.mark.parametrize("number", STATUS)
def test_a_signal_before_ready_ends_at_once(number: signal.Signals) -> None:
    with answering(NOT_YET) as url, start(url, "-v") as process:
        until(b"connected", process.stderr)
        process.send_signal(number)
        assert process.wait(LONGEST) == STATUS[number]
        assert "Traceback" not in rest_of(process.stderr)


@pytest.mark.parametrize("number", STATUS)
def test_a_signal_closes_with_the_handshake(number: signal.Signals) -> None:
    with EchoServer() as server:
        with start(server.url) as process:
            assert process.stdin is not None
            process.stdin.write(b"first\n")
            process.stdin.flush()
            until(b"first", process.stdout)
            process.send_signal(number)
            assert process.wait(LONGEST) == STATUS[number]
            assert rest_of(process.stderr) == TOLD[number]
        assert server.close_codes == [1000]


def test_the_second_ctrl_c_ends_at_once() -> None:
    with answering(ACCEPT) as url, start(url, "-v", "--linger", "none") as process:
        until(b"ready", process.stderr)
        process.send_signal(signal.SIGINT)
        until(b"closing; Ctrl-C again", process.stderr)
        process.send_signal(signal.SIGINT)
        assert process.wait(LONGEST) == 130


def test_a_reader_that_has_gone_ends_it_while_nothing_comes() -> None:
    with EchoServer() as server:
        with start(server.url) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"x\n")
            process.stdin.flush()
            until(b"x", process.stdout)
            process.stdout.close()  # standard input is open, and the server says nothing
            assert process.wait(LONGEST) == 0
            assert rest_of(process.stderr) == ""
        assert server.close_codes == [1000]


@pytest.mark.parametrize("place", ["refused", "silent", "accepted"])
def test_a_reader_that_has_gone_before_there_is_a_connection(place: str) -> None:
    with contextlib.ExitStack() as stack:
        url = f"ws://127.0.0.1:{refusing_port()}/"
        if place == "silent":
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        elif place == "accepted":
            url = stack.enter_context(EchoServer()).url
        reading, writing = os.pipe()
        os.close(reading)
        process = stack.enter_context(start(url, "--reconnect", "--linger", "none", stdout=writing))
        stack.callback(process.kill)
        os.close(writing)
        assert process.wait(25) == 0  # an opening may take 30 s
        assert rest_of(process.stderr) == ""


def test_head_takes_what_it_wants() -> None:
    command = f'seq 1000000 | {" ".join(COMMAND)} "$0" | head -1; echo "${{PIPESTATUS[1]}}"'
    with EchoServer() as server:
        done = subprocess.run(
            ["bash", "-c", command, server.url], capture_output=True, timeout=LONGEST, check=False
        )
    assert (done.stdout, done.stderr) == (b"1\n0\n", b"")


def test_a_full_disk() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    with EchoServer() as server, open("/dev/full", "wb") as full:
        status, _, errors = lomond(server.url, given=b"a\nb\n", stdout=full)
    assert status == 8
    assert re.fullmatch("lomond: standard output: No space left on device; .*\n", errors)
    assert server.close_codes == [1000]


@pytest.mark.parametrize("more", [(), ("-q",), ("--jsonl",)], ids=" ".join)
def test_a_full_disk_and_a_record(more: tuple[str, ...]) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    line = b'{"op":"text","text":"a"}\n' if "--jsonl" in more else b"a\n"
    with EchoServer() as server:
        status, out, errors = lomond(server.url, "--record", "/dev/full", "-1", *more, given=line)
    assert status == 8
    assert out.endswith(line[1:])  # the talk goes on
    said = "lomond: --record /dev/full can't be written any more, and the record ends there: .*\n"
    assert re.fullmatch("" if "-q" in more else said, errors)


def test_a_full_disk_and_a_record_of_what_fails() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    with serve(Server().closes(1011)) as server:
        status, _, _ = lomond(server.url, "--record", "/dev/full")
    assert status == 1


@pytest.mark.parametrize("asked", ["--help", "--version", "ping --help", "--completion bash"])
def test_a_full_disk_and_a_page_of_help(asked: str) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    with open("/dev/full", "wb") as full:
        buffered = os.environ | {"PYTHONUNBUFFERED": ""}
        status, _, errors = lomond(*asked.split(), stdout=full, env=buffered)
    assert (status, errors) == (8, "lomond: No space left on device; nothing more is written\n")


def test_output_that_does_not_block() -> None:
    lines = [f"line {number}" for number in range(20_000)]
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with (
        serve(Server().says(*lines).closes(1000)) as server,
        subprocess.Popen(
            [*COMMAND, server.url], stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE
        ) as process,
    ):
        os.close(theirs)
        while _waiting(ours) < 50_000:  # of the 64 KiB that a pipe holds
            time.sleep(0.05)
        time.sleep(0.2)
        with open(ours) as reading:
            assert reading.read().splitlines() == lines
        assert process.wait(LONGEST) == 0


@pytest.mark.parametrize("closed", [">&-", "<&- >&-"])
def test_without_standard_streams(closed: str) -> None:
    command = f'printf "a\\n" | {" ".join(COMMAND)} "$0" {closed}'
    with serve(Server().says("hi").hears_close(1000)) as server:
        done = subprocess.run(
            ["sh", "-c", command, server.url],
            stderr=subprocess.PIPE,
            timeout=LONGEST,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_what_fails_without_standard_streams() -> None:
    command = f'{" ".join(COMMAND)} "$0" <&- >&- 2>&-'
    url = f"ws://127.0.0.1:{refusing_port()}/"
    done = subprocess.run(["sh", "-c", command, url], timeout=LONGEST, check=False)
    assert done.returncode == 3


@contextlib.contextmanager
def stuck(url: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run whose output waits for its reader."""
    ours, theirs = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(
        [*COMMAND, url, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    with process:
        os.close(theirs)
        try:
            os.read(ours, 1)  # it has begun to write more than there is room for
            yield process
        finally:
            process.kill()
            os.close(ours)


@pytest.mark.parametrize("number", STATUS)
def test_a_signal_while_nobody_reads(number: signal.Signals) -> None:
    server = Server().says("x" * 2**20)
    if number == signal.SIGTERM:
        server.hears_close(1000)
    with serve(server) as served, stuck(served.url) as process:
        process.send_signal(number)
        until(b"closing; ", process.stderr)
        if number == signal.SIGINT:
            process.send_signal(signal.SIGINT)
        assert process.wait(LONGEST) == STATUS[number]


@pytest.mark.parametrize("ended_by", ["signal", "signals", "--timeout"])
@pytest.mark.parametrize("speaks", ["server", "we"])
def test_nobody_reads_what_is_said_of_it(ended_by: str, speaks: str) -> None:
    arguments = ["-vv", "--linger", "none"]
    if ended_by == "--timeout":
        arguments += ["--timeout", "3"]
    peer = Server().floods(20_000) if speaks == "server" else Server()
    ours, theirs = os.pipe()
    with (
        serve(peer.echoes()) as server,
        subprocess.Popen(
            [*COMMAND, server.url, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            bufsize=0,
        ) as process,
    ):
        os.close(theirs)
        assert process.stdin is not None
        if speaks == "we":
            threading.Thread(target=_fill, args=(process.stdin,), daemon=True).start()
        while _waiting(ours) < 50_000:  # of the 64 KiB that a pipe holds
            time.sleep(0.05)
        if ended_by != "--timeout":
            process.terminate()
        if ended_by == "signals":
            time.sleep(0.2)
            process.terminate()
        try:
            assert process.wait(30) == (7 if ended_by == "--timeout" else 143)
        finally:
            process.kill()
            os.close(ours)


def _waiting(descriptor: int) -> int:
    """How many bytes are to be read there."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def _fill(stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):  # it is closed: by the system, by the test
        while True:
            stream.write(b"x\n" * 10_000)


def test_a_time_out_while_nobody_reads() -> None:
    with EchoServer() as server:
        sizes = (b"x" * 2**20 + b"\n") * 3
        ours, theirs = os.pipe()
        process = subprocess.Popen(
            [*COMMAND, server.url, "--timeout", "2"],
            stdin=subprocess.PIPE,
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        with process:
            os.close(theirs)
            _, errors = process.communicate(sizes, LONGEST)
        os.close(ours)
    assert (process.returncode, errors) == (7, b"lomond: --timeout: 2 s are over\n")


def test_a_slow_reader_loses_nothing() -> None:
    count = 20_000
    with EchoServer() as server, start(server.url) as process:
        lines = "".join(f"line {number}\n" for number in range(count)).encode()

        def write() -> None:
            assert process.stdin is not None
            process.stdin.write(lines)
            process.stdin.close()

        writing = threading.Thread(target=write)
        writing.start()
        assert process.stdout is not None
        seen = bytearray()
        while piece := os.read(process.stdout.fileno(), 300_000 if len(seen) > 50_000 else 100):
            seen += piece
        writing.join()
        assert process.wait(LONGEST) == 0
    assert bytes(seen) == lines


def test_a_reader_that_keeps_it_waiting_is_no_silence() -> None:
    lines = [f"line {number}" for number in range(20_000)]  # of which a pipe holds a third
    with (
        serve(Server().says(*lines).echoes()) as server,
        start(server.url, "--linger", "0.2") as process,
    ):
        assert process.stdin is not None
        process.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)  # more than --linger, and nothing is read
        assert process.stdout is not None
        assert process.stdout.read().decode().splitlines() == lines
        assert process.wait(LONGEST) == 0


def test_ctrl_c_inside_a_finalizer_is_not_lost() -> None:
    code = """
import os, signal, sys
from lomond import WebSocket
from lomond.cli import main

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

once = WebSocket.connect

def connect(self, **options):
    for event in once(self, **options):
        if event.name == 'connected':
            Finalized()
        yield event

WebSocket.connect = connect
sys.exit(main([sys.argv[1]]))
"""
    with answering(NOT_YET) as url:
        done = subprocess.run(
            [sys.executable, "-c", code, url],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST,
            check=False,
        )
    assert (done.returncode, done.stderr) == (130, b"")


def test_it_connects_again(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    with (
        serve(
            Server().says("first").cuts(), Server().refuses(503, retry_after=1), Server().echoes()
        ) as server,
        start(server.url, "-v", "--reconnect", "--record", str(record)) as process,
    ):
        assert process.stdin is not None
        until(b"first", process.stdout)
        until(b"back_off", process.stderr)
        process.stdin.write(b"again\n")
        process.stdin.close()
        until(b"again", process.stdout)
        assert process.wait(LONGEST) == 0
    ops = re.findall(r'"op":"(\w+)"', record.read_text())
    assert [op for op in ops if op in ("ready", "rejected")] == ["ready", "rejected", "ready"]
