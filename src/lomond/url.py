"""WebSocket URLs (RFC 6455 section 3): where to connect, and what to ask for there."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from .response import LONGEST, printable

#: scheme -> (whether TLS, default port)
_SCHEMES = {"ws": (False, 80), "http": (False, 80), "wss": (True, 443), "https": (True, 443)}

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_PORT = r"[0-9]{1,5}"
# These are compiled when they are needed, which takes long: few URLs have a user, or are odd.
_UNFIT = r"[\x00-\x1f\x7f\\\ud800-\udfff]"  # control, backslash, half a pair
_USERINFO = r"(?<=//)[^/?#\s]*@"
# Where all of the text is one URL, which may be wrong: a password may hold what ends one.
_ANY_USERINFO = r"^([A-Za-z][A-Za-z0-9+.-]*:/{1,2}|)(?s:.*)@"
_NETLOC = r"[^/?#]*//([^/?#]*)"
_PATH_SAFE = "/%:@!$&'()*+,;=~"
# Of these alone most URLs are: nothing of them need be quoted, and they hold no user.
_PLAIN = frozenset(filter(str.isalnum, map(chr, range(128)))) | set(f"-._?{_PATH_SAFE}") - {"@"}
_QUERY_SAFE = _PATH_SAFE + '?[]|{}^`"'


class Url(NamedTuple):
    """A WebSocket URL, taken apart and checked."""

    scheme: str
    host: str  #: lower case, without brackets, ASCII
    port: int
    resource: str  #: path and query, ASCII, as it is sent
    secure: bool

    @property
    def authority(self) -> str:
        """``host:port`` as the Host header wants it: IPv6 in brackets, without its zone."""
        return authority(self.host, self.port)


def unknown_scheme(said: str) -> ValueError:
    """What a URL raises whose scheme nobody here knows: `is_of_scheme` tells it from others."""
    error: Any = ValueError(said)
    error.is_of_scheme = True
    found: ValueError = error
    return found


@lru_cache(maxsize=64)
def authority(host: str, port: int) -> str:
    """``host:port``, an IPv6 address in brackets and without its zone (RFC 3986 section 3.2.2)."""
    if ":" in host:
        host = f"[{host.partition('%')[0]}]"
    return f"{host}:{port}"


def redact(text: str) -> str:
    """The text with the user and password of every URL in it replaced by ``***``."""
    return re.sub(_USERINFO, "***@", text) if "@" in text else text


def shown_url(url: str) -> str:
    """A text that is one URL, or was to be one, without its secrets; cut where it is long."""
    return _cut(re.sub(_ANY_USERINFO, r"\1***@", url) if "@" in url else url)


def without_secrets(location: str) -> str:
    """A Location without what may be secret in it: user and password, query and fragment."""
    place = re.split(r"[?#]", location, maxsplit=1)[0]
    return redact(place) + ("?..." if place != location else "")


def _cut(text: str) -> str:
    # It may be a server's Location; who shows it escapes it.
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def tls_name(host: str) -> str:
    """The host as a certificate names it: no zone, no dot at the end (RFC 6066 section 3)."""
    return host.partition("%")[0].rstrip(".")


def userinfo(url: str) -> tuple[str, str] | None:
    """The user and password of a URL, decoded; None if it has none.

    Raises:
        ValueError: They are no UTF-8. The message shows nothing of them.
    """
    if "@" not in url:
        return None
    from urllib.parse import unquote, urlsplit

    info = urlsplit(url).netloc.rpartition("@")[0]
    if not info:
        return None
    user, _, password = info.partition(":")
    try:
        return unquote(user, errors="strict"), unquote(password, errors="strict")
    except UnicodeDecodeError:
        shown = shown_url(url)
        raise ValueError(f"URL {shown!r} has credentials that are no UTF-8; quote them") from None


def parse(url: str) -> Url:
    """Take a URL apart.

    Arguments:
        url: ``ws://``, ``wss://``, ``http://`` (as ws) or ``https://`` (as wss).

    Raises:
        TypeError: It is not a str.
        ValueError: It can't be connected to; the message says why and what to write instead.
    """
    if not isinstance(url, str):
        kind = type(url).__name__  # the rest may be secret
        raise TypeError(f"url must be a str, like 'wss://example.org/feed', not {kind}")
    scheme, _, rest = url.partition("://")
    if scheme not in _SCHEMES or not _PLAIN.issuperset(url):
        return parse_any(url)
    # To import urllib.parse takes as long as a dozen modules of ours.
    before, mark, query = rest.partition("?")
    place, _, path = before.partition("/")
    host, colon, said = place.partition(":")
    secure, default_port = _SCHEMES[scheme]
    port = int(said) if said.isdigit() and len(said) <= 5 else 0 if colon else default_port
    if not (0 < port <= 65535 and _NAME.fullmatch(host) and len(host) <= 253):
        return parse_any(url)
    return Url(scheme, host, port, f"/{path}{mark}{query}", secure)


def parse_any(url: str) -> Url:
    """Take a URL apart as `parse` does, and say what is wrong with one that can't be."""
    from urllib.parse import quote, urlsplit

    shown = shown_url(url)
    is_plain = url.isascii() and url.isprintable() and "\\" not in url
    if not is_plain and (found := re.search(_UNFIT, url)):
        raise ValueError(f"URL {shown!r} holds {found.group()!r}; remove it")
    if url != url.strip():
        space = url[0] if url[0].isspace() else url[-1]
        raise ValueError(f"URL {shown!r} begins or ends with white space ({space!r}); remove it")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(_unreadable(url, shown, error)) from None
    if parts.scheme not in _SCHEMES:
        raise unknown_scheme(
            f"URL {shown!r} has no scheme that is known; start it with ws:// or wss://"
        )
    if "#" in url:
        # RFC 6455 section 3: fragment identifiers MUST NOT be used on these URIs.
        raise ValueError(f"URL {shown!r} has a fragment; remove it, or write '#' as '%23'")
    secure, default_port = _SCHEMES[parts.scheme]
    if re.search(r"\s", parts.netloc):
        # In a password it would escape `redact`, which finds URLs inside longer texts.
        raise ValueError(f"URL {shown!r} has white space before its path; in a password use '%20'")
    host, port = host_and_port(parts.netloc.rpartition("@")[2], f"URL {shown!r}")
    resource = quote(parts.path or "/", safe=_PATH_SAFE)
    if "?" in url:
        resource += "?" + quote(parts.query, safe=_QUERY_SAFE)
    return Url(parts.scheme, host, port or default_port, resource, secure)


