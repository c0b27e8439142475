"""Messages that wait for a reply: which message that is, and until when it is waited for.

Made with the first question of a connection. Opened and withdrawn by whoever asks, with nobody else
changing the session meanwhile; looked at by whoever iterates.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from ..protocol import events
from .backlog import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from ..ending import Ending
    from .finish import Finish
    from .timers import Timers

    Message = events.Text | events.Binary
    #: A key of a JSON object and its value; or what tells of a message whether it is the reply.
    Reply = tuple[str, Hashable] | Callable[[Any], object]
    Alone = Callable[..., Any]

#: Behind these no reply can come.
_LAST = (events.Closing, events.Closed, events.ProtocolError, events.Unresponsive)
_FEW = 64
_MISSING: Any = object()  # the value of a key that an object has not; None is null
_TEXT: type = events.Text
_BINARY: type = events.Binary


class Question:
    """One message that waits for its reply.

    Arguments:
        request: What was sent, as the program gave it.
        reply: What tells the reply.
        tell: Called when it is known, by whoever waits; None where the stream says so.

    Attributes:
        is_over: Whether it waits no more.
        message: The reply, or None.
        ending: How the connection ended, where that was it; or None.
        failure: What its callable raised, or None.
    """

    __slots__ = (
        "ending",
        "failure",
        "fits",
        "is_over",
        "is_timed",
        "message",
        "pair",
        "request",
        "tell",
    )

    def __init__(self, request: Any, reply: Reply, tell: Callable[[], object] | None) -> None:
        self.request = request
        self.fits: Callable[[Any], object] | None = None
        self.pair: tuple[str, Hashable] | None = None
        if callable(reply):
            self.fits = reply
        else:
            self.pair = reply
        self.tell = tell
        self.is_over = False
        self.is_timed = False  # the stream tells when it is late
        self.message: Message | None = None
        self.ending: Ending | None = None
        self.failure: Exception | None = None


class Questions:
    """All that wait for a reply on one connection.

    Arguments:
        timers: The connection's.
        finish: Its end.
        alone: Does something while nobody else changes the session.

    Attributes:
        is_open: Whether there is any.
        failure: What a callable raised that comes out of the loop; or None.
    """

    __slots__ = (
        "_alone",
        "_by_key",
        "_finish",
        "_fitting",
        "_keys",
        "_late",
        "_number",
        "_timed",
        "_timers",
        "failure",
        "is_open",
    )  # fmt: skip

    def __init__(self, timers: Timers, finish: Finish, alone: Alone) -> None:
        self._timers = timers
        self._finish = finish
        self._alone = alone
        self._by_key: dict[str, dict[Hashable, list[Question]]] = {}
        self._keys: tuple[str, ...] = ()  # of it: it may change while it is gone through
        self._fitting: tuple[Question, ...] = ()  # that have a callable, the oldest first
        self._late: list[tuple[float, int, Question]] = []  # a heap
        self._number = count()
        self._timed = 0  # how many of the heap are open
        self.failure: Exception | None = None
        self.is_open = False

    # For whoever asks, alone

    def add(self, question: Question, deadline: float | None) -> None:
        """Look for its reply from now on; until that moment, if it is the stream that tells."""
        if question.pair is None:
            self._fitting = (*self._fitting, question)
        else:
            key, value = question.pair
            if key not in self._by_key:
                self._by_key[key] = {}
                self._keys = tuple(self._by_key)
            self._by_key[key].setdefault(value, []).append(question)
        if deadline is not None:
            question.is_timed = True
            heappush(self._late, (deadline, next(self._number), question))
            self._timed += 1
            self._timers.reply_by(self._late[0][0])
        self.is_open = True

    def withdraw(self, question: Question) -> bool:
        """Wait for it no more; whether it was waited for until now."""
        if question.is_over:
            return False
        question.is_over = True
        if question.pair is None:
            self._fitting = tuple(other for other in self._fitting if other is not question)
        else:
            key, value = question.pair
            same = self._by_key[key][value]
            same.remove(question)
            if not same:
                del self._by_key[key][value]
            if not self._by_key[key]:
                del self._by_key[key]
                self._keys = tuple(self._by_key)
        if question.is_timed:
            self._forget_answered()
        self.is_open = bool(self._by_key or self._fitting)
        return True

    def _forget_answered(self) -> None:
        """One of those that the stream tells of is over: keep few of these."""
        self._timed -= 1
        if len(self._late) > 2 * self._timed + _FEW:
            self._late = [one for one in self._late if not one[2].is_over]
            heapify(self._late)
        while self._late and self._late[0][2].is_over:
            heappop(self._late)
        self._timers.reply_by(self._late[0][0] if self._late else NEVER)

    # For whoever iterates

    def looked(self, messages: Iterable[Message]) -> Iterator[Any]:
        """The events of messages: these themselves, or Reply."""
        for message in messages:
            event = self.seen(message)
            if event is not None:
                yield event

    def seen(self, event: Any) -> Any:
        """What is handed out for an event: itself, Reply, or None where somebody else waits for it.

        Raises what a callable of the program's does; where somebody waits, it is raised there.
        """
        kind: Any = type(event)  # pyright: ignore[reportUnknownVariableType]  # of anything
        if kind is _TEXT and self._keys:
            question = self._answered_by(event)
            if question is not None:
                return self._answer(question, event)
        if (kind is _TEXT or kind is _BINARY) and self._fitting:
            for question in self._fitting:
                if self._fits(question, event):
                    return self._answer(question, event)
        elif kind in _LAST:
            self._alone(self._end_of_asked)
        return event

    def _answered_by(self, event: events.Text) -> Question | None:
        """The question that a text answers by a key of its object, or None."""
        try:
            value = event.json
        except Exception:  # of the program's `loads`, too: it is none then
            return None
        if not isinstance(value, dict):
            return None
        for key in self._keys:
            found = value.get(key, _MISSING)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # of the server's JSON
            try:
                same = self._by_key.get(key, {}).get(found)  # pyright: ignore[reportUnknownArgumentType]  # of the server's JSON
            except TypeError:  # a list, or an object
                continue
            if same:
                # True is 1 for a dict, and not for JSON.
                is_bool = isinstance(found, bool)
                for question in same:
                    if isinstance(_value_of(question), bool) == is_bool:
                        return question
        return None

    def _fits(self, question: Question, event: Message) -> bool:
        assert question.fits is not None
        try:
            return bool(question.fits(event))
        except Exception as error:
            if not self._alone(self.withdraw, question):
                return False
            if question.tell is None:
                self.failure = error
                raise
            question.failure = error
            question.tell()
            return False

    def _answer(self, question: Question, message: Message) -> Any:
        """What is handed out for a message that answers it."""
        if not self._alone(self._take, question, message):
            return message  # nobody waits for it any more
        if question.tell is not None:
            question.tell()
            return None
        return events.Reply(question.request, message, received_time=message.received_time)

    def _take(self, question: Question, message: Message) -> bool:
        if not self.withdraw(question):
            return False
        question.message = message
        return True

    # The end

    def late(self, now: float) -> events.NoReply | None:
        """The event of one of which the time is over, or None. Alone."""
        if not self._late or self._late[0][0] > now:
            return None
        question = self._late[0][2]  # which is open: those that are not have left
        self.withdraw(question)
        return events.NoReply(question.request)

    def end(self) -> list[events.NoReply]:
        """The events of those that are open at the end of the connection. Alone."""
        self._end_of_asked()
        ending = self._finish.ending
        ended: list[events.NoReply] = []
        for question in self._open():
            self.withdraw(question)
            ended.append(events.NoReply(question.request, ending))
        return ended

    def _end_of_asked(self) -> None:
        """No reply comes any more: whoever waits need not wait for the last event."""
        for question in self._open():
            if question.tell is not None and self.withdraw(question):
                question.ending = self._finish.ending
                question.tell()

    def _open(self) -> list[Question]:
        by_key = [
            question
            for same in self._by_key.values()
            for some in same.values()
            for question in some
        ]
        return [*by_key, *self._fitting]


def _value_of(question: Question) -> Hashable:
    assert question.pair is not None
    return question.pair[1]
