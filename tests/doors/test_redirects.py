"""Redirects over real sockets: which are followed, what goes along, and what is left behind."""

from __future__ import annotations

import socket
import sys
from http.cookiejar import CookieJar
from typing import Any

import pytest

from doors.certified import contexts
from doors.raw_server import refusing_port
from doors.site_server import Site, names, redirect, refusal, serving, visit
from lomond import WebSocket
from lomond.errors import WebSocketUnavailable
from lomond.events import AnyEvent
from lomond.persist import persist

pytestmark = pytest.mark.every_door

REJECTED = ["connecting", "connected", "rejected", "disconnected"]
FOLLOWED = ["connecting", "connected"] * 2 + ["ready", "closed", "disconnected"]
SECRETS: dict[str, Any] = {
    "auth": ("me", "hunter2"),
    "cookies": {"a": "b"},
    "headers": {"X-Token": "t"},
}


def reason_of(seen: list[AnyEvent]) -> str:
    """Why it was rejected, and nothing else happened."""
    assert names(seen)[-2:] == ["rejected", "disconnected"]
    return str(seen[-2].reason)  # type: ignore[union-attr]  # the event that has it


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_they_are_off_unless_asked_for(status: int) -> None:
    with serving(Site({"/": redirect("/on", status)})) as site:
        seen = visit(WebSocket(site.url))
        assert names(seen) == REJECTED
        rejected = seen[2]
        assert rejected.name == "rejected"
        assert rejected.response.get("location") == "/on"
        assert rejected.reason == f"Websocket upgrade failed (code={status})"
        assert len(site.requests) == 1
        assert names(visit(WebSocket(site.url, max_redirects=5))) == FOLLOWED
        assert site.paths[1:] == ["/", "/on"]


@pytest.mark.parametrize("status", ["300 Many", "304 Old", "305 Proxy", "399 What", "200 OK"])
def test_other_answers_lead_nowhere(status: str) -> None:
    with serving(Site({"/": refusal(status, "Location: /on")})) as site:
        seen = visit(WebSocket(site.url, max_redirects=5))
        assert reason_of(seen) == f"Websocket upgrade failed (code={status[:3]})"
        assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/new?a=b", "/new?a=b"),
        ("new", "/dir/new"),
        ("../new", "/new"),
        ("?x=1", "/dir/old?x=1"),
        ("//{host}/new", "/new"),
        ("ws://{host}/new", "/new"),
        ("http://{host}/new", "/new"),
        ("WS://{host}", "/"),
        ("/a b", "/a%20b"),
        ("/new#top", "/new"),
        ("/new?a#b?c#d", "/new?a"),
        ("ws://{host}#top", "/"),
        ("/x%0d%0aInjected:%20yes", "/x%0d%0aInjected:%20yes"),
        ("ws://bad:word@{host}/new", "/new"),
    ],
)
def test_where_a_location_leads(location: str, path: str) -> None:
    with serving(Site()) as site:
        host = f"127.0.0.1:{site.port}"
        site.answers["/dir/old?q"] = redirect(location.format(host=host))
        seen = visit(WebSocket(f"{site.url}/dir/old?q", max_redirects=1, **SECRETS))
        assert names(seen) == FOLLOWED
        assert site.paths == ["/dir/old?q", path]
        assert seen[2].url == seen[3].url == f"ws://{host}{path}"  # type: ignore[union-attr]  # the event that has it
        assert site.fields("Host") == [host]
        assert b"\r\nInjected" not in site.requests[1]
        assert "word" not in repr(seen)
        for name in ("Authorization", "Cookie", "X-Token"):  # the origin is the same
            assert site.fields(name) == site.fields(name, 0) != []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refusal("302 x"), "it has no Location"),
        (redirect(""), "it has no Location"),
        (redirect("/a", 302, "Location: /b"), "it has more than one Location"),
        (redirect("ftp://h/"), "no scheme that is known"),
        (redirect("javascript:alert(1)"), "no scheme that is known"),
        (redirect("ws:///x"), "no host"),
        (redirect("ws://h:99999/"), "port '99999'"),
        (redirect("ws://[::1/"), "not a URL"),
        (redirect("\\\\h\\x"), "holds"),
        (redirect("/caf\xe9"), "not ASCII"),
        (redirect("ws://me:hunter2@h:x/"), "a bad port"),
    ],
)
def test_locations_that_lead_nowhere(answer: bytes, said: str) -> None:
    with serving(Site({"/": answer})) as site:
        seen = visit(WebSocket(site.url, max_redirects=5))
        assert names(seen) == REJECTED
        reason = reason_of(seen)
        assert reason.startswith(
            "Websocket upgrade failed (code=302); the redirect is not followed"
        )
        with pytest.raises(AssertionError, match=said):
            raise AssertionError(reason)
        assert "hunter2" not in repr(seen)
        assert len(site.requests) == 1


