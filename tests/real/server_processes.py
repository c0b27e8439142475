"""Server processes: started on demand, awaited by connecting, stopped by their process id."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from real.certificates import Certificate
from real.launches import Launch, ServerUnavailableError
from real.server_kinds import ServerKind

START_SECONDS = 30.0
STOP_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.02
ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)\s")


class ServerPool:
    """The servers of one test session; each is started once, when first asked for."""

    def __init__(self, log_directory: Path) -> None:
        self._log_directory = log_directory
        self._running = ExitStack()
        self._ports: dict[tuple[ServerKind, Certificate | None], int] = {}
        self._unavailable: dict[ServerKind, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    def port_of(self, kind: ServerKind, certificate: Certificate | None) -> int:
        """Return where the server listens; raises `ServerUnavailableError` if it cannot be had."""
        if kind in self._unavailable:
            raise ServerUnavailableError(self._unavailable[kind])
        key = (kind, certificate)
        if key not in self._ports:
            self._ports[key] = self._start(kind, certificate)
        return self._ports[key]

    def _start(self, kind: ServerKind, certificate: Certificate | None) -> int:
        try:
            launch = kind.launch(certificate)
        except ServerUnavailableError as reason:
            self._unavailable[kind] = str(reason)
            raise
        log = self._log_directory / f"{kind.name}-{len(self._ports)}.log"
        return self._running.enter_context(running_server(launch, log))


@contextmanager
def running_server(launch: Launch, log: Path) -> Iterator[int]:
    """Run a server that prints its address, and give the port once it accepts connections."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            launch.command,
            env=os.environ | launch.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _await_port(process, log)
    finally:
        _stop(process)


def _await_port(process: subprocess.Popen[bytes], log: Path) -> int:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        address = ADDRESS.search(log.read_text(errors="replace"))
        if address and _accepts(int(address[1])):
            return int(address[1])
        time.sleep(LOOK_AGAIN_SECONDS)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')}")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
