"""url=, headers=, auth= and protocols= as callables, asked for each attempt; in every door."""

from __future__ import annotations

import contextvars
import copy
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import anyio
import pytest

from doors.site_server import Site, redirect, refusal, serving, visit
from lomond import AsyncWebSocket, Ending, TrioWebSocket, WebSocket, WebSocketGroup
from lomond.persist import persist
from lomond.system.clock import monotonic
from patience import PATIENCE

AT_ONCE: dict[str, Any] = {"min_wait": 0, "max_wait": 0, "poll": None}
BUSY = refusal("503 Busy")
every_door = pytest.mark.every_door


class Busy(Site):
    """Refuses whatever is asked for."""

    def __init__(self) -> None:
        super().__init__({f"/{turn}": BUSY for turn in range(9)})


def names(seen: list[Any]) -> list[str]:
    return [event.name for event in seen]


@every_door
def test_each_is_asked_for_each_attempt() -> None:
    turns: list[Ending | None] = []

    def url() -> str:
        turns.append(websocket.ending)
        return f"{site.url}/{len(turns)}"

    with serving(Busy()) as site:
        websocket = WebSocket(
            url,
            headers=lambda: {"X-Turn": str(len(turns))},
            auth=lambda: f"token{len(turns)}",
            protocols=lambda: ["a", f"b{len(turns)}"],
        )
        seen = list(persist(websocket, max_attempts=3, **AT_ONCE))
    assert site.paths == ["/1", "/2", "/3"]
    for at, turn in enumerate("123"):
        assert site.fields("X-Turn", at) == [turn]
        assert site.fields("Authorization", at) == [f"Bearer token{turn}"]
        assert site.fields("Sec-WebSocket-Protocol", at) == [f"a, b{turn}"]
    assert turns == [None, *[event.ending for event in seen if event.name == "disconnected"][:2]]
    assert turns[1] is not None
    assert turns[1].status == 503
    assert [event.url for event in seen if event.name == "connecting"] == [None] * 3
    assert [e.url for e in seen if e.name == "connected"] == [f"{site.url}/{n}" for n in (1, 2, 3)]
    assert websocket.url == f"{site.url}/3"


@every_door
def test_the_url_is_the_one_last_asked_for() -> None:
    def place() -> str:
        return f"ws://me:secret@127.0.0.1:{site.port}/x?y=1"

    with serving(Site()) as site:
        websocket = WebSocket(place)
        assert websocket.url is None  # type: ignore[unreachable]  # type checkers are told a str
        for part in ("scheme", "host", "port", "resource", "is_secure"):
            with pytest.raises(AttributeError, match="has not been asked yet"):
                getattr(websocket, part)
        assert names(visit(websocket))[-1] == "disconnected"
        assert site.fields("Authorization") == ["Basic bWU6c2VjcmV0"]
        assert websocket.url == place()
        parts = (websocket.scheme, websocket.host, websocket.port, websocket.resource)
        assert parts == ("ws", "127.0.0.1", site.port, "/x?y=1")
        assert websocket.is_secure is False
        with pytest.raises(AttributeError, match="says the host; have it give another URL"):
            websocket.host = "elsewhere"
        websocket.url = f"{site.url}/fixed"
        visit(websocket)
        assert site.paths == ["/x?y=1", "/fixed"]
        websocket.url = place
        assert websocket.url is None


@pytest.mark.parametrize("kind", [WebSocket, AsyncWebSocket, TrioWebSocket])
def test_repr_says_what_is_asked(kind: Any) -> None:
    assert repr(kind(fails)) == f"{kind.__name__}(url=fails, not asked yet)"
    assert repr(kind(partial(fails))) == f"{kind.__name__}(url=partial, not asked yet)"
    websocket = kind(fails)
    websocket.url = "ws://me:secret@h/"
    assert repr(websocket) == f"{kind.__name__}('ws://***@h/')"
    websocket.url = "ws://h/live?token=secret&page=2"
    assert repr(websocket) == f"{kind.__name__}('ws://h/live?token=***&page=2')"


def test_repr_says_what_was_last_asked_for_without_its_secrets() -> None:
    def place() -> str:
        return "ws://me:secret@127.0.0.1:1/x"

    websocket = WebSocket(place)
    list(websocket)
    assert repr(websocket) == f"WebSocket(url={place.__qualname__}, last 'ws://***@127.0.0.1:1/x')"


def test_a_copy_asks_too() -> None:
    with serving(Site()) as site:
        websocket = WebSocket(lambda: f"{site.url}/c", headers=lambda: {"X": "1"})
        visit(websocket)
        other = copy.copy(websocket)
        assert other.url is None  # type: ignore[unreachable]  # the call before has changed it
        visit(other)
    assert (site.paths, site.fields("X")) == (["/c", "/c"], ["1"])


