"""How a connection waits in a trio program: in a task of its own, which alone waits for sockets."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, cast

import trio

from ..system.clock import monotonic
from ..system.need import Need, joined, share
from .driving import Driver, Pause
from .looping import Looping
from .waiting import writable_now

if TYPE_CHECKING:
    from ..protocol.events import AnyEvent
    from ..session.session import Session
    from .exchange import Exchange
    from .journal import Journal
    from .outward import Sender

_NEVER = float("inf")
_READABLE, _WRITABLE = trio.lowlevel.wait_readable, trio.lowlevel.wait_writable


class TrioExchange(Looping):
    """One connection from its start to its end; its sends are checkpoints."""

    async def send(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Send a message or control frame. Cancelled, it has sent nothing, or leaves it queued."""
        await trio.lowlevel.checkpoint_if_cancelled()
        await super().send(opcode, payload, compress)
        await trio.lowlevel.cancel_shielded_checkpoint()

    def free(self) -> None:
        """Close the socket, for which trio waits no more; in use, it is only shut down."""
        cast("TrioDriver", self.driver).look_again()
        super().free()


class EventPause(Pause):
    """What the user's task awaits: one event of trio's after another, each of them `event`."""

    def __init__(self) -> None:
        self.event = trio.Event()

    def end(self, at_once: bool) -> None:
        self.event.set()

    def __await__(self) -> Generator[Any, Any, None]:
        self.event = trio.Event()
        return self.event.wait().__await__()


class TrioDriver(Driver):
    """Goes on with the generator of a connection, beside the user's tasks in a task of its own.

    Nothing that cancels those comes between its steps.

    Arguments:
        nursery: Gives that in which it may go on; None outside of the block.
    """

    def __init__(self, nursery: Callable[[], trio.Nursery | None]) -> None:
        super().__init__(False, trio.lowlevel.current_task)
        self._scope: trio.CancelScope | None = None  # of the wait for sockets
        self._nursery = nursery
        self._pause = EventPause()
        self._runs = object  # it does: `check_loop` has looked

    def check_loop(self) -> None:
        token = trio.lowlevel.current_trio_token()
        if self.loop is None and self.items is not None:
            nursery = self._nursery()
            if nursery is None:
                raise RuntimeError("iterate a TrioWebSocket inside of 'async with websocket:'")
            self.loop, self._thread = token, threading.get_ident()
            nursery.start_soon(self._run)
        elif self.loop not in (None, token):
            raise RuntimeError("this connection was begun in another run of trio")

    def soon(self, act: Callable[[], object]) -> None:
        self.loop.run_sync_soon(act)

    async def checkpoint(self) -> None:
        await trio.lowlevel.checkpoint()

    # For the user's tasks

    def at_once(self) -> None:
        return None  # whatever is awaited is a checkpoint

    @trio.lowlevel.enable_ki_protection
    async def next(self) -> AnyEvent:
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
        self.look_again()
        await told.wait()

    def _run_ahead_soon(self) -> None:
        if self._need is None or self._is_met:
            self.look_again()

    # For the connection

    def exchange(self, session: Session, journal: Journal | None) -> Exchange:
        return TrioExchange(session, journal, self)

    def listen(self, event: Any, heard: Callable[[], None]) -> Callable[[], object]:
        """Have a function called when an event of trio's is set; what ends that."""
        scope = trio.CancelScope(shield=True)
        cast("trio.Nursery", self._nursery()).start_soon(_listen, scope, event, heard)
        return scope.cancel

    # Its task

    def go_on(self) -> None:
        super().go_on()
        need = self._need
        if self._is_waiting and (self._kept or need is None or need.awaited is not None):
            self._pause.end(True)  # not for what only the generator waits for

    def look_again(self) -> None:
        """End the wait for sockets; the next one is for what is needed then."""
        scope, self._scope = self._scope, None
        if scope is not None:
            scope.cancel()

    def _watch(self, need: Need) -> None:
        self.look_again()

    def _unwatch(self) -> None:
        self.look_again()

    @trio.lowlevel.enable_ki_protection
    async def _run(self) -> None:
        # Who cancels the block may shield its end, which says goodbye to the server.
        with trio.CancelScope(shield=True):
            self._run_ahead()  # the user's task has begun
            while self.items is not None:
                if await self._wait():
                    self.go_on()
                self._run_ahead()

    async def _wait(self) -> bool:
        """Wait for what the generator needs, and all who send; whether something is there."""
        needs = [sender.need for sender in self.senders if not sender.is_told]
        if self._need is not None and not self._is_met:
            needs.append(self._need)
        both = needs[0] if len(needs) == 1 else joined(needs)
        until = _NEVER if both.until is None else both.until
        wanted = {(_WRITABLE, sock) for sock in both.writable}
        wanted |= {(_READABLE, sock) for sock in both.readable}
        found: list[Any] = []
        deadline = trio.current_time() + until - monotonic()
        with trio.CancelScope(deadline=deadline) as self._scope:
            if len(wanted) > 1:
                async with trio.open_nursery() as nursery:
                    for one in wanted:
                        nursery.start_soon(_wait_for, found, *one, nursery.cancel_scope.cancel)
            elif wanted:
                await _wait_for(found, *wanted.pop())
            else:
                await trio.sleep_forever()
        self._scope = None
        if not found and monotonic() < until:
            return False
        both.ready = [sock for wait, sock in found if wait is _WRITABLE]
        if both.writable and not found:  # its time had come: nobody has looked
            both.ready = writable_now(both.writable)
        share(both, needs)
        for sender in self.senders:
            sender.tell()
        return True


@trio.lowlevel.enable_ki_protection
async def _wait_for(found: list[Any], wait: Any, sock: Any, act: Any = bool) -> None:
    with contextlib.suppress(trio.ClosedResourceError, OSError):
        # Where it was closed, whoever uses it finds that out.
        await (wait(sock) if sock.fileno() >= 0 else trio.lowlevel.checkpoint())
    found.append((wait, sock))
    act()


@trio.lowlevel.enable_ki_protection
async def _listen(scope: trio.CancelScope, event: Any, heard: Callable[[], None]) -> None:
    with scope:
        await event.wait()
        heard()
