"""The script of one connection: from the name to the last event.

Decides what comes after what, and says failures in words. Performed by a door.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..errors import ProtocolError, ProxyError
from ..options import BODY_TIMEOUT, CLOSE_GRACE
from ..protocol import events
from ..response import moment_of, printable
from .asking import Asks, blame, questions
from .causes import was_told, words
from .course import sooner
from .dialling import CLOSED_BY_USER, MakesTunnels, Origin, Target, connect, last_words, reach, why
from .finish import LOST, Why
from .history import follow
from .requests import (
    Answer,
    Ask,
    Deliver,
    Drop,
    Failed,
    Hangup,
    Interrupted,
    Request,
    Run,
    Send,
    StartTLS,
    TimedOut,
    answer_of,
    ask,
    deliver,
    read,
    send,
)

if TYPE_CHECKING:
    from ..ending import Party
    from ..protocol.http.upgrade import Acceptance, Refusal, Upgrade
    from ..response import Response
    from ..secured import Secured
    from ..url import Url
    from .session import Session

#: Asks for one thing after another. What it returns is the script with which to go on, or None.
Script = Generator[Request, Answer, Any]
_SHOWN = 64  # bytes of what came first
_RUN, _HANG_UP = Run(), Hangup()
_SEND_HELD = Send(None, waits=False)  # what was held until the upgrade was done
REDIRECTS = (301, 302, 303, 307, 308)  # statuses
#: Protocols that TLS may agree on (ALPN, RFC 7301) and in which nobody here can ask.
_OTHER_HTTP = frozenset(["h2", "h3"])
_WRONG_HTTP = (
    "it agreed on {!r} (ALPN), and the upgrade is asked for in HTTP/1.1; have the ssl_context "
    'offer that alone: set_alpn_protocols(["http/1.1"])'
)
_LONGEST = 600  # characters; of what is wrong with a Location, of which all is cut already


class Route(NamedTuple):
    """Where to, and what to ask for there."""

    target: Target
    upgrade: Upgrade


class Plan(MakesTunnels, Asks, Protocol):
    """What the user asked for."""

    url: str | None  #: where to first; None where that is to be asked for
    max_redirects: int

    def first(self) -> Route:
        """Where the user wants to go. Raises what the user's code does."""
        ...

    def redirected(self, url: Url, is_ours: bool) -> Target:
        """Where a server sends us on to; `is_ours` tells whether it may know the user's secrets.

        Raises:
            ValueError, ImportError: There is no way through its proxy; the message tells why.
        """
        ...

    def route(self, target: Target) -> Route:
        """What is said to the target. Raises what the user's code does."""
        ...

    def answered(self, url: str, response: Response) -> None:
        """A server has answered: keep its cookies, if somebody wants them."""
        ...


def conversation(session: Session, plan: Plan) -> Script:
    """One connection, from Connecting to the last event.

    Where it was connected, another script goes on: what the opening needed, as the plan, is not to
    be kept as long as the connection lasts.
    """
    answer = yield deliver((events.Connecting(plan.url),))
    session.course.started_at = now = answer.now
    timeout = session.timing.open_timeout
    deadline = None if timeout is None else now + timeout
    redirects = 0
    skew: float | None = None
    origin: Origin | None = None
    asked: Callable[[], Route] = plan.first
    while True:
        session.course.enter("credentials", now)
        try:
            if plan.asks and not redirects:
                yield from questions(plan, deadline)
            try:
                answer = yield ask((asked, deadline))
            except Failed as failure:
                blame(plan, failure, "what headers= and cookies= call took that long")
                raise
            route: Route = answer.value
            now = answer.now
        except Failed as failure:
            yield from _give_up(session, None, failure)
            return None
        target = route.target
        sent: bytes | None = None  # as the Origin
        for name, value in route.upgrade.request.headers:
            if name.lower() == b"origin":
                sent = value
        source = None if target.proxy is None else target.proxy.source
        session.course.asked = target.secure, sent, plan.max_redirects, skew, source
        if not redirects:
            origin = target.origin  # as long as we are not sent elsewhere
        try:
            rest, now, secured = yield from _connect(
                session, route, plan, now, deadline, sent_on=redirects > 0
            )
        except Failed as failure:
            yield from _give_up(session, target, failure)
            return None
        except (ImportError, OSError) as error:  # of a module that is needed only now
            yield from _give_up(session, target, Failed(error, now))
            return None
        handled = yield deliver((_connected(session, target, secured),))
        spent = handled.now - now  # in the handler; it does not count for the way onward
        follows = REDIRECTS if plan.max_redirects else ()
        try:
            came = answer_of((handled.now, handled.wall, rest))
            outcome, answer = yield from _upgrade(session, route.upgrade, came, deadline, follows)
            if outcome is None:
                return _over(session)
            session.course.timings.upgrade = answer.now - now
            plan.answered(target.url, outcome.response)
        except (ImportError, OSError) as error:
            reason = f"upgrade fail; {words(error)}"
            session.end(Why(reason, False, "lost", "client", error, "upgrade"), now)
            return _over(session)
        if outcome.upgrades is True:
            return _open_until_over(session, _open(session, outcome, answer))
        onward = yield from _onward(plan, target, outcome, redirects, origin)
        if isinstance(onward, str):
            yield from _reject(session, outcome.response, onward, answer.now)
            return _over(session)
        redirects += 1
        skew = _skew(outcome.response, answer.wall)
        now = dropped_at = (yield Drop()).now
        if session.has_ended or session.finish.close_asked_at is not None:
            session.end(Why(CLOSED_BY_USER, phase="upgrade"), now)
            return _over(session)
        session.course.timings.proxy = session.course.timings.tls = None  # the last way is told of
        origin = origin if origin == onward.origin else None
        now = (yield Deliver(events.Connecting(onward.url))).now
        spent += now - dropped_at
        deadline = None if deadline is None else deadline + spent
        asked = partial(plan.route, onward)


