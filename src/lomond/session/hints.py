"""What to do about an end of which something is typical; docs/tasks/endings.md lists the rows.

Each row names the option that helps, if one does. The first that has something to say is heard.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ..ending import duration
from ..response import printable
from ..url import without_secrets
from . import lasting

if TYPE_CHECKING:
    from ..ending import Ending, Pause

_SLEEP = 30.0  # seconds that clocks may differ in without a word
_SKEW = 3600.0  # seconds
_NOT_NOW = (9, 10)  # OpenSSL's verify codes: not yet valid, expired
_LONG = 10.0  # seconds without a look at the socket
IDLE = 20.0  # seconds; shorter limits on silence are rare
_LONGEST = 200  # characters of a Location
_MOST = 48  # bytes of what came instead of a frame
# None of these is compiled before it is needed, as it is at few ends.
#: What plain HTTP is answered on a port of TLS: by nginx, Apache, Go and Tomcat.
_PLAIN_TO_TLS = (
    rb"sent to HTTPS port|plain HTTP to an SSL|HTTP request to an HTTPS server|port requires TLS"
)
#: What a body says where Upgrade may be what is missing: nothing, a page, or words of it.
_OF_UPGRADE = rb"\A\s*(<|\Z)|upgrade|websocket|bad request"
_OF_PROTOCOLS = rb"sub-?protocol"
_OF_CERTIFICATE = rb"certificate"
_ONWARD = "pass 'Upgrade: websocket' on, over HTTP/1.1"
_HEAD = 9  # bytes of a frame's head in HTTP/2
_SETTINGS, _GOAWAY = 4, 7  # types of frames there
_BROKEN = ("lost", "unresponsive", "timed_out")  # kinds of ends in which nobody closes
#: What a system says whose peer, or what stands between, has hung up.
_HUNG_UP = (ConnectionError, EOFError)


class Around(NamedTuple):
    """What is known of a connection beside its end.

    Arguments:
        is_secure: Whether TLS was asked for.
        origin: The Origin that was sent, or None.
        max_redirects: The option.
        ping_rate: The option; None or 0 for no pings.
        largest: Bytes of the largest message that was sent.
        came: The first bytes of what came where it made no sense.
        slept: Seconds by which the wall clock went on and the monotonic one did not.
        proxy_source: Who named the proxy; None without one.
        pause: A time in which nobody looked at the socket, and that was over just before the end.
        skew: Seconds by which a server's Date was ahead of this machine's clock; None: none said.
    """

    is_secure: bool = False
    origin: str | None = None
    max_redirects: int = 0
    ping_rate: float | None = None
    largest: int = 0
    came: bytes = b""
    slept: float = 0.0
    skew: float | None = None
    proxy_source: str | None = None
    pause: Pause | None = None


class Hint(NamedTuple):
    """A row: for which end, what to do.

    Arguments:
        name: For tests, and to find it.
        when: Of which end, for people.
        says: What to do, if it is such an end.
        does: The same, in general, for people.
    """

    name: str
    when: str
    says: Callable[[Ending, Around], str | None]
    does: str


def is_fine(ending: Ending) -> bool:
    """Whether it ended as most do, by a close of ours: no row has anything to say of that."""
    is_ours = ending.kind == "closed" and ending.by == "client"
    return is_ours and ending.was_ready and ending.cause is None


def hint(ending: Ending, around: Around) -> str | None:
    """What to do about this end, or None."""
    for one in HINTS:
        said = one.says(ending, around)
        if said is not None:
            return said
    return None


def _lasts(ending: Ending, around: Around) -> str | None:
    return lasting.hint(ending.cause)


def _proxy(ending: Ending, around: Around) -> str | None:
    source = around.proxy_source
    if source is None or not source.startswith("environment"):
        return None
    if ending.kind not in ("unreachable", "timed_out"):
        return None
    if ending.phase not in ("resolve", "connect", "proxy"):
        return None
    return f"the proxy comes from the {source}; no_proxy, or proxies={{}}, goes without it"


def _plain_to_tls(ending: Ending, around: Around) -> str | None:
    if around.is_secure or ending.was_ready:
        return None
    response = ending.response
    if response is not None and re.search(_PLAIN_TO_TLS, response.body):
        return "the server speaks TLS there; use wss://"
    if ending.phase == "upgrade" and _is_hung_up(ending):
        return "if the server speaks TLS there, use wss://"
    return None


def _is_hung_up(ending: Ending) -> bool:
    """Whether it was lost because somebody hung up, not because of the way to there."""
    is_cut = ending.cause is None or isinstance(ending.cause, _HUNG_UP)
    return ending.kind == "lost" and ending.by == "network" and is_cut


def _other_http(ending: Ending, around: Around) -> str | None:
    came = around.came
    is_frame = len(came) >= _HEAD and came[3] in (_SETTINGS, _GOAWAY) and came[5:9] == bytes(4)
    if ending.was_ready or not is_frame:
        return None
    return (
        "the server speaks HTTP/2 only there; ask on a port, or by a name, where it speaks HTTP/1.1"
    )


def _text_after_101(ending: Ending, around: Around) -> str | None:
    text = around.came[:_MOST]
    if ending.kind != "protocol" or not ending.was_ready or not text.strip():
        return None
    shown = text.decode("ascii", "replace")
    if "\ufffd" in shown[:4] or not shown[:4].isprintable():
        return None
    return f"after the upgrade came text and no frame: '{printable(shown)}'; a proxy's, perhaps"


def _status(*wanted: int) -> Callable[[Ending], bool]:
    return lambda ending: ending.kind == "rejected" and ending.status in wanted


def _is_400_of(words: bytes, ending: Ending) -> bool:
    """Whether the request is called bad in words like these."""
    body = b"" if ending.response is None else ending.response.body
    return _status(400)(ending) and re.search(words, body, re.IGNORECASE) is not None


def _no_protocol(ending: Ending, around: Around) -> str | None:
    if not _is_400_of(_OF_PROTOCOLS, ending):
        return None
    return "it wants a sub-protocol that it knows (protocols=)"


def _no_certificate(ending: Ending, around: Around) -> str | None:
    if not around.is_secure or not _is_400_of(_OF_CERTIFICATE, ending):
        return None
    return "it wants a client certificate that it accepts (ssl_certfile=)"


def _no_upgrade(ending: Ending, around: Around) -> str | None:
    if not _status(426, 505)(ending) and not _is_400_of(_OF_UPGRADE, ending):
        return None
    return f"perhaps a proxy before the server does not {_ONWARD}"


def _no_websocket(ending: Ending, around: Around) -> str | None:
    if not _status(200, 404)(ending):
        return None
    return (
        "there is no WebSocket at this path of the server; look at the URL, or have a proxy before "
        f"it {_ONWARD}"
    )


def _gateway(ending: Ending, around: Around) -> str | None:
    if not _status(502, 504)(ending):
        return None
    return "a proxy says so: the server behind it is down, or did not answer in time"


def _not_allowed(ending: Ending, around: Around) -> str | None:
    if not _status(401, 403)(ending):
        return None
    said = "it wants other credentials (auth=, headers=, cookies=), or"
    if around.origin is None:
        return f"{said} an Origin, and none was sent (origin=)"
    return f"{said} another Origin than '{printable(around.origin)}', which was sent"


def _redirect(ending: Ending, around: Around) -> str | None:
    if not _status(301, 302, 303, 307, 308)(ending) or ending.response is None:
        return None
    location = ending.response.get("location")
    if location is None:
        return None
    where = f"it sends on to {printable(without_secrets(location), _LONGEST)}"
    return where if around.max_redirects else f"{where}; max_redirects= has lomond follow"


def _wrong_clock(ending: Ending, around: Around) -> str | None:
    skew, code = around.skew, getattr(ending.cause, "verify_code", None)
    if code not in _NOT_NOW or skew is None or abs(skew) < _SKEW:
        return None
    side = "behind" if skew > 0 else "ahead of"
    return f"this machine's clock is {duration(abs(skew))} {side} the server's Date: set it"


def _slept(ending: Ending, around: Around) -> str | None:
    if around.slept < _SLEEP or ending.kind not in _BROKEN:
        return None
    return f"this machine slept for about {duration(around.slept)} meanwhile, or its clock was set"


def _not_looked(ending: Ending, around: Around) -> str | None:
    pause = around.pause
    if pause is None or pause.seconds < _LONG or not ending.is_failure:
        return None
    is_closed = ending.kind == "closed" and ending.by == "server"
    if not is_closed and ending.kind not in _BROKEN:
        return None
    spent = duration(pause.seconds)
    if not pause.events:
        return (
            f"nobody looked at the socket for {spent}, though no handler of it was at work: "
            "another task, thread or program had the time, or this one was stopped"
        )
    if pause.events == 1:
        what = f"your handler of {pause.last} took {spent}"
    else:
        what = f"your program spent {spent} on {pause.events} events, the last of them {pause.last}"
    return f"{what}: meanwhile nobody looked at the socket; let a thread or a task do the work"


def _idle(ending: Ending, around: Around) -> str | None:
    silent = ending.since_received
    if ending.since_sent is not None and silent is not None:
        silent = min(silent, ending.since_sent)
    if silent is None or silent < IDLE or not _is_hung_up(ending):
        return None
    said = f"nothing was said for {duration(silent)}: typical of a proxy's limit on silence"
    pings = "no pings are sent" if not around.ping_rate else f"it is {around.ping_rate:g} s"
    return f"{said}; a ping_rate below it keeps the connection open ({pings})"


def _too_big(ending: Ending, around: Around) -> str | None:
    is_told = ending.kind == "closed" and ending.by == "server" and ending.code == 1009
    if not is_told or not around.largest:
        return None
    return (
        f"the largest message that was sent has {around.largest} bytes; send several smaller ones"
    )


HINTS = (
    Hint(
        "proxy of the environment", "the environment names a proxy that is not reached, or refuses",
        _proxy, "which variable names it; `no_proxy`, or `proxies={}`, goes without",
    ),
    Hint(
        "plain to TLS", "a server hangs up, or says so, that was asked without TLS", _plain_to_tls,
        "use `wss://`",
    ),
    Hint(
        "other HTTP", "a frame of HTTP/2 comes instead of an answer", _other_http,
        "ask where the server speaks HTTP/1.1",
    ),
    Hint(
        "text after 101", "text comes where a frame should", _text_after_101,
        "its first bytes are shown",
    ),
    Hint(
        "no sub-protocol", "status 400, and the body speaks of a sub-protocol", _no_protocol,
        "`protocols=`",
    ),
    Hint(
        "no certificate", "status 400 over TLS, and the body speaks of a certificate",
        _no_certificate, "`ssl_certfile=`",
    ),
    Hint(
        "no upgrade", "status 426, 505; status 400 without words about anything else", _no_upgrade,
        "have the proxy before the server pass Upgrade on",
    ),
    Hint(
        "no WebSocket", "status 200, 404", _no_websocket,
        "look at the URL's path, and whether a proxy passes Upgrade on",
    ),
    Hint(
        "gateway", "status 502, 504", _gateway,
        "it is a proxy's: look at the server behind it",
    ),
    Hint(
        "not allowed", "status 401, 403", _not_allowed,
        "`auth=`, `headers=`, `cookies=`; `origin=`, of which it is said what was sent",
    ),
    Hint("redirect", "status 301, 302, 303, 307, 308", _redirect, "the Location; `max_redirects=`"),
    Hint(
        "wrong clock",
        "a certificate is not valid yet, or expired, and a server's Date said that the clock is "
        "wrong", _wrong_clock, "by how much: set the clock",
    ),
    Hint(
        "slept", f"lost after the wall clock went on {_SLEEP:g} s more than the monotonic one",
        _slept, "for how long the machine slept",
    ),
    Hint(
        "not looked",
        f"closed by the server or lost just after nobody had looked at the socket for {_LONG:g} s "
        "and more", _not_looked,
        "which handler, or how many events, took how long: let a thread or a task do the work",
    ),
    Hint(
        "idle", f"lost after {IDLE:g} s and more without a byte", _idle,
        "a `ping_rate` below a proxy's limit on silence",
    ),
    Hint(
        "too big", "the server closes with 1009", _too_big,
        "how large the largest message was; send several smaller ones",
    ),
    Hint(
        "lasting", "a certificate is not accepted, a name does not exist, a scheme is unknown",
        _lasts, "what has to change; `persist` tries no faster than `max_wait`",
    ),
)  # fmt: skip
