"""The door of trio: a run that goes on only while the test waits for something."""

from __future__ import annotations

import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakSet

import trio
from outcome import Error, Outcome, Value
from trio._core._run_context import GLOBAL_RUN_CONTEXT

from doors.every_door import OnAsyncio, each_event, on_loop
from lomond import TrioWebSocket
from lomond.events import AnyEvent

#: Else a run that waits in its thread does not have to be over.
host_waits = threading.Event()


class Guest:
    """One run, whose main task does what it is asked.

    Attributes:
        is_running: It goes on just now.
        is_over: It has ended.
    """

    def __init__(self) -> None:
        self.is_running = self.is_over = False
        self._turns: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._context: dict[str, Any] = {}
        self._asked: Callable[[], Awaitable[Any]] | None = None
        self._is_asked = False
        self._answer: Outcome[Any] | None = None
        self._token: Any = None
        self.within(self._start)

    def _start(self) -> None:
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._turns.put,
            done_callback=self._done,
            host_uses_signal_set_wakeup_fd=True,
        )

    def _done(self, result: Outcome[Any]) -> None:
        self.is_over = True
        self._answer = result

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        while True:
            # The next turn is at hand then, and takes no thread that waits for sockets: a test
            # that does not wait takes no turns.
            while not self._is_asked:
                await trio.lowlevel.checkpoint()
            self._is_asked = False
            asked, self._asked = self._asked, None
            if asked is None:
                return
            try:
                self._answer = Value(await asked())
            except BaseException as error:
                self._answer = Error(error)

    def within(self, act: Callable[[], Any]) -> Any:
        """What it gives; several runs take turns in one thread, which trio does not expect."""
        kept = dict(vars(GLOBAL_RUN_CONTEXT))
        vars(GLOBAL_RUN_CONTEXT).clear()
        vars(GLOBAL_RUN_CONTEXT).update(self._context)
        self.is_running = True
        try:
            return act()
        finally:
            self.is_running = False
            self._context = dict(vars(GLOBAL_RUN_CONTEXT))
            vars(GLOBAL_RUN_CONTEXT).clear()
            vars(GLOBAL_RUN_CONTEXT).update(kept)

    def _go_on(self) -> Any:
        self._answer = None
        self._is_asked = True
        while self._answer is None:
            self._turn()
        return self._answer.unwrap()

    def until(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """What the main task gets by it."""
        self._asked = act
        return self._go_on()

    def end(self) -> None:
        """The main task returns."""
        self._asked = None
        self._go_on()
        while not self.is_over:
            self._turn()

    def _turn(self) -> None:
        try:
            turn = self._turns.get_nowait()
        except queue.Empty:
            host_waits.set()
            turn = self._turns.get()
            host_waits.clear()
        self.within(turn)

    def from_thread(self, act: Callable[[], Awaitable[Any]]) -> None:
        """Another thread waits for what this run does for it."""
        trio.from_thread.run(act, trio_token=self._token)


def as_function(act: Coroutine[Any, Any, None]) -> Callable[[], Awaitable[Any]]:
    """What trio begins by itself, of a coroutine that was made before."""

    async def do() -> None:
        await act

    return do


class OnTrio(OnAsyncio):
    """A TrioWebSocket; its run, a guest here, goes on while an event is awaited, or a send.

    One run, and one block of it, is for all iterations up to the end of the last.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.stand_for(TrioWebSocket(*arguments, **options))

    def stand_for(self, inner: Any) -> None:
        """This is behind the interface."""
        vars(self).update(inner=inner, _run=None, _thread=0, _is_inside=False, _streams=WeakSet())

    def _iterate(self, events: Any) -> Generator[AnyEvent, None, None]:
        stream = self._events(events)
        self._streams.add(stream)
        return stream

    def _events(self, events: Any) -> Generator[AnyEvent, None, None]:
        if self._run is None or self._run.is_over:
            vars(self).update(_run=Guest(), _thread=threading.get_ident())
        run: Guest = self._run
        if not self._is_inside:
            run.until(self.inner.__aenter__)
            vars(self)["_is_inside"] = True
        try:
            while True:
                try:
                    yield run.until(events.__anext__)
                except StopAsyncIteration:
                    return
        finally:
            run.until(events.aclose)
            if sum(stream.gi_frame is not None for stream in self._streams) <= 1:  # but this one
                self._leave(run)
                run.end()

    def connect(self, *arguments: object, **options: Any) -> Generator[AnyEvent, None, None]:
        return on_loop(
            self._iterate(self._within(partial(self.inner.connect, *arguments, **options)))
        )

    def hear(self, see: Callable[[AnyEvent], None], **options: Any) -> None:
        """See `hear` in every_door.py."""

        async def within() -> None:
            async with self.inner:
                await each_event(self.inner, see, options)

        trio.run(within)

    def force_disconnect(self) -> None:
        self._within(self.inner.force_disconnect)

    def reset(self) -> None:
        self._within(self.inner.reset)

    def _within(self, act: Callable[[], Any]) -> Any:
        """What it gives in the run, if there is one in this thread that does not go on."""
        run: Guest | None = self._run
        is_elsewhere = threading.get_ident() != self._thread
        if run is None or run.is_over or run.is_running or is_elsewhere:
            return act()
        return run.within(act)

    def _leave(self, run: Guest) -> None:
        """Leave the block."""
        if self._is_inside:
            vars(self)["_is_inside"] = False
            run.until(self.inner.__aexit__)

    def __exit__(self, *error: object) -> None:
        if self._run is not None:
            self._leave(self._run)

    def run(self, act: Coroutine[Any, Any, None]) -> None:
        run: Guest | None = self._run
        if run is None or run.is_over:
            trio.run(as_function(act))
        elif threading.get_ident() != self._thread:
            run.from_thread(as_function(act))
        elif not run.is_running:
            run.until(as_function(act))
        else:  # in a callback, which can't wait
            with suppress(StopIteration):
                act.send(None)  # up to a checkpoint
                act.close()
