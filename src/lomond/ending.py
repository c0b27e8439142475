"""How a connection ended: a value for programs, of which ``str`` is one line for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from . import errors
from .fixed import Account
from .response import own_words, printable
from .status import NAMES

if TYPE_CHECKING:
    from typing import Literal

    from .response import Response
    from .stats import Stats

    Kind = Literal[
        "closed", "rejected", "unreachable", "credentials", "lost", "unresponsive", "protocol",
        "timed_out", "left", "refused", "replaced", "resources",
    ]  # fmt: skip
    Party = Literal["client", "server", "network", "proxy"]

__all__ = ["Ending", "Gap", "Pause"]

_LONGEST_BODY = 120  # characters of a refusal's body, in the line for people
#: Close codes of somebody who has done what was to be done (RFC 6455 section 7.4.1).
_FINE = (1000, 1001)
_TOO_BIG = 1009


class Pause(NamedTuple):
    """A time in which nobody looked at the socket, because the program did something else.

    Attributes:
        seconds: How long.
        events: How many the loop got in it, those that led to it included.
        last: The name of the last of them; None if there was none yet.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> with pretend(Server().says("hello").closes()) as world:
        ...     for event in websocket:
        ...         if event.name == "text":
        ...             world.spend(3)
        >>> websocket.ending.pause.seconds, websocket.ending.pause.last
        (3.0, 'text')
    """

    seconds: float
    events: int
    last: str | None


class Gap(NamedTuple):
    """What lies between two connections that served, in which something may have been missed.

    Attributes:
        since: `received_time` of the last message before, seconds since the epoch; without one,
            when that connection served.
        seconds: Since then, by the monotonic clock.
        unconfirmed: Bytes of messages, as the ending has it.
        ending: How the connection ended that brought that message; or None.

    Example:
        >>> for event in WebSocket("wss://example.org").persist():
        ...     if event.name == "ready" and event.gap is not None:
        ...         break
        >>> event.gap.unconfirmed, event.gap.ending.code
        (0, 1000)
    """

    since: float
    seconds: float
    unconfirmed: int
    ending: Ending | None


class Ending(Account):
    """How one connection ended, who ended it, and what to do.

    Attributes:
        kind: ``"closed"``: by a closing handshake, or one side began it; ``"rejected"``: by HTTP;
            ``"unreachable"``: name, addresses, proxy or TLS failed; ``"credentials"``: what the
            program gave to be called failed; ``"lost"``: it broke without a word;
            ``"unresponsive"``: no ping was answered; ``"protocol"``: the server broke a rule;
            ``"timed_out"``: `deadline` passed; ``"left"``: by break, an exception, or a close of
            the program's own that nobody had answered; ``"replaced"``: the same object connected
            again; ``"refused"``: the program's `enter` raised `lomond.errors.Refused`;
            ``"resources"``: this machine has no descriptors or memory left.
        by: Who ended it: ``"client"``, ``"server"``, ``"network"``, ``"proxy"``.
        code: Of the close frame that counted, the first one; None if it named none, or none came.
        reason: Its text, as it came: escape it before you print it to a terminal.
        status: Of the HTTP answer that refused, the server's or a proxy's; or None.
        response: That answer, body included; or None.
        phase: How far it had come, as `FailureEvent.phase` says it; None once messages could come.
        address: The peer, like ``"192.0.2.1:443"``, or the name that was asked for; or None.
        cause: The system's, TLS's or lomond's own error, or None. Pickled it is a built-in
            exception of the same type, or a `lomond.errors.RestoredCause`.
        deadline: The option whose time passed, like ``"open_timeout"``; or None.
        was_ready: Whether messages could be sent.
        lasted: Seconds from Ready to the end; 0.0 if it never was ready.
        since_received, since_sent, since_pong: Seconds before the end at which the last byte came,
            the system sent the last one, the last pong came; None if there was none or nobody
            knows (of what is sent only Linux tells, and only of TCP).
        unconfirmed: Bytes of messages, without heads, for which ``send_*`` returned or which were
            held for Ready, and of which nobody knows whether they arrived. 0 after the server
            answered our close frame; else what was sent after the last ping that was answered.
        pause: The longest time, of a second and more, in which nobody looked at the socket while it
            was open; or None. In an event loop, and for whoever waits, it counts from when they
            should have looked.
        hint: What to do, or None.
        detail: What happened, in the words of whoever noticed; may be empty.
        unfinished: Payload bytes, as they were sent, of a message that had begun to come and was
            not whole at the end; 0 where there was none.
        stats: What the connection has carried; None in an ending that a program made.

    Example:
        >>> from lomond import WebSocket
        >>> websocket = WebSocket("wss://example.org/feed")
        >>> names = [event.name for event in websocket]
        >>> websocket.ending.kind, websocket.ending.by, websocket.ending.code
        ('closed', 'server', 1000)
    """

    __slots__ = ()
    __match_args__ = (
        "kind", "by", "code", "reason", "status", "response", "phase", "address", "cause",
        "deadline", "was_ready", "lasted", "since_received", "since_sent", "since_pong",
        "unconfirmed", "pause", "hint", "detail", "unfinished", "stats",
    )  # fmt: skip
    kind: Kind
    by: Party
    code: int | None
    reason: str
    status: int | None
    response: Response | None
    phase: str | None
    address: str | None
    cause: BaseException | None
    deadline: str | None
    was_ready: bool
    lasted: float
    since_received: float | None
    since_sent: float | None
    since_pong: float | None
    unconfirmed: int
    pause: Pause | None
    hint: str | None
    detail: str
    unfinished: int
    stats: Stats | None

    def __init__(
        self,
        kind: Kind,
        by: Party = "client",
        code: int | None = None,
        reason: str = "",
        status: int | None = None,
        response: Response | None = None,
        phase: str | None = None,
        address: str | None = None,
        cause: BaseException | None = None,
        deadline: str | None = None,
        was_ready: bool = False,
        lasted: float = 0.0,
        since_received: float | None = None,
        since_sent: float | None = None,
        since_pong: float | None = None,
        unconfirmed: int = 0,
        pause: Pause | None = None,
        hint: str | None = None,
        detail: str = "",
        unfinished: int = 0,
        stats: Stats | None = None,
    ) -> None:
        self._set_all(
            (
                kind, by, code, reason, status, response, phase, address, cause, deadline,
                was_ready, lasted, since_received, since_sent, since_pong, unconfirmed, pause, hint,
                detail, unfinished, stats,
            )
        )  # fmt: skip

    def __str__(self) -> str:
        said = _SENTENCES[self.kind](self)
        if self.unfinished:
            said += f"; {self.unfinished} bytes of a message had come that was not whole"
        return f"{said}; {self.hint}" if self.hint else said

    def __reduce__(self) -> tuple[object, ...]:
        fields = {name: getattr(self, name) for name in self.__match_args__ if name != "cause"}
        cause = None if self.cause is None else errors.portable(self.cause)
        return (_restored, (fields, cause))

    @property
    def is_failure(self) -> bool:
        """Whether something went wrong: all but a close with 1000 or 1001, and leaving.

        Example:
            >>> websocket = WebSocket("wss://example.org")
            >>> for event in websocket:
            ...     pass
            >>> websocket.ending.is_failure
            False
        """
        if self.kind == "closed":
            return self.code not in _FINE
        return self.kind not in ("left", "replaced") or self.cause is not None

    def with_hint(self, hint: str) -> Ending:
        """An ending like this, with what to do about it.

        Arguments:
            hint: For people; it stands at the end of what ``str`` gives.

        Example:
            >>> print(Ending("closed", by="server", code=1012).with_hint("see status.example.org"))
            the server closed the connection with 1012 (service restart); see status.example.org
        """
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__match_args__}
        fields["hint"] = hint
        return type(self)(**fields)

    def raise_for_failure(self) -> None:
        """Raise unless it was closed with 1000 or 1001, or left on purpose.

        Raises:
            ConnectionFailed: Its `ending` is this.

        Example:
            >>> websocket = WebSocket("wss://example.org")
            >>> for event in websocket:
            ...     pass
            >>> websocket.ending.raise_for_failure()  # closed with 1000
        """
        if self.is_failure:
            raise errors.ConnectionFailed(str(self), ending=self) from self.cause


def _restored(fields: dict[str, Any], cause: Any) -> Ending:
    return Ending(**fields, cause=None if cause is None else errors.restored(cause))


# One sentence: who, what, why.


def close_words(code: int | None, reason: str) -> str:
    """A close frame's code and text, or what the code means, for people."""
    if code is None:
        return "without a code"
    if reason:
        return f"with {code} '{printable(reason)}'"
    return f"with {code} ({NAMES[code]})" if code in NAMES else f"with {code}"


