"""Many connections in one thread: one wait for all of them, and one heap of their deadlines."""

from __future__ import annotations

import contextlib
import heapq
import socket
import threading
from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..protocol.events import Posted
from ..system.clock import monotonic
from ..system.need import Need
from ..system.pipe import Pipe
from .polling import READ, WRITE, Poller, new_poller
from .posting import Posts
from .readiness import groups
from .shared import Shared
from .waiting import Wakeup, lease, watched

if TYPE_CHECKING:
    from ..protocol.events import AnyEvent
    from ..session.session import Session
    from .exchange import Exchange
    from .journal import Journal
    from .performing import Steps

EVENTS_OF_A_TURN = 64  # of one connection, before the others have theirs
_BLIND = 0.05  # seconds; of a wait that nobody can end
_LONGEST = 3600.0  # seconds; of one wait, which is no limit: more can be too many milliseconds


class Member:
    """One connection, or one after another: what goes on where it stopped. Is its own wake-up.

    Attributes:
        owner: Whose it is.
        items: Its events, and between them what it waits for; None when it is over.
        is_left: Nothing more of it is to be handed out.
        left: Events that its turn still has.
    """

    __slots__ = (
        "_many", "heap_at", "is_left", "is_queued", "is_woken", "items", "left", "need", "owner",
        "watched",
    )  # fmt: skip

    def __init__(self, many: GroupLoop, owner: Any) -> None:
        self._many = many
        self.owner = owner
        self.items: Generator[Any, None, None] | None = None
        self.need: Need | None = None
        self.watched: list[tuple[socket.socket, int, int]] = []  # with number, and what for
        self.heap_at = float("inf")  # its place in the heap of deadlines
        self.is_woken = False
        self.is_queued = False  # it will have a turn
        self.is_left = False
        self.left = 0

    def wake(self) -> None:
        """Something changed. From any thread."""
        if not self.is_woken:
            self.is_woken = True
            try:
                self._many.woken(self)
            except BaseException:  # a signal handler's; the next one is to wake it
                self.is_woken = False
                raise

    def exchange(self, session: Session, journal: Journal | None) -> Exchange:
        """A new connection's, which wakes it."""
        exchange = Shared(session, journal, self)
        exchange.thread = self._many.thread
        return exchange

    def carry(self, sock: socket.socket, session: Session) -> Steps:
        """The Pipe of a session's connected socket."""
        yield from ()
        return Pipe(sock, False)


