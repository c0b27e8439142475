"""TCP to each address by itself: one that is broken hides behind another, and costs time."""

from __future__ import annotations

import errno
import socket
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ...session.causes import words
from ...system.connecting import address_of
from .. import exits
from .allowance import Beside
from .name import way_without

if TYPE_CHECKING:
    from ...session.requests import AddressInfo
    from .case import Case

PATIENCE = 5.0  # seconds for each address; they are asked at the same time
_SLACK = 2.0  # seconds, in which a thread is to notice that
_MOST = 20  # addresses
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)


class Tried(NamedTuple):
    """What became of one address."""

    address: str
    seconds: float
    error: OSError | ValueError | None


def reach(case: Case, addresses: list[AddressInfo]) -> bool:
    """Say of each address whether TCP gets there; whether it does to one."""
    tried = try_each(addresses[:_MOST], case.allowance.of(PATIENCE))
    reached = [one for one in tried if one.error is None]
    for one in tried:
        if one.error is None:
            case.report.ok("tcp", one.address, seconds=one.seconds)
            continue
        said, advice = _explained(one.error)
        measured = f"{one.address}: {said}"
        if reached:
            advice = f"{advice}; {reached[0].address} works, {_beside(one.error)}"
            case.report.warn("tcp", measured, advice, one.seconds)
            continue
        if case.proxy is not None:
            advice = f"{advice}; {way_without(case.proxy)}"
        case.fail("tcp", measured, advice, exits.UNREACHABLE, one.seconds)
    return bool(reached)


def try_each(addresses: list[AddressInfo], seconds: float) -> list[Tried]:
    """What becomes of a connection to each, in so many seconds."""
    running = [(info, Beside(partial(_connect, info, seconds))) for info in addresses]
    tried: list[Tried] = []
    for info, beside in running:
        result, took = beside.result(seconds + _SLACK)
        error = result if isinstance(result, Exception) else None
        tried.append(Tried(address_of(info), took, error))
    return tried


def _connect(info: AddressInfo, seconds: float) -> None:
    family, kind, protocol, _, where = info
    with socket.socket(family, kind, protocol) as connection:
        connection.settimeout(seconds)
        connection.connect(where)


def _beside(error: OSError | ValueError) -> str:
    """What it means that another address works."""
    if getattr(error, "errno", None) in _NO_ROUTE:
        return "and clients here go on to it at once"
    return (
        "but clients that try this one first lose time: repair it, or take its address out of the "
        "DNS"
    )


def _explained(error: OSError | ValueError) -> tuple[str, str]:
    """What happened there, and what to do."""
    number = getattr(error, "errno", None)
    if isinstance(error, TimeoutError):
        return (
            "no answer at all: filtered",
            "a firewall drops what is sent there, or nothing has that address: open the port, or "
            "go through a --proxy",
        )
    if isinstance(error, ConnectionRefusedError):
        return words(error), "nobody listens there: start the server, or look at the port"
    if number in _NO_ROUTE:
        return words(error), "this machine has no way to there (to IPv6?): look at its network"
    return words(error), "look at this machine's network and its firewall"
