"""What the exit status of the command means, and an ending in the command's own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ending import Ending

DONE = 0
CLOSED = 1
USAGE = 2
UNREACHABLE = 3
REFUSED = 4
LOST = 5
PROTOCOL = 6
TIMED_OUT = 7
OUTPUT = 8
INTERRUPTED = 130
TERMINATED = 143

#: For people: ``--help`` shows them.
MEANINGS = {
    DONE: "done",
    CLOSED: "closed with another code",
    USAGE: "usage",
    UNREACHABLE: "unreachable",
    REFUSED: "refused",
    LOST: "lost or unresponsive",
    PROTOCOL: "protocol or size",
    TIMED_OUT: "--timeout",
    OUTPUT: "output",
    INTERRUPTED: "Ctrl-C",
    TERMINATED: "SIGTERM",
}
_BY_KIND = {
    "rejected": REFUSED,
    "unreachable": UNREACHABLE,
    "resources": UNREACHABLE,
    "credentials": USAGE,
    "lost": LOST,
    "unresponsive": LOST,
    "protocol": PROTOCOL,
}
#: The library's options -> what the command calls them.
_OPTIONS = {
    "proxies={}": "--no-proxy",
    "proxies": "--proxy",
    "max_redirects": "--max-redirects",
    "protocols": "--protocol",
    "compress": "--compress",
    "headers": "-H",
    "origin": "--origin",
    "cookies": "--cookie",
    "auth": "--auth",
    "ssl_verify=False": "--insecure",
    "ssl_verify": "--insecure",
    "ssl_cafile": "--ca",
    "ssl_certfile": "--cert",
    "ssl_keyfile": "--key",
    "unix_socket": "--unix",
    "open_timeout": "--timeout",
    "max_message_size": "--max-size",
    "ping_rate": "--ping",
    "ping_timeout": "--ping",
}
#: What the library adds for those who call it.
_FOR_PROGRAMS = re.compile(
    r"; no attempt can succeed until [^;]*?: persist\(\) waits max_wait before each"
    r"| \((?!open_|ping_)\w+_timeout\)"
)
_OPTION = re.compile(
    r"(?<![\w-])(?:(proxies=\{\}|ssl_verify=False)|(\w+_\w+)(?:=(?![\w\"'(\[{]))?"
    r"|(\w+)=(?![\w\"'(\[{]))"
)


def status_of(ending: Ending) -> int:
    """The exit status for how a connection ended."""
    if ending.kind == "closed":
        is_done = ending.by == "client" or not ending.is_failure
        return DONE if is_done else CLOSED
    if ending.kind == "timed_out":
        return TIMED_OUT if ending.deadline == "open_timeout" else LOST
    return _BY_KIND.get(ending.kind, DONE)


def advice(words: object) -> str:
    """What the library says, with the command's options instead of its own."""
    return _OPTION.sub(_named, _FOR_PROGRAMS.sub("", str(words)))


def _named(found: re.Match[str]) -> str:
    name = found[1] or found[2] or found[3]
    return _OPTIONS.get(name, found[0])
