"""Server processes: started on demand, awaited by connecting, stopped by their process id."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from real.certificates import Certificate
from real.launches import Launch, ServerUnavailableError, Site
from real.server_kinds import ServerKind

START_SECONDS = 30.0
STOP_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.02
ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)\s")


class ServerPool:
    """The servers of one test session; each is started once, when first asked for."""

    def __init__(self, log_directory: Path) -> None:
        self._log_directory = log_directory
        self._running: list[subprocess.Popen[bytes]] = []
        self._ports: dict[tuple[ServerKind, Certificate | None], int] = {}
        self._processes: dict[tuple[ServerKind, Certificate | None], subprocess.Popen[bytes]] = {}
        self._unavailable: dict[ServerKind, str] = {}

    def __enter__(self) -> Self:
        # Not among pytest's directories, which only we may enter: some servers give up root.
        self._sites = tempfile.TemporaryDirectory(prefix="lomond-")
        Path(self._sites.name).chmod(0o755)
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._running:  # all at once: some take a second or two
            process.terminate()
        for process in self._running:
            _await_end(process)
        self._sites.cleanup()

    def port_of(self, kind: ServerKind, certificate: Certificate | None) -> int:
        """Return where the server listens; raises `ServerUnavailableError` if it cannot be had."""
        if kind in self._unavailable:
            raise ServerUnavailableError(self._unavailable[kind])
        key = (kind, certificate)
        if key not in self._ports:
            self._ports[key], self._processes[key] = self._start(kind, certificate)
        return self._ports[key]

    def signal(self, kind: ServerKind, certificate: Certificate | None, number: int) -> None:
        """Send one that runs a signal; who asks for it after its end gets another."""
        key = (kind, certificate)
        process = self._processes[key]
        process.send_signal(number)
        if number in (signal.SIGTERM, signal.SIGKILL):
            del self._ports[key], self._processes[key]

    def _start(
        self, kind: ServerKind, certificate: Certificate | None
    ) -> tuple[int, subprocess.Popen[bytes]]:
        backend = kind.in_front_of
        backend_port = self.port_of(backend, None) if backend else 0
        directory = Path(tempfile.mkdtemp(prefix=f"{kind.name}-", dir=self._sites.name))
        directory.chmod(0o755)
        try:
            launch = kind.launch(Site(directory, certificate, backend_port))
        except ServerUnavailableError as reason:
            self._unavailable[kind] = str(reason)
            raise
        log = self._log_directory / f"{directory.name}.log"
        process = _run(launch, log)
        self._running.append(process)
        return _await_port(process, log, launch.port), process


def _run(launch: Launch, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            launch.command,
            env=os.environ | launch.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _await_port(process: subprocess.Popen[bytes], log: Path, port: int | None) -> int:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        listens_on = port or _printed_port(log)
        if listens_on and _accepts(listens_on):
            return listens_on
        time.sleep(LOOK_AGAIN_SECONDS)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')}")


def _printed_port(log: Path) -> int | None:
    address = ADDRESS.search(log.read_text(errors="replace"))
    return int(address[1]) if address else None


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _await_end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