def test_loops_end_at_the_limit() -> None:
    with serving(Site({"/a": redirect("/b"), "/b": redirect("/a")})) as site:
        seen = visit(WebSocket(site.url + "/a", max_redirects=3))
        assert names(seen) == ["connecting", "connected"] * 4 + ["rejected", "disconnected"]
        assert site.paths == ["/a", "/b", "/a", "/b"]
    assert reason_of(seen).endswith("it is number 4, and max_redirects is 3")
    assert seen[-2].response.get("location") == "/a"  # type: ignore[union-attr]  # the event that has it


@pytest.mark.parametrize("most", [-1, 21])
def test_limits_that_can_not_be(most: int) -> None:
    with pytest.raises(ValueError, match="max_redirects must be from 0 to 20"):
        WebSocket("ws://h/", max_redirects=most)
    for other in (True, 1.0, None):
        with pytest.raises(TypeError, match="max_redirects must be a whole number"):
            WebSocket("ws://h/", max_redirects=other)  # type: ignore[arg-type]  # wrong, on purpose


def test_a_proxy_whose_package_is_missing_is_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    with serving(Site({"/": redirect("wss://127.0.0.1/")})) as site:
        websocket = WebSocket(site.url, max_redirects=1, proxies={"https": "socks5://127.0.0.1:1"})
        assert r"pip install 'lomond[socks]'" in reason_of(visit(websocket))


def test_from_ws_to_wss_and_not_back() -> None:
    server, client = contexts()
    with serving(Site()) as plain, serving(Site(), server) as secure:
        plain.answers["/"] = redirect(secure.url)
        secure.answers["/back"] = redirect(plain.url)
        secure.answers["/same"] = redirect("/")
        seen = visit(WebSocket(plain.url, max_redirects=1, ssl_context=client, **SECRETS))
        assert names(seen) == FOLLOWED
        for name in ("Authorization", "Cookie", "X-Token"):
            assert (plain.fields(name) != [], secure.fields(name)) == (True, [])
        visit(WebSocket(f"{secure.url}/same", max_redirects=1, ssl_context=client, **SECRETS))
        assert secure.fields("X-Token") == ["t"]
        seen = visit(WebSocket(f"{secure.url}/back", max_redirects=1, ssl_context=client))
        assert "from wss:// to ws://, which is not encrypted" in reason_of(seen)
        assert len(plain.requests) == 1


def test_nothing_secret_goes_to_another_origin() -> None:
    jar = CookieJar()
    with serving(Site()) as first, serving(Site()) as other:
        # Another port is another origin. A further hop there does not make it ours, nor does
        # one that comes back.
        first.answers["/"] = redirect(other.url + "/one")
        other.answers["/one"] = redirect("/two", 302, "Set-Cookie: o=1; Path=/")
        other.answers["/two"] = redirect(first.url + "/three")
        for given in (SECRETS, {"headers": {"Authorization": "x", "Cookie": "x", "X-Token": "x"}}):
            url = first.url if "auth" in given else first.url.replace("//", "//me:hunter2@")
            websocket = WebSocket(
                url, max_redirects=3, origin="https://o", agent="me", protocols=["p"], **given
            )
            websocket.add_header(b"X-Added", b"y")
            assert names(visit(websocket))[-3] == "ready"
            assert other.paths[-2:] == ["/one", "/two"]
            for site, index in [(other, -2), (other, -1), (first, -1)]:
                for name in ("Authorization", "Cookie", "X-Token", "X-Added"):
                    assert site.fields(name, index) == [], (name, site.requests[index])
                assert site.fields("Origin", index) == ["https://o"]
                assert site.fields("User-Agent", index) == ["me"]
                assert site.fields("Sec-WebSocket-Protocol", index) == ["p"]
            for name in ("Authorization", "Cookie", "X-Token", "X-Added"):
                assert first.fields(name, -2) != []
        # A jar knows itself what is for whom; ports are one to it.
        visit(WebSocket(first.url, max_redirects=3, cookies=jar))
        assert (other.fields("Cookie", -1), first.fields("Cookie")) == (["o=1"], ["o=1"])


