"""What every kind of WebSocket is made of: its options, and what they say of the connection.

Decides nothing about the protocol.
"""

# pyright: reportPrivateUsage=false
# What users do not see of a WebSocket, the functions below do for the rest of the package.

from __future__ import annotations

import os
import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, cast

from . import options, rows, settable
from .checks import is_coroutine_function
from .fixed import putter
from .place import Place, moved, placed
from .protocol.http.request import check_header
from .system import socket_checks
from .url import Url, userinfo

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from .proxies import Proxy
    from .session.requests import AddressInfo

__all__ = ["Base"]

_HAS_SETTINGS = sys.platform in ("darwin", "win32")  # of the system, for proxies
_LIMITS = options.Limits()
_TIMING = options.Timing()
_CERTIFICATE = frozenset({"ssl_certfile", "ssl_keyfile", "ssl_password"})


class _Given:
    """What was given, or set, of the options in `settable.PLAIN`; its class has the defaults."""

    def copy(self) -> _Given:
        """Another one, to which nothing set later gets."""
        other = _Given()
        vars(other).update(vars(self))
        return other


for _name, _default in settable.PLAIN.items():
    setattr(_Given, _name, _default)


class Base(settable.Options):
    """The options of a WebSocket, which `settable` declares.

    They may be set afterwards, for the next connection; what can't be is refused at once. Of most
    only what was given is kept, for few are: to set all of them, for each WebSocket and again for
    each connection, takes longer than all that is made of them.
    """

    __slots__ = (
        "_ask_url", "_environ", "_fits", "_given", "_headers", "_limits", "_place", "_ssl_password",
        "_timing",
    )  # fmt: skip
    _ask_url: Callable[[], Any] | None  # gives the URL of each attempt
    _environ: dict[str, str]
    _fits: bool  # whether the options were looked at together, since one was set
    _given: _Given
    _headers: list[tuple[bytes, bytes]]
    _limits: options.Limits
    _place: Place | None  # None where the callable has not been asked yet
    _ssl_password: str | None
    _timing: options.Timing
    _awaits = False  # whether what a callable gives may be awaited

    #: Options for which a subclass has an attribute of its own: what that says counts.
    _shadowed: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        kinds = cls.__mro__[: cls.__mro__.index(Base)]
        cls._shadowed = tuple(
            name for name in settable.PLAIN if any(name in vars(kind) for kind in kinds)
        )

    if not TYPE_CHECKING:  # which take the rows for its arguments

        def __init__(self, *values: Any, **named: Any) -> None:
            self._take_options(rows.bound(f"{type(self).__name__}()", settable.ROWS, values, named))

    def _take_options(self, asked: dict[str, Any]) -> None:
        """Keep what is asked for; the defaults need no check."""
        if "url" not in asked:
            raise TypeError(
                f"{type(self).__name__}() needs the server's URL, like 'wss://host/path'"
            )
        put = putter(self)
        for name in settable.ASKED:
            if name in asked and callable(asked[name]):
                _check_awaited(self, name, asked[name])
        url = asked.pop("url")
        put("_ask_url", url if callable(url) else None)
        put("_place", None if callable(url) else placed(url))
        put("_headers", [])
        kept = rows.checked(settable.ROWS, asked) if asked else {}
        limits, timing = _LIMITS, _TIMING
        if kept:
            limits = options.changed(limits, _part(kept, settable.LIMITS))
            timing = options.changed(timing, _part(kept, settable.TIMES))
        put("_limits", limits)
        put("_timing", timing)
        put("_ssl_password", kept.pop("ssl_password", None))
        for name in self._shadowed:
            put(name, kept.pop(name, settable.PLAIN[name]))
        given = _Given()
        for name, value in kept.items():
            setattr(given, name, value)
        put("_given", given)
        # The original reads it here too; a redirect may need another variable of it.
        put("_environ", _proxy_variables() if self.proxies is None else {})
        if not asked.keys().isdisjoint(_CERTIFICATE):
            socket_checks.check_certificate(self.ssl_certfile, self.ssl_keyfile, self._ssl_password)
        put("_fits", False)
        check_together(self)
        self._load()

    def _load(self) -> None:
        """Import what a connection will need."""

    def __setattr__(self, name: str, value: Any) -> None:
        put = object.__setattr__
        if name[:1] != "_":
            if name in settable.ASKED and callable(value):
                _check_awaited(self, name, value)
            value = settable.checked(type(self), name, value)
            put(self, "_fits", False)
            if name == "proxies" and value is None:
                put(self, "_environ", _proxy_variables())
        put(self, name, value)

    def __repr__(self) -> str:
        from .redaction import discreet_url  # few programs print a WebSocket

        kind, ask, place = type(self).__name__, self._ask_url, self._place
        shown = "" if place is None else repr(discreet_url(place.url))
        if ask is None:
            return f"{kind}({shown})"
        name = getattr(ask, "__qualname__", type(ask).__name__)
        return f"{kind}(url={name}, {f'last {shown}' if shown else 'not asked yet'})"

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted.

        Example:
            >>> WebSocket("wss://example.org/feed").is_secure
            True
        """
        return self.scheme in ("wss", "https")

    def add_header(self, header: bytes, value: bytes) -> None:
        """Add a header to the request of every later connection.

        Arguments:
            header: Its name.
            value: Its value.

        Raises:
            TypeError: One of them is not bytes.
            ValueError: It can't stand in a request, or is one that lomond writes.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> websocket.add_header(b"X-Request-Id", b"7")
            >>> with pretend(server := Server().closes()):
            ...     names = [event.name for event in websocket]
            >>> server.requests[0].headers["x-request-id"]
            '7'
        """
        for name, given in (("header", header), ("value", value)):
            if not isinstance(given, bytes):
                kind = type(given).__name__  # not the value, which may be secret
                raise TypeError(
                    f"'{name}' must be bytes, not {kind}; for str there is "
                    f"{type(self).__name__}(url, headers={{'X-Name': 'value'}})"
                )
        check_header(header, value)
        self._headers.append((header, value))

    # Parts of the URL

    @property
    def scheme(self) -> str:
        """The URL's, as are host, port and resource; to set one of them changes the URL.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> websocket.scheme = "ws"
            >>> websocket.url
            'ws://example.org/feed'
        """
        return _parts(self).scheme

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        _move(self, "scheme", scheme)

    @property
    def host(self) -> str:
        """Lower case, without brackets, ASCII.

        Example:
            >>> WebSocket("wss://Bücher.example/feed").host
            'xn--bcher-kva.example'
        """
        return _parts(self).host

    @host.setter
    def host(self, host: str) -> None:
        _move(self, "host", host)

    @property
    def port(self) -> int:
        """A number from 1 to 65535.

        Example:
            >>> WebSocket("wss://example.org/feed").port
            443
        """
        return _parts(self).port

    @port.setter
    def port(self, port: int) -> None:
        _move(self, "port", port)

    @property
    def resource(self) -> str:
        """Path and query, ASCII, as they are sent.

        Example:
            >>> WebSocket("wss://example.org/feed?topic=a b").resource
            '/feed?topic=a%20b'
        """
        return _parts(self).resource

    @resource.setter
    def resource(self, resource: str) -> None:
        _move(self, "resource", resource)

    def _make_context(self, of_proxy: bool, with_own: bool) -> ssl.SSLContext:
        context = self.proxy_ssl_context if of_proxy else self.ssl_context
        if context is not None:
            return context
        from .system.tls import make_context

        return make_context(
            # Whatever else was put there: only False switches it off.
            self.ssl_verify is not False,
            socket_checks.check_path(self.ssl_cafile),
            # Who we are is for the server, not for a proxy on the way, nor where we are sent on to.
            certfile=socket_checks.check_path(self.ssl_certfile) if with_own else None,
            keyfile=socket_checks.check_path(self.ssl_keyfile) if with_own else None,
            password=self._ssl_password if with_own else None,
            truststore=self.truststore,
        )


def _elsewhere(whole: str, name: str) -> property:
    """An option that is a part of a value which does not change: to set it makes another value."""

    def set_it(websocket: Any, value: Any) -> None:  # which was checked
        values = options.changed(getattr(websocket, whole), {name: value})
        object.__setattr__(websocket, whole, values)

    return property(attrgetter(f"{whole}.{name}"), set_it, doc=settable.ROWS[name].described())


def _plain(name: str) -> property:
    """An option that is kept where it was given."""

    def set_it(websocket: Any, value: Any) -> None:  # which was checked
        setattr(websocket._given, name, value)

    return property(attrgetter(f"_given.{name}"), set_it, doc=settable.ROWS[name].described())


def _set_url(websocket: Any, url: Any) -> None:
    asks = callable(url)
    place = None if asks else placed(url)
    object.__setattr__(websocket, "_place", place)
    object.__setattr__(websocket, "_ask_url", url if asks else None)


def _last_url(websocket: Any) -> str | None:
    place: Place | None = websocket._place
    return None if place is None else place.url


def _parts(websocket: Base) -> Url:
    if websocket._place is None:
        raise AttributeError("url= is a callable that has not been asked yet: no part is known")
    return websocket._place.parts


def _move(websocket: Base, part: str, value: object) -> None:
    if websocket._ask_url is not None or websocket._place is None:
        raise AttributeError(f"url= is a callable, which says the {part}; have it give another URL")
    websocket._place = moved(websocket._place, part, value)


def _check_awaited(websocket: Base, name: str, value: object) -> None:
    """Raise TypeError where what is given must be awaited, and nobody can."""
    if not websocket._awaits and is_coroutine_function(value):
        raise TypeError(
            f"{name} is a coroutine function, which a {type(websocket).__name__} can't await; give "
            "a plain function, or use an AsyncWebSocket or a TrioWebSocket"
        )


def _set_password(websocket: Any, password: Any) -> None:
    websocket._ssl_password = password


def _complete() -> None:
    # Type checkers know them from the rows.
    own: dict[str, object] = {
        "url": property(_last_url, _set_url, doc=settable.ROWS["url"].described()),
        "ssl_password": property(
            attrgetter("_ssl_password"),
            _set_password,
            doc=settable.ROWS["ssl_password"].described(),
        ),
    }
    own |= {name: _elsewhere("_limits", name) for name in settable.LIMITS}
    own |= {name: _elsewhere("_timing", name) for name in settable.TIMES}
    own |= {name: _plain(name) for name in settable.PLAIN}
    for name, value in own.items():
        setattr(Base, name, value)
    rows.signed(Base.__init__, settable.ROWS)


_complete()


def _part(kept: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """What is kept under these names, taken out of it."""
    return {name: kept.pop(name) for name in kept.keys() & names}


# For a connection, or a copy


class _Now(Base):
    """Options as they were; whoever has them may set them, for nobody checks them again."""

    __slots__ = ()
    if not TYPE_CHECKING:
        __setattr__ = object.__setattr__  # a plain store, which takes a tenth of the time


def options_now(websocket: Base) -> Base:
    """All options as they are now: what is set later does not change these."""
    now = _Now.__new__(_Now)
    now._ask_url = websocket._ask_url
    now._environ = websocket._environ
    now._fits = websocket._fits
    now._given = given = websocket._given.copy()
    for name in websocket._shadowed:
        setattr(given, name, getattr(websocket, name))
    now._headers = websocket._headers
    now._limits = websocket._limits
    now._place = websocket._place
    now._ssl_password = websocket._ssl_password
    now._timing = websocket._timing
    return now


def place(websocket: Base) -> Place | None:
    """Where to, as the attributes say now; None where a callable is to say it."""
    return None if websocket._ask_url is not None else websocket._place


def keep_place(websocket: Base, place: Place) -> None:
    """Have the attributes say what the callable gave, if it is still that which is asked."""
    if websocket._ask_url is not None:
        object.__setattr__(websocket, "_place", place)


def added_headers(websocket: Base) -> list[tuple[bytes, bytes]]:
    """The headers that `add_header` was given."""
    return [*websocket._headers]


def state_of(websocket: Base, without: tuple[str, ...]) -> dict[str, Any]:
    """The options of a WebSocket, and what the user keeps in it; not what is named."""
    found = object.__getstate__(websocket)
    own, options = cast("tuple[dict[str, Any] | None, dict[str, Any]]", found)
    state = (own or {}) | options | {"_headers": added_headers(websocket)}
    del state["_given"]  # each option has its name there: a subclass may take secrets out
    state |= {
        name: getattr(websocket, name) for name in settable.PLAIN if name not in websocket._shadowed
    }
    if websocket._ask_url is not None:
        state["_place"] = None  # a copy has not asked
    return {name: value for name, value in state.items() if name not in without}


def restore(websocket: Base, state: dict[str, Any]) -> None:
    """Have the options, and whatever the user kept, as `state_of` gave them."""
    put = putter(websocket)
    put("_given", _Given())
    for name, value in state.items():
        put(name, value)  # it was checked when the original was made


def proxy_for(websocket: Base, url: Url) -> Proxy | None:
    """The proxy for a URL, if there is one.

    Raises:
        TypeError, ValueError: What says so can't be.
        ImportError: What the proxy needs is not installed.
    """
    given = websocket.proxies
    if given is None:
        if not (websocket._environ or _HAS_SETTINGS):
            return None
    elif given.__class__ is dict and not given:  # a mapping of another class is asked
        return None
    from .proxies import chosen, from_environment

    if given is not None:
        proxy = chosen(given, url.secure, url.host, url.port)
    else:
        proxy = from_environment(url.secure, url.host, url.port, websocket._environ)
    if proxy is not None and proxy.scheme.startswith("socks"):
        from importlib.util import find_spec

        if find_spec("socksio") is None:
            raise ImportError(
                f"a {proxy.scheme}:// proxy needs a package; run: pip install 'lomond[socks]'"
            )
    return proxy


def unix_addresses(websocket: Base) -> list[AddressInfo] | None:
    """What to connect to instead of the host, if `unix_socket` is given."""
    if websocket.unix_socket is None:
        return None
    import socket

    return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", os.fspath(websocket.unix_socket))]


def check_together(websocket: Base) -> None:
    """Raise unless the options that depend on each other can be used together.

    Once for what they are now; a mapping of proxies changes in place.
    """
    if websocket._fits and not websocket.proxies:
        return
    has_address = websocket.socket is not None or websocket.unix_socket is not None
    where = None if websocket._ask_url is not None else websocket._place
    if websocket._fits:
        if where is not None and not has_address:
            proxy_for(websocket, where.parts)
        return
    if websocket.truststore and websocket.ssl_cafile is not None:
        raise ValueError("truststore and ssl_cafile exclude each other; leave one out")
    keyfile, password = websocket.ssl_keyfile, websocket._ssl_password
    if websocket.ssl_certfile is None and not (keyfile is None and password is None):
        socket_checks.check_certificate(None, keyfile, password)
    if websocket.socket is not None and websocket.unix_socket is not None:
        raise ValueError("socket and unix_socket are both given; leave one out")
    if websocket.unix_socket is not None and websocket.source_address is not None:
        raise ValueError("unix_socket has no source_address; leave one out")
    if where is not None:
        if websocket.auth is None and (user := userinfo(where.url)) is not None:
            from .credentials import authorization

            authorization(user)
        if not has_address:
            proxy_for(websocket, where.parts)
    object.__setattr__(websocket, "_fits", True)


def _proxy_variables() -> dict[str, str]:
    """The environment's variables that say something of proxies; without a proxy, none."""
    # It decodes each name in Python; behind it they are bytes, but for Windows.
    names: Any = getattr(os.environ, "_data", None)
    if names and os.name == "posix" and b"_proxy" not in b"\n".join(names).lower():
        return {}
    found: dict[str, str] = {}
    for name in os.environ:
        if name.lower().endswith("_proxy") or name == "REQUEST_METHOD":
            found[name] = os.environ[name]
    return found
