"""Turns that threads take: what one has at a time, for longer than a lock may be held."""

from __future__ import annotations

import threading

from ..system.holding import next_of


class Turn:
    """What one thread has at a time, without holding a lock. All but `is_mine` want the lock.

    Attributes:
        owner: The thread that has the turn, or 0.
    """

    __slots__ = ("_gates", "owner")

    def __init__(self) -> None:
        self.owner = 0
        # Of those that wait for it, each locked till it is free. None before the first one.
        self._gates: list[threading.Lock] | None = None

    def is_mine(self) -> bool:
        """Whether this thread has it."""
        return self.owner == threading.get_ident()

    def take(self) -> bool:
        """Have it if no thread has it; whether this one has now."""
        if self.owner:
            return False
        self.owner = threading.get_ident()
        return True

    def give(self) -> None:
        """Give it back, and tell those who wait."""
        self.owner = 0
        if self._gates:
            self.tell_waiting()

    def gate(self) -> threading.Lock:
        """What opens when it is free."""
        # Not a Condition: an interruption may leave that one's lock taken, or given back twice.
        gate = threading.Lock()
        gate.acquire()
        if self._gates is None:
            self._gates = []
        self._gates.append(gate)
        return gate

    def tell_waiting(self) -> None:
        """Tell those who wait that it is free, or the connection over."""
        while self._gates and (gate := next_of(self._gates)) is not None:
            gate.release()
