"""A scripted peer without I/O: what a server says, in a few lines a case.

A script is a generator: it yields what to do and is sent what came. The pretend door runs it in
pretend time, server.py over a real socket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import NamedTuple

from ..protocol import frames
from ..protocol.http.upgrade import accept_value
from ..protocol.mask import mask


class Say(NamedTuple):
    """Write bytes.

    Attributes:
        data: Which ones.

    Example:
        >>> from lomond.testing.alone import PretendDoor
        >>> def talk(peer):
        ...     yield from peer.upgrade()
        ...     yield Say(b"no frame")
        ...     yield End()
        >>> [event.name for _, event in PretendDoor(talk).play()][4:]
        ['protocol_error', 'disconnected']
    """

    data: bytes


class Hear(NamedTuple):
    """Wait for bytes; is sent what came, b"" at the end, or SILENCE where that time has passed.

    Attributes:
        within: Seconds; None, the default, is for ever, 0 for what is here.
        most: How many bytes at most (65536).

    Example:
        >>> from lomond.testing.alone import PretendDoor
        >>> def talk(peer):
        ...     yield from peer.upgrade()
        ...     print((yield Hear(within=5)))
        ...     yield End()
        >>> events = PretendDoor(talk).play()
        b''
    """

    within: float | None = None
    most: int = 65536


class Pause(NamedTuple):
    """Do nothing for a time.

    Attributes:
        seconds: How long.

    Example:
        >>> from lomond.testing.alone import PretendDoor
        >>> def talk(peer):
        ...     yield from peer.upgrade()
        ...     yield Pause(60)
        ...     yield End()
        >>> *_, (now, last) = PretendDoor(talk).play()
        >>> round(now), last.name
        (60, 'disconnected')
    """

    seconds: float


class End(NamedTuple):
    """Close the stream.

    Attributes:
        resets: Whether by a reset (False).

    Example:
        >>> from lomond.testing.alone import PretendDoor
        >>> def talk(peer):
        ...     yield from peer.upgrade()
        ...     yield End(resets=True)
        >>> *_, (_, last) = PretendDoor(talk).play()
        >>> print(last.ending)
        the connection was lost after 0 s: Connection reset by peer
    """

    resets: bool = False


class _Silence(bytes):
    def __repr__(self) -> str:
        return "SILENCE"


#: What a Hear is sent whose time has passed: as empty as the end, and another object.
SILENCE: bytes = _Silence()

Action = Say | Hear | Pause | End
Talk = Generator[Action, bytes, None]
_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)


class Frame(NamedTuple):
    """A frame of the client, unmasked (RFC 6455 section 5.2).

    Attributes:
        opcode: 1 for a text, 2 for a binary, 8 for a close, 9 for a ping, 10 for a pong.
        payload: Its bytes.
        is_final: Whether its message ends with it (True).

    Example:
        >>> from lomond.testing.alone import PretendDoor
        >>> def talk(peer):
        ...     yield from peer.upgrade()
        ...     print((yield from peer.hear_frame()))
        ...     yield End()
        >>> def act(door, event):
        ...     if event.name == "ready":
        ...         door.send_text("hello")
        >>> events = PretendDoor(talk).play(act)
        Frame(opcode=1, payload=b'hello', is_final=True)
    """

    opcode: int
    payload: bytes
    is_final: bool = True


class Peer:
    """What a script needs to speak as a server: it keeps the bytes that are not used up yet.

    An OSError that an action comes to is raised in the script; where it is not caught, the client
    has gone.

    Arguments:
        talk: The script; gets the peer itself.

    Attributes:
        heard: The frames that were asked for.
        request: The head of the request.
        patience: Real seconds for which a script should wait for something that has to come; None
            for ever, as in pretend time.
        doing: Says in words what is done just now; None where the script does not tell.
        farewell: Gives a close frame, of a code and a reason, for a client to whom the script will
            say nothing more; nothing where none may follow. None where the script does not tell.

    Raises:
        TypeError: What was given is no script.

    Example:
        >>> from lomond.testing.alone import PretendDoor
        >>> def talk(peer):
        ...     yield from peer.upgrade()
        ...     yield say(1, b"hello")
        ...     yield say(8, code=1000)
        ...     yield from peer.hear_end()
        >>> [event.name for _, event in PretendDoor(talk).play()][4:]
        ['text', 'closing', 'disconnected']
    """

    def __init__(self, talk: Callable[[Peer], Talk]) -> None:
        self.heard: list[Frame] = []
        self.request = b""
        self.patience: float | None = None
        self.doing: Callable[[], str] | None = None
        self.farewell: Callable[[int, str], bytes] | None = None
        self._rest = b""
        self.actions = talk(self)
        given: object = self.actions  # which a user's script may have got wrong
        if not isinstance(given, Generator):
            raise TypeError(f"{talk!r} gave {given!r}: a script is a function with 'yield' in it")

    def upgrade(self, extra: bytes = b"", glued: bytes = b"") -> Talk:
        """Read the request and accept it (RFC 6455 section 4.2.2).

        Arguments:
            extra: More header lines, each with its CRLF (none).
            glued: Frames in the same write (none).

        Example:
            >>> from lomond.testing.alone import PretendDoor
            >>> def talk(peer):
            ...     yield from peer.upgrade(glued=say(1, b"hello").data)
            ...     yield End()
            >>> [event.name for _, event in PretendDoor(talk).play()][4:]
            ['text', 'disconnected']
        """
        yield from self.read_request()
        head = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_value(key_of(self.request)) + b"\r\n" + extra
        )
        yield Say(head + b"\r\n" + glued)

    def read_request(self) -> Talk:
        """Read the request.

        Example:
            >>> from lomond.testing.alone import PretendDoor
            >>> def talk(peer):
            ...     yield from peer.read_request()
            ...     print(peer.request.decode().splitlines()[0])
            ...     yield End()
            >>> events = PretendDoor(talk).play()
            GET / HTTP/1.1
        """
        while b"\r\n\r\n" not in self._rest:
            data = yield Hear()
            if not data:
                return
            self._rest += data
        self.request, _, self._rest = self._rest.partition(b"\r\n\r\n")

    def hear_frame(self) -> Generator[Action, bytes, Frame | None]:
        """The client's next frame; None if its stream ended.

        Example:
            >>> from lomond.testing.alone import PretendDoor
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     frame = yield from peer.hear_frame()
            ...     print(frame.opcode, frame.payload)
            ...     yield End()
            >>> def act(door, event):
            ...     if event.name == "ready":
            ...         door.send_text("hello")
            >>> events = PretendDoor(talk).play(act)
            1 b'hello'
        """
        while (frame := self.next_frame()) is None:
            data = yield Hear()
            if not data:
                return None
            self.add(data)
        return frame

    def hear_until(self, opcode: int) -> Generator[Action, bytes, Frame | None]:
        """The client's next frame of a kind, dropping others; None if its stream ended.

        Arguments:
            opcode: The kind, for example 8 for a close frame.

        Example:
            >>> from lomond.testing.alone import PretendDoor
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     frame = yield from peer.hear_until(8)
            ...     print(frame.payload[2:])
            ...     yield End()
            >>> def act(door, event):
            ...     if event.name == "ready":
            ...         door.close(1000, "done")
            >>> events = PretendDoor(talk).play(act)
            b'done'
        """
        while True:
            frame = yield from self.hear_frame()
            if frame is None or frame.opcode == opcode:
                return frame

    def hear_end(self) -> Talk:
        """Drop what comes until the client's stream ends.

        Example:
            >>> from lomond.testing.alone import PretendDoor
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     yield say(8, code=1000)
            ...     yield from peer.hear_end()
            >>> [event.name for _, event in PretendDoor(talk).play()][4:]
            ['closing', 'disconnected']
        """
        while (yield from self.hear_frame()) is not None:
            pass

    def add(self, data: bytes) -> None:
        """Take bytes that a script of its own has heard.

        Arguments:
            data: What a Hear was sent.

        Example:
            >>> from lomond.testing.alone import PretendDoor
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     peer.add((yield Hear()))
            ...     print(peer.next_frame())
            ...     yield End()
            >>> def act(door, event):
            ...     if event.name == "ready":
            ...         door.send_text("hello")
            >>> events = PretendDoor(talk).play(act)
            Frame(opcode=1, payload=b'hello', is_final=True)
        """
        self._rest += data

    def next_frame(self) -> Frame | None:
        """The client's next frame of the bytes that are here; None if there is no whole one.

        Example:
            >>> from lomond.testing.alone import PretendDoor
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     peer.add((yield Hear()))
            ...     print(peer.next_frame().payload)
            ...     print(peer.next_frame())
            ...     yield End()
            >>> def act(door, event):
            ...     if event.name == "ready":
            ...         door.send_text("hello")
            >>> events = PretendDoor(talk).play(act)
            b'hello'
            None
        """
        frame = self._cut_frame()
        if frame is not None:
            self.heard.append(frame)
        return frame

    def _cut_frame(self) -> Frame | None:
        data = self._rest
        if len(data) < 2:
            return None
        length, start = data[1] & 0x7F, 2
        if length > 125:
            start = 4 if length == 126 else 10
            length = int.from_bytes(data[2:start], "big")
        end = start + 4 + length
        if len(data) < end:
            return None
        self._rest = data[end:]
        payload = bytes(mask(data[start + 4 : end], data[start : start + 4]))
        return Frame(data[0] & frames.OPCODE_BITS, payload, bool(data[0] & frames.FIN))


def no_action(given: object) -> TypeError:
    """What to raise for what a script has yielded and is not to be done.

    Arguments:
        given: That.

    Example:
        >>> print(no_action("hello"))
        a script yields Say, Hear, Pause or End, not 'hello'; see say()
    """
    fix = "write 'yield from' before it" if isinstance(given, Generator) else "see say()"
    return TypeError(f"a script yields Say, Hear, Pause or End, not {given!r}; {fix}")


def key_of(request: bytes) -> bytes:
    """The Sec-WebSocket-Key of a request (RFC 6455 section 4.1); empty if it has none.

    Arguments:
        request: The head of the request, as `Peer.request` has it.

    Example:
        >>> key_of(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        b'dGhlIHNhbXBsZSBub25jZQ=='
    """
    found = _KEY.search(request)
    return b"" if found is None else found.group(1)


def say(opcode: int, payload: bytes = b"", code: int | None = None) -> Say:
    """A frame of the server, for `yield`.

    Arguments:
        opcode: 1 for a text, 2 for a binary, 8 for a close, 9 for a ping, 10 for a pong.
        payload: Its bytes (none); of a close frame, the reason.
        code: Of a close frame; None for none.

    Example:
        >>> say(1, b"hi").data.hex(" "), say(8, code=1000).data.hex(" ")
        ('81 02 68 69', '88 02 03 e8')
    """
    if code is not None:
        payload = code.to_bytes(2, "big") + payload
    return Say(frames.build(opcode, payload, None))