@every_door
def test_a_redirect_asks_for_nothing_anew() -> None:
    asked = []

    def url() -> str:
        asked.append("url")
        return f"{site.url}/on"

    with serving(Site({"/on": redirect("/there")})) as site:
        visit(WebSocket(url, headers=lambda: asked.append("h") or {}, max_redirects=1))
    assert (site.paths, asked) == (["/on", "/there"], ["url", "h"])


def fails() -> Any:
    raise LookupError("no token of ws://me:secret@h/")


@every_door
@pytest.mark.parametrize(
    ("option", "call", "said"),
    [
        *[
            (name, fails, rf"{name}= raised LookupError: no token of ws://\*\*\*@h/")
            for name in ("url", "headers", "auth", "protocols")
        ],
        ("url", lambda: None, "url= raised TypeError: url must be a str"),
        ("url", lambda: "wss://h/#x", "url= raised ValueError: URL 'wss://h/#x' has a fragment"),
        ("url", lambda: "ftp://h/", "url= raised ValueError: URL 'ftp://h/' has no scheme"),
        ("url", lambda: "ws://a%ff:b@h/", "credentials that are no UTF-8"),
        ("headers", lambda: "x", "headers= raised TypeError: headers must be a mapping"),
        ("headers", lambda: {"X": "y\r\n"}, "raised ValueError"),
        ("auth", lambda: "two words", "auth= raised ValueError: auth is no bearer token"),
        ("auth", lambda: 5, "auth= raised TypeError: auth must be a tuple"),
        ("protocols", lambda: "chat", "protocols= raised TypeError: protocols must be a list"),
        ("protocols", lambda: ["a,b"], "protocols= raised ValueError: sub-protocol 'a,b'"),
    ],
)
def test_what_fails_is_a_failed_attempt(option: str, call: Any, said: str) -> None:
    options = {"url": "ws://h.invalid/", option: call}
    seen: list[Any] = []
    for event in persist(WebSocket(**options), **AT_ONCE):
        seen.append(event)
        if names(seen).count("connect_fail") == 2:
            break
    failed = seen[1]
    assert names(seen) == ["connecting", "connect_fail", "back_off", "connecting", "connect_fail"]
    assert (failed.phase, failed.ending.kind) == ("credentials", "credentials")
    assert failed.reason.startswith("the request can't be made; ")
    assert re.search(said, failed.reason), failed.reason


@every_door
def test_an_unknown_scheme_is_tried_no_faster_than_max_wait() -> None:
    for event in persist(WebSocket(lambda: "ftp://h/"), min_wait=0, max_wait=77):
        if event.name == "back_off":
            break
    assert event.name == "back_off"
    assert event.delay == 77
    assert event.ending is not None
    assert str(event.ending.hint).startswith("no attempt can succeed until that URL has another")


@every_door
def test_what_takes_too_long_is_a_failed_attempt() -> None:
    def slow() -> str:
        end = monotonic() + 0.02
        while monotonic() < end:
            pass
        return "ws://h.invalid/"

    *_, failed = WebSocket(slow, open_timeout=0.01).connect()
    assert failed.name == "connect_fail"
    assert failed.ending is not None
    assert (failed.ending.kind, failed.ending.deadline) == ("timed_out", "open_timeout")
    assert failed.reason.endswith("(0.01 s); what url= calls took that long")


@every_door
def test_the_trace_knows_the_url_once_it_was_asked_for() -> None:
    records: list[Any] = []
    with serving(Site()) as site:
        visit(WebSocket(lambda: f"{site.url}/t", trace=records.append))
    urls = [record["url"] for record in records]
    assert urls[0] is None
    assert urls[-1] == f"{site.url}/t"


def test_a_group_has_each_of_its_own() -> None:
    with serving(Site()) as site:
        group = WebSocketGroup()
        for path in "ab":
            group.add(WebSocket(lambda path=path: f"{site.url}/{path}"))
        for websocket, event in group:
            if event.name == "ready":
                websocket.close()
    assert sorted(site.paths) == ["/a", "/b"]


# Coroutine functions


async def gives() -> Any:
    raise AssertionError


class Gives:
    async def __call__(self) -> Any:
        raise AssertionError

    async def method(self) -> Any:
        raise AssertionError


