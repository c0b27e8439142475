"""How each field that threads share is guarded; where it is read without, why that is harmless.

Whoever adds a field says it here. Of what is not made of such fields, ARCHITECTURE.md tells.
"""

from __future__ import annotations

from typing import Any

import pytest

from lomond.io.channel import Channel
from lomond.io.link import Link
from lomond.io.reading import Reader
from lomond.io.transport import Transport
from lomond.io.waiting import Wakeup
from lomond.io.writing import Writer

LOCK = "Link.lock"
READ_TURN = "the read turn"
WRITE_TURN = "the write turn"
LOOP = "belongs to the thread that iterates"
CONNECTING = "set by the thread that iterates, while it connects"
FIXED = "never changes"

UNSET = "a sender takes one that is set; before that it holds its message or wakes nobody"
AGAIN = "who acts on it looks again under the lock"
HINT = "a send goes the other way, a wait costs a second system call"

#: Fields, their guard, and why it is harmless to read them without.
GUARDS: dict[Any, list[tuple[str, str, str]]] = {
    Link: [
        ("session connection output born counts_turns is_traced _traced", FIXED, ""),
        ("transport wakeup lock is_owned", CONNECTING, UNSET),
        ("is_over is_clear", LOCK, AGAIN),
        ("is_wanted is_idle", LOOP, HINT),
        (
            "calm_until",
            "set under the lock by the loop, by anyone without it",
            "a wake-up that is overwritten still ends the wait, 20 ms late at most",
        ),
        (
            "is_in_use",
            LOOP,
            "whoever ends the connection sets is_over and then looks at it; this thread does it "
            "the other way round",
        ),
        ("_reports", "one append, one pop (next_of)", "none is handed out twice"),
    ],
    Channel: [
        ("link session read _reader _writer", FIXED, ""),
        ("_waiter", CONNECTING, UNSET),
        ("_due look_at _writes _may_wait _calm", LOOP, ""),
        ("_deferred", "one append, one pop (next_of)", "none is handed out twice"),
    ],
    Reader: [
        ("_link _calm_frame _turn", FIXED, ""),
        ("_ahead _has_ended", LOCK, "a sender reads once more, or once less"),
    ],
    Writer: [
        ("_link _reader", FIXED, ""),
        ("_owner", LOCK, 'only "is it mine", which no other thread can change'),
        (
            "_gates",
            "added to under Link.lock; one pop (next_of)",
            "none is opened twice; one that nobody waits at any more is opened in vain",
        ),
    ],
    Transport: [
        ("sock may_wait sends_at_once _wire", FIXED, ""),
        (
            "queue",
            "append and the length under the lock; taken from by the write turn's holder",
            "what the holder has in hand is in neither: written tells",
        ),
        ("queued has_tls _layers write_ended", LOCK, ""),
        ("written", WRITE_TURN, "seen late, the loop comes again: the holder wakes it"),
        ("_at_once is_full", READ_TURN, ""),
    ],
    Wakeup: [
        ("_receiver _sender", "the _guard of it", ""),
        ("_guard", FIXED, ""),
    ],
}


@pytest.mark.parametrize("kind", GUARDS)
def test_every_shared_field_has_a_guard(kind: Any) -> None:
    known = [name for names, _, _ in GUARDS[kind] for name in names.split()]
    assert sorted(known) == sorted(set(kind.__slots__) - {"__weakref__"})
