"""``lomond doctor URL``: what stands between this machine and a WebSocket, one line a check."""

from __future__ import annotations

from collections.abc import Sequence

from .. import arguments, exits
from . import case, here, idle, name, opening, talk, way
from .allowance import OverdueError

_USAGE = "[OPTIONS] URL"
_ABOUT = """\
Looks at the way to a WebSocket, step by step: the URL, the proxy, the name,
TCP to each address, TLS, the upgrade, pings, the close; and at this machine.
Each line says ok, warn or FAIL, what was measured, and what to do. Compression
is always offered. It sends no message."""
_END = """\
exit status: 0 done, warnings too, 1 closed by the server but by 1000 or 1001,
2 usage, 3 name, TCP, TLS or proxy, 4 refused, 5 lost or unresponsive, 6
protocol or size, 7 --timeout, 130 Ctrl-C"""


def parser() -> arguments.Parser:
    """What reads its arguments."""
    made = arguments.Parser("doctor", _USAGE, _ABOUT, _END)
    arguments.add_connection(made)
    arguments.add_timeout(made, "S seconds in all")
    made.add_argument("--idle", type=arguments.seconds, metavar="S", help="try idling so long")
    made.add_argument("--jsonl", action="store_true", help="lines of JSON")
    return made


def run(given: Sequence[str]) -> int:
    """Examine it; the exit status."""
    reads = parser()
    the = case.Case(reads, reads.parse_args(given))
    try:
        _examine(the)
    except OverdueError as late:
        the.report.fail("timeout", f"{late}", "give it more with --timeout", exits.TIMED_OUT)
    here.tell(the)
    the.report.end()
    return the.report.status


def _examine(the: case.Case) -> None:
    """One check after another; ends where nothing more can be said."""
    name.tell_url(the)
    name.tell_proxy(the)
    if the.given.unix is None:
        addresses = name.resolve(the)
        if not addresses or not way.reach(the, addresses):
            return
    opened = opening.opened(the)
    if not opening.tell(the, opened):
        return
    talk.tell(the, opened)
    if the.given.idle is not None:
        idle.tell(the)
