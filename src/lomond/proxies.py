"""Which proxy a connection takes: what the user gave, or what the environment says."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .fixed import Fixed
from .url import authority, host_and_port, shown_url, unknown_scheme

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

__all__ = ["Proxy", "check", "chosen", "from_environment", "is_bypassed", "parse_proxy"]

#: scheme -> default port
_SCHEMES = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080,
            "socks5h": 1080}  # fmt: skip
#: whether the connection is secure -> the keys that a mapping may have for it, the first first
_KEYS = {True: ("wss", "https", "all"), False: ("ws", "http", "all")}
_NO_KEYS = ("no", "no_proxy")  # hosts without a proxy, as `urllib.request.getproxies` says it
_ALL_KEYS = ("wss", "https", "ws", "http", "all", *_NO_KEYS, "ftp")  # ftp is never ours

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_UNFIT = re.compile(r"[\s\x00-\x20\x7f\\\ud800-\udfff]")  # white, control, backslash, half a pair
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DELIMITER = re.compile(r"[/?#]")
_SEPARATOR = re.compile(r"[,\s]+")


class Proxy(Fixed):
    """A proxy, as `parse_proxy` makes it, which checks what it gives. It shows no credentials.

    Arguments:
        scheme: ``"http"``, ``"https"``, ``"socks4"``, ``"socks4a"``, ``"socks5"`` or ``"socks5h"``.
        host: Lower case, without brackets, ASCII.
        port: From 1 to 65535.
        username: As it is meant, not as it is quoted in a URL; None for none.
        password: Likewise; None for none.

    Attributes:
        source: Who names it, for people; None where nobody knows. No part of what it is.
    """

    __slots__ = ("host", "password", "port", "scheme", "source", "username")
    __match_args__ = ("scheme", "host", "port", "username", "password")
    scheme: str
    host: str
    port: int
    username: str | None
    password: str | None
    source: str | None

    def __init__(
        self,
        scheme: str,
        host: str,
        port: int,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        self._set(scheme=scheme, host=host, port=port, username=username, password=password)
        self._set(source=None)

    def named_by(self, source: str) -> Proxy:
        """Another one like it that knows who names it."""
        proxy = Proxy(self.scheme, self.host, self.port, self.username, self.password)
        proxy._set(source=source)
        return proxy

    @property
    def url(self) -> str:
        """What people see: with its port, and ``***`` where there are credentials."""
        user = "" if self.username is None else "***@"
        return f"{self.scheme}://{user}{authority(self.host, self.port)}"

    def __repr__(self) -> str:
        return f"<proxy {self.url}>"


def parse_proxy(url: str) -> Proxy:
    """Take the URL of a proxy apart.

    Arguments:
        url: Like ``http://user:password@proxy.example:3128`` or ``socks5h://127.0.0.1``. Without
            a scheme it is ``http://``. The default ports are 80, 443 (https) and 1080 (socks).

    Raises:
        TypeError: It is not a str.
        ValueError: It can't be used; the message says why, and shows no credentials.
    """
    if not isinstance(url, str):
        kind = type(url).__name__
        raise TypeError(f"a proxy must be a str, like 'http://proxy:3128', not {kind}")
    found = _SCHEME.match(url)
    scheme, rest = (found[1].lower(), url[found.end() :]) if found else ("http", url)
    # Everything before the last '@', whatever it holds: it may be a password that is not quoted.
    user, at, place = rest.rpartition("@")
    shown = f"{scheme}://{'***@' if at else ''}{place}"
    what = f"proxy {shown!r}"
    if scheme not in _SCHEMES:
        known = ", ".join(_SCHEMES)
        raise unknown_scheme(f"{what} has a scheme that is not known; those known are {known}")
    unfit = _UNFIT.search(place)
    if unfit:
        raise ValueError(f"{what} holds {unfit.group()!r}; remove it")
    username, password = _credentials(user, what)
    if scheme.startswith("http") and username and ":" in username:
        # RFC 7617 section 2: a user-id that contains a colon is invalid.
        raise ValueError(f"{what} has a ':' in its user name; HTTP has no way to say that")
    if scheme.startswith("socks4") and password is not None:
        raise ValueError(f"{what} has a password, and SOCKS4 can't say one; use socks5://")
    longest = max(len((text or "").encode()) for text in (username, password))
    if scheme.startswith("socks5") and longest > 255:  # RFC 1929: a length is one byte
        raise ValueError(f"{what} has a user or password of more than 255 bytes")
    netloc = _DELIMITER.split(place, maxsplit=1)[0]
    if place[len(netloc) :] not in ("", "/"):
        raise ValueError(f"{what} has something after host and port; remove it")
    like = f"{scheme}://proxy.example:{3128 if scheme == 'http' else _SCHEMES[scheme]}"
    host, port = host_and_port(netloc, what, like)
    return Proxy(scheme, host, port or _SCHEMES[scheme], username, password)


def _credentials(user: str, what: str) -> tuple[str | None, str | None]:
    from urllib.parse import unquote

    if not user:
        return None, None
    if _UNFIT.search(user) or _DELIMITER.search(user):
        raise ValueError(
            f"{what} has credentials with a character that must be quoted: write a space as '%20', "
            "'/' as '%2F', '?' as '%3F', '#' as '%23', a backslash as '%5C'"
        )
    name, colon, secret = user.partition(":")
    try:
        username, password = unquote(name, errors="strict"), unquote(secret, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"{what} has credentials that are no UTF-8; quote them anew") from None
    if _CONTROL.search(username + password):
        raise ValueError(f"{what} has credentials with a control character; remove it")
    return username, password if colon else None


def chosen(proxies: Mapping[str, str | None], secure: bool, host: str, port: int) -> Proxy | None:
    """The proxy that a user's mapping has for a connection; None for none.

    The first key that is there decides, of ``"wss"``, ``"https"`` and ``"all"`` if the connection
    is secure, and else of ``"ws"``, ``"http"`` and ``"all"``. None or ``""`` means no proxy; so
    does a host that ``"no"`` or ``"no_proxy"`` names, as no_proxy does in the environment.

    Arguments:
        proxies: The mapping; as `urllib.request.getproxies` gives it, if it has no other keys.
        secure: Whether it is a connection with TLS.
        host: Where it goes.
        port: Likewise.

    Raises:
        TypeError: It is no mapping of str to str or None; the message names the key.
        ValueError: The proxy's URL can't be used, or a key is none of these: whoever wrote it
            wants a proxy, and is not to be connected without one.
    """
    check(proxies)
    if any(is_bypassed(host, port, proxies.get(key) or "") for key in _NO_KEYS):
        return None
    for key in _KEYS[secure]:
        if key in proxies:
            return _parse_of(f"proxies[{key!r}]", proxies[key])
    return None


def check(proxies: Mapping[str, str | None]) -> None:
    """Raise unless it is a mapping with keys that `chosen` knows. What it maps to, that parses.

    Raises:
        TypeError, ValueError: As `chosen`.
    """
    if not isinstance(proxies, Mapping):
        raise TypeError(f"proxies must be a mapping of str to str, not {type(proxies).__name__}")
    for key, value in proxies.items():
        if not isinstance(key, str):
            raise TypeError(f"proxies must have keys that are str, like 'https', not {key!r}")
        if value is not None and not isinstance(value, str):
            kind = type(value).__name__
            raise TypeError(f"proxies[{key!r}] must be a str or None, not {kind}")
    others = [key for key in proxies if key not in _ALL_KEYS]
    if others:
        # One may be a URL with a password, by which other libraries choose.
        said = ", ".join(repr(shown_url(key)) for key in others)
        raise ValueError(
            f"proxies has a key that is none: {said}; use 'https' or 'wss' for wss://, 'http' or "
            "'ws' for ws://, 'all' for both, 'no' for hosts without a proxy (without proxies= the "
            "environment decides)"
        )


def from_environment(
    secure: bool, host: str, port: int, environ: Mapping[str, str] = os.environ
) -> Proxy | None:
    """The proxy that the environment has for a connection; None for none.

    The variables are wss_proxy, https_proxy and all_proxy for a secure connection, or else
    ws_proxy, http_proxy and all_proxy, and no_proxy for exceptions. Their names may be all upper
    case; lower case goes first, and if it is empty the variable counts as not set. On macOS and
    Windows the system's settings are used where no variable is set.

    Arguments:
        secure: Whether it is a connection with TLS.
        host: Where it goes.
        port: Likewise.
        environ: The variables.

    Raises:
        ValueError: A variable's proxy can't be used; the message names the variable.
    """
    variables = dict(environ)  # on Windows os.environ does not tell lower case from upper
    name, value = "", ""
    for key in _KEYS[secure]:
        name, value = _variable(variables, f"{key}_proxy")
        if value:
            break
    if is_bypassed(host, port, _variable(variables, "no_proxy")[1]):
        return None
    if value:
        return _parse_of(f"environment variable {name}", value)
    if sys.platform not in ("darwin", "win32"):
        return None
    from urllib.request import getproxies, proxy_bypass

    setting = getproxies().get("https" if secure else "http")
    return None if proxy_bypass(host) else _parse_of("the system's settings", setting)


def _variable(variables: Mapping[str, str], name: str) -> tuple[str, str]:
    """The name that is set, and its value; an empty value where it is not."""
    if name in variables:
        return name, variables[name]
    name = name.upper()
    if name == "HTTP_PROXY" and "REQUEST_METHOD" in variables:
        return name, ""  # a CGI script: it is the header "Proxy" of whoever asks (CVE-2016-1000110)
    return name, variables.get(name, "")


def _parse_of(where: str, value: str | None) -> Proxy | None:
    if not value:
        return None
    try:
        return parse_proxy(value).named_by(where)
    except ValueError as error:
        error.args = (f"{where}: {error}",)
        raise error from None


def is_bypassed(host: str, port: int, no_proxy: str) -> bool:
    """Whether a connection is an exception that takes no proxy.

    Arguments:
        host: A name or an address.
        port: Where it goes.
        no_proxy: Names and addresses, separated by commas or white space. A name also means all
            names below it, as do ``.name`` and ``*.name``; ``10.0.0.0/8`` all addresses with this
            prefix; ``name:port`` only that port; ``*`` everything. What is none of these is
            ignored.
    """
    host = host.lower().strip("[]").rstrip(".")
    address = _address(host)
    for entry in _SEPARATOR.split(no_proxy):
        if entry == "*":
            return True
        if "/" in entry:
            if address is not None and _is_in(address, entry):
                return True
            continue
        named = _named(entry)
        if named is None or named[1] not in (None, port):
            continue
        name = named[0].rstrip(".")
        if address is None:
            is_same = host == name or host.endswith(f".{name}")
        else:
            is_same = address == _address(name)
        if is_same:
            return True
    return False


def _named(entry: str) -> tuple[str, int | None] | None:
    name = entry[2:] if entry.startswith("*.") else entry.removeprefix(".")
    if name.count(":") > 1 and not name.startswith("["):
        name = f"[{name}]"
    try:
        return host_and_port(name, "no_proxy")
    except ValueError:
        return None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address; IPv4 for one that is mapped to IPv6. None for a name."""
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _is_in(address: IPv4Address | IPv6Address, entry: str) -> bool:
    from ipaddress import IPv6Network, ip_network

    try:
        network = ip_network(entry.replace("[", "").replace("]", ""), strict=False)
        if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
            mapped = network.network_address.ipv4_mapped
            network = ip_network((mapped, network.prefixlen - 96), strict=False)
    except ValueError:
        return False
    return address in network
