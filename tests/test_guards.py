"""How each field that threads share is guarded; where it is read without, why that is harmless.

Whoever adds a field says it here. Of what is not made of such fields, ARCHITECTURE.md tells.
"""

from __future__ import annotations

from typing import Any

import pytest

from lomond.io.guarded import Guarded
from lomond.io.inward import Inward
from lomond.io.shared import Shared
from lomond.io.turns import Turn
from lomond.system.pipe import Pipe

LOCK = "Guarded.lock"
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
    Inward: [  # of a Shared one
        (
            "session connection output _counts_turns _calm_frame _is_handled _notable journal "
            "_with_parts",
            FIXED,
            "",
        ),
        ("pipe", CONNECTING, UNSET),
        (
            "wakeup",
            "set by the thread that iterates, before it looks whether to wait",
            "one that is leased to another wait by now ends that in vain",
        ),
        ("is_over", LOCK, AGAIN),
        ("is_foreign", "set once, in a child, by its only thread", ""),
        (
            "calm_until",
            "set under the lock by the loop, by anyone without it",
            "a wake-up that is overwritten still ends the wait, 20 ms late at most",
        ),
        (
            "is_in_use",
            LOOP,
            "whoever ends the connection sets is_over and then looks at it, as who wakes does, who "
            "has changed something; this thread does it the other way round",
        ),
        ("look_at _until _writes _calm", LOOP, ""),
        ("_at_once is_full", READ_TURN, "a read of another size"),
        ("_looked_at _delay _seen", READ_TURN, "a pause that a sender's read ended is told of"),
        ("_ahead _has_ended", LOCK, "a sender reads once more, or once less"),
    ],
    Guarded: [
        ("_read_turn _write_turn", FIXED, ""),
        ("message_turn", LOCK, "one that nobody has had yet has no owner either"),
        ("lock is_owned", CONNECTING, UNSET),
        ("is_clear", LOCK, AGAIN),
        ("is_wanted", LOOP, HINT),
        ("attend", LOOP, "who waits with a write calls it; it looks whose thread that is"),
        ("_deferred", "one append, one pop (next_of)", "none is handed out twice"),
    ],
    Shared: [
        ("_is_freed", LOCK, "it only becomes true; what is left twice is closed already"),
        ("_waiter", CONNECTING, UNSET),
        ("_leased", "one append, one pop (next_of)", "none is given back twice"),
        ("_may_wait", LOOP, ""),
        ("is_idle", LOOP, HINT),
        ("thread", "set by the thread that iterates", 'only "is it mine"'),
    ],
    Turn: [
        ("owner", LOCK, 'only "is it mine", which no other thread can change'),
        (
            "_gates",
            "added to under the lock; one pop (next_of)",
            "none is opened twice; one that nobody waits at any more is opened in vain",
        ),
    ],
    Pipe: [
        ("sock may_wait sends_at_once wire", FIXED, ""),
        (
            "queue",
            "append and the length under the lock; taken from by the write turn's holder",
            "what the holder has in hand is in neither: written tells",
        ),
        ("queued layers write_ended handed", LOCK, ""),
        ("received", READ_TURN, "seen late, by who asks what was carried"),
        ("_is_closed", LOCK, "it only becomes true; a closed socket is closed again in vain"),
        ("written", WRITE_TURN, "seen late, the loop comes again: the holder wakes it"),
    ],
}


@pytest.mark.parametrize("kind", GUARDS)
def test_every_shared_field_has_a_guard(kind: Any) -> None:
    known = [name for names, _, _ in GUARDS[kind] for name in names.split()]
    assert sorted(known) == sorted(set(kind.__slots__) - {"__weakref__"})
