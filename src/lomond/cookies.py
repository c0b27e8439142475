"""Cookies: those that a request takes along, and those that an answer brings."""

from __future__ import annotations

import contextlib
import itertools
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from .options import Limits
from .response import printable
from .url import Url, authority, parse

if TYPE_CHECKING:
    from http.cookiejar import Cookie, CookieJar

__all__ = ["check", "header", "is_jar", "keep"]

# RFC 6265 section 4.1.1.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OCTETS = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"
_VALUE = re.compile(rf'{_OCTETS}|"{_OCTETS}"')

# A tab may be in a cookie, other control characters not (RFC 6265bis section 5.7).
_UNFIT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_MAX_TIME = 64  # characters of the attributes Expires and Max-Age
_MAX_ATTRIBUTE = 1024  # bytes of the others (RFC 6265bis section 5.6)
_LIMITS = Limits()

# By this attribute, whose value is a time, the cookies are known that servers set by our hand, also
# in a jar that was saved and loaded (LWPCookieJar keeps such attributes; of a MozillaCookieJar see
# `_set_at`); others are the user's.
_MARK = "set-at"
_counter = itertools.count()  # of those at the same time
_NO_MONTH = re.compile(
    r"[A-Z][a-z]{2}, \d\d (?!Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[A-Z][a-z]{2} "
)


def check(cookies: Mapping[str, str] | CookieJar | None) -> None:
    """Raise unless it is what may be given for cookies.

    Arguments:
        cookies: A mapping of names to values, an ``http.cookiejar.CookieJar``, or None.

    Raises:
        TypeError: It is none of these, or maps something else.
        ValueError: A name or a value can't be one of a cookie; the message shows no value.
    """
    if cookies is None or is_jar(cookies):
        return
    if not isinstance(cookies, Mapping):
        kind = type(cookies).__name__
        raise TypeError(f"cookies must be a mapping of str to str or a CookieJar, not {kind}")
    for name, value in cookies.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"cookies must map str to str; look at the value of {name!r}")
        if not _NAME.fullmatch(name):
            raise ValueError(f"cookie {name!r} has a name that can't be; use letters and digits")
        if not _VALUE.fullmatch(value):
            raise ValueError(
                f"the value of cookie {name!r} has a character that can't be in one (white space, "
                "control, quote, comma, semicolon, backslash, not ASCII); quote it, as with '%20'"
            )


def header(
    cookies: Mapping[str, str] | CookieJar | None, url: str, limits: Limits = _LIMITS
) -> str | None:
    """The value of Cookie for a request; None for none.

    Arguments:
        cookies: A mapping, of which all are sent; or a CookieJar, whose policy decides which.
        url: Where to. To ``ws://`` go the cookies for ``http://``, to ``wss://`` those for
            ``https://``.
        limits: How long it may be: beyond that, cookies that servers set are left out.

    Raises:
        TypeError: The cookies are something else.
        ValueError: A cookie or the URL can't be.
    """
    if is_jar(cookies):
        request = _Request(parse(url))
        _untyped(cookies).add_cookie_header(request)
        if request.cookie is not None and _UNFIT.search(request.cookie):
            # Names alone: a value may be secret.
            unfit = [c.name for c in cookies if _UNFIT.search(f"{c.name}{c.value or ''}")]
            what = f"cookie '{printable(unfit[0])}'" if unfit else "a cookie"
            raise ValueError(f"{what} of the CookieJar has a control character; remove it")
        if request.cookie is None or _bytes(request.cookie) <= limits.max_cookie_header:
            return request.cookie
        return _cut(request.cookie, cookies, limits.max_cookie_header)
    check(cookies)
    if not cookies or not isinstance(cookies, Mapping):
        return None
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def keep(
    cookies: Mapping[str, str] | CookieJar | None,
    url: str,
    head_headers: Sequence[tuple[str, str]],
    limits: Limits = _LIMITS,
) -> None:
    """Put the cookies of an answer into a CookieJar, if its policy takes them.

    What a server sends raises nothing. Into a mapping nothing is put. Of the cookies that servers
    set, those go that were set longest ago where there are more than the limits say; the others in
    the jar are the user's. (What a MozillaCookieJar has loaded counts as set by servers.)

    Arguments:
        cookies: The CookieJar.
        url: Where the answer came from.
        head_headers: Names and values of its headers.
        limits: How many cookies are kept, and how large.

    Raises:
        ValueError: The URL can't be.
    """
    if not is_jar(cookies):
        return
    request = _Request(parse(url))
    values = [
        value
        for name, value in head_headers
        if name.lower() == "set-cookie"
        and not _UNFIT.search(value)
        and _bytes(value.partition(";")[0].strip()) <= limits.max_cookie_size + len("=")
    ]
    if not values:
        return
    before = _all(cookies)  # kept alive, for the numbers below to be theirs
    known = set(map(id, before))
    for value in values[: limits.max_cookies_set]:
        try:
            # One by one: what breaks the jar's parser loses one cookie, not all.
            _untyped(cookies).extract_cookies(_Answer(_without_traps(value)), request)
        except Exception as error:
            import logging

            said = "a cookie of %s can't be read (%s)"
            logging.getLogger("lomond").debug(said, request.host, type(error).__name__)
    order = {value.split("=")[0].strip(): number for number, value in enumerate(values)}
    new = [cookie for cookie in _all(cookies) if id(cookie) not in known]
    for cookie in sorted(new, key=lambda cookie: order.get(cookie.name, -1)):
        cookie.set_nonstandard_attr(_MARK, f"{time.time_ns():020}-{next(_counter):012}")
    _make_room(cookies, limits)