def _open_until_over(session: Session, ready: events.Ready) -> Script:
    yield _SEND_HELD
    yield deliver((ready,))
    del ready
    yield _RUN
    yield _HANG_UP
    yield deliver((session.disconnected(),))


def _over(session: Session) -> Script:
    yield _HANG_UP
    yield Deliver(session.disconnected())


def _skew(response: Response, wall: float) -> float | None:
    """Seconds by which a server's Date is ahead of this machine's clock; None: it said none."""
    date = moment_of(response.get("date") or "")
    return None if date is None or not wall else date - wall


def _connect(
    session: Session, route: Route, plan: Plan, now: float, deadline: float | None, *, sent_on: bool
) -> Generator[Request, Answer, tuple[bytes, float, Secured | None]]:
    """Connect and write the request: what came of the answer already, when, and what TLS agreed on.

    A server that answers without reading may have hung up before all was written. Where another one
    has sent us on, no TLS session is resumed.
    """
    target = route.target
    secured: Secured | None = None
    if target.proxy is not None or target.has_socket:
        rest, now = yield from reach(session, target, plan, now, deadline)
    else:
        where = target.host, target.port
        rest, now = b"", (yield from connect(session, where, target.addresses, now, deadline))
    if target.secure:
        session.course.enter("tls", now)
        answer = yield StartTLS(
            target.server_name, deadline, received=rest, peer=None if sent_on else target.peer
        )
        session.course.timings.tls = answer.now - now
        secured = answer.value
        if secured is not None and secured.alpn in _OTHER_HTTP:
            raise Failed(OSError(_WRONG_HTTP.format(secured.alpn)), answer.now)
        rest = b""
        now = answer.now
    session.course.enter("upgrade", now)
    session.output.ask(route.upgrade.request_bytes())
    try:
        answer = yield send((deadline, True))
    except Failed as failure:
        words, now = yield from last_words(session, failure, deadline)
        return rest + words, now, secured
    return rest, answer.now, secured


def _connected(session: Session, target: Target, secured: Secured | None) -> events.Connected:
    proxy = target.proxy
    return events.Connected(
        target.url,
        None if proxy is None else proxy.url,
        address=session.course.address,
        tls=secured,
        proxy_source=None if proxy is None else proxy.source,
    )


def _give_up(session: Session, target: Target | None, failure: Failed) -> Script:
    """No connection: the last event says why. Without a target it did not come to that."""
    session.course.note_phase(failure.now)
    # It was ended here, and what failed follows from that.
    is_ours = session.finish.event is not None
    reason = why(session, failure, target)
    session.course.address = failure.address or session.course.address
    told = _unconnected(session, failure, reason)
    session.end(told, failure.now)
    yield _HANG_UP
    event = events.ConnectFail(reason, response=None if is_ours else told.response)
    session.course.describe(event, failure.now, failure.cause, session.course.phase)
    event.ending = session.disconnected().ending
    yield Deliver(event)


def _unconnected(session: Session, failure: Failed, reason: str) -> Why:
    """What ends a connection that was not made."""
    phase, cause = session.course.phase, failure.cause
    if isinstance(failure, Interrupted):
        return Why(reason, phase=phase, detail=CLOSED_BY_USER)
    if isinstance(failure, TimedOut):
        return Why(reason, False, "timed_out", "client", cause, phase, "open_timeout")
    if phase == "credentials":
        return Why(reason, False, "credentials", "client", cause, phase)
    if isinstance(cause, ProxyError):
        response = cause.response
        return Why(reason, False, "unreachable", "proxy", cause, phase, response=response)
    by: Party = "network"
    if hasattr(cause, "verify_code"):
        by = "client"
    elif was_told(cause):
        by = "proxy" if phase == "proxy" else "server"
    is_lost = phase == "upgrade" and by == "network"
    return Why(reason, False, "lost" if is_lost else "unreachable", by, cause, phase)


