"""How a connection waits in a trio program: in a task of its own, which alone waits for sockets."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator
from typing import Any, cast

import trio

from ..system.clock import monotonic
from .driving import Driver, Pause
from .looping import Looping
from .outward import Sender, met, needed

_NEVER = float("inf")


class TrioExchange(Looping):
    """One connection from its start to its end; its sends are checkpoints."""

    async def send(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Send a message or control frame. Cancelled, it has sent nothing, or leaves it queued."""
        await trio.lowlevel.checkpoint_if_cancelled()
        await super().send(opcode, payload, compress)
        await trio.lowlevel.cancel_shielded_checkpoint()


class LotPause(Pause):
    """What the user's task awaits, parked in a lot of trio's: one wait after another."""

    def __init__(self) -> None:
        self._lot = trio.lowlevel.ParkingLot()

    def end(self, at_once: bool) -> None:
        self._lot.unpark_all()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._lot.park().__await__()


class TrioDriver(Driver):
    """Goes on with the generator of a connection, beside the user's tasks in a task of its own.

    Nothing that cancels those comes between its steps.

    Arguments:
        nursery: Gives that in which it may go on; None outside of the block.
    """

    exchanges = TrioExchange
    elsewhere = "this connection was begun in another run of trio"
    checkpoint = staticmethod(trio.lowlevel.checkpoint)

    def __init__(self, nursery: Callable[[], trio.Nursery | None]) -> None:
        super().__init__(False, trio.lowlevel.current_task)
        self._scope: trio.CancelScope | None = None  # of the wait for sockets
        self._nursery = nursery
        self._pause = LotPause()

    def _begin(self) -> None:
        nursery = self._nursery()
        if nursery is None:
            raise RuntimeError("iterate a TrioWebSocket inside of 'async with websocket:'")
        token = self.loop = trio.lowlevel.current_trio_token()
        self._runs = lambda: trio.lowlevel.current_trio_token() is token
        nursery.start_soon(self._run)

    def soon(self, act: Callable[[], object]) -> None:
        self.loop.run_sync_soon(act)

    # For the user's tasks

    @trio.lowlevel.enable_ki_protection
    async def next(self) -> Any:
        self.check_loop()
        if self._kept or self._need is None or self._is_met:  # it may be there
            # A turn of trio's takes several times as long as all else that a short message needs.
            if self.ahead.owes_turn(monotonic()):
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.checkpoint_if_cancelled()
        return await super().next()

    @trio.lowlevel.disable_ki_protection
    async def unless(
        self, note: Callable[[Callable[[], object]], object], act: Callable[[], Awaitable[Any]]
    ) -> Any:
        with trio.CancelScope() as scope:
            note(scope.cancel)
            return await act()
        return None

    async def reach(self, sender: Sender) -> None:
        told = trio.Event()
        sender.go_on = told.set
        self.unwatch()
        await told.wait()

    def listen(self, event: Any, heard: Callable[[], None]) -> Callable[[], object]:
        """Have a function called when an event of trio's is set; what ends that."""
        scope = trio.CancelScope(shield=True)

        @trio.lowlevel.enable_ki_protection
        async def hear() -> None:
            with scope:
                await event.wait()
                heard()

        cast("trio.Nursery", self._nursery()).start_soon(hear)
        return scope.cancel

    # Its task

    def unwatch(self) -> None:
        """End the wait for sockets; the next one is for what is needed then."""
        scope, self._scope = self._scope, None
        if scope is not None:  # else it is for nothing, and dear
            scope.cancel()

    @trio.lowlevel.enable_ki_protection
    async def _run(self) -> None:
        # Who cancels the block may shield its end, which says goodbye to the server.
        with trio.CancelScope(shield=True):
            self._run_ahead()  # the user's task has begun
            while self.items is not None:
                await self._wait()
                self._run_ahead()

    async def _wait(self) -> None:
        """Wait for what the generator needs, and all who send; go on where something is there."""
        both, needs = needed(self.senders, None if self._is_met else self._need)
        until = _NEVER if both.until is None else both.until
        wanted = {(trio.lowlevel.wait_writable, sock) for sock in both.writable}
        wanted |= {(trio.lowlevel.wait_readable, sock) for sock in both.readable}
        scope = trio.CancelScope(deadline=trio.current_time() + until - monotonic())
        with scope as self._scope:
            if len(wanted) > 1:
                async with trio.open_nursery() as nursery:
                    for one in wanted:
                        nursery.start_soon(_wait_for, *one, nursery.cancel_scope.cancel)
            elif wanted:
                await _wait_for(*wanted.pop())
            else:
                await trio.sleep_forever()
        self._scope = None
        if not scope.cancelled_caught or monotonic() >= until:
            met(both, needs, self.senders)
            self.go_on()


@trio.lowlevel.enable_ki_protection
async def _wait_for(wait: Any, sock: Any, act: Any = bool) -> None:
    with contextlib.suppress(trio.ClosedResourceError, OSError):
        # Where it was closed, whoever uses it finds that out.
        await (wait(sock) if sock.fileno() >= 0 else trio.lowlevel.checkpoint())
    act()
