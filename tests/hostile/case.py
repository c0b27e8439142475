"""A case of the hostile server, as a value, and the words that most scripts are made of."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from lomond.protocol import frames
from lomond.protocol.http.upgrade import accept_value
from lomond.testing.peer import Action as Bytes, End, Pause, Peer, Say, key_of


class Below(NamedTuple):
    """Do something under the bytes, which only a real server can; see server.py."""

    what: str
    data: bytes = b""
    size: int = 0


Action = Bytes | Below
Talk = Generator[Action, bytes, None]
Script = Callable[[Peer], Talk]
Said = bytes | float | Action  #: what `does` takes

#: Ways to run a case.
PRETEND, PLAIN, TLS = "pretend", "plain", "tls"
REAL = (PLAIN, TLS)
ANYWHERE = (PRETEND, PLAIN, TLS)

#: What stands for the code of a close frame that has none (RFC 6455 section 7.1.5).
NO_CODE = 1005

MIB = 1024 * 1024


class Client(Protocol):
    """What a case may do with the client; every door has it."""

    def send_text(self, text: str) -> None:
        """Send a message."""
        ...

    def send_ping(self, data: bytes = b"") -> None:
        """Send a ping."""
        ...

    def close(self) -> None:
        """Start the closing handshake, with code 1000."""
        ...


Handler = Callable[[Client, str], None]


def only_listens(client: Client, name: str) -> None:
    """A client that does nothing."""


def closes(at: str) -> Handler:
    """A client that closes at that event."""

    def handle(client: Client, name: str) -> None:
        if name == at:
            client.close()

    return handle


def sends(*texts: str) -> Handler:
    """A client that sends these when it is ready."""

    def handle(client: Client, name: str) -> None:
        if name == "ready":
            for text in texts:
                client.send_text(text)

    return handle


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a server does, and what a correct client shows.

    Attributes:
        name: Unique in its group.
        talk: The server's script; it is run for each connection. After its end the server drops
            what comes until the client's stream ends.
        shows: Names of the last events, without Poll, runs of one name said once; `a|b` is either.
        code: Of the close frame that the server reads; NO_CODE for one without; None: no frame.
        says: What stands in the words of one of the events.
        graceful: Of the last event.
        client: What the client does at an event, whose name it gets.
        options: Of the client: as `WebSocket` and `connect` take them.
        ways: How the case can be run.
        seconds: How long the connection may take. Real clocks get some time more.
        part: A tenth of the talk, where that is so long that a slow machine is slow with it: over
            real sockets all of it may take twenty times as long as this does, besides.
        memory: How much may be allocated at any one time (as tracemalloc counts, the server and
            what the client had before not included); None: not measured.
        never_reads: The client can't write: its system and the server's take little.
        certificate: Of the server: `good`, `other name`, `expired` or `unknown`.
        speaks_tls: Whether the server does the TLS handshake before the script, in the way TLS.
    """

    name: str
    talk: Script
    shows: str
    code: int | None = None
    says: str = ""
    graceful: bool = False
    client: Handler = only_listens
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    ways: tuple[str, ...] = ANYWHERE
    seconds: float = 0.5
    part: Script | None = None
    memory: int | None = None
    never_reads: bool = False
    certificate: str = "good"
    speaks_tls: bool = True


def does(*said: Said) -> Talk:
    """Do these one after the other: bytes are said, a number is a pause in seconds."""
    for part in said:
        if isinstance(part, bytes):
            yield Say(part)
        elif isinstance(part, (float, int)):
            yield Pause(part)
        else:
            yield part


def upgraded(*said: Said, extra: bytes = b"") -> Script:
    """Accept the upgrade, with more header lines; then as `does`."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade(extra)
        yield from does(*said)

    return talk


def answered(*said: Said) -> Script:
    """Read the request, then as `does`; {accept} is put in place in the first bytes."""

    def talk(peer: Peer) -> Talk:
        yield from peer.read_request()
        first, *rest = said
        if isinstance(first, bytes):
            first = first.replace(b"{accept}", accept_value(key_of(peer.request)))
        yield from does(first, *rest)

    return talk


def dribbled(data: bytes, seconds: float) -> list[Said]:
    """For `does`: one byte per interval."""
    return [part for byte in data for part in (bytes((byte,)), seconds)]


def byte_by_byte(script: Script) -> Script:
    """The script, but each byte is said by itself."""

    def talk(peer: Peer) -> Talk:
        inner = script(peer)
        action = next(inner, None)
        while action is not None:
            heard = b""
            if isinstance(action, Say):
                yield from does(*(bytes((byte,)) for byte in action.data))
            else:
                heard = yield action
            try:
                action = inner.send(heard)
            except StopIteration:
                return

    return talk


def to_its_end(script: Script) -> Script:
    """For a network without a server: the script, and what the server does when that is over."""

    def talk(peer: Peer) -> Talk:
        inner = script(peer)
        action = next(inner, None)
        while action is not None:
            if isinstance(action, Below):
                return  # it waits, and does not even read
            try:
                action = inner.send((yield action))
            except StopIteration:
                break
        yield from peer.hear_end()
        yield End()

    return talk


def repeated(times: int, *said: Said) -> list[Said]:
    """For `does`: so many times."""
    return list(said) * times


def frame(first: int, payload: bytes = b"") -> bytes:
    """A frame with any first byte."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def text(payload: bytes) -> bytes:
    """A whole text message."""
    return frame(frames.FIN | frames.TEXT, payload)


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """A close frame."""
    said = b"" if code is None else code.to_bytes(2, "big") + reason
    return frame(frames.FIN | frames.CLOSE, said)