def _onward(
    plan: Plan, target: Target, refusal: Refusal, done: int, origin: Origin | None
) -> Generator[Request, Answer, Target | str]:
    """Where a redirect leads; or why the answer is a rejection, in words."""
    if not plan.max_redirects:
        return refusal.reason
    if refusal.response.status_code not in REDIRECTS:
        return refusal.reason
    try:
        from .dialling import destination

        url = destination(target, refusal.response, done, plan.max_redirects)
        is_ours = origin == (url.secure, url.host, url.port)
        onward: Target = (yield Ask(lambda: plan.redirected(url, is_ours), None)).value
        return onward
    except (ValueError, ImportError, OSError) as error:
        reason: BaseException = error
    except Failed as failure:
        reason = failure.cause
    return f"{refusal.reason}; the redirect is not followed: {printable(reason, _LONGEST)}"


def _upgrade(
    session: Session,
    upgrade: Upgrade,
    answer: Answer,
    deadline: float | None,
    follows: tuple[int, ...],
) -> Generator[Request, Answer, tuple[Acceptance | Refusal | None, Answer]]:
    """Read the answer, of which some may be here. None: there is none; the session has ended."""
    data: bytes = answer.value
    came = b""
    while True:
        try:
            if not data:
                answer = yield read((deadline,))
                data = answer.value
            if not came:
                came = data
                session.course.came = data[:_SHOWN]
            outcome = upgrade.receive(data) if data else upgrade.end_of_stream()
        except Interrupted as failure:
            if session.has_ended:
                return None, answer
            # The closing handshake follows the upgrade, if that is done soon.
            moments = failure.now + CLOSE_GRACE, session.timers.close_at
            deadline = sooner(deadline, *map(session.course.counted, moments))
            continue
        except ProtocolError as error:
            yield from _not_http(session, error, answer)
            return None, answer
        except Failed as failure:
            refusal = upgrade.end_of_stream()
            if refusal is None:
                _lose(session, failure)
            return refusal, Answer(failure.now)
        if outcome is not None:
            return outcome, answer
        if not data:
            why = LOST._replace(phase="upgrade", detail="its stream ended without an answer")
            session.end(why, answer.now)
            return None, answer
        data = b""
        if upgrade.refused_with in follows:
            return upgrade.end_of_stream(), answer  # nobody needs the body of a redirect
        if upgrade.is_reading_body:  # only for a little, from its first byte on
            deadline = sooner(deadline, session.course.counted(answer.now) + BODY_TIMEOUT)


def _open(session: Session, acceptance: Acceptance, answer: Answer) -> events.Ready:
    session.opened(answer.now, acceptance.extensions)
    if session.previous is not None:
        follow(session)
    before = session.before
    if acceptance.rest:
        session.receive(acceptance.rest, answer.now, answer.wall)
    return events.Ready(
        acceptance.response,
        acceptance.protocol,
        {extension.name for extension in acceptance.extensions} if acceptance.extensions else set(),
        compression=session.compression,
        timings=session.course.timings,
        number=session.number,
        gap=None if before is None else before.gap(answer.now),
        received_time=answer.wall,
    )


def _reject(session: Session, response: Response, reason: str, now: float) -> Script:
    why = Why("closed", True, "rejected", "server", response=response)
    session.end(why._replace(detail=reason), now)
    yield _HANG_UP
    yield Deliver(session.course.describe(events.Rejected(response, reason), now, phase="upgrade"))


def _not_http(session: Session, error: ProtocolError, answer: Answer) -> Script:
    reason = f"disconnected; {error}"
    session.end(Why(reason, False, "protocol", "server", phase="upgrade"), answer.now)
    yield _HANG_UP
    event = events.ProtocolError(str(error), error.critical, section=error.section)
    yield Deliver(session.course.describe(event, answer.now, phase="upgrade"))


def _lose(session: Session, failure: Failed) -> None:
    if isinstance(failure, TimedOut):
        if session.finish.close_asked_at is not None:
            reason = f"{CLOSED_BY_USER}; the server had not answered the upgrade yet"
            session.end(Why(reason, phase="upgrade"), failure.now)
            return
        seconds = session.timing.open_timeout
        limit = f"open_timeout ({seconds:g} s)"
        reason = f"upgrade fail; the server did not answer within {limit}"
        said = f"the server did not answer the upgrade within {seconds:g} s (open_timeout)"
        why = Why(reason, False, "timed_out", deadline="open_timeout", detail=said)
    else:
        said = words(failure.cause)
        why = Why(f"socket fail; recv fail; {said}", False, "lost", "network")
        if was_told(failure.cause):  # TLS 1.3 has us go on before the server has looked at us
            said = f"TLS with the server failed; {said}"
            why = why._replace(kind="unreachable", by="server", detail=said)
    session.end(why._replace(cause=failure.cause, phase="upgrade"), failure.now)
