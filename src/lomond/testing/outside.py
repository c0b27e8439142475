"""What a connection finds outside in a pretend world: names, servers to connect to, and TLS."""

# pyright: reportPrivateUsage=false
# A race here is one of system/connecting.py that differs in what connects.

from __future__ import annotations

import errno
import ipaddress
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ..io.performing import Performer, Steps
from ..secured import Secured
from ..session.requests import AddressInfo, Adopt, Resolve, StartTLS
from ..system import connecting
from ..system.clock import monotonic
from ..system.layers import Layer
from ..system.need import Need
from ..system.pipe import Pipe
from ..url import authority, parse, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from ..io.exchange import Exchange
    from ..io.performing import Outside
    from ..session.session import Session
    from .world import Scripted, World

    Carry = Callable[[socket.socket, Session], Steps]

_NET = "192.0.2."  # of documentation (RFC 5737): nobody's
_ADDRESSES = 254


class Names:
    """The names of a world, and their addresses.

    Arguments:
        told: The addresses of some names; None, or none at all, where one is not known.
    """

    def __init__(self, told: Mapping[str, Sequence[str] | str | None]) -> None:
        self._told = {name.lower(): _listed(name, told[name]) for name in told}
        self._found: dict[str, list[str]] = {}

    def resolve(self, host: str, port: int) -> list[AddressInfo]:
        """The addresses of a host. Raises socket.gaierror: it has none."""
        addresses = [host] if _is_address(host) else self._told.get(host)
        if addresses is None:
            number = len(self._found) % _ADDRESSES + 1
            addresses = self._found.setdefault(host, [f"{_NET}{number}"])
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [_info(address, port) for address in addresses]


def _listed(name: str, addresses: Sequence[str] | str | None) -> list[str]:
    found = [addresses] if isinstance(addresses, str) else list(addresses or ())
    for address in found:
        if not _is_address(address):
            raise ValueError(
                f"names[{name!r}] has {address!r}, which is no address of IPv4 or IPv6"
            )
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _info(address: str, port: int) -> AddressInfo:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


class PretendRace(connecting.Race):
    """Attempts to connect to a server of a world, at each of its addresses.

    Arguments:
        connect: Gives a connected socket; None where nothing answers. Raises OSError.
        addresses, delay, settings: As of every race.
    """

    def __init__(self, connect: Callable[[], socket.socket | None], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._connected = connect

    def _start(self) -> socket.socket | None:
        info = self._waiting.pop(0)
        attempt = connecting._Try(info, monotonic())
        self._start_at = attempt.started + self._delay
        try:
            sock = self._connected()
        except OSError as error:
            self._failed(attempt, error)
            return None
        self._running[sock or socket.socket()] = attempt
        return sock

    def _need(self, until: float | None) -> Need:
        need = super()._need(until)
        need.writable = ()  # what has not answered at once never will
        return need


def _carried(world: World, sock: socket.socket, _: Session) -> Steps:
    """The Pipe of a connected socket, which reads without waiting: in the system that is real."""
    yield from ()
    return Pipe(sock, not world.is_here())


class WorldPerformer(Performer):
    """What a script asks for, done for one connection of a pretend world.

    In other threads than the world's all is done as it is outside.

    Arguments:
        world: Has the names and servers.
        exchange, outside, carry: As of every performer.
    """

    __slots__ = ("_host", "_server", "_world")

    def __init__(
        self, world: World, exchange: Exchange, outside: Outside, carry: Carry | None = None
    ) -> None:
        super().__init__(exchange, outside, carry or partial(_carried, world))
        self._world = world
        self._host: tuple[str, int] | None = None  # that was asked for last
        self._server: Scripted | None = None

    def _resolve(self, request: Resolve) -> Generator[Need, None, list[Any]]:
        if not self._world.is_here():
            return (yield from Performer._resolve(self, request))
        self._host = request.host, request.port
        return self._world.names.resolve(request.host, request.port)

    def _new_race(self, *arguments: Any) -> connecting.Race:
        if not self._world.is_here():
            return connecting.Race(*arguments)
        return PretendRace(self._caller(), *arguments)

    def _adopt(self, request: Adopt) -> Generator[Need, None, str]:
        given = self._given
        if given is None or not self._world.is_here() or self._world.has_made(given):
            return (yield from Performer._adopt(self, request))
        # What the program has connected itself leads out of the world: a server plays its part.
        self._given = None
        given.close()
        sock = self._caller()()
        while sock is None:
            self._check()
            yield Need(None)
        yield from self._use(sock)
        return "the given socket"

    def _caller(self) -> Callable[[], socket.socket | None]:
        """Calls the server whose turn it is, as often as there are addresses."""
        url: str | None = getattr(self._outside, "url", None)
        wanted = None if url is None else parse(url)
        asked, self._host = self._host, None
        host, port = asked or (("", 0) if wanted is None else (wanted.host, wanted.port))
        is_first = url is not None and wanted is not None and host == wanted.host
        said = without_secrets(url) if is_first and url is not None else authority(host, port)
        self._server = server = self._world.next_server(host, port, said)

        def call() -> socket.socket | None:
            if server is None:
                raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
            error: OSError | None = getattr(server, "connect_error", None)
            if isinstance(error, TimeoutError):
                return None
            if error is not None:
                raise error
            return self._world.connect(server.talk, said)

        return call

    def _start_tls(self, request: StartTLS) -> Generator[Need, None, Secured]:
        if self._server is None:
            return (yield from Performer._start_tls(self, request))
        error: OSError | None = getattr(self._server, "tls_error", None)
        if error is not None:
            raise error
        pipe = self._exchange.pipe
        if request.received and pipe is not None:
            self._exchange.alone(pipe.add_layer, Layer(), request.received)
        return Secured("TLSv1.3", "TLS_AES_256_GCM_SHA384")

    _ACTS: ClassVar[dict[type, Callable[[Any, Any], Steps]]] = {
        **Performer._ACTS,
        Resolve: _resolve,
        Adopt: _adopt,
        StartTLS: _start_tls,
    }
