"""What is secret in URLs, heads and words is hidden, and all else is left as it is."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from lomond.credentials import authorization
from lomond.protocol.http.request import Request, build
from lomond.redaction import (
    HIDDEN,
    Discretion,
    discreet_head,
    discreet_text,
    discreet_url,
    is_secret,
)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"
#: Nothing that stands in a name, a path or a header by itself.
SECRETS = st.text("ABCDEFGHJKLMNPQRSTUVXYZ23456789", min_size=12, max_size=40)


@pytest.mark.parametrize(
    "name",
    [
        "token", "access_token", "accessToken", "token[]", "X-Amz-Security-Token", "id%5Ftoken",
        "key", "api_key", "apikey", "APIKey", "x-api-key", "signature", "X-Amz-Signature", "sig",
        "secret", "client_secret", "password", "passwd", "pass", "pwd", "auth", "authorization",
        "session", "sessionid", "session_id", "sid", "jwt", "code", "ticket", "hmac", "otp",
        "%74oken", "Credential", "authkey", "userKey", "privatekey", "licensekey", "passcode",
    ],
)  # fmt: skip
def test_names_that_are_secret(name: str) -> None:
    assert is_secret(name)
    assert discreet_url(f"wss://h/p?a=1&{name}=abc&b=2") == f"wss://h/p?a=1&{name}=***&b=2"


@pytest.mark.parametrize(
    "name",
    [
        "monkey", "keyboard", "keys_of_map", "author", "compass", "design", "side", "encode",
        "symbol", "limit", "v", "tok", "", "%", "passenger",
    ],
)  # fmt: skip
def test_names_that_are_not(name: str) -> None:
    assert not is_secret(name)
    assert discreet_url(f"wss://h/?{name}=abc") == f"wss://h/?{name}=abc"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://h/p;a?x=1&y=%20", "wss://h/p;a?x=1&y=%20"),
        ("wss://user:p@ss@h/", "wss://***@h/"),
        ("wss://h/?token=a%20b'\"<c>&x=1", "wss://h/?token=***&x=1"),
        ("wss://h/?token=", "wss://h/?token="),
        ("wss://h/?token=a=b", "wss://h/?token=***"),
        ("wss://h/?a=1;sig=2;b=3", "wss://h/?a=1;sig=***"),
        ("wss://h/?to=/x?sig=2&b=3", "wss://h/?to=/x?sig=***&b=3"),
        ("/p?token=1", "/p?token=***"),
        ("https://h/cb#access_token=1&x=2", "https://h/cb#access_token=***&x=2"),
        (f"wss://h/{JWT}/x", "wss://h/***/x"),
        (f"wss://h/?q={JWT}", "wss://h/?q=***"),
        ("wss://h/?to=https%3A%2F%2Fu%3Ap%40i%2F", "wss://h/?to=https%3A%2F%2F***%40i%2F"),
        ("wss://h/?to=%2Fx%3Ftoken%3D1%26y%3D2", "wss://h/?to=%2Fx%3Ftoken%3D***%26y%3D2"),
        ("wss://h/?to=%2Fx%3Fto%3D%252F%253Fsig%253D1", "wss://h/?to=%2Fx%3Fto%3D%252F%253Fsig%253D***"),
        ("wss://h/?to=%2Fx%3Fy%3D2", "wss://h/?to=%2Fx%3Fy%3D2"),
    ],
)  # fmt: skip
def test_urls(url: str, shown: str) -> None:
    assert discreet_url(url) == shown
    assert discreet_url(shown) == shown


def test_texts_for_people() -> None:
    text = "see <a href=\"wss://u:p@h/?token=abc&x=1\">it</a>, or '/?key=def' (state=1)"
    shown = "see <a href=\"wss://***@h/?token=***&x=1\">it</a>, or '/?key=***' (state=1)"
    assert discreet_text(text) == shown


def test_a_request() -> None:
    head = (
        b"GET /feed?token=T1&x=1 HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\nUser-Agent: demo\r\n"
        b"AUTHORIZATION:Basic dXNlcjpwYXNz\r\nproxy-authorization: Digest a=b, c=d\r\n"
        b"Cookie: a=1; b=2\r\nX-Api-Key: k\r\nReferer: https://u:p@h/?sig=S&y=2\r\n\r\n"
    )
    assert discreet_head(head) == (
        b"GET /feed?token=***&x=1 HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\nUser-Agent: demo\r\n"
        b"AUTHORIZATION:***\r\nproxy-authorization: ***\r\n"
        b"Cookie: ***\r\nX-Api-Key: ***\r\nReferer: https://***@h/?sig=***&y=2\r\n\r\n"
    )


def test_an_answer() -> None:
    head = (
        b"HTTP/1.1 302 Found\nSet-Cookie: a=1;\n\tPath=/\nset-cookie: b=2\n"
        b"Location: /login?next=1&code=xyz\nWWW-Authenticate: Digest realm=r, nonce=n\n"
        b"X-Odd: \xff\xfe\n folded ?token=1\nno header\n\n"
    )
    assert discreet_head(head) == (
        b"HTTP/1.1 302 Found\nSet-Cookie: ***\n ***\nset-cookie: ***\n"
        b"Location: /login?next=1&code=***\nWWW-Authenticate: Digest realm=r, nonce=n\n"
        b"X-Odd: \xff\xfe\n folded ?token=***\nno header\n\n"
    )


@pytest.mark.parametrize(
    ("offered", "shown"),
    [
        ("mqtt", "mqtt"),
        ("chat, superchat", "chat, superchat"),
        ("v1.kernel.websocket.jupyter.org", "v1.kernel.websocket.jupyter.org"),
        ("graphql-transport-ws", "graphql-transport-ws"),
        ("v4.channel.k8s.io, ocpp2.0.1", "v4.channel.k8s.io, ocpp2.0.1"),
        (
            "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.QmVhcg",
            "v4.channel.k8s.io, base64url.bearer.authorization.***",
        ),
        (
            "realtime, openai-insecure-api-key.sk-abc, openai-beta.realtime-v1",
            "realtime, openai-insecure-api-key.***, openai-beta.realtime-v1",
        ),
        (f"bearer.{JWT}", "bearer.***"),
        ("access_token, abc, mqtt", "access_token, ***, mqtt"),
        ("graphql-ws, header-eyJob3N0IjoiYSJ9MTIz", "graphql-ws, ***"),
        (JWT, "***"),
    ],
)
def test_sub_protocols(offered: str, shown: str) -> None:
    head = f"GET / HTTP/1.1\r\nSec-WebSocket-Protocol: {offered}\r\n\r\n".encode()
    assert discreet_head(head).splitlines()[1] == f"Sec-WebSocket-Protocol: {shown}".encode()


def test_what_was_seen_is_known_wherever_it_turns_up() -> None:
    known = Discretion()
    known.learn_url(
        "wss://alice:s%40fe-pass@h/?token=tok%2Ftok&to=%2F%3Fkey%3Dinnermost&x=plain-value"
    )
    known.learn_head(
        b'GET / HTTP/1.1\r\nAuthorization: Bearer berry-berry\r\nCookie: a=biscuit; b="cracker"\r\n'
        b"Sec-WebSocket-Protocol: bearer.bear-skin\r\nX-Auth-Token: tokenish\r\n\r\n"
    )
    known.learn_head(b"HTTP/1.1 101 X\r\nSet-Cookie: c=sweets-now; Path=/a-longer-path\r\n\r\n")
    secrets = [
        "s@fe-pass", "s%40fe-pass", "tok/tok", "tok%2Ftok", "innermost", "berry-berry", "biscuit",
        "cracker", "bear-skin", "tokenish", "sweets-now",
    ]  # fmt: skip
    for secret in secrets:
        assert known.text(f"it said: {secret}.") == "it said: ***."
        assert known.data(b"\xff" + secret.encode()) == b"\xff***"
        assert known.url(f"wss://h/{secret}") == "wss://h/***"
        head = f"HTTP/1.1 401 No {secret}\r\nX-Said: '{secret}'\r\n\r\n"
        assert known.head(head.encode()) == b"HTTP/1.1 401 No ***\r\nX-Said: '***'\r\n\r\n"
    assert known.text("plain-value /a-longer-path alice") == "plain-value /a-longer-path alice"


def test_words_of_every_handshake_and_short_ones_stay() -> None:
    known = Discretion()
    known.learn_url("wss://h/?token=Upgrade&key=websocket&sig=abc&auth=***&code=Keep-Alive")
    text = "Upgrade: websocket, abc, ***, keep-alive"
    assert known.text(text) == text


def test_the_longer_one_is_hidden_first() -> None:
    known = Discretion()
    known.learn_url("wss://h/?token=abcdef&key=abcdefghi")
    assert known.text("abcdefghi abcdef") == "*** ***"


def test_no_more_than_a_thousand_are_kept_the_newest_ones() -> None:
    known = Discretion()
    for number in range(1001):
        known.learn_url(f"wss://h/?token=secret-{number:04}")
        known.learn_url("wss://h/?token=again-and-again")
    assert known.text("secret-0001") == "secret-0001"
    assert known.text("secret-0002 secret-1000 again-and-again") == "*** *** ***"


def test_credentials_that_are_no_utf8() -> None:
    known = Discretion()
    known.learn_url("wss://u:%ff%fe%fd@h/?token=abcdef")
    known.learn_head(b"GET / HTTP/1.1\r\nAuthorization: Basic not-base64!\r\n\r\n")
    known.learn_head(b"GET / HTTP/1.1\r\nAuthorization: Basic /////w==\r\n\r\n")
    assert known.text("abcdef not-base64! /////w==") == "*** *** ***"


def test_a_password_beyond_ascii() -> None:
    known = Discretion()
    known.learn_url("wss://u:p\u00e4sswort@h/")
    assert known.text("p\u00e4sswort p%C3%A4sswort") == "*** ***"
    assert known.data("p\u00e4sswort".encode()) == b"***"


def test_a_secret_with_spaces_in_a_query_is_known_as_servers_read_it() -> None:
    known = Discretion()
    known.learn_url("wss://h/?token=three+words%2Bhere")
    assert known.text("three words+here, three+words+here, three+words%2Bhere") == "***, ***, ***"


def test_a_secret_beyond_ascii_in_a_head() -> None:
    known = Discretion()
    known.learn_head("GET / HTTP/1.1\r\nX-Key: gr\u00fcnspan\r\n\r\n".encode())
    assert known.text("not gr\u00fcnspan") == "not ***"
    assert known.data("not gr\u00fcnspan".encode()) == b"not ***"
    known.learn_head(b"GET / HTTP/1.1\r\nX-Key: gr\xfcnkern\r\n\r\n")
    assert known.text("not gr\u00fcnkern") == "not ***"
    assert known.data(b"not gr\xfcnkern") == b"not ***"
    known.learn_head(
        "GET / HTTP/1.1\r\nX-Key: \u043f\u0430\u0440\u043e\u043b\u044c\r\n\r\n".encode()
    )
    assert known.data("\u043f\u0430\u0440\u043e\u043b\u044c ??????".encode()) == b"*** ??????"


def test_what_a_cut_has_left_of_a_secret_is_hidden() -> None:
    known = Discretion()
    known.learn_url("wss://h/?token=abcdefghijkl")
    assert known.text("it said 'old abcdefghijk...'; do") == "it said 'old ***...'; do"
    assert known.text("abcdef... abcdefgh...") == "***... ***..."
    assert known.text("abcde...") == "abcde..."  # as short ones are
    assert known.text("bcdefgh... abcdefg x...") == "bcdefgh... abcdefg x..."
    assert known.text("abcdefghijkl...") == "***..."
    assert known.text(long := "x" * 2000 + "abcdefg...") == long  # which nobody has cut


@given(SECRETS, SECRETS, SECRETS, SECRETS, SECRETS)
def test_no_secret_of_a_request_is_in_what_is_shown(
    user: str, password: str, token: str, cookie: str, key: str
) -> None:
    headers = [
        (b"Authorization", authorization((user, password)).encode()),
        (b"Cookie", f"sid={cookie}".encode()),
        (b"X-Api-Key", key.encode()),
    ]
    request = Request(f"/feed?symbol=X&token={token}", "host:80", "demo", headers)
    head = build(request, b"the sample nonce")
    url = f"wss://{quote(user)}:{quote(password)}@host/feed?symbol=X&token={token}"
    known = Discretion()
    known.learn_url(url)
    known.learn_head(head)
    answer = f"HTTP/1.1 403 {token}\r\nX-You: {password} {cookie} {key}\r\n\r\n".encode()
    shown = [known.url(url), known.text(f"{url} {token}"), known.head(head).decode(),
             known.head(answer).decode()]  # fmt: skip
    pair = b64encode(f"{user}:{password}".encode()).decode()
    for secret in (user, password, token, cookie, key, pair):
        assert [text for text in shown if secret in text] == []
    assert all(HIDDEN in text for text in shown)


@given(st.binary())
def test_any_head_keeps_its_lines(head: bytes) -> None:
    assert discreet_head(head).count(b"\n") == head.count(b"\n")
    assert discreet_head(discreet_head(head)) == discreet_head(head)


@given(st.text(), st.text())
def test_any_text_can_be_shown(url: str, text: str) -> None:
    known = Discretion()
    known.learn_url(url)
    assert discreet_url(discreet_url(url)) == discreet_url(url)
    shown = known.text(text)
    assert known.text(shown) == shown


@given(SECRETS, st.binary(), st.integers(0, 200))
def test_any_body_can_be_shown(secret: str, body: bytes, size: int) -> None:
    known = Discretion()
    known.learn_head(f"GET / HTTP/1.1\r\nCookie: sid={secret}\r\n".encode())
    cut = (body + b" " + secret.encode())[: len(body) + 1 + size]
    shown = known.body(cut)
    assert secret[:8].encode() not in shown
    assert known.body(shown) == shown
