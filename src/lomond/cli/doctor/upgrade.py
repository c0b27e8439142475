"""The upgrade: what was answered, and what a second question brings to light if it was no."""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING, NamedTuple

from ...response import printable
from . import secure
from .allowance import Beside
from .case import status_of, words

if TYPE_CHECKING:
    from ...ending import Ending
    from ...response import Response
    from .case import Case
    from .opening import Opened

PATIENCE = 5.0  # seconds, for each further question
_LONGEST_BODY = 4096  # bytes that are compared
_NOT_ALLOWED = (401, 403)
_NO_UPGRADE = (400, 426)
#: Headers that name who stands before a server.
_BETWEEN = ("via", "server", "x-cache", "cf-ray")


class Page(NamedTuple):
    """What a plain GET was answered."""

    status: int
    kind: str
    body: bytes


def tell(case: Case, done: Opened) -> bool:
    """Say what the server answered to the upgrade; whether it is open."""
    ready, ending, timings = done.ready, done.ending, done.timings
    if ready is not None:
        status = f"101 {printable(ready.response.status)}".rstrip()
        seconds = None if timings is None else timings.upgrade
        case.report.ok("upgrade", status, seconds=seconds)
        _tell_protocols(case, ready.protocol)
        return True
    assert ending is not None
    said, advice = words(ending)
    if ending.kind == "timed_out":
        said = f"the server did not answer the upgrade within {done.seconds:.3g} s"
        advice = "whoever listens there is no WebSocket server, or hangs: look at its log"
    if done.response is None and not case.url.secure and secure.speaks_tls(case):
        advice = f"the server speaks TLS there: write {case.like('wss')} instead of ws://"
        case.fail("upgrade", said, advice, status_of(ending))
        return False
    if done.response is not None:
        advice = _advice(case, done.response, ending, advice)
    case.fail("upgrade", said, advice or "look at the server's log", status_of(ending))
    return False


def _tell_protocols(case: Case, chosen: str | None) -> None:
    offered: list[str] = case.options["protocols"]
    if not offered:
        case.report.ok("protocol", "no sub-protocol offered, none chosen")
        return
    measured = f"offered {', '.join(offered)}; the server chose {chosen or 'none'}"
    if chosen is None:
        advice = "it knows none of them, or needs none: look what --protocol it wants"
        case.report.warn("protocol", measured, advice)
    else:
        case.report.ok("protocol", measured)


# What else is asked, of a server that has answered with something else


def _advice(case: Case, response: Response, ending: Ending, advice: str) -> str:
    status = ending.status
    if status in _NOT_ALLOWED:
        return _with_origin(case) or advice
    if status is None or 300 <= status < 400 or case.proxy is not None or case.given.unix:
        return advice
    page = _page(case)
    between = _between(response)
    if page is None:
        return f"{advice}{between}"
    is_same = page.status == status and page.body[:100] == response.body[:100]
    if is_same and status in _NO_UPGRADE:
        seen = (
            "a request without Upgrade is answered the same: something before the server strips "
            f"it{between}"
        )
        return "; ".join(filter(None, [seen, advice]))
    kind = f" {printable(page.kind, 40)}" if page.kind else ""
    seen = (
        f"a plain GET there is answered {'the same: ' if is_same else 'with '}{page.status}{kind}"
    )
    return "; ".join(filter(None, [advice, f"{seen}{between}"]))


def _with_origin(case: Case) -> str:
    """What comes of it with an Origin made of the URL's own host."""
    from .opening import begun

    url = case.url
    is_default = url.port == (443 if url.secure else 80)
    where = url.authority.rpartition(":")[0] if is_default else url.authority
    origin = f"{'https' if url.secure else 'http'}://{where}"
    if case.given.origin == origin or case.allowance.is_over:
        return ""
    done = begun(case, case.websocket(origin=origin), PATIENCE)
    is_open = done.ready is not None
    done.leave(case)
    if is_open:
        return f"with the Origin {origin} it opens: give --origin {origin}"
    status = None if done.response is None else done.response.status_code
    said = f"is answered with {status}" if status else "brings no answer"
    return (
        f"it wants other credentials (--auth, -H, --cookie): the Origin {origin} {said} too, so it "
        "is not that alone"
    )


def _between(response: Response) -> str:
    """Who says that it stands between, in words."""
    said = [f"{name}: {printable(value, 40)}" for name in _BETWEEN if (value := response.get(name))]
    return f" ({', '.join(said)})" if said else ""


def _page(case: Case) -> Page | None:
    """What a GET of the same path is answered that asks for no upgrade, nor says who asks."""
    patience = case.allowance.of(PATIENCE)
    # A server that says a byte now and then passes every timeout of a socket.
    page, _ = Beside(lambda: _asked(case, patience)).result(patience)
    return page if isinstance(page, Page) else None


def _asked(case: Case, patience: float) -> Page | None:
    from ...system.tls import make_context

    url = case.url
    connection: http.client.HTTPConnection
    if url.secure:
        context = make_context(case.options["ssl_verify"], case.options["ssl_cafile"])
        connection = http.client.HTTPSConnection(
            url.host, url.port, timeout=patience, context=context
        )
    else:
        connection = http.client.HTTPConnection(url.host, url.port, timeout=patience)
    with contextlib.closing(connection):
        try:
            connection.request("GET", url.resource, headers={"Connection": "close"})
            answer = connection.getresponse()
            body = answer.read(_LONGEST_BODY)
        except http.client.HTTPException:
            return None
        return Page(answer.status, answer.getheader("content-type") or "", body)