class GroupLoop:
    """What members have in common.

    Attributes:
        members: Those that are not over, by their owners.
    """

    def __init__(self) -> None:
        self.members: dict[Any, Member] = {}
        self._posts = Posts()
        self._ready: list[Member] = []
        self._woken: deque[Member] = deque()
        self._heap: list[tuple[float, int, Member]] = []
        self._count = 0  # so that members need not be compared
        self._poller: Poller | None = None
        self._watching: dict[int, Member] = {}  # by the numbers of the sockets
        self._wakeup: Wakeup | None = None
        self._thread = 0
        self._is_inside = False  # our own code runs, or waits: nothing may be left just now
        self._is_waiting = False
        self._leaving: list[Member] = []

    def add(self, member: Member) -> None:
        """Go on with a member from now on. From any thread."""
        self.members[member.owner] = member
        member.wake()

    def woken(self, member: Member) -> None:
        """Have a member looked at. From any thread."""
        self._woken.append(member)
        self._wake()

    def post(self, value: object) -> None:
        """Hand that out, as no member's. From any thread."""
        self._posts.append(value)
        self._wake()

    @property
    def thread(self) -> int:
        """The number of the thread that iterates, or 0."""
        return 0 if self._poller is None else self._thread

    def _wake(self) -> None:
        """End the wait, also for a signal handler that interrupted it."""
        wakeup = self._wakeup
        if wakeup is not None and (self._is_waiting or threading.get_ident() != self._thread):
            wakeup.wake()

    def stop(self, member: Member) -> None:
        """Leave a member: by the thread that iterates, or where none does.

        Within the loop, as a signal handler may be or a callable of the user's that is asked by a
        member, only what goes on now comes first.
        """
        self._leaving.append(member)
        self._forget(member)
        if self._is_inside:
            self._wake()
            return
        self._is_inside = True
        try:
            self._leave()
        finally:
            self._is_inside = False

    def close(self) -> None:
        """All are left; what `events` was going to give is over."""
        with contextlib.ExitStack() as stack:  # which goes on where one raises
            for member in list(self.members.values()):
                stack.callback(self.stop, member)

    def events(self) -> Generator[tuple[Any, AnyEvent], None, None]:
        """The owners and their events, until no member is left; None owns what was posted."""
        if self._poller is not None:
            raise RuntimeError("the group is iterated already")
        try:
            poller = self._poller = new_poller()
            self._is_inside = True
            self._thread = threading.get_ident()
            groups.append(self)
            while True:
                if self._leaving:
                    self._leave()
                if not self.members:
                    break
                self._wait(poller)
                for _ in range(len(self._posts)):  # not for ever, however fast they come
                    posted = Posted(self._posts.popleft())
                    self._is_inside = False
                    try:
                        yield None, posted
                    finally:
                        self._is_inside = True
                # Those that become ready meanwhile have their turn after the next look around.
                ready, self._ready = self._ready, []
                for member in ready:
                    owner = self._begin(member)
                    while (event := self._step(member)) is not None:
                        self._is_inside = False
                        try:
                            yield owner, event
                        finally:
                            self._is_inside = True
                    self._rest(member)
        finally:
            try:
                self._end()
            except BaseException:
                self._end()  # it was interrupted, or one member failed; nothing is to be left open
                raise

    def _end(self) -> None:
        """Nothing is iterated any more."""
        self._is_inside, self._is_waiting = True, False
        self._leaving += self.members.values()
        with contextlib.ExitStack() as stack:  # which goes on where one raises
            for member in self._leaving[:]:
                self._forget(member)
                stack.callback(self._leave_one, member)
        self._ready.clear()
        self._heap.clear()
        if self in groups:
            groups.remove(self)
        if self._poller is not None:
            self._poller.close()
            self._poller = None
        self._watching.clear()
        if self._wakeup is not None:
            self._wakeup.give_back()
            self._wakeup = None
        self._is_inside = False

    def _forget(self, member: Member) -> None:
        member.is_left = True
        if self.members.get(member.owner) is member:
            del self.members[member.owner]

    def _leave(self) -> None:
        """Leave those that are to be left."""
        while self._leaving:
            self._leave_one(self._leaving[-1])

    def _leave_one(self, member: Member) -> None:
        # Where that is interrupted, or raises, it is done once more: a second time does no harm.
        self._watch(member, [])
        if member.items is not None:
            member.items.close()
        member.items = None
        if member in self._leaving:
            self._leaving.remove(member)

    def _begin(self, member: Member) -> Any:
        """Give a member its turn; whose it is."""
        member.is_queued = False
        member.left = EVENTS_OF_A_TURN
        return member.owner

    def _rest(self, member: Member) -> None:
        """End a member's turn."""
        if member.need is None:
            # Behind an event anybody may close the socket: its number is another member's next.
            self._watch(member, [])

    def _step(self, member: Member) -> AnyEvent | None:
        """Go on up to the next event; None where its turn is over."""
        items = member.items
        if items is None or member.is_left:
            return None
        if not member.left:
            self._queue(member)
            return None
        while True:
            member.need = None
            try:
                item = next(items)
            except StopIteration:
                self._forget(member)
                self._watch(member, [])
                member.items = None
                return None
            if not isinstance(item, Need):
                member.left -= 1
                event: AnyEvent = item
                return None if member.is_left else event
            need = item
            if need.until is not None and not need.writable:
                until = need.until
                if until <= monotonic():
                    continue
            member.need = need
            self._arrange(member, need)
            return None

    def _arrange(self, member: Member, need: Need) -> None:
        """Have it ready again when what it needs is there."""
        if not need.writable and len(need.readable) == 1 == len(member.watched):
            sock, _, what = member.watched[0]
            if sock is need.readable[0] and what == READ:
                if need.until is not None:
                    self._push(member)
                return
        self._watch(member, [(sock, sock.fileno(), what) for sock, what in watched(need).items()])
        self._push(member)

    def _push(self, member: Member) -> None:
        need = member.need
        if need is None or need.until is None:
            return
        until = need.until
        if until < member.heap_at:
            member.heap_at = until
            self._count += 1
            heapq.heappush(self._heap, (until, self._count, member))

    def _watch(self, member: Member, watched: list[tuple[socket.socket, int, int]]) -> None:
        """Have the selector look at these, and no others of the member's."""
        if watched == member.watched:
            return
        # What is registered is always noted, whenever a signal handler raises.
        poller, noted = self._poller, member.watched
        while noted:
            number = noted[-1][1]
            if poller is not None:
                with contextlib.suppress(KeyError, OSError):
                    poller.unregister(number)
            self._watching.pop(number, None)
            noted.pop()
        if poller is not None:
            for one in watched:
                noted.append(one)
                self._watching[one[1]] = member
                poller.register(one[1], one[2])

    def _listen(self, poller: Poller) -> float | None:
        """Have other threads end our waits. The longest wait, where that can't be had."""
        try:
            wakeup = lease()
        except OSError:  # no descriptor is left: look for their wishes instead
            return _BLIND
        poller.register(wakeup.fileno(), READ)
        self._wakeup = wakeup
        return None

    def _wait(self, poller: Poller) -> None:
        """Until a member is ready."""
        timeout = None if self._wakeup is not None else self._listen(poller)
        self._is_waiting = True  # before it is looked whether there is anything to wait for
        if self._ready or self._woken or self._leaving or self._posts:
            timeout = 0.0
        elif self._heap:
            seconds = min(max(0.0, self._heap[0][0] - monotonic()), _LONGEST)
            timeout = seconds if timeout is None else min(seconds, timeout)
        found = poller.poll(timeout)
        self._is_waiting = False
        for number, what in found:
            watching = self._watching.get(number)
            if watching is None:
                if self._wakeup is not None:
                    self._wakeup.drain()
            elif (need := watching.need) is not None:
                if what & ~READ and need.writable:
                    need.ready += [
                        sock
                        for sock, other, wanted in watching.watched
                        if other == number and wanted & WRITE
                    ]
                self._queue(watching)
        while self._woken:
            member = self._woken.popleft()
            member.is_woken = False
            self._queue(member)
        now = monotonic()
        while self._heap and self._heap[0][0] <= now:
            at, _, member = heapq.heappop(self._heap)
            if at != member.heap_at:
                continue  # an earlier one took its place
            member.heap_at = float("inf")
            need = member.need
            if need is not None and need.until is not None and need.until <= now:
                self._queue(member)
            else:
                self._push(member)

    def _queue(self, member: Member) -> None:
        """Give a member a turn."""
        member.need = None
        if not member.is_queued:
            member.is_queued = True
            self._ready.append(member)