def _all(jar: CookieJar) -> list[Cookie]:
    while True:
        try:
            return list(jar)
        except RuntimeError:  # another thread has put one there meanwhile
            continue


def _of_servers(jar: CookieJar) -> list[Cookie]:
    """The cookies that are not the user's; what was set longest ago is the first."""
    forgets = isinstance(jar, sys.modules["http.cookiejar"].MozillaCookieJar)
    found = [(_set_at(cookie, forgets), cookie) for cookie in _all(jar)]
    ours = [(set_at, cookie) for set_at, cookie in found if set_at is not None]
    return [cookie for _, cookie in sorted(ours, key=lambda one: one[0])]


def _set_at(cookie: Cookie, forgets: bool) -> str | None:
    """When a server set it; None if it is the user's.

    Arguments:
        cookie: Of a jar.
        forgets: Whether that is a MozillaCookieJar, whose file has no room for our attribute. What
            was loaded from one is known by a path that was not asked for, as its `load` has it; it
            counts as set by a server, before all that is known.
    """
    if cookie.has_nonstandard_attr(_MARK):
        return str(cookie.get_nonstandard_attr(_MARK))
    return "" if forgets and not cookie.path_specified else None


def _make_room(jar: CookieJar, limits: Limits) -> None:
    found = _of_servers(jar)
    if len(found) <= min(limits.max_domain_cookies, limits.max_cookies):
        return
    jar.clear_expired_cookies()
    domains: dict[str, list[Cookie]] = {}
    for cookie in _of_servers(jar):
        domains.setdefault(cookie.domain, []).append(cookie)
    for each in domains.values():
        _remove(jar, each[: max(0, len(each) - limits.max_domain_cookies)])
    found = _of_servers(jar)
    _remove(jar, found[: max(0, len(found) - limits.max_cookies)])


def _remove(jar: CookieJar, cookies: Iterable[Cookie]) -> None:
    for cookie in cookies:
        with contextlib.suppress(KeyError):  # another thread was here
            jar.clear(cookie.domain, cookie.path, cookie.name)


def _cut(said: str, jar: CookieJar, most: int) -> str | None:
    """The value of Cookie without as many cookies of servers as make it too long."""
    pairs = said.split("; ")
    size = _bytes(said)
    for cookie in _of_servers(jar):
        if size <= most:
            break
        pair = cookie.name if cookie.value is None else f"{cookie.name}={cookie.value}"
        if pair in pairs:  # else it is for another site
            pairs.remove(pair)
            size -= _bytes(pair) + len("; ")
    return "; ".join(pairs) or None


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def is_jar(cookies: object) -> TypeGuard[CookieJar]:
    """Whether it is an ``http.cookiejar.CookieJar``, whatever else it is."""
    # Who has a CookieJar has imported its module, which is a slow one (urllib.request).
    module = sys.modules.get("http.cookiejar")
    return module is not None and isinstance(cookies, module.CookieJar)


def _untyped(jar: CookieJar) -> Any:
    return jar  # its methods take anything that has what _Request and _Answer have


def _without_traps(value: str) -> str:
    """Set-Cookie without attributes that RFC 6265 does not know, or has no such values for.

    With ``Version=-1`` CookieJar would not look at whose domain it is. Numbers without end,
    ``Max-Age`` without any, and months that there are not, it reports as bugs of its own, with
    a warning.
    """
    pair, *attributes = value.split(";")
    kept = [pair]
    for attribute in attributes:
        name, equals, said = attribute.partition("=")
        name = name.strip().lower()
        if name in ("expires", "max-age"):
            is_trap = not equals or len(attribute) > _MAX_TIME
            is_trap = is_trap or _NO_MONTH.search(said) is not None
        else:
            is_trap = name == "version" or _bytes(said) > _MAX_ATTRIBUTE
        if not is_trap:
            kept.append(attribute)
    return ";".join(kept)


class _Request:
    """What of a ``urllib.request.Request`` a CookieJar asks for."""

    __slots__ = ("cookie", "host", "origin_req_host", "type", "unverifiable", "url")

    def __init__(self, url: Url) -> None:
        self.type = "https" if url.secure else "http"
        self.host = authority(url.host, url.port)
        self.origin_req_host = url.host
        self.unverifiable = False  # whoever opened the connection meant to
        self.url = f"{self.type}://{self.host}{url.resource}"
        self.cookie: str | None = None

    def get_full_url(self) -> str:
        return self.url

    def get_header(self, name: str, default: str | None = None) -> str | None:
        return self.cookie if name == "Cookie" and self.cookie is not None else default

    def has_header(self, name: str) -> bool:
        return self.get_header(name) is not None

    def add_unredirected_header(self, name: str, value: str) -> None:
        if name == "Cookie":  # and not Cookie2, of RFC 2965
            self.cookie = value


class _Answer:
    """What of an ``http.client.HTTPResponse`` and its headers a CookieJar asks for."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def info(self) -> _Answer:
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return [self._value] if name == "Set-Cookie" else default
