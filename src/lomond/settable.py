"""Which options may be set on a WebSocket, what each may be, which names are none; deep copies.

What can't be is refused where it is set. Options that depend on each other are looked at when a
connection is asked for: between two of them that are set, anything may stand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from . import constants, options
from .io import given
from .protocol.http.request import check_header, check_protocols

T = TypeVar("T")

#: What `connect` is told, and a WebSocket does not keep.
CONNECT = ("poll", "ping_rate", "ping_timeout", "auto_pong", "close_timeout")
TIMES = ("open_timeout", "send_timeout", "frame_timeout")
_PLACE = ("url", "scheme", "host", "port", "resource")


def check_compress(compress: object) -> options.Deflate | None:
    """What the option asks for. That its library can't be had is said here, not in the loop."""
    deflate = options.check_compress(compress)
    if deflate is not None:
        from .compression import chosen_backend

        chosen_backend()
    return deflate


def _agent(value: Any) -> str:
    agent: str = constants.USER_AGENT if value in (None, "") else value
    check_header(b"User-Agent", options.encoded_agent(agent))
    return agent


def _headers(value: Any) -> None:
    if value is not None and not callable(value):
        for name, said in options.encoded_headers(value):
            check_header(name, said)


def _cookies(value: Any) -> None:
    if value is not None:
        from .cookies import check

        check(value)


def _auth(value: Any) -> None:
    if value is not None:
        from .credentials import authorization

        authorization(value)


def _proxies(value: Any) -> None:
    if value is not None:
        from .proxies import check

        check(value)


def _limits(value: Any) -> None:
    if not isinstance(value, options.Limits):
        raise TypeError(f"limits must be Limits, not {value!r}; set max_message_size and the like")


def _anything(value: object) -> None:
    pass


#: name -> raises for what can't be
_CHECKS: dict[str, Callable[[Any], object]] = {
    "proxies": _proxies,
    "compress": check_compress,
    "ssl_verify": lambda value: options.check_flag("ssl_verify", value),
    "ssl_cafile": given.check_cafile,
    "ssl_context": given.check_context,
    "trace": _anything,
    "headers": _headers,
    "origin": options.check_origin,
    "cookies": _cookies,
    "auth": _auth,
    "max_redirects": lambda value: options.check_range(
        "max_redirects", value, 0, options.MAX_REDIRECTS
    ),
    "ssl_certfile": lambda value: given.check_file("ssl_certfile", value),
    "ssl_keyfile": lambda value: given.check_file("ssl_keyfile", value),
    "truststore": lambda value: given.check_truststore(value, None),
    "proxy_ssl_context": lambda value: given.check_context(value, "proxy_ssl_context"),
    "server_name": given.check_server_name,
    "socket": given.check_socket,
    "unix_socket": given.check_unix_socket,
    "source_address": given.check_source_address,
    "tcp_keepalive": given.check_keepalive,
    "limits": _limits,
}
#: name -> what is kept of what is given
_KEPT: dict[str, Callable[[Any], object]] = {
    "protocols": lambda value: check_protocols([] if value is None else value),
    "agent": _agent,
    "socket_options": given.check_socket_options,
}
NAMES = frozenset(
    [*_CHECKS, *_KEPT, *_PLACE, *TIMES, *options.Limits.__match_args__, "ssl_password"]
)


class Part(Generic[T]):
    """An option that is a part of a value which does not change: to set it makes another value.

    Arguments:
        whole: The attribute that holds the value.
    """

    def __init__(self, whole: str) -> None:
        self._whole = whole
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, websocket: Any, owner: type | None = None) -> T:
        whole = self if websocket is None else getattr(getattr(websocket, self._whole), self._name)
        return cast("T", whole)

    def __set__(self, websocket: Any, value: T) -> None:
        whole = getattr(websocket, self._whole)
        fields = {name: getattr(whole, name) for name in whole.__match_args__}
        setattr(websocket, self._whole, type(whole)(**fields | {self._name: value}))


def checked(websocket: type, name: str, value: Any) -> Any:
    """What is kept where the attribute is set.

    Arguments:
        websocket: The class of whose instance.
        name: Of the attribute.
        value: What it is set to.

    Raises:
        TypeError, ValueError, ImportError: It is an option, and can't be that.
        AttributeError: The name is one of `connect`'s, or one slip away from an option's.
    """
    keep = _KEPT.get(name)
    if keep is not None:
        return keep(value)
    check = _CHECKS.get(name)
    if check is not None:
        check(value)
    elif not hasattr(websocket, name) and not _is_announced(websocket, name):
        _refuse_slip(name)  # what a class has, or says that it will have, is meant
    return value


def check_deep(websocket: Any) -> None:
    """Raise TypeError, naming it, where an option has no deep copy and no pickle."""
    for name in ("ssl_context", "proxy_ssl_context", "socket", "cookies"):
        value = getattr(websocket, name)
        # A jar's class may be copied; CPython's own has a lock.
        if value is not None and not (name == "cookies" and _can_be_pickled(value)):
            raise TypeError(
                f"a {type(websocket).__name__} with {name}= can't be copied deeply or pickled; "
                "use copy.copy, or make another where you need it"
            )


def _can_be_pickled(value: object) -> bool:
    import pickle

    try:
        pickle.dumps(value)
    except Exception:
        return False
    return True


def _is_announced(websocket: type, name: str) -> bool:
    return any(name in vars(kind).get("__annotations__", ()) for kind in websocket.__mro__)


@lru_cache(maxsize=256)  # a user may count messages in one
def _refuse_slip(name: str) -> None:
    for meant in (*CONNECT, *NAMES):
        how = f"{meant} is told to each connection: websocket.connect({meant}=...)"
        if name == meant:
            raise AttributeError(how)
        if is_one_edit(name, meant):
            raise AttributeError(
                f"a WebSocket has no {name!r}; did you mean {meant!r}? "
                f"{how + '. ' if meant in CONNECT else ''}"
                f"If {name!r} is yours, declare it: class Mine(WebSocket): {name}: object"
            )


def is_one_edit(name: str, other: str) -> bool:
    """Whether one letter more, less or other, or two exchanged, make one the other."""
    if len(name) > len(other):
        name, other = other, name
    if len(other) - len(name) > 1 or name == other:
        return False
    at = 0
    while at < len(name) and name[at] == other[at]:
        at += 1
    if len(name) < len(other):
        return name[at:] == other[at + 1 :]
    if name[at + 1 :] == other[at + 1 :]:
        return True
    is_exchange = name[at : at + 2] == other[at + 1 : at + 2] + other[at : at + 1]
    return is_exchange and name[at + 2 :] == other[at + 2 :]