def _closed(ending: Ending) -> str:
    who = "the server" if ending.by == "server" else "this program"
    said = f"{who} closed the connection {close_words(ending.code, ending.reason)}"
    return said + _after(ending)


def _rejected(ending: Ending) -> str:
    said = f"the server{_status(ending)}"
    text = "" if ending.response is None else own_words(ending.response)
    text = printable(text, _LONGEST_BODY)
    return f"{said}; it said '{text}'" if text else said


def _status(ending: Ending) -> str:
    """What was not right: the status, and whatever is said beside that."""
    prefix = f"Websocket upgrade failed (code={ending.status})"  # the original's words
    if not ending.detail.startswith(prefix):
        return f"'s answer to the upgrade is not right: {ending.detail}"
    phrase = "" if ending.response is None else printable(ending.response.status)
    did = "answered" if ending.status is not None and ending.status < 400 else "refused"
    with_it = f" {did} the upgrade with {ending.status} {phrase}".rstrip()
    return with_it + ending.detail.removeprefix(prefix)


def _lost(ending: Ending) -> str:
    return f"the connection was lost{_when(ending)}: {ending.detail}"


def _protocol(ending: Ending) -> str:
    did = "sent too much" if ending.code == _TOO_BIG else "broke the protocol"
    return f"the server {did}{_after(ending)}: {ending.detail}"


def _told(ending: Ending) -> str:
    return ending.detail


def _replaced(ending: Ending) -> str:
    return f"this program replaced the connection by a new one{_when(ending)}"


def _left(ending: Ending) -> str:
    said = f"this program left the connection{_when(ending)}"
    return f"{said}: {ending.detail}" if ending.detail else said


_SENTENCES = {
    "closed": _closed,
    "rejected": _rejected,
    "unreachable": _told,
    "credentials": _told,
    "lost": _lost,
    "unresponsive": _told,
    "protocol": _protocol,
    "timed_out": _told,
    "left": _left,
    "refused": _told,
    "replaced": _replaced,
    "resources": _told,
}


def _after(ending: Ending) -> str:
    return f" after {duration(ending.lasted)}" if ending.was_ready else ""


def _when(ending: Ending) -> str:
    return _after(ending) or " before it was ready"


def duration(seconds: float) -> str:
    """The seconds, for people."""
    if seconds < 120:
        return f"{round(seconds, 4):.3g} s"  # never 8.37e-05
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
