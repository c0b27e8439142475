"""The exchange of a connection that belongs to an event loop, and so to that one's thread."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import WebSocketClosing, WebSocketError, WebSocketUnavailable
from ..protocol.frames import CLOSE
from ..protocol.states import OPEN
from ..session.finish import LEFT, Why
from ..system.need import Need
from .exchange import GOING_AWAY, Exchange
from .outward import Sender, Source, until_sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..session.session import Session
    from .driving import Driver
    from .journal import Journal

_NEVER = sys.maxsize  # where no queue ends
_READS = 2  # behind the first one, after which other tasks have their turn


class Looping(Exchange):
    """One connection from its start to its end.

    What another thread does to end it is put off to the loop's next turn.

    Arguments:
        session, journal: As for every exchange.
        driver: Goes on with it; its wake-up.
    """

    __slots__ = ("_streams", "driver")

    def __init__(self, session: Session, journal: Journal | None, driver: Driver) -> None:
        super().__init__(session, journal, driver)
        self.driver = driver
        self._streams: Any = None  # the task that sends a message in fragments

    def read_more(self) -> bool:
        """Read once, where the last read was full; not after some, so that other tasks go on."""
        driver = self.driver
        if driver.reads >= _READS or not Exchange.read_more(self):
            return False
        driver.reads += 1
        return True

    def _is_put_off(self, act: Callable[..., Any], *arguments: Any) -> bool:
        """Have the loop's thread do it, if that is another one; whether it will."""
        driver = self.driver
        if driver.loop is None or driver.is_here():
            return False
        try:
            driver.soon(partial(act, *arguments))
        except RuntimeError:  # the loop is closed
            return False
        return True

    async def send(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Send a message or control frame; over when the system has taken it. Raises as `post`."""
        driver = self.driver
        if driver.loop is not None and not self.session.has_ended:
            driver.check_loop()
        if self._streams is not None and opcode < CLOSE:
            await self._await_turn()
        before = self.output.sent
        target = self.post(opcode, payload, compress)
        await self._sent(target, before)

    async def send_all(self, messages: list[tuple[int, bytes]], compress: bool) -> None:
        """Send messages, in order, together. Raises as `post`."""
        driver = self.driver
        if driver.loop is not None and not self.session.has_ended:
            driver.check_loop()
        if self._streams is not None:
            await self._await_turn()
        await self.pass_on(partial(self.session.connection.send_all, messages, compress))

    async def pass_on(self, put: Callable[[], object]) -> None:
        """Send what `put` queues, or raises; over when the system has it. Raises as `post`."""
        before = self.output.sent
        target = self.post_by(put)
        await self._sent(target, before, self.output.is_streaming)

    async def _sent(self, target: int, before: int, is_part: bool = False) -> None:
        """Wait until the system has what was posted; a part of a message until one side closes."""
        driver = self.driver
        size = self.output.sent - before
        pipe = self.pipe
        if target and pipe is not None:
            needs = until_sent(self, pipe, target, size)
            try:
                for need in needs:
                    sender = Sender(need, self, pipe, target)
                    driver.senders.append(sender)
                    try:
                        await driver.reach(sender)
                    finally:
                        driver.senders.remove(sender)
                    if is_part and not self.session.has_ended:
                        self._check_open(size)
            finally:
                needs.close()
        elif self.journal is not None:
            self.journal.tell()

    def _check_open(self, size: int = 0) -> None:
        """Raise WebSocketClosing where one side has begun to close; so much was queued."""
        if self.connection.state is not OPEN:
            error = WebSocketClosing("data not sent to its end")
            self.explain(error, size)
            raise error

    # A message in fragments

    async def begin_message(self, opcode: int, compress: bool) -> None:
        """Have the turn for one; another task's message waits from now on. Raises as a send."""
        driver = self.driver
        if driver.loop is not None and not self.session.has_ended:
            driver.check_loop()
        here = driver.this_task()
        if self._streams is here:
            raise WebSocketUnavailable(
                "can't send from within the source of send_stream; what it yields is the message"
            )
        await self._await_turn()
        if self.is_over or self.session.has_ended or self.pipe is None:
            raise self.refusal()
        try:
            self.connection.begin_message(opcode, compress)
        except WebSocketError as error:
            self.explain(error)
            raise
        self._streams = here

    def end_message(self) -> None:
        """Give that turn back."""
        self._streams = None
        for sender in self.driver.senders:
            if sender.target == _NEVER:
                sender.tell()

    async def unless_over(self, give: Callable[[], Awaitable[bytes]]) -> bytes | None:
        """What a source gives next, or None; it is cancelled where the message can't go on.

        Raises:
            WebSocketUnavailable, TransportFail: It can't.
        """
        driver, pipe = self.driver, self.pipe
        if pipe is not None and driver.this_task() is not None:
            sender = Source(Need(None), self, pipe, _NEVER)
            driver.senders.append(sender)
            try:
                piece: bytes | None = await driver.unless(partial(setattr, sender, "go_on"), give)
            except StopAsyncIteration:
                return None
            finally:
                driver.senders.remove(sender)
            if sender.is_told and not sender.is_open():
                if self.is_over or self.session.has_ended:
                    raise self.refusal()
                self._check_open()
            return piece
        try:
            return await give()
        except StopAsyncIteration:
            return None

    async def _await_turn(self) -> None:
        """Wait until no other task sends a message in fragments, or the connection is over."""
        driver = self.driver
        here = driver.this_task()
        while self._streams is not None and self._streams is not here:
            pipe = self.pipe
            if self.is_over or self.session.has_ended or pipe is None:
                return
            sender = Sender(Need(None), self, pipe, _NEVER)
            driver.senders.append(sender)
            try:
                await driver.reach(sender)
            finally:
                driver.senders.remove(sender)

    def close(self, code: int | None, reason: str | bytes | None) -> bool:
        """Start the closing handshake; whether this call started it, or the loop will."""
        return self._is_put_off(self.close, code, reason) or Exchange.close(self, code, reason)

    def force(self, why: Why) -> None:
        """End the connection at once, or in the loop's next turn. The iterator then says so."""
        if not self._is_put_off(self.force, why):
            Exchange.force(self, why)

    def free(self) -> None:
        """Close the socket, for which no task waits any more; in use, it is only shut down."""
        if not self.driver.loop_tells:
            self.driver.unwatch()
        Exchange.free(self)

    def leave(self, code: int | None = GOING_AWAY, why: Why = LEFT) -> None:
        """Say to the peer that nobody listens, and free the socket; or have the loop do it."""
        if not self._is_put_off(self.leave, code, why):
            Exchange.leave(self, code, why)
