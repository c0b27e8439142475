"""What a WebSocket may be told, a row for each option; which attributes may be set, and to what.

What can't be is refused where it is given or set, and not looked at again: but for mappings and
CookieJars, which change in place. Options that depend on each other are looked at when a connection
is asked for: between two of them that are set, anything may stand.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TextIO, TypeVar, overload

from . import checks, constants, options
from .protocol.http.request import check_header, check_protocols
from .rows import Row, row, rows_of, table
from .system import socket_checks

if TYPE_CHECKING:
    import socket as socket_module
    import ssl
    from http.cookiejar import CookieJar

    from .payloads import Dumps, Loads

Held = TypeVar("Held")
Given = TypeVar("Given")

Headers = Mapping[str, str] | Callable[[], Mapping[str, str] | Awaitable[Mapping[str, str]]]
Login = tuple[str, str] | str | None
Auth = Login | Callable[[], Login | Awaitable[Login]]
Protocols = Iterable[str] | None
GivesUrl = Callable[[], str | Awaitable[str]]
GivesProtocols = Callable[[], Protocols | Awaitable[Protocols]]
Path = str | os.PathLike[str]
SocketOption = tuple[int, int, int | bytes]
#: A Recorder is called too.
Record = Path | TextIO | Callable[[Any], object]


class Kept(Generic[Held, Given]):
    """What type checkers take for an attribute that may be set to more than what it then is."""

    @overload
    def __get__(self, websocket: None, owner: type) -> Kept[Held, Given]: ...
    @overload
    def __get__(self, websocket: object, owner: type) -> Held: ...
    def __get__(self, websocket: object, owner: type) -> object:
        raise NotImplementedError

    def __set__(self, websocket: object, value: Given) -> None: ...


# Checks


def check_compress(_: Row, compress: Any) -> Any:
    """What the option says. That its library can't be had is said here, not in the loop."""
    asked = options.check_compress(compress)
    if asked is not None:
        from .compression import chosen_backend
        from .protocol.extensions.negotiation import offers

        chosen_backend()
        offers(asked)  # which loads what it needs
    return compress


def _agent(_: Row, value: Any) -> str:
    agent: str = constants.USER_AGENT if value in (None, "") else value
    check_header(b"User-Agent", checks.encoded_agent(agent))
    return agent


def _protocols(_: Row, value: Any) -> Any:
    if callable(value):
        return value
    return tuple(check_protocols([] if value is None else value))


def _headers(_: Row, value: Any) -> Any:
    if value is not None and not callable(value):
        for name, said in checks.encoded_headers(value):
            check_header(name, said)
    return value


def _cookies(_: Row, value: Any) -> Any:
    if value is not None:
        from .cookies import check

        check(value)
    return value


def _auth(_: Row, value: Any) -> Any:
    if value is not None:
        from .credentials import authorization  # also of a callable, which needs it later

        if not callable(value):
            authorization(value)
    return value


def _proxies(_: Row, value: Any) -> Any:
    if value is not None:
        from .proxies import check

        check(value)
    return value


def _decodes(one: Row, value: Any) -> Any:
    if value is None or callable(value):
        return value
    is_module = callable(getattr(value, one.name, None))
    like = f"{getattr(value, '__name__', 'it')}.{one.name}" if is_module else f"json.{one.name}"
    raise TypeError(f"{one.name} must be a callable, like {like}, not {value!r}")


def _records(one: Row, value: Any) -> Any:
    given: object = value
    is_path = isinstance(given, str | os.PathLike)
    if given is None or is_path or callable(given) or callable(getattr(given, "write", None)):
        return value
    raise TypeError(
        f"{one.name} must be a path, a text file, a callable or a lomond.records.Recorder, "
        f"not {value!r}"
    )


def _by(check: Callable[[Any], Any]) -> Callable[[Row, Any], Any]:
    """A check that raises for what can't be, and leaves the value as it is."""

    def checked(_: Row, value: Any) -> Any:
        check(value)
        return value

    return checked


def _path(one: Row, value: Any) -> Any:
    socket_checks.check_file(one.name, value)
    return value


def _context(one: Row, value: Any) -> Any:
    socket_checks.check_context(value, one.name)
    return value


def _truststore(_: Row, value: Any) -> Any:
    socket_checks.check_truststore(value, None)
    return value


