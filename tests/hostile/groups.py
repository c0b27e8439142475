"""A hostile server: what servers and networks do wrong, as values, each with what a correct client
shows.

A new case goes into the module of its group; `server.py` runs it on a socket, the pretend door of
lomond.testing without one.
"""

from . import (
    closing,
    compression,
    control,
    floods,
    fragments,
    framing,
    heads,
    parts,
    slow,
    tcp,
    text,
    tls,
    upgrade,
)
from .case import Case

GROUPS: dict[str, list[Case]] = {
    "tcp": tcp.CASES,
    "tls": tls.CASES,
    "heads": heads.CASES,
    "upgrade": upgrade.CASES,
    "framing": framing.CASES,
    "fragments": fragments.CASES,
    "text": text.CASES,
    "control": control.CASES,
    "compression": compression.CASES,
    "closing": closing.CASES,
    "slow": slow.CASES,
    "floods": floods.CASES,
    "parts": parts.CASES,
}
