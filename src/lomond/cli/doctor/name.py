"""The URL, the proxy and who names it, and the addresses of whoever is to be connected to."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING, Any

from ... import proxies
from ...redaction import discreet_url
from ...session.causes import listed, words
from .. import exits
from .allowance import Beside
from .report import span

if TYPE_CHECKING:
    from ...session.requests import AddressInfo
    from .case import Case

PATIENCE = 10.0  # seconds for the system's resolver
_FAMILIES = {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}
_OPTION = "--proxy"
_SOURCE = re.compile(r"proxies\['\w+'\]")
#: What getaddrinfo says of a name that has no address of a family; not all systems know all.
_NONE_THERE = {
    getattr(socket, name)
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY", "EAI_FAMILY")
    if hasattr(socket, name)
} | {11004}  # WSANO_DATA, of Windows


def tell_url(case: Case) -> None:
    """Say what the URL asks for."""
    url = case.url
    how = "with TLS" if url.secure else "without TLS"
    measured = f"{discreet_url(case.given.url)} ({how}, host {url.host}, port {url.port})"
    has_secrets = any((case.given.auth, case.given.cookie, "@" in case.given.url))
    is_near = url.host in ("localhost", "127.0.0.1", "::1") or case.given.unix is not None
    if has_secrets and not url.secure and not is_near:
        advice = "credentials would be read by whoever is on the way: use wss://"
        case.report.warn("url", measured, advice)
    else:
        case.report.ok("url", measured)


# Which proxy


def tell_proxy(case: Case) -> None:
    """Find the proxy; say which it is, and who names it."""
    if case.given.unix is not None:
        case.report.ok("proxy", f"none: it goes to the Unix socket {case.given.unix}")
        return
    given: dict[str, str] | None = case.options.get("proxies")
    where = case.url.secure, case.url.host, case.url.port
    if given is None:
        case.proxy = proxies.from_environment(*where)
    else:
        case.proxy = proxies.chosen(given, *where)
    if case.proxy is not None:
        case.report.ok("proxy", f"{case.proxy.url}, from {source_of(case.proxy)}")
    elif given is not None:
        case.report.ok("proxy", "none (--no-proxy)")
    else:
        case.report.ok("proxy", _why_none(case))


def source_of(proxy: proxies.Proxy) -> str:
    """Who names it, for people."""
    return _SOURCE.sub(_OPTION, proxy.source or "this program")


def way_without(proxy: proxies.Proxy) -> str:
    """What to do about a proxy that does not serve."""
    source = source_of(proxy)
    if source == _OPTION:
        return f"it is the proxy that {_OPTION} names: look whether it is right and runs"
    return f"the proxy comes from {source}; --no-proxy goes without it"


def _why_none(case: Case) -> str:
    """Why no proxy is taken: nobody names one, or a rule of no_proxy says so."""
    url = case.url
    name = next((n for n in ("no_proxy", "NO_PROXY") if n in os.environ), "")
    others = {key: said for key, said in os.environ.items() if key.lower() != "no_proxy"}
    proxy = proxies.from_environment(url.secure, url.host, url.port, others)
    if proxy is None:
        return "none: no variable names one"
    for rule in re.split(r"[,\s]+", os.environ.get(name, "")):
        if proxies.is_bypassed(url.host, url.port, rule):
            return f"none: {name} has {rule!r}; else it were {proxy.url} ({proxy.source})"
    return f"none: the system's settings except {url.host}"


# Addresses


def resolve(case: Case) -> list[AddressInfo]:
    """Say the addresses of the host that is connected to; none if there are none."""
    there = case.url if case.proxy is None else case.proxy
    host, port = there.host, there.port
    whose = "" if case.proxy is None else "the proxy's "
    known = _addresses(host, port, socket.AF_UNSPEC, socket.AI_NUMERICHOST)
    if not isinstance(known, OSError):
        case.report.ok("name", f"{whose}{host} is an address itself")
        return known
    patience = case.allowance.of(PATIENCE)
    asked = {name: _asked(host, port, family) for name, family in _FAMILIES.items()}
    found: list[AddressInfo] = []
    said: list[str] = []
    failed: dict[str, Exception] = {}
    longest = 0.0
    for name, beside in asked.items():
        result, seconds = beside.result(patience - longest)
        longest = max(longest, seconds)
        if isinstance(result, Exception):
            failed[name] = result
            continue
        found += result
        shown = listed(list(dict.fromkeys(str(info[4][0]) for info in result)))
        said.append(f"{name} {shown} in {span(seconds)}")
    _tell_name(case, f"{whose}{host}", said, failed, longest)
    return found


def _tell_name(
    case: Case, host: str, said: list[str], failed: dict[str, Exception], seconds: float
) -> None:
    silent = {name: error for name, error in failed.items() if not _has_none(error)}
    if not said:
        error = next(iter(silent.values() or failed.values()))
        advice = (
            "the resolver does not answer: look at this machine's network and its DNS"
            if silent
            else "look at how the name is written, and whether it exists in the DNS you use here"
        )
        if case.proxy is not None:
            advice += f"; {way_without(case.proxy)}"
        measured = f"{host} has no address: {words(error)}"
        case.fail("name", measured, advice, exits.UNREACHABLE, seconds)
        return
    measured = f"{host}: {'; '.join([*said, *(f'no {name}' for name in failed)])}"
    if silent:
        name, error = next(iter(silent.items()))
        advice = (
            f"the resolver does not say whether there is {name} ({words(error)}), for which every "
            "connection waits: look at its DNS server"
        )
        case.report.warn("name", measured, advice)
    else:
        case.report.ok("name", measured)


def _has_none(error: Exception) -> bool:
    """Whether the resolver has said that there is no such address."""
    return isinstance(error, UnicodeError) or getattr(error, "errno", None) in _NONE_THERE


def _asked(host: str, port: int, family: int) -> Beside[Any]:
    return Beside(lambda: _addresses(host, port, family))


def _addresses(host: str, port: int, family: int, flags: int = 0) -> list[AddressInfo] | OSError:
    try:
        return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=flags)
    except OSError as error:
        return error
    except UnicodeError as error:  # of a label that is too long
        return OSError(socket.EAI_NONAME, str(error))
