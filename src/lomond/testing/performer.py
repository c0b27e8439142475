"""Performs what a script asks for as for a socket, but for names, connecting and TLS."""

from __future__ import annotations

from collections.abc import Callable, Generator
from socket import socket as Socket  # noqa: N812  an attribute has that name
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ..io.performing import Performer, Steps
from ..secured import Secured
from ..session.requests import AddressInfo, Adopt, Answer, Failed, Race, Resolve, StartTLS
from ..system.clock import monotonic
from ..system.need import Need
from ..system.sockets import SocketSettings
from ..timings import Attempt

if TYPE_CHECKING:
    from ..io.exchange import Exchange

_ADDRESS = "192.0.2.1"
_PEER = f"{_ADDRESS}:80"


class _Nothing:
    """What a user gave who gave nothing."""

    socket: Socket | None = None
    socket_settings = SocketSettings()

    def context(self, of_proxy: bool) -> NoReturn:
        raise AssertionError("TLS is only pretended")


def _behind(act: Any) -> Callable[[Any, Any], Steps]:
    def steps(performer: PretendPerformer, request: Any) -> Steps:
        return performer.behind(act, request)

    return steps


class PretendPerformer(Performer):
    """What a script asks for, done for one connection in pretend time.

    Arguments:
        exchange: The connection's.
        connect: Makes another connection, and gives what stands for its socket.
        answered: Is given each request and its answer's value; gives the value that counts.
        failures, delays, alpn: As for a PretendDoor.

    Attributes:
        asked: What was asked for.
    """

    __slots__ = ("_alpn", "_answered", "_connect", "_delays", "_failures", "asked")

    def __init__(
        self,
        exchange: Exchange,
        connect: Callable[[], Any],
        answered: Callable[[Any, Any], Any],
        failures: dict[type, BaseException],
        delays: dict[type, float],
        alpn: str | None,
    ) -> None:
        super().__init__(exchange, _Nothing())
        self._connect = connect
        self._answered = answered
        self._failures = failures
        self._delays = delays
        self._alpn = alpn
        self.asked: list[Any] = []

    def perform(self, request: Any) -> Generator[Need, None, Answer]:
        """Do it. Raises Failed (or TimedOut, Interrupted) if it can't be done."""
        self.asked.append(request)
        return super().perform(request)

    def _counted(self, steps: Steps, need: Need) -> Steps:
        """Go on with the steps: who keeps them waiting tells what they lose."""
        yield need
        return (yield from steps)

    def behind(self, act: Callable[[Any, Any], Steps], request: Any) -> Steps:
        """What doing it takes, behind the time and the failure that it is to have."""
        kind = request.__class__
        deadline: float | None = getattr(request, "deadline", None)
        failure = self._failures.get(kind)
        hangs = isinstance(failure, TimeoutError)
        done_at = monotonic() + self._delays.get(kind, 0.0)
        if kind in (Resolve, Race, StartTLS):
            self._check()
        while hangs or monotonic() < done_at:
            self._check(deadline)
            until = self._until(deadline)
            moments = [moment for moment in (until, None if hangs else done_at) if moment]
            yield Need(min(moments) if moments else None)
        if failure is not None:
            raise Failed(failure, monotonic())
        return self._answered(request, (yield from act(self, request)))

    def _resolve(self, request: Resolve) -> Generator[Need, None, list[AddressInfo]]:
        yield from ()
        return [("inet", "stream", 0, "", (_ADDRESS, request.port))]

    def _race(self, request: Race) -> Generator[Need, None, tuple[str, list[Attempt]]]:
        yield from self._use(self._connect())
        return _PEER, [Attempt(_PEER, self._delays.get(Race, 0.0))]

    def _adopt(self, request: Adopt) -> Generator[Need, None, str]:
        yield from self._use(self._connect())
        return _PEER

    def _start_tls(self, request: StartTLS) -> Generator[Need, None, Secured]:
        yield from ()
        return Secured("TLSv1.3", "TLS_AES_256_GCM_SHA384", self._alpn)

    _ACTS: ClassVar[dict[type, Callable[[Any, Any], Steps]]] = {
        kind: _behind(act)
        for kind, act in {
            **Performer._ACTS,
            Resolve: _resolve,
            Race: _race,
            Adopt: _adopt,
            StartTLS: _start_tls,
        }.items()
    }
