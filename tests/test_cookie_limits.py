"""How many cookies are kept, and which go first: in a jar, in one that was loaded, in a header."""

from __future__ import annotations

from http.cookiejar import Cookie, CookieJar, LWPCookieJar, MozillaCookieJar
from pathlib import Path
from typing import Any

import pytest

from lomond.cookies import header, keep
from lomond.options import Limits

URL = "wss://www.example.org/feed/live?x=1"
Kind = type[LWPCookieJar] | type[MozillaCookieJar]
KINDS = [LWPCookieJar, MozillaCookieJar]


def kept(*values: str) -> CookieJar:
    """A jar with what an answer brought."""
    jar = CookieJar()
    keep(jar, URL, [("Set-Cookie", value) for value in values])
    return jar


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


def loaded(jar: Any, kind: Kind) -> Any:
    """The jar, saved and read again."""
    jar.save(ignore_discard=True)
    again = kind(jar.filename)
    again.load(ignore_discard=True)
    return again


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_of_a_jar_that_was_loaded_is_cut_as_before(kind: Kind, tmp_path: Path) -> None:
    jar = kind(str(tmp_path / "cookies"))
    keep(jar, URL, [("Set-Cookie", f"old{number:02}={'x' * 94}; Path=/") for number in range(20)])
    again = loaded(jar, kind)
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
    again = loaded(jar, kind)
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
    again = loaded(jar, kind)
    keep(again, URL, [("Set-Cookie", "new=x")], Limits(max_domain_cookies=1))
    assert names_in(again) == (["mine", "new"] if is_known else ["new"])
