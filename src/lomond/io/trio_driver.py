"""Goes on with the generator of a connection in a trio program: in a task of its own, which alone
waits for sockets. Nothing that cancels the user's tasks comes between its steps.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, cast

import trio

from ..session.ahead import NUDGE, Ahead
from ..system.clock import monotonic
from ..system.need import Need
from ..system.pipe import Pipe
from .looping import Looping
from .outward import until_written
from .waiting import writable_now

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator

    from ..protocol.events import AnyEvent
    from ..session.session import Session
    from ..system.need import Awaited
    from .exchange import Exchange
    from .inward import Traced
    from .performing import Steps

_READS = 2  # in a row, after which other tasks have their turn
_NEVER = float("inf")
_READABLE, _WRITABLE = trio.lowlevel.wait_readable, trio.lowlevel.wait_writable


class TrioExchange(Looping):
    """One connection from its start to its end; its sends are checkpoints."""

    async def send(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Send a message or control frame. Cancelled, it has sent nothing, or leaves it queued."""
        await trio.lowlevel.checkpoint_if_cancelled()
        await super().send(opcode, payload, compress)
        await trio.lowlevel.cancel_shielded_checkpoint()

    def read_more(self) -> bool:
        """Read once, where the last read was full; not after some, so that other tasks go on."""
        driver = cast("TrioDriver", self.wakeup)
        driver.reads += 1
        return driver.reads < _READS and super().read_more()

    def free(self) -> None:
        """Close the socket, for which trio waits no more; in use, it is only shut down."""
        cast("TrioDriver", self.wakeup).tell()
        super().free()