@table(owner="WebSocket()")
class Options(options.LimitOptions, options.TimeOptions):  # a table's own rows come last
    """The options of a WebSocket. The first nine may be given by their place."""

    __slots__ = ()

    url: Kept[str, str | GivesUrl] = row(
        kw_only=False, group="Where to", also=("uri",), given="str | GivesUrl",
        doc="``ws://`` or ``wss://``. ``http://``, ``https://`` mean the same. Or a callable that "
        "gives it: like those of `headers`, `auth` and `protocols` it is called without arguments "
        "for each attempt, after Connecting, within `open_timeout`, by whoever iterates (so one "
        "that blocks keeps a whole group waiting). With an AsyncWebSocket or TrioWebSocket it may "
        "be a coroutine function, which the task that iterates awaits. `websocket.ending` tells it "
        "how the last connection ended, None the first time. What it raises is a ConnectFail, with "
        "the phase \"credentials\". The attribute `url` is then what it gave last, None before.",
    )  # fmt: skip
    proxies: Mapping[str, str | None] | None = row(
        default=None, check=_proxies, kw_only=False, group="Where to", also=("proxy",),
        doc='A mapping: ``"https"`` (or ``"wss"``) for wss://, ``"http"`` (or ``"ws"``) for ws://, '
        '``"all"`` for both, each the URL of a proxy: ``http://``, ``https://``, '
        "``socks4://``, ``socks4a://``, ``socks5://`` or ``socks5h://``, with user and password "
        'if it wants them; ``"no"`` for hosts that are reached without, as in ``no_proxy``. No '
        "other key. None for what the environment says now (``https_proxy``, ``no_proxy``, ...); "
        "an empty one for no proxy.",
    )  # fmt: skip
    protocols: Kept[tuple[str, ...], Protocols | GivesProtocols] = row(
        default=None, check=_protocols, kw_only=False, group="What is asked for",
        given="Protocols | GivesProtocols", also=("subprotocols", "sub_protocols"),
        doc="Sub-protocols to offer, the preferred first; or a callable that gives them, as for "
        "`url`.",
    )  # fmt: skip
    agent: Kept[str, str | None] = row(
        default=None, check=_agent, kw_only=False, group="What is asked for",
        given="str | None", also=("user_agent", "user_agent_header"),
        doc="``User-Agent`` header; None for lomond's own.",
    )  # fmt: skip
    compress: bool | options.Deflate = row(
        default=False, check=check_compress, kw_only=False, group="What is asked for",
        also=("compression", "deflate"),
        doc="Whether to offer compression; or a `lomond.Deflate` that says how.",
    )  # fmt: skip
    ssl_verify: bool = row(
        default=True, check=checks.flag, kw_only=False, group="TLS", also=("verify", "verify_ssl"),
        doc="Whether the server's certificate and name are checked.",
    )  # fmt: skip
    ssl_cafile: Path | None = row(
        default=None, check=_by(socket_checks.check_cafile), kw_only=False, group="TLS",
        also=("cafile", "ca_certs"),
        doc="PEM file of the certificates to trust, or a directory of such files, which must be "
        "there; None for the system's.",
    )  # fmt: skip
    ssl_context: ssl.SSLContext | None = row(
        default=None, check=_context, kw_only=False, group="TLS",
        also=("ssl", "sslopt", "ssl_options"),
        doc="Used as it is, instead of all that begins with ``ssl_``, and for every server to "
        "which a redirect leads.",
    )  # fmt: skip
    trace: object = row(
        default=None, kw_only=False, group="What is told", also=("enable_trace",),
        doc="Called with a dict at each stage of a connection; another true value logs them.",
    )  # fmt: skip
    record: Record | None = row(
        default=None, check=_records, group="What is told", also=("log", "logfile", "recorder"),
        doc="Where all that is said and heard is written, as JSON Lines without secrets: a path "
        "(appended to), a text file, a callable that gets a dict for each line, or a "
        "`lomond.records.Recorder`. Of each connection as it is at its `connect`.",
    )  # fmt: skip
    loads: Loads | None = row(
        default=None, check=_decodes, group="JSON", also=("json_loads", "decoder"),
        doc="What `json` of a text calls with its ``str``, like ``orjson.loads``; None for "
        "``json.loads``. Of each connection as it is at its `connect`.",
    )  # fmt: skip
    dumps: Dumps | None = row(
        default=None, check=_decodes, group="JSON", also=("json_dumps", "encoder"),
        doc="What `send_json` calls with the object, like ``orjson.dumps``; it gives a str, or "
        "bytes of UTF-8. None for json's in compact UTF-8, which refuses NaN.",
    )  # fmt: skip
    headers: Headers | None = row(
        default=None, check=_headers, group="What is asked for",
        also=("header", "additional_headers", "extra_headers"),
        doc="Further request headers: a mapping of str to str, or a callable that gives one for "
        "each attempt (for tokens that expire), as for `url`.",
    )  # fmt: skip
    origin: str | None = row(
        default=None, check=_by(checks.check_origin), group="What is asked for",
        doc="``Origin`` header, like ``https://example.org``; None for none.",
    )  # fmt: skip
    cookies: Mapping[str, str] | CookieJar | None = row(
        default=None, check=_cookies, group="Who you are", also=("cookie", "cookie_jar"),
        doc="A mapping of str to str; or an ``http.cookiejar.CookieJar``, which also gets those "
        "that a server sets.",
    )  # fmt: skip
    auth: Auth = row(
        default=None, check=_auth, group="Who you are", also=("http_auth",),
        doc="``(user, password)`` for Basic, a str for a bearer token; None for the user and "
        "password of the URL, if it has them. Or a callable that gives one of these, as for `url`.",
    )  # fmt: skip
    max_redirects: int = row(
        default=0, check=checks.whole, most=options.MAX_REDIRECTS, group="Where to",
        doc="How many redirects are followed, 0 to 20. None from wss:// to ws://; to another "
        "origin go neither `headers`, `add_header`, `auth` nor a mapping of cookies.",
        then="`rejected`; the response has the Location",
    )  # fmt: skip
    ssl_certfile: Path | None = row(
        default=None, check=_path, group="TLS", also=("certfile",),
        doc="PEM file of our certificate, for a server that asks who we are.",
    )  # fmt: skip
    ssl_keyfile: Path | None = row(
        default=None, check=_path, group="TLS", also=("keyfile",),
        doc="PEM file of its key, if that is not in the same file.",
    )  # fmt: skip
    ssl_password: str | None = row(
        default=None, check=_by(socket_checks.check_password), group="TLS", also=("password",),
        doc="What the key is encrypted with.",
    )  # fmt: skip
    truststore: bool = row(
        default=False, check=_truststore, group="TLS",
        doc="Whether the operating system judges certificates, by truststore.",
    )  # fmt: skip
    proxy_ssl_context: ssl.SSLContext | None = row(
        default=None, check=_context, group="TLS", also=("proxy_ssl",),
        doc="As `ssl_context`, for TLS with an ``https://`` proxy.",
    )  # fmt: skip
    server_name: str | None = row(
        default=None, check=_by(socket_checks.check_server_name), group="TLS",
        also=("server_hostname", "sni"),
        doc="Whose certificate is expected, if not the URL's host's.",
    )  # fmt: skip
    socket: socket_module.socket | None = row(
        default=None, check=_by(socket_checks.check_socket), group="Sockets", also=("sock",),
        doc="A connected socket to use instead of connecting one; another one is refused at once.",
    )  # fmt: skip
    unix_socket: Path | None = row(
        default=None, check=_by(socket_checks.check_unix_socket), group="Sockets",
        also=("unix",),
        doc="Path of a Unix socket to connect to instead of the URL's host.",
    )  # fmt: skip
    source_address: tuple[str, int] | None = row(
        default=None, check=lambda _, value: socket_checks.check_source_address(value),
        group="Sockets", also=("local_addr", "bind_address"),
        doc="``(address, port)`` to connect from; port 0 for any.",
    )  # fmt: skip
    socket_options: Kept[tuple[SocketOption, ...], Iterable[SocketOption]] = row(
        default=(), check=lambda _, value: socket_checks.check_socket_options(value),
        group="Sockets", given="Iterable[SocketOption]", also=("sockopt",),
        doc="Tuples for ``setsockopt``, set before connecting; TCP_NODELAY is on.",
    )  # fmt: skip
    tcp_keepalive: float | None = row(
        default=None, check=_by(socket_checks.check_keepalive), group="Sockets",
        also=("keepalive",),
        doc="Seconds without traffic after which the system probes the peer; None: off.",
    )  # fmt: skip


