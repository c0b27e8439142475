"""Which cookies a request takes along, and which of an answer are kept."""

from __future__ import annotations

import subprocess
import sys
from http.cookiejar import (
    Cookie,
    CookieJar,
    DefaultCookiePolicy,
    LWPCookieJar,
    MozillaCookieJar,
)
from pathlib import Path
from typing import Any

import pytest

from lomond.cookies import check, header, keep
from lomond.options import Limits

URL = "wss://www.example.org/feed/live?x=1"
Kind = type[LWPCookieJar] | type[MozillaCookieJar]
KINDS = [LWPCookieJar, MozillaCookieJar]


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


# Limits


def names_in(jar: CookieJar) -> list[str]:
    return sorted(cookie.name for cookie in jar)


def own(name: str, value: str = "mine", domain: str = "www.example.org") -> Cookie:
    """A cookie that the user puts into the jar."""
    return Cookie(
        0, name, value, None, False, domain, True, False, "/", True, False, None, True, None, None,
        {},
    )  # fmt: skip


@pytest.mark.parametrize(("size", "is_kept"), [(4096, True), (4097, False)])
def test_the_largest_cookie(size: int, is_kept: bool) -> None:
    jar = kept(f"name={'x' * (size - 4)}; Path=/", "b=c")
    assert names_in(jar) == (["b", "name"] if is_kept else ["b"])
    beyond = CookieJar()
    keep(beyond, URL, [("Set-Cookie", "a=\u00e9\u00e9")], Limits(max_cookie_size=4))
    assert names_in(beyond) == []


def test_attributes_that_are_too_long_are_none() -> None:
    jar = kept(f"a=b; Path=/{'x' * 5000}; Comment={'y' * 5000}; Secure")
    (cookie,) = jar
    assert (cookie.path, cookie.comment, cookie.secure) == ("/feed", None, True)


def test_as_many_cookies_of_an_answer_as_the_limit_says() -> None:
    jar = kept(*[f"n{number:03}=x" for number in range(60)])
    assert names_in(jar) == [f"n{number:03}" for number in range(50)]
    keep(jar, URL, [("Set-Cookie", "z=1")], Limits(max_cookies_set=0))
    assert "z" not in names_in(jar)


def test_what_was_set_longest_ago_in_a_domain_goes() -> None:
    jar = CookieJar()
    jar.set_cookie(own("first"))
    limits = Limits(max_domain_cookies=3)
    for number in range(5):
        keep(jar, URL, [("Set-Cookie", f"n{number}=x; Path=/{number}")], limits)
    keep(jar, "ws://other.example/", [("Set-Cookie", "o=x")], limits)
    keep(jar, URL, [("Set-Cookie", "n2=again; Path=/2")], limits)
    assert names_in(jar) == ["first", "n2", "n3", "n4", "o"]
    keep(jar, URL, [("Set-Cookie", "n5=x"), ("Set-Cookie", "n6=x")], limits)
    assert names_in(jar) == ["first", "n2", "n5", "n6", "o"]


def test_what_has_expired_goes_before() -> None:
    limits = Limits(max_domain_cookies=2)
    jar = CookieJar()
    keep(jar, URL, [("Set-Cookie", "old=x")], limits)
    keep(jar, URL, [("Set-Cookie", "gone=x; Max-Age=60"), ("Set-Cookie", "new=x")], Limits())
    for cookie in jar:
        if cookie.name == "gone":
            cookie.expires = 1
    keep(jar, "ws://other.example/", [("Set-Cookie", "o=x")], limits)
    assert names_in(jar) == ["new", "o", "old"]


def test_as_many_cookies_in_all_as_the_limit_says() -> None:
    jar = CookieJar()
    limits = Limits(max_cookies=10)
    for number in range(40):
        jar.set_cookie(own(f"own{number:02}", domain=f"h{number}.example"))
        keep(jar, f"ws://h{number}.example/", [("Set-Cookie", f"n{number:02}=x")], limits)
    assert names_in(jar) == [f"n{number}" for number in range(30, 40)] + [
        f"own{number:02}" for number in range(40)
    ]


def test_a_long_header_leaves_out_what_servers_set_longest_ago() -> None:
    jar = CookieJar()
    jar.set_cookie(own("own", "y" * 500))
    for number in range(20):
        keep(jar, URL, [("Set-Cookie", f"n{number:02}={'x' * 96}; Path=/")])
    whole = header(jar, URL)
    assert whole is not None
    assert len(whole) == 504 + 20 * 102
    said = header(jar, URL, Limits(max_cookie_header=1014))
    assert said is not None
    assert [pair.partition("=")[0] for pair in said.split("; ")] == [
        "own", *(f"n{number}" for number in range(15, 20)),
    ]  # fmt: skip
    assert len(said) == 1014
    assert len(jar) == 21  # nothing goes
    assert header(jar, URL, Limits(max_cookie_header=1)) == "own=" + "y" * 500
    jar.clear("www.example.org", "/", "own")
    assert header(jar, URL, Limits(max_cookie_header=1)) is None


