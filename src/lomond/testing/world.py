"""The pretend world: what a program's connections find in it, and what they wait by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .peer import Peer, Talk

__all__ = ["Scripted", "World"]


class Scripted(Protocol):
    """What plays a server: one connection each, or several, if it is given several times.

    It may have more, which the world looks for by these names:

    - ``host: str | None``: only connections to that host come here, a name, or ``"name:port"``.
      With a proxy that is the proxy's.
    - ``connect_error: OSError | None``: what connecting fails with; with a TimeoutError nothing
      answers, until the program gives up. No connection is made then, and `talk` is not called.
    - ``tls_error: OSError | None``: what the TLS handshake fails with, where the program asks for
      one; all TLS is pretended else.
    - ``finish(world: World) -> list[str]``: asked when the block is left: sentences about what was
      not right. Each server once, however often it was given.
    """

    def talk(self, peer: Peer) -> Talk:
        """What it does on a connection: a script that yields Say, Hear, Pause and End.

        Where it ends, the server hangs up. An exception in it ends the world, and is raised when
        the block is left. ``Pause(math.inf)`` is for ever.
        """
        ...


class World:
    """A world in which a program is tested without a network and without waiting."""
