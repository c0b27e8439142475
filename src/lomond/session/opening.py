"""The script of one connection: from the name to the last event.

Decides what comes after what, and says failures in words. Performed by a door.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ProtocolError
from ..options import BODY_TIMEOUT, CLOSE_GRACE, RACE_DELAY
from ..url import authority
from .causes import kept, tls_words, words
from .requests import (
    Adopt,
    Answer,
    Deliver,
    Failed,
    Hangup,
    Interrupted,
    Race,
    Read,
    Request,
    Resolve,
    Run,
    Send,
    StartTLS,
    TimedOut,
)

if TYPE_CHECKING:
    from ..protocol.events import Ready
    from ..protocol.handshake import Acceptance, Refusal, Upgrade
    from .session import Session

Script = Generator[Request, Answer, None]
_CLOSED_BY_USER = "closed by the user"


class Target(NamedTuple):
    """Where to, and how."""

    url: str
    host: str
    port: int
    secure: bool
    server_name: str  #: whose certificate is expected
    has_socket: bool = False  #: the user gave a connected socket


def conversation(session: Session, target: Target, upgrade: Upgrade, request: bytes) -> Script:
    """One connection, from Connecting to the last event."""
    engine = session.engine
    answer = yield Deliver(engine.Connecting(target.url))
    session.started_at = answer.now
    timeout = session.timing.open_timeout
    deadline = None if timeout is None else answer.now + timeout
    phase = "connect"
    address = authority(target.host, target.port)
    try:
        if target.has_socket:
            answer = yield Adopt()
        else:
            phase = "resolve"
            answer = yield Resolve(target.host, target.port, deadline)
            phase = "connect"
            answer = yield Race(answer.value, RACE_DELAY, deadline)
        session.address = address = answer.value
        if target.secure:
            phase = "tls"
            yield StartTLS(target.server_name, deadline)
        phase = "upgrade"
        session.output.ask(request)
        answer = yield Send(deadline)
    except Failed as failure:
        reason = _why(phase, failure, target, failure.address or address, timeout)
        details = {
            "cause": kept(failure.cause),
            "phase": phase,
            "address": failure.address or address,
            "elapsed": failure.now - session.started_at,
        }
        session.end(reason, False, failure.now)
        yield Hangup()
        yield Deliver(engine.ConnectFail(reason, **details))
        return
    yield Deliver(engine.Connected(target.url))
    ready = yield from _upgrade(session, upgrade, deadline)
    if ready is not None:
        yield Send(None, waits=False)  # what was held until now
        yield Deliver(ready)
        del ready, upgrade, request, answer  # not to be kept as long as the connection lasts
        yield Run()
    yield Hangup()
    yield Deliver(session.disconnected())


def _upgrade(
    session: Session, upgrade: Upgrade, deadline: float | None
) -> Generator[Request, Answer, Ready | None]:
    """Read the answer. Returns Ready if it upgrades; else None, and the session has ended."""
    body_deadline: float | None = None
    answer = Answer(session.started_at)
    while True:
        try:
            answer = yield Read(deadline)
            data = answer.value
            outcome = upgrade.receive(data) if data else upgrade.end_of_stream()
        except Interrupted as failure:
            if session.has_ended:
                return None
            # The closing handshake follows the upgrade, if that is done soon.
            deadline = _sooner(deadline, failure.now + CLOSE_GRACE, session.close_at)
            continue
        except ProtocolError as error:
            yield from _not_http(session, error, answer)
            return None
        except Failed as failure:
            refusal = upgrade.end_of_stream()
            if refusal is not None:
                yield from _reject(session, refusal, failure.now)
            else:
                _lose(session, failure)
            return None
        if outcome is not None:
            if outcome.upgrades is False:
                yield from _reject(session, outcome, answer.now)
                return None
            return _open(session, outcome, answer)
        if not data:
            session.end("socket fail; connection lost", False, answer.now, phase="upgrade")
            return None
        if upgrade.is_reading_body and body_deadline is None:
            body_deadline = answer.now + BODY_TIMEOUT
            deadline = _sooner(deadline, body_deadline)


def _open(session: Session, acceptance: Acceptance, answer: Answer) -> Ready:
    session.opened(answer.now, acceptance.deflate)
    if acceptance.rest:
        session.receive(acceptance.rest, answer.now, answer.wall)
    return session.engine.Ready(
        acceptance.response,
        acceptance.protocol,
        acceptance.extensions,
        compression=session.compression,
        received_time=answer.wall,
    )


def _reject(session: Session, refusal: Refusal, now: float) -> Script:
    session.end("closed", True, now)
    yield Hangup()
    yield Deliver(
        session.engine.Rejected(
            refusal.response,
            refusal.reason,
            phase="upgrade",
            address=session.address,
            elapsed=now - session.started_at,
        )
    )


def _not_http(session: Session, error: ProtocolError, answer: Answer) -> Script:
    session.end(f"disconnected; {error}", False, answer.now, phase="upgrade")
    yield Hangup()
    yield Deliver(
        session.engine.ProtocolError(
            str(error),
            error.critical,
            section=error.section,
            phase="upgrade",
            address=session.address,
            elapsed=answer.now - session.started_at,
        )
    )


def _lose(session: Session, failure: Failed) -> None:
    if isinstance(failure, TimedOut):
        if session.close_asked_at is not None:
            reason = f"{_CLOSED_BY_USER}; the server had not answered the upgrade yet"
            session.end(reason, False, failure.now, phase="upgrade")
            return
        limit = f"open_timeout ({session.timing.open_timeout:g} s)"
        reason = f"upgrade fail; the server did not answer within {limit}"
    else:
        reason = f"socket fail; recv fail; {words(failure.cause)}"
    session.end(reason, False, failure.now, cause=failure.cause, phase="upgrade")


def _why(phase: str, failure: Failed, target: Target, address: str, timeout: float | None) -> str:
    """A failure to connect, in words: what happened, where, and what to look at."""
    if isinstance(failure, Interrupted):
        said = _CLOSED_BY_USER
    elif isinstance(failure, TimedOut):
        said = f"not done within open_timeout ({timeout:g} s)"
    else:
        said = tls_words(failure.cause) if phase == "tls" else words(failure.cause)
    if phase == "resolve":
        return f"unable to resolve host name {target.host!r}; {said}"
    if phase == "connect":
        return f"unable to connect to {_both(target, address)}; {said}"
    if phase == "tls":
        return f"TLS with {_both(target, address)} failed; {said}"
    return f"request failed; {said} (upgrade request to {_both(target, address)})"


def _both(target: Target, address: str) -> str:
    wanted = authority(target.host, target.port)
    return wanted if wanted == address else f"{wanted} at {address}"


def _sooner(deadline: float | None, *moments: float) -> float:
    return min(moments) if deadline is None else min(deadline, *moments)
