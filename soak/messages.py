"""Messages with an id and a checksum, and what came back of them."""

from __future__ import annotations

import random
from zlib import crc32

_POOL = 1 << 21  # bytes
_WORDS = ("price", "volume", "Grüße", '{"a": 1}', "€", "0.25", "true", "buy")


class Maker:
    """Makes messages.

    Arguments:
        chance: Decides of what, and how large.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._bytes = chance.randbytes(_POOL)
        self._text = " ".join(chance.choices(_WORDS, k=_POOL // 5))

    def make(self, connection: int, sender: int, number: int) -> str | bytes:
        """A message that nobody else sends: text or binary."""
        chance = self._chance
        at, size = chance.randrange(_POOL // 2), self._size()
        head = f"{connection} {sender} {number}"
        if chance.random() < 0.5:
            text = self._text[at : at + size]
            return f"{head} {checksum(head.encode(), text.encode())} {text}"
        body = self._bytes[at : at + size]
        return f"{head} {checksum(head.encode(), body)} ".encode() + body

    def _size(self) -> int:
        chance = self._chance
        kind = chance.random()
        if kind < 0.97:
            return chance.randrange(300)
        if kind < 0.995:
            return chance.randrange(300, 5000)
        if kind < 0.999:
            return chance.randrange(5000, 80_000)
        return chance.randrange(80_000, 600_000)


def checksum(head: bytes, body: bytes) -> int:
    """Over all of a message."""
    return crc32(body, crc32(head))


class Ledger:
    """What one connection has sent, and what came back.

    Each sender's messages must come back in their order: the connection is one stream of bytes,
    and so is the server's echo.

    Arguments:
        connection: Its number.
        senders: How many threads send.
    """

    def __init__(self, connection: int, senders: int) -> None:
        self.connection = connection
        self.accepted = [0] * senders  # send_* returned
        self.tried = [0] * senders
        self.echoed = [0] * senders
        self.wrong: list[str] = []

    def echo(self, message: str | bytes) -> None:
        """A message has come."""
        raw = message.encode() if isinstance(message, str) else message
        try:
            connection, sender, number, said, body = raw.split(b" ", 4)
            is_whole = checksum(b" ".join((connection, sender, number)), body) == int(said)
            who, which = int(sender), int(number)
        except ValueError:
            self.wrong.append(f"unreadable: {raw[:60]!r}")
            return
        if not is_whole:
            self.wrong.append(f"checksum: {raw[:60]!r}")
        elif int(connection) != self.connection:
            self.wrong.append(f"of another connection: {raw[:60]!r}")
        elif which != self.echoed[who]:
            kind = "twice" if which < self.echoed[who] else "gap"
            self.wrong.append(f"{kind}: {which} where {self.echoed[who]} was due")
        elif which >= self.tried[who]:
            self.wrong.append(f"never sent: {which}")
        else:
            self.echoed[who] += 1

    def is_even(self) -> bool:
        """Whether all that was accepted has come back."""
        return sum(self.echoed) >= sum(self.accepted)
