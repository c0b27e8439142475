"""What a script may ask of its door, and what it gets back.

Every request is safe in every state; a failure is thrown into the script as `Failed`. A deadline is
a moment of the time that counts (`Session.counted`); None for none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..protocol.events import AnyEvent
    from ..timings import Attempt

#: As ``socket.getaddrinfo`` gives them: family, type, protocol, canonical name, address.
AddressInfo = tuple[Any, Any, int, str, Any]


#: Host and port, and the proxy's URL without its secrets, or None: what tells one server from
#: another, beside the name in its certificate.
Peer = tuple[str, int, str | None]


class Deliver(NamedTuple):
    """Hand an event to the user."""

    event: AnyEvent


class Ask(NamedTuple):
    """Call what the user gave, which may take its time and fail. Answer: what it returns."""

    act: Callable[[], Any]
    deadline: float | None


class Await(NamedTuple):
    """Call what the user gave, and await what it returns. Answer: what that gives.

    Done by the user's task, in an event loop; a TypeError to the user where there is none.
    """

    act: Callable[[], Awaitable[Any]]
    deadline: float | None


class Resolve(NamedTuple):
    """Find the addresses of a name. Answer: a list of AddressInfo."""

    host: str
    port: int
    deadline: float | None


class Race(NamedTuple):
    """Connect to whichever address answers first (RFC 8305).

    Answer: its address, for people, and a list of Attempt.
    """

    addresses: list[AddressInfo]
    delay: float  #: seconds between the starts of two attempts
    deadline: float | None


class Adopt(NamedTuple):
    """Use the connected socket that the user gave. Answer: its peer's address, for people."""


class StartTLS(NamedTuple):
    """Put a layer of TLS on the bytes and shake hands.

    Answer: a `Secured`.
    """

    server_name: str
    deadline: float | None
    of_proxy: bool = False  #: with the proxy, not with the server
    received: bytes = b""  #: what came of it already
    peer: Peer | None = None  #: with whom; None where no session is to be resumed


class Drop(NamedTuple):
    """Close the socket; another one is to be connected."""


class Send(NamedTuple):
    """Write the session's output; wait until the system took it all, or only try."""

    deadline: float | None
    waits: bool = True


class Read(NamedTuple):
    """Wait for bytes from the peer. Answer: bytes, empty at the end of the stream."""

    deadline: float | None


class Run(NamedTuple):
    """Hand out the session's events until it has ended."""


class Hangup(NamedTuple):
    """Close the socket, after writing what can be written without waiting."""


class Connect(NamedTuple):
    """Connect once, hand out all events (persist). Answer: an Outcome of reconnecting.py."""


class Sleep(NamedTuple):
    """Wait (persist). Answer: whether to stop."""

    seconds: float


Request = (
    Deliver | Ask | Await | Resolve | Race | Adopt | StartTLS | Drop | Send | Read | Run | Hangup
)


class Answer(NamedTuple):
    """What a request gave, and when."""

    now: float  #: monotonic seconds
    wall: float = 0.0  #: seconds since the epoch
    value: Any = None


# Answers, and what each opening asks for, of a tuple: without a call of Python's, which takes as
# long as the rest of it, and there are twenty in each.
_tuple: Any = tuple  # of whose __new__ checkers know no type
answer_of: Callable[[tuple[float, float, Any]], Answer] = partial(_tuple.__new__, Answer)
deliver: Callable[[tuple[AnyEvent]], Deliver] = partial(_tuple.__new__, Deliver)
ask: Callable[[tuple[Callable[[], Any], float | None]], Ask] = partial(_tuple.__new__, Ask)
resolve: Callable[[tuple[str, int, float | None]], Resolve] = partial(_tuple.__new__, Resolve)
race: Callable[[tuple[list[AddressInfo], float, float | None]], Race] = partial(
    _tuple.__new__, Race
)
send: Callable[[tuple[float | None, bool]], Send] = partial(_tuple.__new__, Send)
read: Callable[[tuple[float | None]], Read] = partial(_tuple.__new__, Read)


class Failed(Exception):  # noqa: N818  reads as the sentence it is: the request failed
    """A request failed: the system's or TLS's own error, when, with whom.

    Arguments:
        cause: The error itself.
        now: When, monotonic seconds.
        address: Of the peer, for people.
        said: What happened, in words, where that is more than the cause says.

    Attributes:
        attempts: Those to connect that have ended, if that was asked for.
    """

    def __init__(
        self,
        cause: BaseException,
        now: float,
        address: str | None = None,
        said: str | None = None,
    ) -> None:
        super().__init__(said or str(cause))
        self.cause = cause
        self.now = now
        self.address = address
        self.said = said
        self.attempts: list[Attempt] = []


class TimedOut(Failed):
    """The request's deadline passed."""


class Interrupted(Failed):
    """The user closed the WebSocket while the request was waiting."""
