"""Origin, cookies, credentials and further headers in the request, over real sockets."""

from __future__ import annotations

import traceback
from base64 import b64encode
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar
from typing import Any

import pytest

from doors.certified import contexts
from doors.site_server import Site, jar_of, names, redirect, refusal, serving, visit
from lomond import WebSocket
from lomond.persist import persist

pytestmark = pytest.mark.every_door

SECRET = "hunter2"
EVIL = ["\r\nInjected: yes", "\nInjected: yes", "\rx", "\0"]


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


# Origin


@pytest.mark.parametrize("origin", ["https://example.org", "http://[::1]:8080", "null", "app://x"])
def test_the_origin_is_sent(origin: str) -> None:
    with serving(Site()) as site:
        assert names(visit(WebSocket(site.url, origin=origin)))[2] == "ready"
        assert site.fields("Origin") == [origin]
        visit(WebSocket(site.url, origin=origin, headers={"oriGin": "mine"}))
        assert site.fields("Origin") == ["mine"]


@pytest.mark.parametrize(
    "origin",
    ["", "example.org", "https://", "https://h/", "https://h/path", "https://a b", "https://\xe9",
     "https://u@h", "https://h?x", "https://h#x", "https://h\\x", "*", "Null"]
    + ["https://h" + evil for evil in EVIL],
)  # fmt: skip
def test_origins_that_can_not_be(origin: str) -> None:
    with pytest.raises(ValueError, match="origin must be scheme and host"):
        WebSocket("ws://h/", origin=origin)
    websocket = WebSocket("ws://h/")
    with pytest.raises(ValueError, match="origin must be scheme and host"):
        websocket.origin = origin
    assert websocket.origin is None


def test_an_origin_is_a_str() -> None:
    with pytest.raises(TypeError, match="origin must be a str"):
        WebSocket("ws://h/", origin=b"https://h")  # type: ignore[arg-type]  # wrong, on purpose


# Cookies


def test_a_mapping_of_cookies_is_sent_on_every_connection_and_stays_as_it_is() -> None:
    cookies = {"a": "1", "b": "2"}
    with serving(Site(extra=b"Set-Cookie: c=3\r\n")) as site:
        websocket = WebSocket(site.url, cookies=cookies)
        for _ in range(2):
            visit(websocket)
            assert site.fields("Cookie") == ["a=1; b=2"]
    assert cookies == {"a": "1", "b": "2"}


def test_a_users_header_and_cookies_are_one_cookie_header() -> None:
    with serving(Site()) as site:
        websocket = WebSocket(site.url, headers={"cookie": "x=1"}, cookies={"a": "2"})
        websocket.add_header(b"COOKIE", b"y=3")
        visit(websocket)
        assert site.fields("Cookie") == ["x=1; y=3; a=2"]
        visit(WebSocket(site.url, headers={"Cookie": "x=1"}, cookies=jar_of("a=2")))
        assert site.fields("Cookie") == ["x=1; a=2"]
        visit(WebSocket(site.url, headers={"Cookie": "x=1"}, cookies={}))
        assert site.fields("Cookie") == ["x=1"]
        visit(WebSocket(site.url, cookies=CookieJar()))
        assert site.fields("Cookie") == []


def test_a_jar_gets_the_cookies_of_an_upgrade() -> None:
    jar = jar_of("old=1")
    with serving(Site(extra=b"Set-Cookie: a=b; Path=/x\r\nSet-Cookie: c=d\r\n")) as site:
        websocket = WebSocket(site.url + "/x", cookies=jar)
        visit(websocket)
        assert site.fields("Cookie") == ["old=1"]
        visit(websocket)
        assert site.fields("Cookie")[0].split("; ") == ["a=b", "old=1", "c=d"]


