"""Has runs of trio go by the clock of a pretend world: any that goes on in its thread."""

# pyright: reportPrivateUsage=false
# trio has no other way to have all its waits replaced, also of a run that goes on already.

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import trio
from trio._core import _run as _internals

from .seams import looked

if TYPE_CHECKING:
    from collections.abc import Callable

    from .world import World

_run: Any = _internals  # no other way leads there: trio has one clock of its own to a run
_LONGEST = 24 * 3600.0  # seconds; of one wait of trio's: a longer one is begun anew


class _Deadlines(_run.Deadlines):  # type: ignore[misc]  # trio's own class
    """The deadlines of a block in a run; those from before it are kept apart.

    Arguments:
        before: These.
    """

    def __init__(self, before: Any) -> None:
        _run.Deadlines.__init__(self)
        self._before = before
        self._others = {(deadline, number) for deadline, number, _ in before._heap}

    def remove(self, deadline: float, cancel_scope: Any) -> None:
        one = (deadline, id(cancel_scope))
        if one in self._others:
            self._others.remove(one)
            self._before.remove(deadline, cancel_scope)
        else:
            _run.Deadlines.remove(self, deadline, cancel_scope)


class TrioTime:
    """The runs that go on in a world.

    Arguments:
        world: Whose clock.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_entered = False
        self._runner: Any = None  # of the run that the block is in
        self._ahead: dict[Any, float] = {}  # by how much a run's clock is ahead of the world's
        self._kept: Any = None  # deadlines of that run that go by real time
        self._scope = trio.CancelScope()
        self._halts = 0

    def enter(self, put: Callable[[Any, str, Any], None], is_begin: bool) -> None:
        """Have each run go by it, also the one that goes on now.

        Arguments:
            put: Sets an attribute, until the block is left.
            is_begin: Whether the block begins here, perhaps in a run. Else trio was imported in it.

        Raises:
            RuntimeError: The run that goes on can't.
        """
        world, manager, clock = self._world, _run.TheIOManager, _run.SystemClock
        look: Any = manager.get_events
        real_time: Callable[[Any], float] = clock.current_time

        def get_events(one: Any, seconds: float) -> Any:
            if not world.is_here():
                return look(one, seconds)
            is_endless = seconds >= _LONGEST and _runner().deadlines.next_deadline() == math.inf
            limit, runq = None if is_endless else seconds, _runner().runq
            return looked(world, lambda: look(one, 0), lambda: bool(runq), limit, self._halt)

        def current_time(one: Any) -> float:
            if not world.is_here():
                return real_time(one)
            return world.now + self._ahead.get(id(one), 0.0)

        def sleep_time(one: Any, deadline: float) -> float:
            return deadline - current_time(one)

        self.look_around()
        runner = _runner()
        if runner is not None:
            self._ahead[id(runner.clock)] = runner.clock.current_time() - world.now
        put(manager, "get_events", get_events)
        put(clock, "current_time", current_time)
        put(clock, "deadline_to_sleep_time", sleep_time)
        if is_begin and runner is not None and trio.lowlevel.in_trio_task():
            self._enter_run(runner)

    def look_around(self) -> None:
        """Raise RuntimeError unless the run that goes on, if any, goes by the world's clock."""
        runner = _runner()
        if runner is not None and type(runner.clock) is not _run.SystemClock:
            raise RuntimeError(
                f"this run of trio goes by a clock of its own, {runner.clock!r}, as autojump_clock "
                "is; the pretend world has one already: leave that out"
            )

    def _enter_run(self, runner: Any) -> None:
        """Be in a run that goes on: its deadlines are those of who tests, and stay real."""
        self._runner = runner
        self._kept = runner.deadlines
        runner.deadlines = _Deadlines(self._kept)
        self._scope.__enter__()

    def leave(self, error: BaseException | None) -> bool:
        """Have the run go by real time again; whether an exception is our end of the block."""
        runner = self._runner
        if runner is None:
            return self._halts > 0 and isinstance(error, (trio.Cancelled, trio.TrioInternalError))
        kind = None if error is None else type(error)
        is_ours = self._scope.__exit__(kind, error, None)
        drift = self._world.now + self._ahead[id(runner.clock)] - runner.clock.current_time()
        ours, runner.deadlines = runner.deadlines, self._kept
        for deadline, _, scope in ours._heap:
            if deadline == scope._registered_deadline:
                runner.deadlines.add(deadline, scope)
                scope.deadline -= drift
        return is_ours

    def _halt(self) -> None:
        """Have the program leave the block, or its whole run."""
        self._halts += 1
        if self._runner is not None:
            self._scope.cancel()
            return
        root = trio.lowlevel.current_root_task()
        if root is not None:
            for nursery in root.child_nurseries[-1:]:
                nursery.cancel_scope.cancel()


def _runner() -> Any:
    """The run that goes on in this thread, or None."""
    return getattr(_run.GLOBAL_RUN_CONTEXT, "runner", None)