def test_each_request_has_its_own_key() -> None:
    with serving(Site({"/": redirect("/on")})) as site:
        visit(WebSocket(site.url, max_redirects=1))
        assert site.fields("Sec-WebSocket-Key", 0) != site.fields("Sec-WebSocket-Key", 1)


def test_what_the_plan_says_is_what_connect_saw() -> None:
    with serving(Site({"/": redirect("/on")})) as site:
        websocket = WebSocket(site.url, max_redirects=1, origin="https://a", auth="t", cookies={})
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "connected":
                websocket.origin = "https://b"
                websocket.auth = "other"
                websocket.cookies = {"x": "y"}
                websocket.max_redirects = 0
            elif event.name == "ready":
                websocket.close()
        assert site.paths == ["/", "/on"]
        assert site.fields("Origin") == ["https://a"]
        assert site.fields("Authorization") == ["Bearer t"]
        assert site.fields("Cookie") == []


def test_a_proxy_that_can_not_be_is_a_rejection() -> None:
    proxies = {"https": "http://me:hunter2@p:x"}
    with serving(Site({"/": redirect("wss://127.0.0.1/")})) as site:
        seen = visit(WebSocket(site.url, max_redirects=1, proxies=proxies))
        assert "proxies['https']" in reason_of(seen)
        assert "hunter2" not in repr(seen)


def test_nothing_is_sent_while_there_is_no_connection() -> None:
    with serving(Site({"/": redirect("/on")})) as site:
        websocket = WebSocket(site.url, max_redirects=1)
        refused = 0
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "connecting":
                with pytest.raises(WebSocketUnavailable, match="not connected"):
                    websocket.send_text("x")
                refused += 1
            elif event.name == "ready":
                websocket.close()
        assert (refused, event.name) == (2, "disconnected")


def test_what_is_sent_on_the_way_arrives_at_the_end() -> None:
    with serving(Site({"/": redirect("/on")})) as site:
        websocket = WebSocket(site.url, max_redirects=1)
        texts = []
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "connected":
                websocket.send_text(event.url)
            elif event.name == "text":
                texts.append(event.text)
                if len(texts) == 2:
                    websocket.close()
        assert texts == [site.url, f"{site.url}/on"]


def test_a_given_socket_is_not_redirected() -> None:
    with serving(Site({"/": redirect("/on")})) as site:
        mine = socket.create_connection(("127.0.0.1", site.port))
        seen = visit(WebSocket(site.url, socket=mine, max_redirects=5))
        assert names(seen) == REJECTED
        assert "the socket was given" in reason_of(seen)
        assert mine.fileno() == -1
        assert len(site.requests) == 1


def test_a_hop_that_fails_is_told_as_the_first_would_be() -> None:
    port = refusing_port()
    with serving(Site({"/": redirect(f"ws://127.0.0.1:{port}/")})) as site:
        seen = visit(WebSocket(site.url, max_redirects=1))
    assert names(seen) == ["connecting", "connected", "connecting", "connect_fail"]
    failed = seen[-1]
    assert failed.name == "connect_fail"
    assert failed.phase == "connect"
    assert failed.address == f"127.0.0.1:{port}"
    assert f"unable to connect to 127.0.0.1:{port}" in failed.reason


def test_persist_starts_at_the_first_url_every_time() -> None:
    with serving(Site({"/": redirect("/on", 301)})) as site:
        websocket = WebSocket(site.url, max_redirects=1, auth="t")
        seen = []
        for event in persist(websocket, poll=None, ping_rate=0, min_wait=0, max_wait=0):
            seen.append(event.name)
            if event.name == "ready":
                websocket.close()
            if seen.count("back_off") == 2:
                break
        assert seen == [*FOLLOWED, "back_off"] * 2
        assert site.paths == ["/", "/on"] * 2
        assert site.fields("Authorization") == ["Bearer t"]
