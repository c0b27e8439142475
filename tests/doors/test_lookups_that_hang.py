"""Names that are looked up without end: the next one's failure says what was in its way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lomond import WebSocket
from lomond.system import resolving
from lomond.system.resolving import MAX_AT_ONCE, Resolution
from patience import PATIENCE

pytestmark = pytest.mark.every_door


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Resolution]]:
    """All slots are taken by names that are looked up until the test ends."""
    over = threading.Event()

    def hangs(host: str, *arguments: Any, **options: Any) -> Any:
        if not options.get("flags"):
            over.wait(10 * PATIENCE)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    ended = [threading.Event() for _ in range(MAX_AT_ONCE)]
    names = [f"n{number}.example" for number in range(MAX_AT_ONCE)]
    running = [Resolution(name, 80, event.set) for name, event in zip(names, ended, strict=True)]
    assert all(resolution.start() for resolution in running)
    yield running
    over.set()
    for event in ended:
        assert event.wait(PATIENCE)


def test_the_reason_says_what_is_in_the_way(hanging: list[Resolution]) -> None:
    *_, failed = WebSocket("ws://last.example/", open_timeout=0.2)
    assert (failed.name, failed.phase) == ("connect_fail", "resolve")
    assert failed.reason == (
        "unable to resolve host name 'last.example'; not done within open_timeout (0.2 s); 32 "
        "other names are being looked up, and none is done: n0.example, n1.example, n2.example, "
        "n3.example, n4.example and 27 more"
    )
    assert isinstance(failed.cause, TimeoutError)
    assert resolving.in_the_way().startswith(f"{MAX_AT_ONCE} other names ")


def test_an_address_needs_none_of_them(hanging: list[Resolution]) -> None:
    def refuses(host: str, *arguments: Any, **options: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", refuses)
        *_, failed = WebSocket("ws://127.0.0.1:1/", open_timeout=PATIENCE)
    assert (failed.name, failed.phase) == ("connect_fail", "connect")


def test_nothing_is_left_of_lookups_that_are_done() -> None:
    *_, failed = WebSocket("ws://no-such-host.invalid/", open_timeout=PATIENCE)
    assert failed.phase == "resolve"
    assert resolving.in_the_way().startswith("0 other names ")


# What is an address already


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system's resolver is asked."""
    hosts: list[str] = []
    ask = socket.getaddrinfo

    def counting(host: str, *arguments: Any, **options: Any) -> Any:
        hosts.append(host)
        return ask(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", counting)
    monkeypatch.setattr(resolving, "literals", {})
    return hosts


@pytest.mark.doors("sync")
@pytest.mark.parametrize(
    ("host", "family"), [("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6)]
)
def test_an_address_is_asked_for_once(host: str, family: int, asked: list[str]) -> None:
    found = resolving.literal(host, 80)
    assert found is not None
    assert [(info[0], info[1], info[4][:2]) for info in found] == [
        (family, socket.SOCK_STREAM, (host, 80))
    ]
    found.clear()  # it is the caller's own
    assert resolving.literal(host, 80)
    assert asked == [host]
    assert resolving.literal(host, 81) != resolving.literal(host, 80)
    assert asked == [host, host]


@pytest.mark.doors("sync")
@pytest.mark.parametrize("host", ["127.1", "::1%lo", "fe80::1%1"])
def test_another_spelling_or_a_zone_is_asked_for_each_time(host: str, asked: list[str]) -> None:
    if resolving.literal(host, 80) is None:
        pytest.skip("this system does not take it for an address")
    resolving.literal(host, 80)
    assert asked == [host, host]


@pytest.mark.doors("sync")
def test_only_so_many_addresses_are_kept(asked: list[str]) -> None:
    for number in range(200):
        assert resolving.literal(f"192.0.2.{number}", 80)
    assert len(resolving.literals) <= 64


@pytest.mark.doors("sync")
def test_a_name_is_no_address() -> None:
    assert resolving.literal("no-such-host.invalid", 80) is None
