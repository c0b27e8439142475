"""Ends that real servers and proxies bring about; how_it_ended.txt tells what is said of them."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import replace

from lomond.errors import WebSocketError
from real import ending_servers as servers, forward_proxies as proxies
from real.ending_runs import Case, Run, Through, newest_tls, speaks_http2
from real.server_kinds import ServerKind

ORIGIN = "https://evil.example"
LARGE = bytes(2000)
#: Nobody else's: others stand before the usual one, and know its port.
OWN = replace(servers.WEBSOCKETS, name="ends_websockets_alone")


def sends_much(run: Run) -> None:
    """More than the system takes."""
    with contextlib.suppress(WebSocketError):
        for _ in range(64):
            run.websocket.send_binary(bytes(1 << 20))


def sends_large(run: Run) -> None:
    run.websocket.send_binary(LARGE)


def says_hello(run: Run) -> None:
    run.websocket.send_text("hello")


def is_stopped(run: Run) -> None:
    run.stop()


def stops_and_close(run: Run) -> None:
    run.stop()
    run.websocket.close()


def stops_and_send_much(run: Run) -> None:
    run.stop()
    sends_much(run)


def ends(kind: ServerKind, number: int) -> Case:
    """A server that is ended by a signal once all is ready."""
    return Case(kind, at={"ready": lambda run: run.signal(number)})


def large(kind: ServerKind) -> Case:
    """A message that is too large for the server."""
    return Case(kind, at={"ready": sends_large})


def through(kind: ServerKind | None, scheme: str = "http", credentials: str = "") -> Case:
    """A proxy that does not connect us; nobody listens at the server."""
    return Case(None, through=Through(kind, scheme, credentials))


CLOSED = {
    "websockets: the handler returns": Case(servers.WEBSOCKETS, "/over"),
    "websockets: 1008 'bad token'": Case(servers.WEBSOCKETS, "/token"),
    "websockets: 1011": Case(servers.WEBSOCKETS, "/plain"),
    "websockets: the handler has a fault": Case(servers.WEBSOCKETS, "/breaks"),
    "websockets: a large message": large(servers.WEBSOCKETS),
    "websockets: we close": Case(
        servers.WEBSOCKETS, at={"ready": lambda run: run.websocket.close()}
    ),
    "websockets: we leave": Case(servers.WEBSOCKETS, at={"ready": lambda run: True}),
    "uvicorn: 4401 'token expired'": Case(servers.UVICORN, "/token"),
    "uvicorn: the handler has a fault": Case(servers.UVICORN, "/breaks"),
    "uvicorn: a large message": large(servers.UVICORN),
    "uvicorn with wsproto: the handler has a fault": Case(servers.WSPROTO, "/breaks"),
    "aiohttp: a large message": large(servers.AIOHTTP),
    "tornado: a large message": large(servers.TORNADO),
}
LOST = {
    "websockets: cut": Case(servers.WEBSOCKETS, "/cut"),
    "aiohttp: the handler has a fault": Case(servers.AIOHTTP, "/breaks"),
    "tornado: the handler has a fault": Case(servers.TORNADO, "/fails", at={"ready": says_hello}),
    "nginx: idle": Case(servers.NGINX, "/idle", servers.WEBSOCKETS, idle=0.2),
    "haproxy: idle": Case(servers.HAPROXY, idle=0.2),
    "haproxy, not of HTTP: idle": Case(servers.HAPROXY_TCP, idle=0.2),
    "a server that is stopped: no pong": Case(
        servers.WEBSOCKETS,
        at={"ready": is_stopped},
        timing={"ping_rate": 0.05, "ping_timeout": 0.2},
    ),
    "a server that is stopped: no answer to our close": Case(
        servers.WEBSOCKETS, at={"ready": stops_and_close}, timing={"close_timeout": 0.1}
    ),
    "a server that is stopped: nothing is taken": Case(
        servers.WEBSOCKETS, at={"ready": stops_and_send_much}, options={"send_timeout": 0.2}
    ),
    "a server that is stopped: no answer to the upgrade": Case(
        servers.WEBSOCKETS, before=is_stopped, options={"open_timeout": 0.2}
    ),
}
REFUSED = {
    "websockets: 401": Case(servers.WEBSOCKETS, "/signin"),
    "websockets: another Origin": Case(servers.WEBSOCKETS, options={"origin": ORIGIN}),
    "websockets: no sub-protocol": Case(servers.WEBSOCKETS, "/chat"),
    "websockets behind nginx, without Upgrade": Case(
        servers.NGINX, "/unpassed", servers.WEBSOCKETS
    ),
    "websockets behind Apache, without Upgrade": Case(servers.APACHE),
    "uvicorn: close before accept": Case(servers.UVICORN, "/denied"),
    "uvicorn: 401": Case(servers.UVICORN, "/signin"),
    "uvicorn: a fault before accept": Case(servers.UVICORN, "/broken"),
    "uvicorn behind nginx, without Upgrade": Case(servers.NGINX, "/unpassed", servers.UVICORN),
    "uvicorn with wsproto: a fault before accept": Case(servers.WSPROTO, "/broken"),
    "uvicorn without a WebSocket library": Case(servers.UVICORN_ALONE),
    "aiohttp: no such path": Case(servers.AIOHTTP, "/elsewhere"),
    "aiohttp: a fault": Case(servers.AIOHTTP, "/fails"),
    "aiohttp behind nginx, without Upgrade": Case(servers.NGINX, "/unpassed", servers.AIOHTTP),
    "tornado: another Origin": Case(servers.TORNADO, options={"origin": ORIGIN}),
    "tornado behind nginx, without Upgrade": Case(servers.NGINX, "/unpassed", servers.TORNADO),
    "Python's http.server": Case(servers.PAGES),
    "nginx: no such path": Case(servers.NGINX, "/chat"),
    "nginx: a page": Case(servers.NGINX, "/page"),
    "nginx: 301": Case(servers.NGINX, "/moved"),
    "nginx: 401": Case(servers.NGINX, "/signin"),
    "nginx: 403": Case(servers.NGINX, "/denied"),
    "nginx: 429": Case(servers.NGINX, "/busy"),
    "nginx: the server behind it is not there": Case(servers.NGINX, "/passed?to=1"),
    "nginx: the server behind it does not answer": Case(
        servers.NGINX, "/slow", servers.WEBSOCKETS, before=is_stopped
    ),
    "nginx: plain text to its port of TLS": Case(
        servers.NGINX, certificate="for_loopback", scheme="ws"
    ),
    "nginx: it wants our certificate": Case(servers.NGINX_CERTIFICATES, certificate="for_loopback"),
    "haproxy: 403": Case(servers.HAPROXY, "/denied"),
    "haproxy: the server behind it is not there": Case(servers.HAPROXY, "/nobody"),
    "Apache: plain text to its port of TLS": Case(
        servers.APACHE, certificate="for_loopback", scheme="ws"
    ),
}
NO_HTTP = {
    "nginx: HTTP/2 alone": Case(servers.NGINX_HTTP2),
    "haproxy: HTTP/2 alone": Case(servers.HAPROXY_HTTP2),
    "haproxy: plain text to its port of TLS": Case(
        servers.HAPROXY, certificate="for_loopback", scheme="ws"
    ),
    "uvicorn's port asked for TLS": Case(servers.UVICORN, scheme="wss"),
    "nginx: its plain port asked for TLS": Case(servers.NGINX, scheme="wss"),
    "haproxy: its plain port asked for TLS": Case(servers.HAPROXY, scheme="wss"),
    "haproxy, not of HTTP, asked for TLS": Case(servers.HAPROXY_TCP, scheme="wss"),
    "openssl: HTTP/2 alone by ALPN": Case(servers.OPENSSL_HTTP2, certificate="for_loopback"),
    "openssl: HTTP/2 agreed upon": Case(
        servers.OPENSSL_HTTP2, certificate="for_loopback", options={"ssl_context": speaks_http2()}
    ),
    "openssl: an old TLS": Case(
        servers.OPENSSL_OLD, certificate="for_loopback", options={"ssl_context": newest_tls()}
    ),
    "openssl: it wants our certificate": Case(
        servers.OPENSSL_CERTIFICATES, certificate="for_loopback"
    ),
    "nginx: nobody trusts its certificate": Case(
        servers.NGINX, certificate="for_loopback", trusts=False
    ),
    "nginx: a certificate of another name": Case(servers.NGINX, certificate="for_elsewhere"),
    "nginx: a certificate of days gone by": Case(servers.NGINX, certificate="expired"),
    "stunnel: the server behind it is not there": Case(servers.STUNNEL, certificate="for_loopback"),
    "microsocks, which is no server": Case(proxies.MICROSOCKS),
    "nobody listens": Case(None),
    "no descriptor is left": Case(servers.WEBSOCKETS, before=Run.use_up),
}
BY_PROXY = {
    "squid: 403": through(servers.SQUID),
    "squid: it wants credentials": through(proxies.SQUID_BASIC),
    "squid: wrong credentials": through(proxies.SQUID_BASIC, "http", "user:wrong@"),
    "squid: nobody listens at the server": through(proxies.SQUID),
    "tinyproxy: another port than HTTPS'": through(servers.TINYPROXY),
    "tinyproxy: it wants credentials": through(proxies.TINYPROXY_ASKING),
    "tinyproxy: wrong credentials": through(proxies.TINYPROXY_ASKING, "http", "user:wrong@"),
    "tinyproxy: nobody listens at the server": through(proxies.TINYPROXY),
    "nginx, which is no proxy": through(servers.NGINX),
    "nginx, which is no proxy of SOCKS": through(servers.NGINX, "socks5"),
    "a plain proxy asked for TLS": through(proxies.SQUID, "https"),
    "stunnel: nobody trusts the proxy's certificate": Case(
        None,
        certificate="for_loopback",
        trusts=False,
        through=Through(proxies.STUNNEL, "https"),
    ),
    "microsocks: nobody listens at the server": through(proxies.MICROSOCKS, "socks5"),
    "microsocks: it wants credentials": through(proxies.MICROSOCKS_ASKING, "socks5"),
    "microsocks: wrong credentials": through(proxies.MICROSOCKS_ASKING, "socks5", "user:wrong@"),
    "microsocks asked as HTTP": through(proxies.MICROSOCKS, "http"),
    "danted: not allowed": through(servers.DANTED, "socks5"),
    "a proxy that is not there": through(None),
    "a proxy that is not there, of the environment": Case(
        None, host="chat.example", through=Through(None, variable="http_proxy")
    ),
    "squid: 403, of the environment": Case(
        None, host="chat.example", through=Through(servers.SQUID, variable="all_proxy")
    ),
}
#: Behind all others, which need these servers.
ENDED = {
    "nginx: SIGTERM": replace(
        ends(servers.NGINX, signal.SIGTERM), path="/passed", behind=servers.WEBSOCKETS
    ),
    "websockets: SIGTERM": ends(OWN, signal.SIGTERM),
    "websockets: SIGKILL": ends(OWN, signal.SIGKILL),
    "uvicorn: SIGTERM": ends(servers.UVICORN, signal.SIGTERM),
    "uvicorn with wsproto: SIGTERM": ends(servers.WSPROTO, signal.SIGTERM),
    "aiohttp: SIGTERM": ends(servers.AIOHTTP, signal.SIGTERM),
}
CASES = {**CLOSED, **LOST, **REFUSED, **NO_HTTP, **BY_PROXY, **ENDED}
