"""What nobody may see: secrets in events, in what is raised, in the log and in traces."""

from __future__ import annotations

import logging
import pickle
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from doors.site_server import Site, jar_of, names, redirect, refusal, serving, visit
from lomond import WebSocket

pytestmark = pytest.mark.every_door

SECRET = "hunter2"


def test_a_401_is_seen() -> None:
    answer = refusal("401 Who?", 'WWW-Authenticate: Basic realm="x"', body=b"log in")
    with serving(Site({"/": answer})) as site:
        seen = visit(WebSocket(site.url, auth=("u", "p"), max_redirects=5))
        assert names(seen) == ["connecting", "connected", "rejected", "disconnected"]
    rejected = seen[2]
    assert rejected.name == "rejected"
    assert rejected.response.status_code == 401
    assert rejected.response.get("www-authenticate") == 'Basic realm="x"'
    assert rejected.response.body == b"log in"
    assert rejected.phase == "upgrade"
    assert rejected.address == f"127.0.0.1:{site.port}"


@pytest.mark.parametrize("path", ["/", "/on", "/no", "/bad", "/junk", "/gone"])
@pytest.mark.parametrize("way", ["url", "auth", "token", "headers", "cookies", "jar"])
def test_no_secret_is_shown(way: str, path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    records: list[dict[str, object]] = []
    shown: list[object] = []
    answers = {
        "/on": redirect("/"),
        "/no": refusal("403 No"),
        "/bad": redirect("ftp://x/"),
        "/junk": b"junk\r\n\r\n",
        "/gone": redirect("ws://127.0.0.1:1/"),
    }
    with serving(Site(answers)) as site:
        url, given = site.url + path, dict[str, Any]()
        if way == "url":
            url = url.replace("//", f"//me:{SECRET}@")
        elif way == "auth":
            given["auth"] = ("me", SECRET)
        elif way == "token":
            given["auth"] = SECRET
        elif way == "headers":
            given["headers"] = lambda: {"X-Token": SECRET}
        else:
            given["cookies"] = {"a": SECRET} if way == "cookies" else jar_of(f"a={SECRET}")
        for trace in (records.append, True):
            websocket = WebSocket(url, trace=trace, max_redirects=1, **given)
            seen = visit(websocket)
            shown += [websocket, *seen, *map(str, seen), websocket.session]
            shown += [getattr(event, "reason", "") for event in seen]
            shown += [getattr(event, "cause", "") for event in seen]
        assert b"hunter2" in site.requests[0] or way in ("url", "auth")
        assert site.fields("Authorization", 0) or way not in ("url", "auth")
    assert records[-1]["stage"] == ("disconnected" if path != "/gone" else records[-1]["stage"])
    assert caplog.records
    if way != "url":  # the event has the URL as the user gave it
        assert SECRET.encode() not in pickle.dumps(seen)
    encoded = b64encode(f"me:{SECRET}".encode()).decode()
    for secret in (SECRET, encoded):
        assert secret not in f"{shown}{records}{caplog.text}"


def test_no_secret_is_in_exceptions() -> None:
    makes: list[Callable[[], object]] = [
        lambda: WebSocket(f"ws://me:{SECRET}@h:x/"),
        lambda: WebSocket(f"ws://me:{SECRET}@h/#x"),
        lambda: WebSocket(f"ws://me:{SECRET}@h/".encode()),  # type: ignore[arg-type]  # wrong, on purpose
        lambda: WebSocket("ws://h/", auth=("me", SECRET + "\n")),
        lambda: WebSocket("ws://h/", auth=("me", SECRET.encode())),  # type: ignore[arg-type]  # wrong, on purpose
        lambda: WebSocket("ws://h/", auth=SECRET + "\n"),
        lambda: WebSocket("ws://h/", cookies={"a": SECRET + "\n"}),
        lambda: WebSocket("ws://h/", headers={"a": SECRET + "\n"}),
        lambda: WebSocket("ws://h/", headers={"a": SECRET.encode()}),  # type: ignore[dict-item]  # wrong, on purpose
        lambda: WebSocket("ws://h/", headers=f"a: {SECRET}"),  # type: ignore[arg-type]  # wrong, on purpose
        lambda: WebSocket("ws://h/").add_header(b"a", SECRET.encode() + b"\n"),
        lambda: WebSocket("ws://h/").add_header(b"a", SECRET),  # type: ignore[arg-type]  # wrong, on purpose
        lambda: WebSocket("ws://h/", proxies={"all": f"http://me:{SECRET}@h:x"}),
        lambda: WebSocket("ws://h/", ssl_password=SECRET),
    ]
    for make in makes:
        with pytest.raises((ValueError, TypeError)) as caught:
            make()
        assert SECRET not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "make",
    [
        lambda: WebSocket(f"u:{SECRET}@h"),
        lambda: WebSocket(f"wss:/u:{SECRET}@h"),
        lambda: WebSocket(f"wss:u:{SECRET}@h"),
        lambda: WebSocket(f"//u:{SECRET}@h"),
        lambda: WebSocket("ws://h/", origin=f"https://u:{SECRET}@h"),
        lambda: WebSocket("ws://h/", headers={f"Authorization: {SECRET}": ""}),
        lambda: WebSocket("ws://h/").add_header(f"Cookie: a={SECRET}".encode(), b""),
    ],
)
def test_a_mistake_shows_no_secret(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"URL|origin|header name") as found:
        make()
    assert SECRET not in str(found.value)