def test_a_jar_gets_the_cookies_of_a_refusal_and_of_a_redirect() -> None:
    jar = CookieJar()
    answers = {
        "/no": refusal("403 No", "Set-Cookie: a=1; Path=/"),
        "/on": redirect("/no", 302, "Set-Cookie: b=2; Path=/"),
    }
    with serving(Site(answers)) as site:
        assert names(visit(WebSocket(site.url + "/no", cookies=jar)))[2] == "rejected"
        visit(WebSocket(site.url + "/on", cookies=jar, max_redirects=1))
        assert site.fields("Cookie", 1) == ["a=1"]
        assert site.fields("Cookie", 2) == ["a=1; b=2"]
    assert {cookie.name for cookie in jar} == {"a", "b"}


def test_secure_cookies_go_over_tls_only() -> None:
    server, client = contexts()
    jar = jar_of("s=1; Secure", "p=2", url="wss://127.0.0.1/")
    with serving(Site()) as plain, serving(Site(), server) as secure:
        visit(WebSocket(plain.url, cookies=jar))
        visit(WebSocket(secure.url, cookies=jar, ssl_context=client))
        assert plain.fields("Cookie") == ["p=2"]
        assert secure.fields("Cookie") == ["s=1; p=2"]


def test_a_jar_with_a_cookie_that_can_not_be_sent_is_a_failed_attempt_and_sends_nothing() -> None:
    jar = jar_of("good=1", "bad=2")
    for cookie in jar:
        if cookie.name == "bad":
            cookie.value = f"{SECRET}\r\nInjected: yes"
    with serving(Site()) as site:
        seen = visit(WebSocket(site.url, cookies=jar))
        assert names(seen) == ["connecting", "connect_fail"]
        failed: Any = seen[-1]
        assert failed.phase == "credentials"
        assert "cookies= raised ValueError: cookie 'bad' of the CookieJar has a" in failed.reason
        assert SECRET not in repr(seen) + repr(failed.cause)
        assert site.requests == []


def test_a_jar_that_went_bad_before_a_redirect_is_a_failed_attempt() -> None:
    class Bad(CookieJar):
        """Gets a cookie that can't be while the first answer is on its way."""

        def extract_cookies(self, response: Any, request: Any) -> None:
            super().extract_cookies(response, request)
            for cookie in self:
                cookie.value = f"{SECRET}\r\nInjected: yes"

    with serving(Site({"/": redirect("/on", 302, "Set-Cookie: bad=1")})) as site:
        seen = visit(WebSocket(site.url, cookies=Bad(), max_redirects=1))
        assert names(seen) == ["connecting", "connected", "connecting", "connect_fail"]
        assert seen[3].phase == "credentials"  # type: ignore[union-attr]  # the event that has it
        assert "cookie 'bad'" in seen[3].reason  # type: ignore[union-attr]  # the event that has it
        assert SECRET not in repr(seen)
        assert len(site.requests) == 1


# Credentials


@pytest.mark.parametrize(
    ("info", "auth", "value"),
    [
        ("", ("user", "p:w"), basic("user", "p:w")),
        ("", ("ü", ""), basic("ü", "")),
        ("", "tok.en==", "Bearer tok.en=="),
        ("user:pw@", None, basic("user", "pw")),
        ("us%40er:p%3Aw%2F%C3%A9@", None, basic("us@er", "p:w/é")),
        ("user@", None, basic("user", "")),
        (":pw@", None, basic("", "pw")),
        ("@", None, None),
        ("user:pw@", "token", "Bearer token"),
        ("", None, None),
    ],
)
def test_who_we_are(info: str, auth: Any, value: str | None) -> None:
    with serving(Site()) as site:
        visit(WebSocket(site.url.replace("//", f"//{info}"), auth=auth))
        assert site.fields("Authorization") == ([] if value is None else [value])
        assert site.fields("Host") == [f"127.0.0.1:{site.port}"]


