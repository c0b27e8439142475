"""``lomond serve``: a server on this machine, to try something with."""

from __future__ import annotations

import argparse
import inspect
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from copy import copy
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from . import arguments, exits
from .stopping import Stopping

if TYPE_CHECKING:
    import ssl

    from ..testing.conversation import Scripts
    from ..testing.peer import Peer, Talk

    #: What serves one connection, and what it has to say of it in the end.
    Script = tuple[Callable[[Peer], Talk], Callable[[], list[str]]]

_USAGE = "[--echo | --replay FILE | --script MOD:TALK] [OPTIONS]"
_ABOUT = """\
A WebSocket server on this machine, for tries and tests. Its URL is the first
line that it writes; it serves until Ctrl-C or SIGTERM, which close with 1001.

It says again what it hears. With --replay it says what was received when FILE
was recorded, and wants to hear what was sent: one connection of the record
after the other, and then from the first one on. With --script it runs a
generator function of lomond.testing, anew for each connection.
"""
_END = """\
What is wrong on a connection is told on standard error; it has the status 6."""
_LOCAL = ("127.0.0.1", "localhost", "::1")


def parser() -> arguments.Parser:
    """The parser of its arguments."""
    made = arguments.Parser("serve", _USAGE, _ABOUT, _END)
    add = made.add_argument
    add("--echo", action="store_true", help="the default")
    add("--replay", metavar="FILE", help="a record")
    add("--script", metavar="MOD:TALK", help="a function of yours")
    add("--tls", action="store_true", help="wss://")
    add("--port", type=_port, default=0, metavar="N", help="else a free one")
    add("--host", default="127.0.0.1", metavar="H", help="else 127.0.0.1")
    add("--once", action="store_true", help="one connection only")
    return made


def run(given: Sequence[str]) -> int:
    """Serve; the exit status."""
    reader = parser()
    options = reader.parse_args(given)
    if options.echo + (options.replay is not None) + (options.script is not None) > 1:
        reader.error("--echo, --replay and --script exclude each other; leave all but one out")
    with ExitStack() as stack:
        try:
            script = _script(options)
            context, ca = _tls(options, stack)
        except (ImportError, ValueError, TypeError, OSError) as error:
            reader.refuse(error)
        return _serve(reader, options, script, context, ca)


def _serve(
    reader: arguments.Parser,
    options: argparse.Namespace,
    script: Callable[[], Script],
    context: ssl.SSLContext | None,
    ca: str,
) -> int:
    from ..testing.standing import Standing

    sleeper, waker = socket.socketpair()
    waker.setblocking(False)
    with sleeper, waker, Stopping(wakes=waker) as stopping:
        has_served: list[bool] = []

        def ended() -> None:
            if options.once and not has_served:
                has_served.append(True)
                waker.send(b"!")

        try:
            standing = Standing(
                script, _warn, ended, host=options.host, port=options.port, context=context
            )
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            reader.refuse(f"nobody can listen at {options.host}, port {options.port}: {why}")
        with standing:
            print(standing.url, flush=True)
            if ca:
                print(f"--ca {ca}", flush=True)
            if options.host not in _LOCAL:
                _warn(f"{options.host} is for other machines too: whoever reaches it is served")
            while stopping.status is None and not has_served:
                sleeper.recv(1)
    failed = exits.PROTOCOL if standing.has_failed else exits.DONE
    return failed if stopping.status is None else stopping.status


def _warn(line: str) -> None:
    if sys.stderr is not None:
        print(f"lomond serve: {line}", file=sys.stderr, flush=True)


def _tls(options: argparse.Namespace, stack: ExitStack) -> tuple[ssl.SSLContext | None, str]:
    """The context of the server, and the file of whom to trust. ImportError: trustme is missing."""
    if not options.tls:
        return None, ""
    from ..testing.serving import server_context, write_authority

    names = [name for name in (options.host, *_LOCAL) if name not in ("0.0.0.0", "::")]  # noqa: S104  # names for people, nothing binds to them
    context = server_context(*dict.fromkeys(names))
    folder = stack.enter_context(TemporaryDirectory(prefix="lomond-"))
    path = os.path.join(folder, "ca.pem")
    write_authority(path)
    return context, path


# What is served


def _script(options: argparse.Namespace) -> Callable[[], Script]:
    if options.replay is not None:
        return _replays(options.replay)
    if options.script is not None:
        return _scripts(options.script)
    from ..testing.echoing import Echoing

    return lambda: (Echoing(bool).talk, list)


def _replays(path: str) -> Callable[[], Script]:
    """The connections of a record, again and again. Raises what reading it raises."""
    from ..testing import replay

    def servers() -> list[Scripts]:
        made = replay(path)
        return [server for server in made if getattr(server, "connect_error", None) is None]

    left = servers()
    if not left:
        raise ValueError(f"{path} has no connection that was made; record one with --record")

    def script() -> Script:
        if not left:
            left.extend(servers())
        server = left.pop(0)

        def remarks() -> list[str]:
            if server.runs:
                return server.finish()
            left.insert(0, server)  # for the next one: this has not even asked
            return []

        return server.talk, remarks

    return script


def _scripts(named: str) -> Callable[[], Script]:
    """A script of the user's, anew for each connection. Raises ValueError: There is none there."""
    from ..testing.conversation import Scripts, as_server

    module, colon, name = named.partition(":")
    if not colon or not name:
        raise ValueError(f"--script {named!r} names no function; write module:function")
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = getattr(import_module(module), name)
    except ImportError as error:
        also = f"; write {module[:-3]}:{name}" if module.endswith(".py") else ""
        raise ValueError(f"--script {named!r} can't be imported: {error}{also}") from None
    except AttributeError as error:
        raise ValueError(f"--script {named!r} is not there: {error}") from None
    as_server(found)  # raises where it is none
    if inspect.isroutine(found) and not inspect.isgeneratorfunction(found):
        raise ValueError(f"--script {named!r} is no generator function: it yields nothing")

    def script() -> Script:
        server = copy(as_server(found))
        if not isinstance(server, Scripts):
            return server.talk, list
        server.heard, server.requests, server.runs = [], [], []  # of this connection alone
        return server.talk, lambda: server.finish() if server.runs else []

    return script


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 to 65535")
    return int(text)
