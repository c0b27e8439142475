"""Which cookies a request takes along, and which of an answer are kept."""

from __future__ import annotations

import subprocess
import sys
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any

import pytest

from lomond.cookies import check, header, keep

URL = "wss://www.example.org/feed/live?x=1"


def kept(*values: str, url: str = URL) -> CookieJar:
    """A jar with what an answer brought."""
    jar = CookieJar()
    keep(jar, url, [("Server", "x"), *(("set-COOKIE", value) for value in values)])
    return jar


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        (None, None),
        ({}, None),
        ({"a": "b"}, "a=b"),
        ({"a": "", "b!": '"x"', "C": "%20/=:@"}, 'a=; b!="x"; C=%20/=:@'),
    ],
)
def test_mappings(cookies: dict[str, str] | None, value: str | None) -> None:
    check(cookies)
    assert header(cookies, URL) == value
    keep(cookies, URL, [("Set-Cookie", "z=1")])
    assert cookies is None or "z" not in cookies


@pytest.mark.parametrize("name", ["", "a b", "a=", "a;b", "a\r\n", "é", '"a"', "a,b"])
def test_names_that_can_not_be(name: str) -> None:
    with pytest.raises(ValueError, match="has a name that can't be") as caught:
        check({name: "hunter2"})
    assert repr(name) in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "end", [" ", ";", ",", '"', "\\", "\r\nX: y", "\n", "\x00", "\x7f", "é", "\ud800", "\t"]
)
def test_values_that_can_not_be(end: str) -> None:
    for use in (check, lambda cookies: header(cookies, URL)):
        with pytest.raises(ValueError, match="value of cookie 'a'") as caught:
            use({"a": f"hunter2{end}"})
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("cookies", "message"),
    [
        ("a=hunter2", "not str"),
        ([("a", "hunter2")], "not list"),
        ({"a": b"hunter2"}, "look at the value of 'a'"),
        ({b"a": "hunter2"}, "look at the value of b'a'"),
    ],
)
def test_cookies_that_can_not_be(cookies: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        check(cookies)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(TypeError, match=message):
        header(cookies, URL)


@pytest.mark.parametrize(
    ("value", "url", "expected"),
    [
        ("a=b", "wss://www.example.org/", None),  # its path is /feed
        ("a=b", "wss://www.example.org/feed/other", "a=b"),
        ("a=b", "wss://www.example.org/feeder", None),
        ("a=b; Path=/", "wss://www.example.org/", "a=b"),
        ("a=b; Path=/", "wss://www.example.org:8443/", "a=b"),
        ("a=b; Path=/", "wss://WWW.example.org", "a=b"),
        ("a=b; Path=/", "wss://me:pw@www.example.org", "a=b"),
        ("a=b; Path=/", "ws://www.example.org/", "a=b"),
        ("a=b; Path=/", "https://www.example.org/", "a=b"),
        ("a=b; Path=/; Secure", "wss://www.example.org/", "a=b"),
        ("a=b; Path=/; Secure; HttpOnly; SameSite=Lax", "https://www.example.org/", "a=b"),
        ("a=b; Path=/; Secure", "ws://www.example.org/", None),
        ("a=b; Path=/; Secure", "http://www.example.org/", None),
        ("a=b; Path=/", "wss://example.org/", None),
        ("a=b; Path=/", "wss://x.www.example.org/", "a=b"),  # DefaultCookiePolicy is liberal
        ("a=b; Path=/; Domain=example.org", "wss://x.example.org/", "a=b"),
        ("a=b; Path=/; Domain=.example.org", "wss://example.org/", "a=b"),
        ("a=b; Path=/; Domain=example.org", "wss://notexample.org/", None),
        ("a=b; Path=/; Max-Age=60", "wss://www.example.org/", "a=b"),
        ("a=b; Path=/; Max-Age=0", "wss://www.example.org/", None),
        ("a=b; Path=/; Expires=Wed, 09 Jun 2021 10:18:14 GMT", "wss://www.example.org/", None),
        ("a=b; Path=/; Expires=Fri, 09 Jun 2199 10:18:14 GMT", "wss://www.example.org/", "a=b"),
        ('a="b c"; Path=/', "wss://www.example.org/", 'a="b c"'),
        ("version=1; Path=/; Version=1", "wss://www.example.org/", "version=1"),
    ],
)
def test_jars(value: str, url: str, expected: str | None) -> None:
    jar = kept(value)
    check(jar)
    assert header(jar, url) == expected


@pytest.mark.parametrize(
    "value",
    [
        "a=b; Domain=other.example",
        "a=b; Domain=.other.example",
        "a=b; Domain=org",
        "a=b; Domain=other.example; Version=-1",  # CookieJar alone would take it
        'a=b; domain=other.example; VERSION = "-1"',
        "a=b; Domain=ww.example.org",
        "a=b\x01",
        "a=b\x00; Path=/",
        "a=\ud800",
        "a=b; Domain",
        "a=b; Max-Age=x",
        "",
        ";",
        "=",
        "a=b; Expires=Wed, 09 Jun 99999999999999999 10:18:14 GMT; Max-Age=0",
    ],
)
def test_cookies_that_are_not_kept(value: str) -> None:
    jar = kept(value, "good=1")
    assert [cookie.name for cookie in jar] == ["good"]


@pytest.mark.parametrize(
    "end",
    [
        f"Max-Age={'9' * 400}",
        f"Expires=Wed, 09 Jun {'9' * 6000} 10:18:14 GMT",
        "Version=x",
        "Max-Age",
        "Expires",
        "Expires=Wed, 09 Jux 2100 10:18:14 GMT",
        'Expires="Wed, 09 Jux 2100 10:18:14 GMT"',
        "Expires=Wed, 99 Feb 0000 10:18:14 GMT",
    ],
)
def test_an_attribute_that_breaks_the_jar_is_left_out(end: str) -> None:
    jar = kept(f"a=b; Path=/; {end}; Secure")  # a warning would be an error here
    assert [(cookie.name, cookie.expires, cookie.secure) for cookie in jar] == [("a", None, True)]


def test_a_cookie_that_breaks_the_jar_loses_no_other(caplog: pytest.LogCaptureFixture) -> None:
    class Picky(DefaultCookiePolicy):
        def set_ok(self, cookie: Cookie, request: Any) -> bool:
            if cookie.name == "bad":
                raise RuntimeError("hunter2")
            return super().set_ok(cookie, request)

    jar = CookieJar(Picky())
    with caplog.at_level("DEBUG", "lomond"):
        keep(jar, URL, [("Set-Cookie", f"{name}=hunter2") for name in ("a", "bad", "z")])
    assert sorted(cookie.name for cookie in jar) == ["a", "z"]
    assert caplog.messages == ["a cookie of www.example.org:443 can't be read (RuntimeError)"]


def test_a_jar_that_is_a_mapping_too_is_a_jar() -> None:
    class Both(CookieJar, dict[str, str]):  # type: ignore[misc]  # as that of requests
        __hash__ = object.__hash__  # type: ignore[assignment]  # dict has none

    jar = Both()
    keep(jar, URL, [("Set-Cookie", "a=b; Secure")])
    check(jar)
    assert (header(jar, URL), header(jar, "ws://www.example.org/feed/")) == ("a=b", None)


def test_several_cookies_and_their_order() -> None:
    jar = kept("a=1; Path=/", "b=2; Path=/feed", "c=3; Path=/; Secure", "a=4; Path=/")
    assert header(jar, URL) == "b=2; a=4; c=3"
    assert header(jar, "ws://www.example.org/feed") == "b=2; a=4"
    keep(jar, URL, [("Set-Cookie", "a=; Path=/; Max-Age=0")])
    assert header(jar, URL) == "b=2; c=3"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_hosts_without_a_domain(host: str) -> None:
    jar = kept("a=b", url=f"ws://{host}:81/")
    assert header(jar, f"ws://{host}:82/") == "a=b"
    assert header(jar, "ws://example.org/") is None


def test_the_policy_of_the_jar_decides() -> None:
    jar = CookieJar(DefaultCookiePolicy(blocked_domains=["www.example.org"], rfc2965=True))
    keep(jar, URL, [("Set-Cookie", "a=b")])
    assert header(jar, URL) is None
    keep(jar, "ws://h/", [("Set-Cookie", "a=b")])
    assert header(jar, "ws://h/") == "a=b"  # and no Cookie2


def test_no_jar_can_break_the_request() -> None:
    jar = kept("a=b")
    for cookie in jar:
        cookie.value = "hunter2\r\nInjected: x"
    with pytest.raises(ValueError, match="control character") as caught:
        header(jar, URL)
    assert "hunter2" not in str(caught.value)


def test_the_url_is_checked() -> None:
    with pytest.raises(ValueError, match="no scheme"):
        header(CookieJar(), "www.example.org")
    with pytest.raises(ValueError, match="no scheme"):
        keep(CookieJar(), "www.example.org", [])


def test_mappings_need_no_slow_modules() -> None:
    program = """if True:
        import sys
        from lomond import cookies, credentials, proxies
        cookies.header({"a": "b"}, "ws://h/")
        cookies.keep({"a": "b"}, "ws://h/", [("Set-Cookie", "a=c")])
        proxies.from_environment(True, "h", 443, {"https_proxy": "p", "no_proxy": "x"})
        credentials.basic("a", "b")
        print([name for name in ("http.cookiejar", "urllib.request", "http.client", "email")
               if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
