"""Races against listeners of this machine: who wins, what it costs, what is said of the rest."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from doors.races import DELAY, failure, info, on_linux, run, running
from doors.raw_server import refusing_port
from fair_clock import FairClock
from lomond.io.waiting import lease
from lomond.session.requests import AddressInfo, Interrupted, TimedOut
from lomond.system.connecting import Race, SocketSettings, address_of, interleaved, prepare
from patience import PATIENCE


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


@pytest.fixture
def good(listener: socket.socket) -> AddressInfo:
    return info(listener.getsockname()[1])


@pytest.fixture
def refused() -> AddressInfo:
    return info(refusing_port())


@contextmanager
def full_listener() -> Iterator[socket.socket]:
    """A listener that answers nobody: what is asked of a full queue is dropped."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(16):
            sock = stack.enter_context(socket.socket())
            sock.settimeout(0.1)
            try:
                sock.connect(listener.getsockname())
            except TimeoutError:
                break
        else:
            pytest.skip("this system takes more connections than a listener asks for")
        yield listener


@pytest.fixture
def black_hole() -> Iterator[AddressInfo]:
    with full_listener() as listener:
        yield info(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["1", "2", "::1", "::2"], ["1", "::1", "2", "::2"]),
        (["::1", "::2", "::3", "1"], ["::1", "1", "::2", "::3"]),
        (["1", "::1", "::2", "2"], ["1", "::1", "2", "::2"]),
        (["1", "1", "::1", "1"], ["1", "::1"]),
        (["2", "1"], ["2", "1"]),
        ([], []),
    ],
)
def test_families_take_turns(hosts: list[str], expected: list[str]) -> None:
    found = interleaved([info(80, host) for host in hosts])
    assert [address[4][0] for address in found] == expected


def test_addresses_for_people() -> None:
    assert address_of(info(80)) == "127.0.0.1:80"
    assert address_of(info(80, "fe80::1%eth0")) == "[fe80::1]:80"
    assert address_of((-1, 1, 0, "", ("odd",))) == "('odd',)"


def test_a_refused_address_costs_no_delay(refused: AddressInfo, good: AddressInfo) -> None:
    race = Race([refused, good], PATIENCE)
    started = monotonic()
    with running(race) as (sock, address):
        assert monotonic() - started < PATIENCE / 2
        assert address == address_of(good)
        assert sock.getpeername() == good[4]
        assert not sock.getblocking()
    assert [attempt.error is None for attempt in race.attempts] == [False, True]
    assert [attempt.address for attempt in race.attempts] == [address_of(refused), address]
    assert "refused" in str(race.attempts[0].error)
    assert all(0 <= attempt.seconds < PATIENCE for attempt in race.attempts)


def test_an_address_that_does_not_answer_costs_one_delay(
    black_hole: AddressInfo, good: AddressInfo
) -> None:
    race = Race([black_hole, good], DELAY)
    started = monotonic()
    with FairClock() as clock, running(race) as (_, address):
        assert monotonic() - started >= DELAY
        assert clock.now() < DELAY + 2
    given_up, winner = race.attempts
    assert (winner.address, winner.error) == (address, None)
    assert given_up.address == address_of(black_hole)
    assert given_up.error == f"given up; {address} was faster"
    assert given_up.seconds >= DELAY


def test_a_failure_beside_a_silent_attempt_starts_the_next_at_once(
    black_hole: AddressInfo, refused: AddressInfo, good: AddressInfo
) -> None:
    delay = 2.0
    started = monotonic()
    with (
        FairClock() as clock,
        running(Race([black_hole, refused, good], delay)) as (_, address),
    ):
        assert monotonic() - started >= delay
        assert clock.now() < 1.8 * delay
        assert address == address_of(good)


def test_an_attempt_that_fails_late_starts_the_next_at_once(good: AddressInfo) -> None:
    """The system asks again after a second, and is refused then."""
    with full_listener() as listener:
        race = Race([info(listener.getsockname()[1]), good], PATIENCE)
        timer = threading.Timer(0.1, listener.close)
        timer.start()
        with running(race) as (_, address):
            assert address == address_of(good)
        timer.join()
    assert "refused" in str(race.attempts[0].error)
    assert 0.1 < race.attempts[0].seconds < PATIENCE


def test_a_name_without_addresses() -> None:
    assert "no address to connect to" in str(failure(Race([], DELAY)))


def test_all_refused_is_said_once(refused: AddressInfo) -> None:
    other = info(refused[4][1], "127.0.0.2")
    race = Race([refused, other], DELAY)
    failed = failure(race)
    assert isinstance(failed.cause, ConnectionRefusedError)
    assert failed.address == address_of(refused)
    names = f"{address_of(refused)}, {address_of(other)}"
    assert failed.said == f"Connection refused (tried 2 addresses: {names})"
    assert len(race.attempts) == 2


