"""Any words of a proxy, any settings: connected or lomond's own error; in any split; discreet.

No message tells a secret. What is said to a proxy has no line that is not ours.
"""

from __future__ import annotations

from typing import Any

from lomond import proxies
from lomond.errors import ProxyError
from lomond.options import Limits
from lomond.protocol.http.tunnel import HttpTunnel
from lomond.protocol.socks import SocksTunnel
from lomond.url import authority

from .choices import Choices, split

_SCHEMES = ("http", "socks5", "socks5h", "socks4", "socks4a")
_HOSTS = ("a.example.org", "192.0.2.1", "2001:db8::1")
_TOO_EARLY = "it answered before it was asked"
_SECRET = "pass:word"


def check(data: bytes) -> str:
    """One input: what is tried, and the bytes of it."""
    choices = Choices(data)
    kind = choices.byte() % 4
    if kind == 1:
        return _parse(choices.rest().decode("utf-8", "surrogateescape"))
    if kind == 2:
        host, port = choices.text(), choices.pick((80, 443, 1))
        return str(
            proxies.is_bypassed(host, port, choices.rest().decode("utf-8", "surrogateescape"))
        )
    if kind == 3:
        return _environment(choices)
    scheme, host = choices.pick(_SCHEMES), choices.pick(_HOSTS)
    if scheme == "socks4":
        host = "192.0.2.1"
    has_user = choices.flag()
    sizes = choices.sizes()
    stream = choices.rest()

    def told(chunks: list[bytes]) -> str:
        username, password = ("user", _SECRET) if has_user else (None, None)
        return _talk(proxies.Proxy(scheme, "proxy", 3128, username, password), host, chunks)

    whole, pieces = told([stream] if stream else []), told(split(stream, sizes))
    # A SOCKS proxy may not say all at once what it is to say bit by bit.
    if _TOO_EARLY not in whole + pieces:
        assert pieces == whole, "the split makes a difference"
    return whole


def _talk(proxy: proxies.Proxy, host: str, chunks: list[bytes]) -> str:
    """How a proxy's words end, and what was said to it."""
    tunnel: Any
    if proxy.scheme == "http":
        there = authority(host, 443)
        tunnel = HttpTunnel(proxy, there, "fuzz", Limits(max_header_size=2000), bytes)
    else:
        tunnel = SocksTunnel(proxy, host, 443)
    said: bytes = tunnel.start()
    _check_said(proxy, said)
    try:
        for number, chunk in enumerate(chunks):
            said += tunnel.receive(chunk)
            if tunnel.is_done:
                rest = tunnel.rest + b"".join(chunks[number + 1 :])
                return f"connected {said!r} {rest!r}"
        refused = tunnel.refused()
        if refused is not None:
            raise refused
        tunnel.receive(b"")
    except ProxyError as error:
        return f"refused {said!r} {_refusal(tunnel, proxy, error)}"
    raise AssertionError("the end of the stream is no end")


def _refusal(tunnel: Any, proxy: proxies.Proxy, error: ProxyError) -> str:
    if _SECRET in f"{error!r} {error}" and error.response is None:
        raise AssertionError("the password is told")
    again = tunnel.may_try_again(error)
    if again:
        _check_said(proxy, tunnel.start())
        assert not tunnel.may_try_again(error), "it would try without end"
    response = error.response
    if response is None:
        return _TOO_EARLY if str(error) == _TOO_EARLY else f"{again}"
    return f"{again} {response.status_code} {response.body!r}"


def _check_said(proxy: proxies.Proxy, said: bytes) -> None:
    if proxy.scheme == "http":
        lines = said.split(b"\r\n")
        names = [line.partition(b":")[0] for line in lines[1:-2]]
        assert lines[-2:] == [b"", b""], "no end"
        assert names in (
            [b"Host", b"User-Agent"],
            [b"Host", b"User-Agent", b"Proxy-Authorization"],
        ), "a line that is not ours"
        assert b"\n" not in b"".join(lines), "a line that is not ours"


def _parse(text: str) -> str:
    """A proxy's URL."""
    try:
        proxy = proxies.parse_proxy(text)
    except ValueError as error:
        _check_discreet(text, str(error))
        return str(error)
    # All that is shown: what the user's words can be part of is the host.
    user = "" if proxy.username is None else "***@"
    shown = f"<proxy {proxy.scheme}://{user}{authority(proxy.host, proxy.port)}>"
    assert repr(proxy) == shown, "the credentials are told"
    assert 1 <= proxy.port <= 65535
    assert proxy.host.isascii()
    assert proxy.host
    assert not any(c <= " " for c in proxy.host)
    return f"{shown} {proxy.username!r} {proxy.password!r}"


def _check_discreet(text: str, said: str) -> None:
    rest, _, place = text.rpartition("@")
    user = rest.rpartition("://")[2]
    if len(user) > 12 and user.lower() not in place.lower():  # a host may have the user's name
        assert user not in said, "the credentials are told"


def _environment(choices: Choices) -> str:
    environ = {}
    while not choices.is_empty():
        name = choices.pick(("wss_proxy", "HTTPS_PROXY", "all_proxy", "http_proxy", "no_proxy"))
        environ[name] = choices.text()
    told = []
    for secure in (True, False):
        try:
            found = proxies.from_environment(secure, "a.example.org", 443, environ)
        except ValueError as error:
            told.append(str(error))
        else:
            told.append(repr(found))
    return " ".join(told)