#: What may be a callable that is asked for each attempt, in this order.
ASKED = ("url", "headers", "auth", "protocols")

_PLACE = ("url", "scheme", "host", "port", "resource")

LIMITS = frozenset(rows_of(options.LimitOptions))
TIMES = frozenset(rows_of(options.TimeOptions))
#: The options of a WebSocket; what limits it comes last.
ROWS = dict(sorted(rows_of(Options).items(), key=lambda item: item[0] in LIMITS | TIMES))
_GROUPS = (
    "Where to", "What is asked for", "Who you are", "TLS", "Sockets", "Time", "Limits",
    "JSON", "What is told",
)  # fmt: skip
#: The same in the order in which people read of them.
BY_GROUP = dict(sorted(ROWS.items(), key=lambda item: _GROUPS.index(item[1].group)))
#: Those that are attributes of their own: name -> what they are if they are not given.
PLAIN = {
    name: one.default
    for name, one in ROWS.items()
    if name not in LIMITS | TIMES | {"url", "ssl_password"}
} | {"protocols": (), "agent": constants.USER_AGENT}
#: What `connect` is told, and a WebSocket does not keep.
CONNECT = tuple(rows_of(options.ConnectOptions))
NAMES = frozenset([*ROWS, *_PLACE])


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
    one = ROWS.get(name)
    if one is not None:
        return one.check(one, value)
    if not hasattr(websocket, name) and not _is_announced(websocket, name):
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
