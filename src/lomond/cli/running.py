"""A run of ``lomond URL``: what a pipe and a terminal have in common, to its exit status."""

from __future__ import annotations

import argparse
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..recording import Recorder
from . import arguments, exits
from .interrupts import Interrupts

if TYPE_CHECKING:
    from ..events import AnyEvent, BackOff
    from ..websocket import WebSocket
    from .diagnostics import Diagnostics

CLOSE_TIMEOUT = 5.0  # seconds for the closing handshake
_PING = 30.0  # seconds between two pings, if nothing else is said; and for the answer to one


def recorder(parser: arguments.Parser, given: argparse.Namespace) -> Record | None:
    """What ``--record`` asks for, or None. Ends the process where it can't be."""
    try:
        return Record(given.record) if given.record else None
    except OSError as error:
        parser.refuse(f"--record {given.record}: {error.strerror}")


class Record(Recorder):
    """A recorder by the name that the command has for it."""

    @property
    def has_failed(self) -> bool:
        """Whether it could not be written to its end."""
        return self._sink.has_failed

    def __repr__(self) -> str:
        return f"--record {self.target}"


class _Warnings(logging.Handler):
    """Says what the library warns of."""

    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Say one."""
        self._say(exits.advice(record.getMessage()))


class Run(ABC):
    """One run: this thread iterates, and another one sends what is given to it.

    Arguments:
        websocket: What is connected.
        given: What was asked for.
        said: Takes what is not data.
    """

    def __init__(self, websocket: WebSocket, given: argparse.Namespace, said: Diagnostics) -> None:
        self.websocket = websocket
        self.given = given
        self.said = said
        self.is_over = threading.Event()  #: no further connection is wanted
        self.status: int | None = None  #: once it does not follow from how the connection ended
        self.sender: threading.Thread | None = None  #: of what is given
        self._failed = ""  # why it could not connect last
        self.interrupts = Interrupts(self.leave, self.abort, said.say, CLOSE_TIMEOUT)

    @abstractmethod
    def take(self, event: AnyEvent) -> None:
        """Do what is to be done for an event."""

    @abstractmethod
    def send(self) -> None:
        """Send what is given, until there is no more: in a thread of its own, from Ready on."""

    def run(self, record: Record | None) -> int:
        """Do it; the exit status, also of the record, where nothing else has failed."""
        timer = None
        if self.given.timeout is not None:
            timer = threading.Timer(self.given.timeout, self._time_out)
            timer.daemon = True
            timer.start()
        logger, warnings = logging.getLogger("lomond"), _Warnings(self.said.say)
        logger.addHandler(warnings)
        with self.interrupts:
            try:
                self._iterate()
            except KeyboardInterrupt:
                self.abort()
            finally:
                logger.removeHandler(warnings)
        if timer is not None:
            timer.cancel()
        status = self._result()
        if status == exits.DONE and record is not None and record.has_failed:
            return exits.OUTPUT
        return status

    def leave(self) -> None:
        """Close; the exit status is how that goes."""
        self.is_over.set()
        self.websocket.close()

    def finish(self, status: int) -> None:
        """Close; that is the exit status, whatever comes."""
        self.decide(status)
        self.leave()

    def decide(self, status: int) -> None:
        """Have that be the exit status, whatever comes."""
        if self.status is None:
            self.status = status

    def abort(self) -> None:
        """End it at once."""
        self.is_over.set()
        self.websocket.force_disconnect()

    def _iterate(self) -> None:
        for event in self._events():
            if event.name == "back_off" and self.is_over.is_set():
                return
            if event.name == "ready":
                self.interrupts.is_ready = True
                self._failed = ""
                if self.is_over.is_set():  # since before there was a connection to be closed
                    self.leave()
            elif event.name in ("connecting", "connected") and self.is_over.is_set():
                self.abort()
            elif event.name == "back_off":
                self._tell_failure(event)
            self.said.show(event)
            if event.name == "ready" and self.sender is None:
                # A daemon: a read of standard input can't be ended.
                self.sender = threading.Thread(target=self.send, daemon=True)
                self.sender.start()
            self.take(event)

    def _tell_failure(self, event: BackOff) -> None:
        """Say why it connects again, once for each reason in a row."""
        why = exits.advice(event.reason if event.ending is None else event.ending)
        if why != self._failed:
            self._failed = why
            self.said.say(f"{why}; connects again until it works")

    def _events(self) -> Iterable[AnyEvent]:
        ping = _PING if self.given.ping is None else self.given.ping
        timing: dict[str, Any] = {
            "poll": None,
            "ping_rate": ping,
            "ping_timeout": ping or None,
            "close_timeout": CLOSE_TIMEOUT,
        }
        if not self.given.reconnect:
            return self.websocket.connect(**timing)
        return self.websocket.persist(exit_event=self.is_over, **timing)

    def _time_out(self) -> None:
        self.interrupts.hurry()
        if self.status is None:
            self.status = exits.TIMED_OUT
            self.said.say(f"--timeout: {self.given.timeout:g} s are over")
        self.leave()
        self.abort()
        self.interrupts.unstick()

    def _result(self) -> int:
        """The exit status, and what is to be said of it."""
        if self.interrupts.status is not None and self.status != exits.TIMED_OUT:
            return self.interrupts.status
        if self.status is not None:
            return self.status
        ending = self.websocket.ending
        if ending is None:  # it was never begun
            return exits.DONE
        status = exits.status_of(ending)
        if status != exits.DONE:
            self.said.failure(ending)
        return status
