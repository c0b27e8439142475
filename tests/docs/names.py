"""The names of a page, wherever a process of it looks one up.

This module imports nothing of lomond: the sitecustomize of a page's processes is this one.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

#: The variable that tells them: the JSON object of ``name`` or ``name:port`` -> port of 127.0.0.1.
NAMES = "PAGE_NAMES"
known = socket.getaddrinfo


def look_up(host: Any, port: Any, *given: Any, **named: Any) -> Any:
    """What getaddrinfo gives, where the page's names lead to this machine."""
    ports: dict[str, int] = json.loads(os.environ[NAMES])
    name = host.decode() if isinstance(host, bytes) else str(host)
    flags: int = named.get("flags", given[3] if len(given) > 3 else 0)
    if flags & socket.AI_NUMERICHOST:  # whoever asks wants to know whether it is an address
        return known(host, port, *given, **named)
    led = ports.get(f"{name}:{port}", ports.get(name))
    if led is not None or name == "localhost":  # which not every machine knows
        return known("127.0.0.1", led or port, *given, **named)
    if name.endswith(".example"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return known(host, port, *given, **named)


if NAMES in os.environ:
    socket.getaddrinfo = look_up
