"""Whether persist connects again, and when, is told by the Ending; in every door."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from doors.certified import contexts
from doors.peer_server import served
from doors.site_server import Site, serving
from lomond import Ending, WebSocket, events
from lomond.persist import persist
from lomond.protocol import frames
from lomond.response import Response
from lomond.testing.peer import End, Peer, Say, Talk, say
from scripted import answers_pings

pytestmark = pytest.mark.every_door

AT_ONCE: dict[str, Any] = {"min_wait": 0, "max_wait": 0}


def refuses(peer: Peer) -> Talk:
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")


def bad_token(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.CLOSE, code=4403)
    yield from peer.hear_until(frames.CLOSE)
    yield End()


def hangs_up(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield End()


@pytest.mark.parametrize(("talk", "number"), [(refuses, 403), (bad_token, 4403)])
def test_a_status_or_a_close_code_is_final(talk: Any, number: int) -> None:
    with served(talk) as server:
        names = [e.name for e in persist(WebSocket(server.url), final={401, 403, 4403}, **AT_ONCE)]
        assert names[-1] == "disconnected"
        assert "back_off" not in names
        for others in ({401, 4000}, (), [number + 1]):
            names = []
            for event in persist(WebSocket(server.url), final=others, **AT_ONCE):
                names.append(event.name)
                if event.name == "back_off":
                    break
            assert names[-2:] == ["disconnected", "back_off"]


def test_a_close_code_of_the_program_is_final_too() -> None:
    with served(answers_pings) as server:
        names = []
        websocket = WebSocket(server.url)
        for event in persist(websocket, final={1000}, **AT_ONCE):
            names.append(event.name)
            if event.name == "ready":
                websocket.close()
    assert names[-2:] == ["closed", "disconnected"]


@pytest.mark.parametrize(
    ("talk", "kind", "number"),
    [(refuses, "rejected", 403), (bad_token, "closed", 4403), (hangs_up, "lost", None)],
)
def test_a_callable_is_given_the_ending(talk: Any, kind: str, number: int | None) -> None:
    found: list[Ending] = []
    with served(talk) as server:
        websocket = WebSocket(server.url)

        def is_final(ending: Ending) -> bool:
            assert websocket.ending is ending
            found.append(ending)
            return len(found) == 2

        seen = list(persist(websocket, final=is_final, **AT_ONCE))
    assert [ending.kind for ending in found] == [kind, kind]
    assert [ending.status or ending.code for ending in found] == [number, number]
    assert [event.ending for event in seen if event.name == "disconnected"] == found


def test_a_failure_to_connect_can_be_final() -> None:
    websocket = WebSocket("ws://127.0.0.1:1")
    seen = [e.name for e in persist(websocket, final=lambda e: e.kind == "unreachable", **AT_ONCE)]
    assert seen == ["connecting", "connect_fail"]


def test_what_a_proxy_says_can_be_final() -> None:
    with served(refuses) as proxy:
        proxies = {"all": proxy.url.replace("ws:", "http:")}
        websocket = WebSocket("ws://server.invalid/", proxies=proxies)
        names = [event.name for event in persist(websocket, final={403}, **AT_ONCE)]
    assert names == ["connecting", "connect_fail"]


def test_what_the_callable_raises_comes_out_behind_the_last_event() -> None:
    names = []
    with served(refuses) as server:
        loop = persist(WebSocket(server.url), final=lambda _: 1 / 0, **AT_ONCE)
        with pytest.raises(ZeroDivisionError):
            names.extend(event.name for event in loop)
    assert names[-1] == "disconnected"


def test_another_websocket_tells_by_its_events() -> None:
    class Fake:
        def __init__(self, *told: events.AnyEvent) -> None:
            self.told = told

        def connect(self, **options: Any) -> list[events.AnyEvent]:
            return [*self.told, events.Disconnected()]

    refusal = events.Rejected(Response(b"HTTP/1.1 403 No\r\n\r\n"), "no")
    for fake in (Fake(refusal), Fake(events.Closing(4403, "no")), Fake(events.Closed(4403, ""))):
        assert [e.name for e in persist(fake, final={403, 4403}, **AT_ONCE)][-1] == "disconnected"
    loop = persist(Fake(events.Closing(4000, "")), final={403, 4403}, **AT_ONCE)
    assert [next(loop).name for _ in range(3)] == ["closing", "disconnected", "back_off"]


@pytest.mark.doors("sync")  # checked before there is a door
@pytest.mark.parametrize(
    ("final", "error", "message"),
    [
        ("403", TypeError, r"HTTP statuses and close codes, like \{401, 4403\}, or a callable"),
        (403, TypeError, "final must be HTTP statuses and close codes"),
        ({"403"}, TypeError, "a status or close code of final must be a whole number, not '403'"),
        ({99}, ValueError, "a status or close code of final must be from 100 to 4999"),
        ({5000}, ValueError, "a status or close code of final must be from 100 to 4999"),
        ({600}, ValueError, "final has 600; a status is from 100 to 599, a close code from 1000"),
        ({999}, ValueError, "final has 999; a status is from 100 to 599, a close code from 1000"),
        ({1006}, ValueError, r"final has 1006, which no server sends; give a callable"),
    ],
)
def test_what_can_not_be_final(final: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        persist(WebSocket("ws://localhost"), final=final)


def test_a_server_that_accepts_and_closes_at_once_meets_waits_that_grow() -> None:
    with served(bad_token) as server:
        seen = []
        for event in persist(WebSocket(server.url), min_wait=0, max_wait=0.001):
            if event.name == "back_off":
                seen.append(event.attempt)
                if len(seen) == 3:
                    break
    assert seen == [1, 2, 3]


UNTIL = "no attempt can succeed until {}: persist() waits max_wait before each"


def backs_off(websocket: WebSocket) -> Any:
    for event in persist(websocket, min_wait=0.01, max_wait=77):
        if event.name == "back_off":
            return event
    raise AssertionError("it is over")


@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_a_name_that_does_not_exist_is_tried_no_faster_than_max_wait(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "as the system says it")

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    back_off = backs_off(WebSocket("ws://nobody.invalid", proxies={}))
    if number == socket.EAI_NONAME:
        assert back_off.delay == 77
        assert back_off.ending.hint == UNTIL.format("that name exists")
        assert str(back_off.ending).endswith("persist() waits max_wait before each")
    else:
        assert back_off.delay < 3
        assert back_off.ending.hint is None


def test_a_certificate_that_is_not_accepted_is_tried_no_faster_than_max_wait() -> None:
    with serving(Site(), contexts()[0]) as server:
        back_off = backs_off(WebSocket(server.url))
    assert back_off.delay == 77
    assert back_off.ending.hint == UNTIL.format("the certificate is accepted")


def test_who_tells_what_is_final_is_not_awaited() -> None:
    async def is_final(ending: Ending) -> bool:
        return False

    with pytest.raises(TypeError, match=r"^final is a coroutine function, and nobody awaits it"):
        persist(WebSocket("ws://h/"), final=is_final)
