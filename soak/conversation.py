"""One conversation with the echo server: some connections, or one that persists."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import Any, NamedTuple

from messages import Ledger, Maker

from lomond import Deflate, WebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.persist import persist

_PATIENCE = 60.0  # seconds without an echo: it will not come
_WINDOW = 50  # messages on their way, where the loop sends
_KEEPALIVE: dict[str, Any] = {
    "poll": 0.1,
    "ping_rate": 1.0,
    "ping_timeout": 6.0,
    "close_timeout": 30.0,
}


class Settings(NamedTuple):
    """What is done in one conversation."""

    url: str
    ca: str | None
    is_cruel: bool  #: the network may end connections
    compress: Deflate | bool
    senders: int  #: threads that send; 0: the loop sends
    persists: bool
    messages: int  #: of each sender on each connection
    end: float  #: monotonic; after it nothing more is sent

    @staticmethod
    def any(chance: random.Random, task: dict[str, Any]) -> Settings:
        """One kind of many."""
        secure, is_cruel = chance.random() < 0.4, chance.random() < 0.4
        network = "cruel" if is_cruel else "kind"
        port = task["ports"]["tls" if secure else "plain"][network]
        senders = chance.choice((0, 0, 1, 2))
        return Settings(
            f"{'wss' if secure else 'ws'}://127.0.0.1:{port}/",
            task["ca"] if secure else None,
            is_cruel,
            chance.choice((False, False, True, _deflate(chance))),
            senders,
            persists=is_cruel and chance.random() < 0.4,
            messages=round(10 ** chance.uniform(1, 3.3)),
            end=task["end"],
        )


def _deflate(chance: random.Random) -> Deflate:
    return Deflate(
        server_no_context_takeover=chance.random() < 0.5,
        client_no_context_takeover=chance.random() < 0.5,
        server_max_window_bits=chance.choice((15, 12, 9)),
        level=1,
    )


class Conversation:
    """Sends, listens, and closes when all has come back.

    Arguments:
        settings: What to do.
        maker: Makes the messages.
        chance: For what is not settled.
        serial: Number of its first connection.

    Attributes:
        counts: What happened.
        wrong: What came back that should not have, in words.
    """

    def __init__(
        self, settings: Settings, maker: Maker, chance: random.Random, serial: int
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._settings = settings
        self._maker = maker
        self._serial = serial
        self._rounds = chance.randrange(1, 6) if settings.persists else 1
        self._exit = threading.Event()
        self._threads: list[threading.Thread] = []
        self._ledger: Ledger | None = None
        self._progress_at = 0.0
        self._is_even = False  # all came back, and we said goodbye
        self._websocket = WebSocket(
            settings.url,
            compress=settings.compress,
            ssl_cafile=settings.ca,
            proxies={},
            open_timeout=10,
        )

    def hold(self) -> None:
        """All of it."""
        websocket = self._websocket
        if self._settings.persists:
            events = persist(
                websocket,
                min_wait=0.02,
                max_wait=0.1,
                exit_event=self._exit,
                watch_exit=True,
                **_KEEPALIVE,
            )
        else:
            events = websocket.connect(**_KEEPALIVE)
        for event in events:
            self._on(event)

    def _on(self, event: Any) -> None:
        match event.name:
            case "text":
                self._echo(event.text)
            case "binary":
                self._echo(event.data)
            case "poll":
                self._look()
            case "ready":
                self._begin()
            case "disconnected" | "connect_fail":
                self._end(event)
            case "unresponsive":
                self.counts["unresponsive"] += 1
            case "protocol_error" | "rejected":
                self.wrong.append(f"{event!r}")

    def _begin(self) -> None:
        settings = self._settings
        self._serial += 1
        self.counts["opened"] += 1
        self._is_even = False
        self._progress_at = time.monotonic()
        ledger = self._ledger = Ledger(self._serial, max(1, settings.senders))
        if not settings.senders:
            self._send_some(ledger)
        self._threads = [
            threading.Thread(target=self._send_all, args=(ledger, sender), daemon=True)
            for sender in range(settings.senders)
        ]
        for thread in self._threads:
            thread.start()

    def _echo(self, message: str | bytes) -> None:
        ledger = self._ledger
        assert ledger is not None
        ledger.echo(message)
        self._progress_at = time.monotonic()
        if not self._settings.senders:
            self._send_some(ledger)
        elif ledger.tried[0] >= self._settings.messages:
            self._look()

    def _send_some(self, ledger: Ledger) -> None:
        """From the loop: as many as the window lets go."""
        most = min(self._settings.messages, ledger.echoed[0] + _WINDOW)
        while ledger.tried[0] < most and not self._is_late():
            if not self._send(ledger, 0):
                return
        if ledger.echoed[0] >= ledger.tried[0]:
            self._look()

    def _send_all(self, ledger: Ledger, sender: int) -> None:
        """In a thread of its own: all, as fast as the network takes them."""
        for _ in range(self._settings.messages):
            if self._is_late() or not self._send(ledger, sender):
                return

    def _is_late(self) -> bool:
        return time.monotonic() >= self._settings.end

    def _send(self, ledger: Ledger, sender: int) -> bool:
        message = self._maker.make(ledger.connection, sender, ledger.tried[sender])
        ledger.tried[sender] += 1
        try:
            if isinstance(message, str):
                self._websocket.send_text(message)
            else:
                self._websocket.send_binary(message)
        except (WebSocketUnavailable, TransportFail):
            return False
        ledger.accepted[sender] += 1
        return True

    def _look(self) -> None:
        """Has all come back, or is there no more hope?"""
        ledger = self._ledger
        if ledger is None or self._is_even:
            return
        if any(thread.is_alive() for thread in self._threads):
            return
        goal = self._settings.messages * len(ledger.accepted)
        is_all_sent = sum(ledger.accepted) >= goal or self._is_late()
        if is_all_sent and ledger.is_even() and ledger.accepted == ledger.tried:
            self._is_even = True
            if self._rounds <= 1 or self._is_late():
                self._exit.set()
            self._websocket.close()
        elif time.monotonic() - self._progress_at > _PATIENCE:
            self.counts["starved"] += 1
            self._exit.set()
            self._websocket.force_disconnect()

    def _end(self, event: Any) -> None:
        for thread in self._threads:
            thread.join(_PATIENCE)
            self.counts["senders that hang"] += thread.is_alive()
        self._threads = []
        self._rounds -= 1
        if self._rounds <= 0 or self._is_late():
            self._exit.set()
        ledger, self._ledger = self._ledger, None
        if ledger is None:
            self.counts["failed to open"] += 1
            if not self._settings.is_cruel:
                self.counts["broke on a kind network"] += 1
                self.wrong.append(f"failed to open: {event.reason}")
            return
        accepted, echoed = sum(ledger.accepted), sum(ledger.echoed)
        self.counts["sent"] += accepted
        self.counts["echoed"] += echoed
        self.counts["wrong"] += len(ledger.wrong)
        self.wrong += ledger.wrong
        missing = max(0, accepted - echoed)
        if self._is_even:
            self.counts["closed"] += 1
            self.counts["never echoed"] += missing
            if not event.graceful and not self._settings.is_cruel:
                self.counts["broke on a kind network"] += 1
                self.wrong.append(f"not closed gracefully: {event.reason}")
        elif self._settings.is_cruel and not self.counts["starved"]:
            self.counts["broken"] += 1
            self.counts["lost with a connection"] += missing
        else:
            self.counts["broke on a kind network"] += 1
            self.counts["never echoed"] += missing
            self.wrong.append(f"broke on a kind network: {event.reason}")