class TrioDriver:
    """Goes on with the generator of a connection whenever that can.

    Attributes:
        loop: The token of the run that the first event was asked for in; None before.
        reads: In a row, without a wait.
    """

    def __init__(self) -> None:
        self.loop: Any = None
        self.reads = 0
        self._thread = 0
        self._nursery: Any = None
        self._items: Generator[AnyEvent | Need, None, None] | None = None
        self._ahead = Ahead()
        self._last: type | None = None  # the class of the event behind which the generator stands
        self._need: Need | None = None  # what it waits for
        self._failure: BaseException | None = None
        self._senders: dict[Need, trio.Event] = {}  # what they wait for, and are told by
        self._came = trio.Event()  # what the user's task is told by
        self._is_waiting = False  # that task, for the next event
        self._is_met = self._is_woken = False
        self._is_idle = False  # only that task can have the generator go on
        # Who cancels the block may shield its end, which says goodbye to the server.
        self._run_scope = trio.CancelScope(shield=True)
        self._wait_scope = trio.CancelScope()
        self._await_scope = trio.CancelScope()

    def start(self, items: Generator[AnyEvent | Need, None, None]) -> None:
        """Give it what it goes on with."""
        self._items = items

    # For the user's tasks

    async def next(self, nursery: trio.Nursery | None) -> AnyEvent:
        """The next event.

        Arguments:
            nursery: For what goes on; None outside of the block.

        Raises:
            StopAsyncIteration: The connection is over.
            RuntimeError: Another task waits for it; there is no nursery.
        """
        self.check_loop()
        if self._is_waiting:
            raise RuntimeError("another task is waiting for the next event of this connection")
        if self.loop is None and self._items is not None:
            if nursery is None:
                raise RuntimeError("iterate a TrioWebSocket inside of 'async with websocket:'")
            self._nursery, self._thread = nursery, threading.get_ident()
            self.loop = trio.lowlevel.current_trio_token()
            nursery.start_soon(self._run)
        self._is_waiting = True
        try:
            if self._ahead.events or self._items is None:
                await trio.lowlevel.checkpoint()
            while (event := self._ahead.take(monotonic())) is None:
                failure, self._failure = self._failure, None
                if failure is not None or self._items is None:
                    raise failure or StopAsyncIteration
                self._came = trio.Event()
                self._have_go_on()
                if self._need is not None and self._need.awaited is not None:
                    await self._await(self._need.awaited)
                else:
                    await self._came.wait()
            return event
        finally:
            self._is_waiting = False
            self._have_go_on()  # there may be room for another one

    async def _await(self, awaited: Awaited) -> None:
        """Await what the generator needs, unless that goes on without it."""
        with trio.CancelScope() as self._await_scope:
            await awaited.perform()
            self.tell()
            await self._came.wait()

    def _have_go_on(self) -> None:
        if self._is_idle:
            self._wait_scope.cancel()

    def check_loop(self) -> None:
        """Raise RuntimeError unless this is the run that the connection was begun in."""
        if self.loop not in (None, trio.lowlevel.current_trio_token()):
            raise RuntimeError("this connection was begun in another run of trio")

    async def written(self, exchange: Exchange, pipe: Pipe, target: int) -> None:
        """Return when the system has taken the pipe's queue up to the target.

        Raises:
            TransportFail: It did not; the connection is over.
        """
        for need in until_written(exchange, pipe, target):
            told = self._senders[need] = trio.Event()
            self._wait_scope.cancel()  # to wait for this too
            try:
                await told.wait()
            finally:
                del self._senders[need]
        exchange.report()

    def stop(self) -> None:
        """The connection is left; by a task of the run, or after its end."""
        self._ahead.clear()
        items, self._items = self._items, None
        self._run_scope.cancel()
        self._came.set()
        if items is not None:
            items.close()

    def drop(self) -> None:
        """Stop, from any thread."""
        try:
            self.stop() if self.loop is None else self.soon(self.stop)
        except RuntimeError:  # the run is over
            self.stop()

    # For the connection: a wake-up

    def wake(self) -> None:
        """Something changed. From any thread."""
        if not self._is_woken and self.loop is not None:
            self._is_woken = True
            with contextlib.suppress(RuntimeError):  # the run is over
                self.soon(self._woken)

    def _woken(self) -> None:
        self._is_woken = False
        self.tell()

    def tell(self) -> None:
        """Who waits looks again."""
        self._is_met = True
        self._wait_scope.cancel()
        self._tell_senders()

    def _tell_senders(self) -> None:
        for told in self._senders.values():
            told.set()

    def is_here(self) -> bool:
        """Whether this is the run's thread."""
        return threading.get_ident() == self._thread

    def soon(self, act: Callable[[], object]) -> None:
        """Have the run do it. From any thread. Raises RuntimeError: it is over."""
        self.loop.run_sync_soon(act)

    def exchange(self, session: Session, traced: Traced | None) -> Exchange:
        """A new connection's, which wakes it."""
        return TrioExchange(session, traced, self)

    def follow(self, session: Session) -> None:
        """The next events are that one's, where several connections are merged."""
        self._ahead.session = session

    def carry(self, sock: socket.socket, session: Session) -> Steps:
        """The Pipe of a session's connected socket."""
        yield from ()
        self._ahead.session = session
        return Pipe(sock, False)

    def listen(self, event: Any, heard: Callable[[], None]) -> Callable[[], object]:
        """Have a function called when an event of trio's is set; what ends that."""
        scope = trio.CancelScope(shield=True)
        self._nursery.start_soon(_listen, scope, event, heard)
        return scope.cancel

    # Its task

    @trio.lowlevel.enable_ki_protection
    async def _run(self) -> None:
        with self._run_scope:
            while self._items is not None:
                if self._is_waiting:  # the task has its turn first, with what is there for it
                    may_go_on = not self._ahead.events
                else:
                    may_go_on = self._ahead.may_grow(self._last, bool(self._senders))
                self._is_idle = not may_go_on
                if not may_go_on or (self._need is not None and not self._is_met):
                    await self._wait(self._need if may_go_on else None)
                elif not self._step(self._items):
                    self._is_idle = True
                    await self._wait(Need(monotonic() + NUDGE))

    def _step(self, items: Generator[AnyEvent | Need, None, None]) -> bool:
        """Go on up to what is to be waited for, or an event; whether to go on at once."""
        before, self._need, self._is_met, is_kept = self._need, None, False, True
        try:
            item = next(items)
        except BaseException as error:
            self._items = None
            self._failure = None if isinstance(error, StopIteration) else error
        else:
            if isinstance(item, Need):
                self._need = item
            else:
                self._last, is_kept = type(item), self._ahead.put(item)
        was, now = (None if need is None else need.awaited for need in (before, self._need))
        if now is not was:
            self._await_scope.cancel()
        if self._need is None or now is not was:
            self._came.set()
        if self._ahead.session is not None and self._ahead.session.has_ended:
            self._tell_senders()
        return is_kept

    async def _wait(self, own: Need | None) -> None:
        """Wait for what the generator needs, and what those need that send."""
        needs = [need for need, told in self._senders.items() if not told.is_set()]
        needs += [] if own is None else [own]
        until = min((need.until for need in needs if need.until is not None), default=_NEVER)
        wanted = {(_WRITABLE, sock) for need in needs for sock in need.writable}
        wanted |= {(_READABLE, sock) for need in needs for sock in need.readable}
        found: list[Any] = []
        self.reads = 0
        deadline = trio.current_time() + until - monotonic()
        with trio.CancelScope(deadline=deadline) as self._wait_scope:
            if len(wanted) > 1:
                async with trio.open_nursery() as nursery:
                    for one in wanted:
                        nursery.start_soon(self._watch, found, *one)
            elif wanted:
                await self._watch(found, *wanted.pop())
            else:
                await trio.sleep_forever()
        if found or monotonic() >= until:
            for need in needs:
                need.ready = [sock for sock in need.writable if (_WRITABLE, sock) in found]
                if need.writable and not found:  # its time had come: nobody has looked
                    need.ready = writable_now(need.writable)
            self.tell()

    @trio.lowlevel.enable_ki_protection
    async def _watch(self, found: list[Any], wait: Callable[[Any], Any], sock: Any) -> None:
        with contextlib.suppress(trio.ClosedResourceError, OSError):
            # Where it was closed, whoever uses it finds that out.
            await (wait(sock) if sock.fileno() >= 0 else trio.lowlevel.checkpoint())
        found.append((wait, sock))
        self._wait_scope.cancel()


@trio.lowlevel.enable_ki_protection
async def _listen(scope: trio.CancelScope, event: Any, heard: Callable[[], None]) -> None:
    with scope:
        await event.wait()
        heard()