def test_cookies_without_a_value_and_for_other_sites() -> None:
    jar = CookieJar()
    keep(jar, "wss://other.example/", [("Set-Cookie", "elsewhere=" + "x" * 50)])
    keep(jar, URL, [("Set-Cookie", "bare"), ("Set-Cookie", "a=" + "x" * 50)])
    assert header(jar, URL, Limits(max_cookie_header=10)) in (None, "bare")
    assert len(jar) == 3


def test_a_jar_that_another_thread_fills_meanwhile() -> None:
    class Busy(CookieJar):
        asked = 0

        def __iter__(self) -> Any:
            self.asked += 1
            if self.asked == 1:
                raise RuntimeError("dictionary changed size during iteration")
            return super().__iter__()

        def clear(self, *where: Any) -> None:
            super().clear(*where)
            if where:
                raise KeyError(where)

    jar = Busy()
    limits = Limits(max_cookies=1)
    for name in "abc":
        keep(jar, URL, [("Set-Cookie", f"{name}=x")], limits)
    assert names_in(jar) == ["c"]


@pytest.mark.parametrize(
    "end", ["Max-Age=1000", "Path=/", "Secure; HttpOnly", "Domain=example.org"]
)
@pytest.mark.parametrize("limit", ["max_domain_cookies", "max_cookies"])
@pytest.mark.parametrize("kind", KINDS)
def test_cookies_of_servers_are_known_in_a_jar_that_was_saved_and_loaded(
    kind: Kind, limit: str, end: str, tmp_path: Path
) -> None:
    limits = Limits(**{limit: 5})
    path = str(tmp_path / "cookies")
    for round_ in range(4):
        jar = kind(path)
        if round_:
            jar.load(ignore_discard=True)
        answer = [("Set-Cookie", f"c{round_}-{number}=x; {end}") for number in range(4)]
        keep(jar, "wss://example.org/", answer, limits)
        jar.save(ignore_discard=True)
    assert len(jar) == 5
    assert {cookie.name for cookie in jar} >= {f"c3-{number}" for number in range(4)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_of_a_jar_that_was_loaded_is_cut_as_before(kind: Kind, tmp_path: Path) -> None:
    jar = kind(str(tmp_path / "cookies"))
    keep(jar, URL, [("Set-Cookie", f"old{number:02}={'x' * 94}; Path=/") for number in range(20)])
    jar.save(ignore_discard=True)
    again = kind(str(tmp_path / "cookies"))
    again.load(ignore_discard=True)
    again.set_cookie(own("own", "y" * 500))
    keep(again, URL, [("Set-Cookie", f"new{number:02}={'x' * 94}; Path=/") for number in range(3)])
    keep(again, URL, [("Set-Cookie", f"old05={'x' * 94}; Path=/")])  # is as new
    said = header(again, URL, Limits(max_cookie_header=504 + 5 * 102))
    assert said is not None
    names = {pair.partition("=")[0] for pair in said.split("; ")}
    assert names > {"own", "new00", "new01", "new02", "old05"}
    assert len(names) == 6
    assert header(again, URL, Limits(max_cookie_header=1)) == "own=" + "y" * 500
    assert len(again) == 24  # nothing goes


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_user_puts_into_a_jar_that_was_loaded_stays(kind: Kind, tmp_path: Path) -> None:
    jar = kind(str(tmp_path / "cookies"))
    keep(jar, URL, [("Set-Cookie", f"old{number}=x") for number in range(4)])
    jar.save(ignore_discard=True)
    again = kind(str(tmp_path / "cookies"))
    again.load(ignore_discard=True)
    for name in ("mine", "old0"):
        again.set_cookie(own(name))
    keep(again, URL, [("Set-Cookie", "new=x")], Limits(max_domain_cookies=1))
    assert names_in(again) == ["mine", "new", "old0"]


@pytest.mark.parametrize(("kind", "is_known"), [(LWPCookieJar, True), (MozillaCookieJar, False)])
def test_whether_a_file_tells_whose_a_cookie_was(
    kind: Kind, is_known: bool, tmp_path: Path
) -> None:
    jar = kind(str(tmp_path / "cookies"))
    jar.set_cookie(own("mine"))
    jar.save(ignore_discard=True)
    again = kind(str(tmp_path / "cookies"))
    again.load(ignore_discard=True)
    keep(again, URL, [("Set-Cookie", "new=x")], Limits(max_domain_cookies=1))
    assert names_in(again) == (["mine", "new"] if is_known else ["new"])
