"""The exchange of a connection that belongs to an event loop, and so to that one's thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from .exchange import GOING_AWAY, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ..system.need import Waking
    from ..system.pipe import Pipe

    class Loop(Waking, Protocol):
        """What goes on with a connection in an event loop; the wake-up of its exchange."""

        loop: Any  #: of the task that asked for the first event; None before

        def is_here(self) -> bool:
            """Whether this is the loop's thread."""
            ...

        def check_loop(self) -> None:
            """Raise RuntimeError unless this is the loop that the connection was begun in."""

        def soon(self, act: Callable[[], object]) -> None:
            """Have the loop do it. From any thread. Raises RuntimeError: it is closed."""

        async def written(self, exchange: Exchange, pipe: Pipe, target: int) -> None:
            """Return when the system has taken the queue's bytes up to the target."""


class Looping(Exchange):
    """One connection from its start to its end.

    What another thread does to end it is put off to the loop's next turn. Its wake-up is a Loop.
    """

    __slots__ = ()

    def _is_put_off(self, act: Callable[..., Any], *arguments: Any) -> bool:
        """Have the loop's thread do it, if that is another one; whether it will."""
        driver: Loop = cast("Loop", self.wakeup)
        if driver.loop is None or driver.is_here():
            return False
        try:
            driver.soon(partial(act, *arguments))
        except RuntimeError:  # the loop is closed
            return False
        return True

    async def send(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Send a message or control frame; over when the system has taken it. Raises as `post`."""
        driver: Loop = cast("Loop", self.wakeup)
        if driver.loop is not None and not self.session.has_ended:
            driver.check_loop()
        target = self.post(opcode, payload, compress)
        pipe = self.pipe
        if target and pipe is not None:
            await driver.written(self, pipe, target)

    def close(self, code: int | None, reason: str | bytes | None) -> bool:
        """Start the closing handshake; whether this call started it, or the loop will."""
        return self._is_put_off(self.close, code, reason) or super().close(code, reason)

    def force(self, reason: str, cause: BaseException | None = None) -> None:
        """End the connection at once, or in the loop's next turn. The iterator then says so."""
        if not self._is_put_off(self.force, reason, cause):
            super().force(reason, cause)

    def leave(self, code: int | None = GOING_AWAY, reason: str = "left by the user") -> None:
        """Say to the peer that nobody listens, and free the socket; or have the loop do it."""
        if not self._is_put_off(self.leave, code, reason):
            super().leave(code, reason)