def _unreadable(url: str, shown: str, error: ValueError) -> str:
    """What is wrong with a URL that Python can't split: not every Python says so, nor the same."""
    netloc = re.match(_NETLOC, url)
    _, at, place = (netloc.group(1) if netloc else "").rpartition("@")
    if at:  # what Python says may hold a part of the password
        return f"URL {shown!r} can't be read; quote user and password ('[' is '%5B', '/' is '%2F')"
    try:
        host_and_port(place, f"URL {shown!r}")
    except ValueError as ours:
        return str(ours)
    return f"URL {shown!r} can't be read ({printable(error)})"


def host_and_port(
    netloc: str, what: str, like: str = "wss://example.org/feed"
) -> tuple[str, int | None]:
    """Host and port of a netloc without its user.

    Arguments:
        netloc: ``host``, ``host:port``, ``[::1]`` or ``[::1]:port``.
        what: What messages begin with; it holds no password, but ``***@`` where there is one.
        like: What messages show to whom the host is missing.

    Raises:
        ValueError: It can't be; the message says why.
    """
    if netloc.startswith("["):
        literal, bracket, rest = netloc[1:].partition("]")
        if not bracket:
            raise ValueError(f"{what} has a '[' without its ']'; write an address like '[::1]'")
        host, colon, port = _ipv6(literal, what), rest[:1], rest[1:]
        if colon not in ("", ":"):
            raise ValueError(f"{what} has {_cut(rest)!r} after the address; expected ':port'")
    else:
        name, _, port = netloc.partition(":")
        host = _name(name, what, like)
    if not port:
        return host, None
    if not re.fullmatch(_PORT, port) or not 1 <= int(port) <= 65535:
        # With a user in the URL this may be part of a password that is not quoted.
        hint = "; quote the password ('/' is '%2F')" if "***@" in what else ""
        said = "a bad port" if hint else f"port {_cut(port)!r}"
        raise ValueError(f"{what} has {said}; a port is a number from 1 to 65535{hint}")
    return host, int(port)


def _ipv6(literal: str, what: str) -> str:
    from ipaddress import IPv6Address

    try:
        return str(IPv6Address(literal.replace("%25", "%")))
    except ValueError as error:
        raise ValueError(f"{what} has a bad IPv6 address ({printable(error)})") from None


def _name(name: str, what: str, like: str) -> str:
    host = name.lower()
    if not host:
        raise ValueError(f"{what} has no host; write it like {like!r}")
    if not host.isascii():
        import idna

        try:
            # The mapping browsers use (UTS 46); the standard library's codec is IDNA 2003.
            host = idna.encode(name, uts46=True).decode("ascii").lower()
        except idna.IDNAError as error:
            raise ValueError(f"{what} has a host name that can't be ({printable(error)})") from None
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise ValueError(f"{what} has host {_cut(name)!r}, which is no host name or address")
    return host