@pytest.mark.parametrize("option", ["url", "headers", "auth", "protocols"])
@pytest.mark.parametrize("call", [gives, partial(gives), Gives(), Gives().method])
def test_where_nobody_awaits_a_coroutine_function_is_refused_at_once(
    option: str, call: Any
) -> None:
    said = f"^{option} is a coroutine function, which a WebSocket can't await; give a plain funct"
    with pytest.raises(TypeError, match=said):
        WebSocket(**{"url": "ws://h/", option: call})
    websocket = WebSocket("ws://h/")
    with pytest.raises(TypeError, match=said):
        setattr(websocket, option, call)
    for kind in (AsyncWebSocket, TrioWebSocket):
        setattr(kind(**{"url": "ws://h/", option: call}), option, call)


def test_where_nobody_awaits_what_is_to_be_awaited_fails_the_attempt() -> None:
    *_, failed = WebSocket("ws://h/", auth=lambda: gives()).connect()
    assert failed.name == "connect_fail"
    assert "auth= raised TypeError: auth must give it at once; it is not awaited here" in (
        failed.reason
    )


@pytest.fixture(params=["asyncio", "trio"])
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(library: str, talk: Callable[[Any], Any], *arguments: Any, **options: Any) -> None:
    async def within() -> None:
        async with AsyncExitStack() as stack:
            kind = AsyncWebSocket if library == "asyncio" else TrioWebSocket
            websocket = await stack.enter_async_context(kind(*arguments, **options))
            with anyio.fail_after(PATIENCE):
                await talk(websocket)

    anyio.run(within, backend=library)


task = contextvars.ContextVar("task", default="another")


@pytest.mark.parametrize("how", ["coroutine functions", "plain ones that give coroutines"])
def test_they_are_awaited_by_the_task_that_iterates(library: str, how: str) -> None:
    seen: list[str] = []

    async def later(value: Any) -> Any:
        await anyio.sleep(0.001)
        seen.append(task.get())
        return value

    async def url() -> str:
        found: str = await later(f"{site.url}/{len(seen)}")
        return found

    async def headers() -> dict[str, str]:
        return dict(await later({"X": "1"}))

    async def talk(websocket: Any) -> None:
        task.set("that which iterates")
        async for event in websocket.persist(max_attempts=2, **AT_ONCE):
            assert event.name != "connect_fail", event
        assert websocket.url == f"{site.url}/4"

    plain = how.startswith("plain")
    with serving(Busy()) as site:
        run(
            library,
            talk,
            (lambda: url()) if plain else url,
            headers=(lambda: headers()) if plain else headers,
            auth=partial(later, "token"),
            protocols=(lambda: later(["a"])) if plain else partial(later, ["a"]),
        )
        assert site.paths == ["/0", "/4"]
        assert site.fields("X") == ["1"]
        assert site.fields("Authorization") == ["Bearer token"]
        assert site.fields("Sec-WebSocket-Protocol") == ["a"]
    assert seen == ["that which iterates"] * 8


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("ends", ["raises", "too late", "closed", "bad"])
def test_what_is_awaited_may_fail(library: str, ends: str, plain: bool) -> None:
    found: list[Any] = []

    async def url() -> Any:
        if ends == "raises":
            raise LookupError("no token")
        if ends == "bad":
            return 5
        if ends == "closed":
            await found[0].close()
        await anyio.sleep(PATIENCE)
        return None

    async def talk(websocket: Any) -> None:
        found.append(websocket)
        seen = [event async for event in websocket]
        assert names(seen) == ["connecting", "connect_fail"]
        found.append(seen[-1])

    run(library, talk, (lambda: url()) if plain else url, open_timeout=0.2)
    ending = found[1].ending
    expected = {
        "raises": ("credentials", "url= raised LookupError: no token"),
        "bad": ("credentials", "url= raised TypeError: url must be a str"),
        "too late": ("timed_out", "what url= calls took that long"),
        "closed": ("left", "closed by the user"),
    }[ends]
    assert ending.kind == expected[0]
    assert expected[1] in found[1].reason


@pytest.mark.parametrize("plain", [False, True])
def test_cancelled_with_its_task_it_is_asked_anew(library: str, plain: bool) -> None:
    asked: list[int] = []

    async def url() -> str:
        asked.append(1)
        await anyio.sleep(PATIENCE if len(asked) == 1 else 0)
        return f"{site.url}/1"

    async def talk(websocket: Any) -> None:
        events = aiter(websocket)
        assert (await anext(events)).name == "connecting"
        with anyio.move_on_after(0.02):
            await anext(events)
        assert (await anext(events)).name == "connected"
        async for _ in events:
            pass

    with serving(Busy()) as site:
        run(library, talk, (lambda: url()) if plain else url)
    assert len(asked) == 2
