"""The synchronous door: a WebSocket that is iterated. Decides nothing about the protocol."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from . import options
from .door import Door

if TYPE_CHECKING:
    from .events import AnyEvent

__all__ = ["WebSocket"]


class WebSocket(Door["Generator[AnyEvent, None, None]", None]):
    """A WebSocket connection as an orderly stream of events.

    Iterating connects, and gives an event for whatever happens, until the connection is over. The
    object may be iterated again, for a new connection each time. Any thread may send or close.

    All options are attributes too, and may be set: for the next connection, which takes all of them
    as they are at its `connect`. `url` sets `scheme`, `host`, `port` and `resource`, and each of
    these sets `url`.

    Arguments:
        url: ``ws://`` or ``wss://`` (``http://``, ``https://`` mean the same).
        proxies: A mapping: ``"https"`` (or ``"wss"``) for wss://, ``"http"`` (or ``"ws"``) for
            ws://, ``"all"`` for both, each the URL of a proxy: ``http://``, ``https://``,
            ``socks4://``, ``socks4a://``, ``socks5://`` or ``socks5h://``, with user and password
            if it wants them; ``"no"`` for hosts that are reached without, as in ``no_proxy``. No
            other key. None for what the environment says now (``https_proxy``, ``no_proxy``, ...);
            an empty one for no proxy.
        protocols: Sub-protocols to offer, the preferred first.
        agent: ``User-Agent`` header; None for lomond's own.
        compress: Whether to offer compression (False); or a `lomond.Deflate` that says how.
        ssl_verify: Whether the server's certificate and name are checked (True).
        ssl_cafile: PEM file of the certificates to trust, or a directory of such files, which
            must be there; None for the system's.
        ssl_context: Used as it is, instead of all that begins with ``ssl_``, and for every server
            to which a redirect leads.
        trace: Called with a dict at each stage of a connection; another true value logs them.
        headers: Further request headers: a mapping of str to str, or a callable that gives one
            and is asked for each connection (for tokens that expire) behind Connecting, in the
            thread that iterates. What it raises is a ConnectFail, with the phase "credentials".
        origin: ``Origin`` header, like ``https://example.org``; None for none.
        cookies: A mapping of str to str; or an ``http.cookiejar.CookieJar``, which also gets those
            that a server sets.
        auth: ``(user, password)`` for Basic, a str for a bearer token; None for the user and
            password of the URL, if it has them.
        max_redirects: How many redirects are followed, 0 to 20 (0). None from wss:// to ws://; to
            another origin go neither `headers`, `add_header`, `auth` nor a mapping of cookies.
        ssl_certfile: PEM file of our certificate, for a server that asks who we are.
        ssl_keyfile: PEM file of its key, if that is not in the same file.
        ssl_password: What the key is encrypted with.
        truststore: Whether the operating system judges certificates (False), by truststore.
        proxy_ssl_context: As `ssl_context`, for TLS with an ``https://`` proxy.
        server_name: Whose certificate is expected, if not the URL's host's.
        socket: A connected socket to use instead of connecting one.
        unix_socket: Path of a Unix socket to connect to instead of the URL's host.
        source_address: ``(address, port)`` to connect from; port 0 for any.
        socket_options: Tuples for ``setsockopt``, set before connecting; TCP_NODELAY is on.
        tcp_keepalive: Seconds without traffic after which the system probes the peer; None: off.
        open_timeout: Seconds for names, TCP, proxy, TLS and upgrade together, redirects included
            (30); None for no limit. While something else keeps the thread from the connection
            (another task of its event loop, the body of a group's loop), they stand still.
        send_timeout: Seconds a send may wait without progress (30); None for no limit.
        frame_timeout: Seconds without a byte inside a frame (60); None or 0 for no limit.
        max_message_size: Largest message accepted, bytes (16 MiB); None for no limit.
        max_fragments: Most fragments in a message (131072); None for no limit.
        max_header_size: Largest head of the server's or the proxy's answer, bytes (64 KiB).
        max_header_lines: Most lines in it (256).
        max_header_line: Largest line in it, bytes (16 KiB).
        max_interim_responses: Most answers of 1xx before the one that counts (8).
        max_body_size: What is kept of a refusal's body, bytes (64 KiB); it is waited for 1 s.
        max_cookie_size: Largest cookie put into a CookieJar, bytes of name and value (4096).
        max_cookies_set: Most cookies of one answer that are put there (50).
        max_domain_cookies: Most cookies of servers that stay there for a domain (180): those set
            longest ago go. What lomond did not put there is neither counted nor removed, but for
            what a ``MozillaCookieJar`` has loaded, whose file does not tell it from the others.
        max_cookies: Most of them that stay there in all (3000), likewise.
        max_cookie_header: Bytes of the Cookie header beyond which no cookies of servers are sent,
            those set longest ago first (8192). What you put into the jar, or a mapping, is.
        max_read_ahead: Most bytes read while a send is blocked (32 MiB).
        max_held: Most bytes of messages sent before the connection is ready (16 MiB).

    Raises:
        ValueError, TypeError: An argument can't be; the message names it and the fix. Also where
            an attribute is set.
        AttributeError: What is set is no option, but one slip away from one.
        ImportError: Compression, a SOCKS proxy or truststore is asked for, and what it needs is
            not installed.

    Example:
        >>> websocket = WebSocket("wss://example.org/feed")
        >>> for event in websocket:  # doctest: +SKIP
        ...     if event.name == "text":
        ...         print(event.text)
    """

    def _stream(self, timing: options.Timing) -> Generator[AnyEvent, None, None]:
        return self.begin(timing)

    def __iter__(self) -> Generator[AnyEvent, None, None]:
        return self.connect()

    def _send(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        (self._channel or self._connected()).send(opcode, payload, compress)

    def _close(self, code: int | None, reason: str | bytes | None) -> None:
        self.start_closing(code, reason)

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(self, *error: object) -> None:
        channel = self._channel
        if channel is not None:
            channel.leave()
