"""The servers of this suite: how each is started and what it can do.

Every server echoes text as text and binary as binary, knows the sub-protocols chat.v2 and
chat.v1, and closes on the text "close:<code>:<reason>".
"""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from real.launches import SERVERS, Launch, Site, files_of
from real.lws import launch_lws
from real.node_ws import node_ws_environment
from real.reverse_proxies import launch_apache, launch_haproxy, launch_nginx


@dataclass(frozen=True)
class ServerKind:
    """A server that others wrote.

    Arguments:
        name: how test ids call it.
        launch: makes the command line; may raise `ServerUnavailableError`.
        can_ping: "ping:<data>" makes it ping, and answer the pong with the text "pong:<data>".
        can_fragment: "fragment:<text or binary>:<count>:<size>" makes it send a message in
            `count` fragments of `size` bytes, with a ping before each of them.
        in_front_of: the server, without TLS, that this one hands its connections on to.
    """

    name: str
    launch: Callable[[Site], Launch]
    can_ping: bool = False
    can_fragment: bool = False
    in_front_of: Self | None = None


def _script(name: str, **environment: str) -> Callable[[Site], Launch]:
    def launch(site: Site) -> Launch:
        command = [sys.executable, str(SERVERS / name), *files_of(site.certificate)]
        return Launch(command, environment)

    return launch


def _uvicorn(implementation: str) -> Callable[[Site], Launch]:
    def launch(site: Site) -> Launch:
        command = [sys.executable, "-m", "uvicorn", "asgi_echo:application"]
        command += ["--app-dir", str(SERVERS), "--host", "127.0.0.1", "--port", "0"]
        command += ["--ws", implementation, "--ws-max-size", str(32 * 1024 * 1024)]
        command += ["--no-access-log", "--timeout-graceful-shutdown", "1"]
        if site.certificate:
            command += ["--ssl-certfile", str(site.certificate.chain)]
            command += ["--ssl-keyfile", str(site.certificate.key)]
        return Launch(command, {})

    return launch


def _node_ws(site: Site) -> Launch:
    environment = node_ws_environment()
    node = shutil.which("node") or "node"
    return Launch(
        [node, str(SERVERS / "node_ws_echo.js"), *files_of(site.certificate)], environment
    )


WEBSOCKETS = ServerKind(
    "websockets", _script("websockets_echo.py"), can_ping=True, can_fragment=True
)

NODE_WS = ServerKind("node_ws", _node_ws, can_ping=True, can_fragment=True)


def _in_front(name: str, launch: Callable[[Site], Launch]) -> ServerKind:
    return ServerKind(name, launch, can_ping=True, can_fragment=True, in_front_of=WEBSOCKETS)


REVERSE_PROXIES = [
    _in_front("nginx", launch_nginx),
    _in_front("haproxy", launch_haproxy),
    _in_front("apache", launch_apache),
]

#: Each with its own implementation of WebSocket.
ECHO_KINDS = [
    WEBSOCKETS,
    ServerKind("aiohttp", _script("aiohttp_echo.py")),
    ServerKind("uvicorn_websockets", _uvicorn("websockets")),
    ServerKind("uvicorn_wsproto", _uvicorn("wsproto")),
    ServerKind("tornado", _script("tornado_echo.py"), can_ping=True),
    NODE_WS,
]

SERVER_KINDS = [*ECHO_KINDS, *REVERSE_PROXIES]

#: Demands that neither side keeps its window between messages.
FORGETFUL = ServerKind(
    "websockets_forgetful",
    _script("websockets_echo.py", ECHO_COMPRESSION="forgetful"),
    can_ping=True,
    can_fragment=True,
)
#: Demands windows of 9 bits of itself and 10 of the client.
NARROW = ServerKind(
    "websockets_narrow",
    _script("websockets_echo.py", ECHO_COMPRESSION="narrow"),
    can_ping=True,
    can_fragment=True,
)

COMPRESSING_KINDS = [*ECHO_KINDS, FORGETFUL, NARROW]

#: Its inflating breaks, with any client, beyond about 1 MiB, and over TLS beyond its buffers.
LIBWEBSOCKETS = ServerKind("libwebsockets", launch_lws)
