"""The pretend network: bytes on their way, and a scripted peer. Knows nothing of sessions."""

from __future__ import annotations

from collections.abc import Callable

from .clock import PretendClock
from .peer import SILENCE, Action, End, Hear, Pause, Peer, Say, no_action


class PretendNetwork:
    """A connection to the peer.

    Arguments:
        peer: Acts whenever its time has come.
        latency: Seconds that bytes travel.
        clock: Jumps to the next moment at which something happens.
    """

    def __init__(self, peer: Peer, latency: float, clock: PretendClock) -> None:
        self.peer = peer
        self._clock = clock
        self._latency = latency
        self._plans: list[tuple[float, Callable[[], None]]] = []
        self._to_peer: list[tuple[float, bytes]] = []
        self._from_peer: list[tuple[float, bytes | OSError]] = []
        self._peer_action: Action | None = None
        self._peer_at = 0.0
        self._silent_at: float | None = None  # when a Hear has waited long enough
        self._peer_started = False

    def again(self, peer: Peer) -> PretendNetwork:
        """A new connection, to that peer, at the same time."""
        network = PretendNetwork(peer, self._latency, self._clock)
        network._plans = self._plans
        return network

    @property
    def now(self) -> float:
        """What the clock says."""
        return self._clock.now

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Do something at that moment."""
        self._plans.append((moment, action))
        self._plans.sort(key=lambda plan: plan[0])

    def send(self, data: bytes) -> None:
        """Bytes for the peer; empty at the end of the stream."""
        self._to_peer.append((self.now + self._latency, data))

    def has_arrived(self) -> bool:
        """Whether something came from the peer by now."""
        return bool(self._from_peer) and self._from_peer[0][0] <= self.now

    def receive(self) -> bytes | None:
        """What came from the peer by now; empty at the end; None if nothing did. Raises OSError."""
        if not self.has_arrived():
            return None
        _, data = self._from_peer.pop(0)
        if isinstance(data, OSError):
            raise data
        return data

    def advance(self, deadline: float | None) -> None:
        """Let time pass until something happens, at the latest until the deadline."""
        self._run_peer()
        moments = [at for at, _ in self._plans[:1]]
        moments += [at for at, _ in self._from_peer[:1] if at > self.now]
        moments += self._peer_moments()
        moments += [at for at, _ in self._to_peer[:1] if at > self.now]
        moments += [] if deadline is None else [deadline]
        if not moments:
            raise AssertionError("nothing will ever happen any more")
        self._clock.now = max(self.now, min(moments))
        self._happen()

    def advance_to(self, moment: float) -> None:
        """Let time pass until that moment, whatever happens meanwhile."""
        while True:
            self._run_peer()
            nearest = min(
                [at for at, _ in self._plans[:1]]
                + [at for at, _ in self._to_peer[:1] if at > self.now]
                + self._peer_moments()
                + [moment]
            )
            self._clock.now = max(self.now, nearest)
            self._happen()
            if self.now >= moment:
                return

    def _happen(self) -> None:
        while self._plans and self._plans[0][0] <= self.now:
            self._plans.pop(0)[1]()
        self._run_peer()

    def _run_peer(self) -> None:
        """Let the peer do all that it can do by now."""
        if not self._peer_started:
            self._peer_started = True
            self._peer_action = next(self.peer.actions, None)
        while self._peer_action is not None and self._peer_at <= self.now:
            action = self._peer_action
            heard = b""
            arrives = self.now + self._latency
            if isinstance(action, Hear):
                came = self._hear(action)
                if came is None:
                    return
                heard = came
            elif isinstance(action, Say):
                self._from_peer.append((arrives, action.data))
            elif isinstance(action, Pause):
                self._peer_at = self.now + action.seconds
            elif isinstance(action, End):
                reset = ConnectionResetError(104, "Connection reset by peer")
                self._from_peer.append((arrives, reset if action.resets else b""))
            else:
                raise no_action(action)
            try:
                self._peer_action = self.peer.actions.send(heard)
            except StopIteration:
                self._peer_action = None

    def _peer_moments(self) -> list[float]:
        """When the peer goes on whatever comes."""
        moments = [self._peer_at, 0.0 if self._silent_at is None else self._silent_at]
        return [moment for moment in moments if moment > self.now]

    def _hear(self, hear: Hear) -> bytes | None:
        """What the peer hears; None if it has to wait."""
        if self._to_peer and self._to_peer[0][0] <= self.now:
            self._silent_at = None
            came_at, data = self._to_peer.pop(0)
            if len(data) > hear.most:
                self._to_peer.insert(0, (came_at, data[hear.most :]))
            return data[: hear.most]
        if hear.within is None:
            return None
        if self._silent_at is None:
            self._silent_at = self.now + hear.within
        if self.now < self._silent_at:
            return None
        self._silent_at = None
        return SILENCE
