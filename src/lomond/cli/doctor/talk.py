"""An open connection: pings, what compression saves, and whether a close is answered."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from ...errors import WebSocketError
from .. import exits
from .case import status_of, words
from .opening import CLOSE_PATIENCE
from .report import span

if TYPE_CHECKING:
    from ...compression import Compression
    from .case import Case
    from .opening import Opened

_PINGS = 5
PING_PATIENCE = 5.0  # seconds for each
_MOST_LOST = 2  # one after another, behind which nobody waits for more
SLOW_CLOSE = 1.0  # seconds


def tell(case: Case, done: Opened) -> None:
    """Say how the open connection behaves, and close it."""
    is_open = _tell_pings(case, done)
    assert done.ready is not None
    _tell_compression(case, done.ready.compression)
    if is_open:
        _tell_close(case, done)


def _tell_pings(case: Case, done: Opened) -> bool:
    """Ping five times; whether it is open still."""
    times: list[float | None] = []
    while len(times) < _PINGS:
        took = _ping(case, done, f"doctor {len(times)}".encode())
        if done.ending is not None:
            _tell_end(case, done)
            return False
        times.append(took)
        if times[-_MOST_LOST:] == [None] * _MOST_LOST:
            break
    answered = [took for took in times if took is not None]
    lost = len(times) - len(answered)
    if not answered:
        measured = f"{lost} of {lost} not answered, each within {PING_PATIENCE:g} s"
        advice = (
            "the server must answer them (RFC 6455 section 5.5.2), or what is between drops them: "
            "repair it; programs go without by --ping 0"
        )
        case.fail("pings", measured, advice, exits.LOST)
        return True
    seconds = sum(answered) / len(answered)
    spans = "/".join(map(span, (min(answered), seconds, max(answered))))
    measured = f"{len(answered)} of {len(times)} answered, min/avg/max {spans}"
    if lost:
        advice = f"within {PING_PATIENCE:g} s the others were not: the way or the server is slow"
        case.report.warn("pings", measured, advice, seconds)
    else:
        case.report.ok("pings", measured, seconds=seconds)
    return True


def _ping(case: Case, done: Opened, data: bytes) -> float | None:
    """Seconds until its pong; None if there was none in time, or it is over."""
    patience = case.allowance.of(PING_PATIENCE)
    began = monotonic()
    try:
        done.websocket.send_ping(data)
    except WebSocketError:  # the events say why
        patience = CLOSE_PATIENCE
    for event in done.stream:
        now = monotonic()
        if event.name == "pong" and event.data == data:
            return now - began
        if event.name == "disconnected":
            done.ending = event.ending
        if now - began >= patience:
            return None
    return None


def _tell_end(case: Case, done: Opened) -> None:
    """Say how it ended, which nobody had asked for."""
    ending = done.ending
    assert ending is not None
    said, advice = words(ending)
    status = status_of(ending)
    if ending.kind == "closed":
        advice = advice or (
            "the server closes by itself: look whether it wants credentials, a --protocol, or a "
            "first message"
        )
    advice = advice or "look at the server's log, and at what is between"
    if status:
        case.fail("pings", said, advice, status)
    else:
        case.report.warn("pings", said, advice)


def _tell_compression(case: Case, agreed: Compression | None) -> None:
    if agreed is None:
        case.report.ok("compression", "offered, and the server declines: messages go as they are")
        return
    windows = f"windows {agreed.server_max_window_bits}/{agreed.client_max_window_bits} bits"
    kept = [
        f"{who} keeps no context"
        for who, is_so in (
            ("the server", agreed.server_no_context_takeover),
            ("this side", agreed.client_no_context_takeover),
        )
        if is_so
    ]
    measured = ", ".join(["permessage-deflate", windows, *kept])
    if agreed.received_compressed:
        ratio = agreed.received_raw / agreed.received_compressed
        measured += f"; {agreed.received_raw} bytes came as {agreed.received_compressed}"
        measured += f" ({ratio:.3g} : 1)"
    else:
        measured += "; nothing came compressed meanwhile"
    is_asked = case.given.compress
    case.report.ok("compression", measured, "" if is_asked else "programs have it by --compress")


def _tell_close(case: Case, done: Opened) -> None:
    """Close, and say whether and how fast that is answered."""
    patience = case.allowance.of(CLOSE_PATIENCE)
    began = monotonic()
    answered: float | None = None
    code: int | None = None
    for event in done.close(patience):
        if event.name == "closed" or event.name == "closing":
            answered, code = monotonic() - began, event.code
    took = monotonic() - began
    if answered is not None:
        said = "without a code" if code is None else f"with {code}"
        measured = f"answered {said}"
        if answered > SLOW_CLOSE:
            advice = "that is slow: programs wait so long at their end"
            case.report.warn("close", measured, advice, answered)
        else:
            case.report.ok("close", measured, seconds=answered)
        return
    ending = done.ending
    if ending is not None and ending.kind != "closed":
        measured = f"not answered within {took:.3g} s"
        advice = (
            "the server must answer a close frame (RFC 6455 section 5.5.1), or what is between "
            "drops it: repair it; programs wait for close_timeout at their end"
        )
        case.fail("close", measured, advice, exits.LOST)
        return
    measured = "the server hangs up instead of answering it"
    case.report.warn("close", measured, "it should send a close frame first", took)
