"""What somebody types in a terminal: a text, or an order that begins with a slash."""

from __future__ import annotations

from typing import NamedTuple

#: Order -> what stands behind it, and what it does.
ORDERS = {
    "ping": ("[TEXT]", "ping the server; its answer is told"),
    "close": ("[CODE [WHY]]", "close, with 1000 unless you say"),
    "binary": ("FILE", "send a file as a binary message"),
    "stats": ("", "what went and came, latency, how long"),
    "help": ("", "this list"),
}
_KEYS = {
    "//TEXT": 'send a text that begins with "/"',
    "Alt-Enter": "another line of the same text",
    "Up, Ctrl-R": "what was sent before (not what begins with a space)",
    "Ctrl-D": "close",
    "Ctrl-C": "close; the second one ends at once",
}


class Order(NamedTuple):
    """What is asked for: ``name`` is "" for a text that is to be sent."""

    name: str
    rest: str


def read(typed: str) -> Order:
    """What was typed.

    Raises:
        ValueError: It begins as an order does, and is none.
    """
    if not typed.startswith("/"):
        return Order("", typed)
    if typed.startswith("//"):
        return Order("", typed[1:])
    name, _, rest = typed[1:].partition(" ")
    if name.strip() in ORDERS:
        return Order(name.strip(), rest.strip())
    said = f"/{name}".split("\n")[0]
    raise ValueError(f"{said} is no order, and was not sent; /help lists them, /{said} sends it")


def code_and_reason(rest: str) -> tuple[int, str]:
    """What stands behind ``/close``.

    Raises:
        ValueError: It does not begin with a number.
    """
    code, _, reason = rest.partition(" ")
    if code and not (code.isascii() and code.isdigit()):
        raise ValueError("/close takes a code before the reason, as /close 1000 why")
    return int(code or 1000), reason.strip()


def page(has_keys: bool) -> str:
    """The list of orders, and of keys where there is a line editor."""
    rows = {f"/{name} {what}".rstrip(): does for name, (what, does) in ORDERS.items()}
    keys = _KEYS if has_keys else {key: _KEYS[key] for key in ("//TEXT", "Ctrl-D", "Ctrl-C")}
    rows |= keys
    return "\n".join(f"{row:<20} {does}" for row, does in rows.items())