@pytest.mark.parametrize("way", ["headers", "callable", "add_header"])
def test_an_explicit_header_wins(way: str) -> None:
    with serving(Site()) as site:
        given: dict[str, Any] = {"auth": ("user", "pw")}
        if way == "headers":
            given["headers"] = {"authorization": "Mine 1"}
        elif way == "callable":
            given["headers"] = lambda: {"AUTHORIZATION": "Mine 1"}
        websocket = WebSocket(site.url.replace("//", "//u:p@"), **given)
        if way == "add_header":
            websocket.add_header(b"Authorization", b"Mine 1")
        visit(websocket)
        assert site.fields("Authorization") == ["Mine 1"]


@pytest.mark.parametrize(
    "url",
    [
        "ws://a%0d%0ab:pw@h/",
        "ws://a:hunter2%00@h/",
        "ws://a%3Ab:hunter2@h/",
        "ws://a:hunter2%ff@h/",
    ],
)
def test_credentials_of_a_url_that_can_not_be_sent_are_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"user name|password|credentials") as caught:
        WebSocket(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    WebSocket(url, auth="token")  # which is what is sent


@pytest.mark.parametrize(
    "auth", [("a\r\nb", "x"), ("a", "x\n"), ("a", "x\0"), "tok\r\nen", "tok en", "", ("a:b", "x")]
)
def test_auth_that_can_not_be_sent(auth: Any) -> None:
    with pytest.raises(ValueError, match=r"user name|password|bearer"):
        WebSocket("ws://h/", auth=auth)
    websocket = WebSocket("ws://h/")
    with pytest.raises(ValueError, match=r"user name|password|bearer"):
        websocket.auth = auth
    assert websocket.auth is None


@pytest.mark.parametrize("auth", [("a",), ("a", "b", "c"), ["a", "b"], ("a", None), b"x", 5])
def test_auth_of_other_types(auth: Any) -> None:
    with pytest.raises(TypeError, match="auth must be a tuple"):
        WebSocket("ws://h/", auth=auth)


# Headers that are asked for


def test_a_callable_is_asked_once_for_every_connection() -> None:
    asked: list[str] = []

    def headers() -> Mapping[str, str]:
        asked.append("x")
        return {"X-Turn": str(len(asked))}

    with serving(Site({"/on": redirect("/")})) as site:
        websocket = WebSocket(site.url, headers=headers)
        websocket.add_header(b"X-Fixed", b"y")
        assert asked == []
        for turn in ("1", "2"):
            visit(websocket)
            assert (site.fields("X-Turn"), site.fields("X-Fixed")) == ([turn], ["y"])
        for event in persist(websocket, poll=None, ping_rate=0, min_wait=0, max_wait=0):
            if event.name == "ready":
                websocket.close()
            if event.name == "back_off" and len(asked) == 4:
                break
        assert site.fields("X-Turn") == ["4"]
        visit(WebSocket(site.url + "/on", headers=headers, max_redirects=1))
        assert (site.fields("X-Turn", -2), site.fields("X-Turn")) == (["5"], ["5"])


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_gets_into_the_request(evil: str) -> None:
    makes: list[Callable[[], object]] = [
        lambda: WebSocket("ws://h/", cookies={"a": "b" + evil}),
        lambda: WebSocket("ws://h/", cookies={"a" + evil: "b"}),
        lambda: WebSocket("ws://h/", headers={"X": "y" + evil}),
        lambda: WebSocket("ws://h/", proxies={"http": f"http://p{evil}:80"}),
        lambda: WebSocket("ws://h/", proxies={"http": f"http://u:x{evil}@p:80"}),
        lambda: WebSocket("ws://h/", proxies={"http": "http://u:x%0d%0a@p:80"}),
        lambda: WebSocket("ws://h/", server_name="h" + evil),
    ]
    for make in makes:
        with pytest.raises(ValueError, match=r"."):
            make()
    for said in ({"X": "y" + evil}, {"X" + evil: "y"}):
        seen = visit(WebSocket("ws://h.invalid/", headers=lambda said=said: said))
        assert names(seen) == ["connecting", "connect_fail"]
        assert seen[-1].phase == "credentials"  # type: ignore[union-attr]  # the event that has it
