"""Code of the user's that is called during the opening: what it raises is a failed attempt."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import pytest

from doors.certified import contexts
from doors.raw_server import echo, raw_server
from doors.site_server import Site, jar_of, names, redirect, serving, visit
from lomond import WebSocket
from lomond.events import AnyEvent
from lomond.group import WebSocketGroup
from lomond.persist import persist

pytestmark = pytest.mark.every_door

NOWHERE = "ws://127.0.0.1:1/"


class TokenError(Exception):
    pass


class Fails(Mapping[str, str]):
    """A mapping that is well when it is given, and later is not."""

    def __init__(self) -> None:
        self.is_well = True

    def __getitem__(self, key: str) -> str:
        return "x"

    def __iter__(self) -> Iterator[str]:
        if not self.is_well:
            raise TokenError("no token")
        return iter(["X-Token"])

    def __len__(self) -> int:
        return 1


class FailingJar(CookieJar):
    def add_cookie_header(self, request: Any) -> None:
        raise TokenError("no token")


class FailingPolicy(DefaultCookiePolicy):
    def return_ok(self, cookie: Any, request: Any) -> bool:
        raise TokenError("no token")


def fails() -> Mapping[str, str]:
    raise TokenError("no token")


def mapping() -> dict[str, Any]:
    return {"headers": Fails()}


def cookies() -> dict[str, Any]:
    return {"cookies": Fails()}


def policy() -> dict[str, Any]:
    jar = jar_of("a=1")
    jar.set_policy(FailingPolicy())
    return {"cookies": jar}


GIVEN: dict[str, Callable[[], dict[str, Any]]] = {
    "callable": lambda: {"headers": fails},
    "mapping": mapping,
    "cookies": cookies,
    "jar": lambda: {"cookies": FailingJar()},
    "policy": policy,
}


def spoil(given: dict[str, Any]) -> None:
    for value in given.values():
        if isinstance(value, Fails):
            value.is_well = False


@pytest.mark.parametrize("way", GIVEN)
def test_what_it_raises_is_a_failed_attempt(way: str) -> None:
    with serving(Site()) as site:
        given = GIVEN[way]()
        websocket = WebSocket(site.url, **given)
        spoil(given)
        seen = visit(websocket)
        assert names(seen) == ["connecting", "connect_fail"]
        failed: Any = seen[-1]
        assert failed.phase == "credentials"
        assert isinstance(failed.cause, TokenError)
        what = "headers=" if "headers" in given else "cookies="
        assert failed.reason == f"the request can't be made; {what} raised TokenError: no token"
        assert failed.response is None
        assert failed.elapsed >= 0
        assert failed.timings.attempts == ()
        assert site.requests == []


@pytest.mark.parametrize("way", GIVEN)
def test_persist_goes_on(way: str) -> None:
    given = GIVEN[way]()
    websocket = WebSocket(NOWHERE, **given)
    spoil(given)
    seen: list[Any] = []
    for event in persist(websocket, min_wait=0, max_wait=0):
        seen.append(event)
        if len(seen) == 9:
            break
    assert names(seen) == ["connecting", "connect_fail", "back_off"] * 3
    assert {event.phase for event in seen[1::3]} == {"credentials"}
    assert "no token" in seen[2].reason
    assert [event.attempt for event in seen[2::3]] == [1, 2, 3]


def test_it_is_asked_behind_connecting_and_again_after_a_failure() -> None:
    asked: list[str] = []
    seen: list[str] = []

    def headers() -> Mapping[str, str]:
        asked.append(seen[-1])
        if len(asked) == 1:
            raise OSError("the token server is unreachable")
        return {"X-Token": str(len(asked))}

    with serving(Site()) as site:
        websocket = WebSocket(site.url, headers=headers)
        for event in persist(websocket, poll=None, ping_rate=0, min_wait=0, max_wait=0):
            seen.append(event.name)
            if event.name == "ready":
                break
        assert site.fields("X-Token") == ["2"]
    assert asked == ["connecting"] * 2
    assert seen[:4] == ["connecting", "connect_fail", "back_off", "connecting"]


def test_a_connection_that_stands_is_left_by_connect_and_not_by_what_is_asked() -> None:
    """The earlier connection ends as with every `connect`, whatever comes of the new one."""
    with serving(Site()) as site:
        websocket = WebSocket(site.url)
        stream = websocket.connect(ping_rate=0, poll=None)
        assert [next(stream).name for _ in range(3)][-1] == "ready"
        websocket.headers = fails
        seen = visit(websocket)
        assert names(seen) == ["connecting", "connect_fail"]
        assert next(stream).name == "disconnected"
        stream.close()


@pytest.mark.parametrize("value", [None, "X: y", [("X", "y")], {"X": b"y"}, {b"X": "y"}, 5])
def test_a_callable_gives_a_mapping_of_str(value: Any) -> None:
    failed: Any = visit(WebSocket(NOWHERE, headers=lambda: value))[-1]
    assert (failed.name, failed.phase) == ("connect_fail", "credentials")
    assert isinstance(failed.cause, TypeError)
    assert "headers= raised TypeError: headers must" in failed.reason


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_who_wants_to_end_the_program_does(kind: type[BaseException]) -> None:
    def headers() -> Mapping[str, str]:
        raise kind

    websocket = WebSocket(NOWHERE, headers=headers)
    stream = websocket.connect()
    assert next(stream).name == "connecting"
    with pytest.raises(kind):
        next(stream)
    assert list(stream) == []


def test_it_takes_its_time_out_of_open_timeout() -> None:
    """Pretend time tells the rest, in tests/session/."""
    given: dict[str, Any] = {"open_timeout": 1e-9}
    failed: Any = visit(WebSocket(NOWHERE, headers=dict, **given))[-1]
    assert failed.phase == "credentials"
    assert (
        "not done within open_timeout (1e-09 s); what headers= calls took that long"
        in failed.reason
    )


def test_what_is_long_or_unprintable_is_cut() -> None:
    def headers() -> Mapping[str, str]:
        raise TokenError("\x1b[31mws://me:hunter2@h/" + "x" * 5000)

    failed: Any = visit(WebSocket(NOWHERE, headers=headers))[-1]
    assert len(failed.reason) < 300
    assert failed.reason.isprintable()
    assert "hunter2" not in failed.reason


def test_a_jar_that_fails_behind_a_redirect() -> None:
    class Jar(CookieJar):
        asked = 0

        def add_cookie_header(self, request: Any) -> None:
            self.asked += 1
            if self.asked == 2:
                raise TokenError("no token")

    with serving(Site({"/": redirect("/on")})) as site:
        seen = visit(WebSocket(site.url, cookies=Jar(), max_redirects=1))
        assert names(seen) == ["connecting", "connected", "connecting", "connect_fail"]
        failed: Any = seen[-1]
        assert (failed.phase, type(failed.cause)) == ("credentials", TokenError)
        assert site.paths == ["/"]


class FailingContext(ssl.SSLContext):
    def wrap_bio(self, *arguments: Any, **options: Any) -> Any:
        raise TokenError("no key")


class FailingObject(ssl.SSLObject):
    def do_handshake(self) -> None:
        raise TokenError("no key")


@pytest.mark.parametrize("way", ["context", "object"])
def test_a_context_of_the_users_that_fails(way: str) -> None:
    server, _ = contexts()
    if way == "context":
        context: ssl.SSLContext = FailingContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.sslobject_class = FailingObject
    with serving(Site(), server) as site:
        seen = visit(WebSocket(site.url, ssl_context=context))
        assert names(seen) == ["connecting", "connect_fail"]
        failed: Any = seen[-1]
        assert (failed.phase, type(failed.cause)) == ("tls", TokenError)
        assert "no key" in failed.reason


def test_truststore_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("truststore")
    server, _ = contexts()
    with serving(Site(), server) as site:
        websocket = WebSocket(site.url, truststore=True)
        monkeypatch.setitem(__import__("sys").modules, "truststore", None)
        from lomond.system import tls

        tls.kept_context.cache_clear()
        failed: Any = visit(websocket)[-1]
        assert (failed.name, failed.phase) == ("connect_fail", "tls")
        assert isinstance(failed.cause, ImportError)
        assert "pip install" in failed.reason


def test_files_that_are_gone(tmp_path: Any) -> None:
    import trustme

    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    server, _ = contexts()
    with serving(Site(), server) as site:
        websocket = WebSocket(site.url, ssl_cafile=path)
        path.unlink()
        failed: Any = visit(websocket)[-1]
        assert (failed.name, failed.phase) == ("connect_fail", "tls")
        assert "ssl_cafile" in failed.reason


@pytest.mark.doors("sync", "asyncio")  # the group's own connects by add(), which refuses
def test_a_proxy_that_went_bad() -> None:
    proxies = {"http": "http://127.0.0.1:1"}
    websocket = WebSocket(NOWHERE, proxies=proxies)
    seen: list[AnyEvent] = []
    for event in persist(websocket, min_wait=0, max_wait=0, max_attempts=2):
        seen.append(event)
        proxies["http"] = "http://me:hunter2@p:x"
    assert names(seen)[-2:] == ["connecting", "connect_fail"]
    failed: Any = seen[-1]
    assert failed.phase == "credentials"
    assert "proxies['http']" in failed.reason
    assert "hunter2" not in failed.reason


@pytest.mark.doors("sync")
def test_in_a_group_no_other_member_notices() -> None:
    group = WebSocketGroup()
    with raw_server(echo) as server:
        good = WebSocket(server.url)
        group.add(good, ping_rate=0)
        bad = WebSocket(server.url, headers=fails)
        once = WebSocket(server.url, cookies=FailingJar())
        group.persist(bad, min_wait=0, max_wait=0, ping_rate=0)
        group.add(once, ping_rate=0)
        seen: dict[WebSocket, list[str]] = {good: [], bad: [], once: []}
        for websocket, event in group:
            seen[websocket].append(event.name)
            if websocket is good and event.name == "ready":
                good.send_text("0")
            elif event.name == "text":
                if len(seen[bad]) > 30 and once not in group:
                    break
                good.send_text("1")
    assert seen[once] == ["connecting", "connect_fail"]
    assert seen[bad][:6] == ["connecting", "connect_fail", "back_off"] * 2
    assert "disconnected" not in seen[good]


class FailsLater(Mapping[str, str]):
    """Proxies that can't be asked any more once a server has redirected us."""

    def __init__(self) -> None:
        self.is_well = True

    def __getitem__(self, key: str) -> str:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        if not self.is_well:
            raise TokenError("no proxies")
        return iter(())

    def __len__(self) -> int:
        return 0


def test_proxies_that_fail_for_a_redirect() -> None:
    proxies = FailsLater()
    with serving(Site({"/": redirect("/there")})) as site:
        seen = []
        for event in WebSocket(site.url, proxies=proxies, max_redirects=3):
            seen.append(event)
            proxies.is_well = event.name != "connected"
    assert names(seen) == ["connecting", "connected", "rejected", "disconnected"]
    assert "the redirect is not followed: no proxies" in seen[2].reason  # type: ignore[union-attr]  # the event that has it
