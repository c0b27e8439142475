"""What the benchmarks' clients and servers share: delays, paced and compressed feeds, a floor."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks" / "clients"))
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks" / "servers"))

import measure
import pacing
import raw_server

BENCHMARKS = Path(raw_server.__file__).parents[1]


def task(monkeypatch: pytest.MonkeyPatch, **given: object) -> measure.Task:
    asked = {"scenario": "paced", "url": "ws://x", "size": 100, **given}
    monkeypatch.setattr(sys, "argv", ["client", json.dumps(asked)])
    return measure.Task()


def test_half_are_not_later_than_the_median() -> None:
    late = list(range(1000, 0, -1))
    assert measure.percentiles(late) == pytest.approx({"p50": 501e-9, "p99": 991e-9})
    assert measure.percentiles([7]) == pytest.approx({"p50": 7e-9, "p99": 7e-9})
    assert measure.percentiles([]) == {"p50": 0.0, "p99": 0.0}


def test_delays_are_from_the_time_in_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    delays = measure.Delays(task(monkeypatch, count=2), measure.Meter())
    text = f"{1_000_000:020}".ljust(100, "x")
    for _ in range(measure.WARM):
        assert not delays.got(5_000_000, text)  # these are not counted
    assert not delays.got(1_002_000, text)
    assert delays.got(1_004_000, text)
    delays.stop()
    said = json.loads(capsys.readouterr().out)
    assert said["p50"] == said["p99"] == pytest.approx(4e-6)
    assert said["cpu"] >= 0


def feed(count: int) -> list[str]:
    """Texts of a feed that was as quick as it can be."""
    here, there = socket.socketpair()
    with here, there:
        pacing.pace(here, 1, count)
        with there.makefile("rb") as stream:
            frames = [stream.read(pacing.SIZE + 2) for _ in range(count + measure.WARM)]
    assert {frame[:2] for frame in frames} == {bytes((0x81, pacing.SIZE))}
    return [frame[2:].decode() for frame in frames]


def test_each_message_of_a_feed_begins_with_its_time() -> None:
    assert pacing.WARM == measure.WARM
    before = measure.monotonic_ns()
    times = [int(text[:20]) for text in feed(10)]
    assert before < times[0]
    assert times == sorted(times)
    assert times[-1] < measure.monotonic_ns()


class Clock:
    """One that goes on by half a microsecond whenever it is read, and by what a send takes."""

    def __init__(self) -> None:
        self.now = 0
        self.times: list[int] = []
        self.held_up: dict[int, int] = {}  # nanoseconds, by the number of the message

    def monotonic_ns(self) -> int:
        self.now += 500
        return self.now

    def sendall(self, frame: bytearray) -> None:
        self.now += self.held_up.get(len(self.times), 0)
        self.times.append(int(frame[2:22]))

    def gaps(self) -> list[int]:
        return [after - before for before, after in pairwise(self.times)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    return clock


def test_a_feed_has_uneven_gaps(clock: Clock) -> None:
    pacing.pace(clock, 100, 2000)  # type: ignore[arg-type]  it sends as a socket
    gaps = clock.gaps()
    assert sum(gaps) / len(gaps) == pytest.approx(100_000, rel=0.05)
    assert min(gaps) < 5_000
    assert 195_000 < max(gaps) < 205_000


def test_every_feed_has_the_same_gaps(clock: Clock) -> None:
    pacing.pace(clock, 100, 50)  # type: ignore[arg-type]  it sends as a socket
    first, clock.times = clock.gaps(), []
    pacing.pace(clock, 100, 50)  # type: ignore[arg-type]  it sends as a socket
    assert clock.gaps() == pytest.approx(first, abs=1000)


def test_what_was_held_up_is_not_made_up_for(clock: Clock) -> None:
    clock.held_up[100] = 50_000_000
    pacing.pace(clock, 100, 300)  # type: ignore[arg-type]  it sends as a socket
    after = clock.gaps()[101:]
    assert sum(after) / len(after) == pytest.approx(100_000, rel=0.1)


@pytest.mark.parametrize(
    ("kind", "keyword"),
    [("default", {}), ("none", {"ping": None}), ("keepalive", {"ping": 30.0})],
)
def test_which_keepalive_many_connections_have(
    kind: str, keyword: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = task(monkeypatch, kind=kind)
    assert measure.keepalive_of(asked, "ping", None, 30.0) == keyword
    assert measure.keepalive_of(asked, "ping", None) == ({"ping": None} if kind == "none" else {})


@pytest.mark.parametrize("size", [100, 500, 5120])
def test_a_feed_to_be_compressed_has_texts_of_one_size(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = task(monkeypatch, size=size).feed
    assert {len(text.encode()) for text in texts} == {size}
    assert len(set(texts)) == len(texts) == 1000


def inflated(frames: list[bytes], bits: int, each_for_itself: bool) -> list[bytes]:
    """What a client with such a window makes of them."""
    texts = []
    stream = zlib.decompressobj(-bits)
    for frame in frames:
        size = frame[1]
        payload = frame[2:] if size < 126 else frame[4:]
        assert len(payload) == (size if size < 126 else int.from_bytes(frame[2:4], "big"))
        if each_for_itself:
            stream = zlib.decompressobj(-bits)
        texts.append(stream.decompress(payload + b"\0\0\xff\xff"))
        assert not stream.unused_data
    return texts


@pytest.mark.parametrize("bits", [9, 12, 15])
@pytest.mark.parametrize("size", [100, 500, 5120])
def test_compressed_messages_share_a_window_and_may_come_again(size: int, bits: int) -> None:
    alone = raw_server.deflated(size, bits, 1)
    assert [len(text) for text in inflated(2 * alone, bits, each_for_itself=True)] == [size] * 2
    count = raw_server.SHARING
    frames = raw_server.deflated(size, bits, count)
    texts = inflated(2 * frames, bits, each_for_itself=False)
    assert {len(text) for text in texts} == {size}
    assert texts[:count] == texts[count:]
    assert len(set(texts)) == count
    with pytest.raises(zlib.error):  # else each would be for itself
        inflated(frames, bits, each_for_itself=True)


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize(
    ("asked", "said", "bits"),
    [
        ("permessage-deflate", "permessage-deflate", 15),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate", 15),
        (
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
            "permessage-deflate; server_max_window_bits=12",
            12,
        ),
    ],
)
def test_the_server_grants_the_window_that_was_asked_for(
    asked: str, said: str, bits: int, shares: bool
) -> None:
    request = f"GET / HTTP/1.1\r\nSec-WebSocket-Extensions: {asked}\r\n\r\n".encode()
    line, granted = raw_server.extension(request, shares)
    name, _, parameters = said.partition("; ")
    words = [name, *([] if shares else ["server_no_context_takeover"])]
    words += [parameters] if parameters else []
    assert line.decode() == f"Sec-WebSocket-Extensions: {'; '.join(words)}\r\n"
    assert granted == bits


def test_nothing_is_agreed_on_that_was_not_asked_for() -> None:
    assert raw_server.extension(b"GET / HTTP/1.1\r\n\r\n", shares=True) == (b"", 15)


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """Of the server that sends bursts, in a process of its own."""
    command = [sys.executable, BENCHMARKS / "servers" / "raw_server.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.mark.parametrize("size", [100, 500, 5120])
@pytest.mark.parametrize("way", ["compressed", "context"])
def test_the_floor_inflates_all_that_is_sent(way: str, size: int, port: str) -> None:
    asked = {
        "scenario": "compressed",
        "url": f"ws://127.0.0.1:{port}/{way}/{size}/4321",  # no multiple of those that share
        "kind": "text",
        "size": size,
        "count": 4321,
    }
    command = [sys.executable, BENCHMARKS / "clients" / "bare_socket_client.py", json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout)["cpu"] > 0