def test_different_failures_are_all_named(refused: AddressInfo) -> None:
    odd = (9999, socket.SOCK_STREAM, 0, "", "odd")  # no family of any system
    failed = failure(Race([odd, refused], DELAY))
    assert failed.said is not None
    assert failed.said.startswith("tried 2 addresses: odd (")
    assert failed.said.endswith(f", {address_of(refused)} (Connection refused)")


def test_one_failure_reads_as_before(refused: AddressInfo) -> None:
    assert failure(Race([refused], DELAY)).said == "Connection refused"


def test_a_deadline_names_who_did_not_answer(
    black_hole: AddressInfo, refused: AddressInfo, good: AddressInfo
) -> None:
    race = Race([refused, black_hole, good], PATIENCE)
    failed = failure(race, monotonic() + 0.1)
    assert isinstance(failed, TimedOut)
    assert failed.address == address_of(black_hole)
    assert failed.said == (
        f"tried 1 address: {address_of(refused)} (Connection refused); "
        f"no answer from {address_of(black_hole)}; not tried yet: {address_of(good)}"
    )
    assert [attempt.error for attempt in race.attempts] == ["Connection refused", "no answer"]


def test_a_deadline_that_is_over_tries_nothing(good: AddressInfo) -> None:
    failed = failure(Race([good], DELAY), monotonic())
    assert (failed.address, failed.said) == (None, f"not tried yet: {address_of(good)}")


def test_the_user_closes(black_hole: AddressInfo) -> None:
    race = Race([black_hole], DELAY)
    answers = iter([False, False, True])  # before the attempt, beside it, and when woken
    wakeup = lease()
    timer = threading.Timer(0.05, wakeup.wake)
    timer.start()
    with pytest.raises(Interrupted):
        run(race, None, wakeup, lambda: next(answers))
    timer.join()
    assert [attempt.error for attempt in race.attempts] == ["closed by the user"]


# Settings


@on_linux
@pytest.mark.parametrize("has_port", [False, True])
def test_the_server_sees_the_source_address(
    has_port: bool, listener: socket.socket, good: AddressInfo, refused: AddressInfo
) -> None:
    settings = SocketSettings(("127.0.0.3", refused[4][1] if has_port else 0))
    race = Race([info(1, "::1"), good], DELAY, settings)
    with socket.create_server(("127.0.0.1", 0)) as another, running(race):
        connection, (host, port) = listener.accept()
        connection.close()
        assert host == "127.0.0.3"
        assert not has_port or port == refused[4][1]
        # The same port may go to several servers at once.
        with running(Race([info(another.getsockname()[1])], DELAY, settings)) as (sock, _):
            assert not has_port or sock.getsockname() == (host, port)
    assert len(race.attempts) == 1  # an address of another family is not tried


def test_a_source_address_of_another_family(good: AddressInfo) -> None:
    race = Race([good], DELAY, SocketSettings(("::1", 0)))
    said = f"source_address '::1' can't reach {address_of(good)}, which is of another"
    assert said in str(failure(race).cause)
    assert race.attempts == []


def test_a_source_address_of_another_machine(good: AddressInfo) -> None:
    failed = failure(Race([good], DELAY, SocketSettings(("192.0.2.1", 0))))
    assert failed.said is not None
    assert failed.said.startswith("source_address 192.0.2.1:0 can't be used (")


def test_options_and_keepalive_are_set_before_and_hold(good: AddressInfo) -> None:
    no_delay = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
    linger = (socket.SOL_SOCKET, socket.SO_OOBINLINE, (1).to_bytes(4, sys.byteorder))
    with running(Race([good], DELAY, SocketSettings(None, (no_delay, linger), 6.2))) as (sock, _):
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE) != 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
        for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
            if hasattr(socket, name):
                assert sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == 7
    with running(Race([good], DELAY)) as (sock, _):
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0


@on_linux
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SocketSettings(options=((6, 9999, 1),)), "socket option (6, 9999, 1) is refused by this"),
        (SocketSettings(options=((6, 1, 1 << 40),)), "socket option (6, 1, 1099511627776) is"),
        (SocketSettings(keepalive=1e6), "keepalive of 1e+06 s is refused by this system ("),
    ],
)
def test_what_the_system_refuses_is_named(
    settings: SocketSettings, said: str, good: AddressInfo
) -> None:
    assert str(failure(Race([good], DELAY, settings)).said).startswith(said)
    with socket.socket() as given, pytest.raises(OSError, match=r"refused by this system \(."):
        prepare(given, settings)


def test_given_sockets_get_the_same() -> None:
    settings = SocketSettings(keepalive=0.1)
    with socket.socket() as given:
        prepare(given, settings)
        assert not given.getblocking()
        assert given.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        assert given.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert given.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 1
    one, other = socket.socketpair()
    with one, other:
        prepare(one)
        prepare(one, settings)  # no TCP, no probes; nothing to complain of
        assert not one.getblocking()
