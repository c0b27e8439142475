"""How a server process is started, and the error of one that can't be had."""

import os
import random
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from real.certificates import Certificate

SERVERS = Path(__file__).parent / "servers"
CACHE = Path(__file__).parents[2] / ".cache"

# Debian keeps servers where only root's PATH leads.
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
# Below the ports that the kernel gives to clients (32768 and up on Linux).
CHOSEN_PORTS = range(20_000, 32_000)


class ServerUnavailableError(Exception):
    """This machine cannot run that server, and the message says why."""


@dataclass(frozen=True)
class Site:
    """What a server is started with.

    Attributes:
        directory: Its own, empty at first. Every user may read it: some servers give up root.
        certificate: What it speaks TLS with; None for none.
        backend_port: Of the server that it stands in front of; 0 without one.
    """

    directory: Path
    certificate: Certificate | None = None
    backend_port: int = 0

    def write(self, name: str, text: str) -> Path:
        """Write a file into the directory."""
        file = self.directory / name
        file.write_text(text)
        return file


@dataclass(frozen=True)
class Launch:
    """How a server is run.

    Attributes:
        command: Its command line, for the foreground.
        environment: What it needs on top of ours.
        port: Where it will listen; None for a server that chooses a port itself and prints it.
    """

    command: list[str]
    environment: dict[str, str]
    port: int | None = None


def files_of(certificate: Certificate | None) -> list[str]:
    """The arguments that name the certificate's files."""
    return [str(certificate.chain), str(certificate.key)] if certificate else []


def program(name: str, package: str) -> str:
    """The path of an installed program; raises `ServerUnavailableError` without it.

    Arguments:
        name: Of the program.
        package: Debian's, that holds it.
    """
    found = shutil.which(name, path=PROGRAM_PATH)
    if found is None:
        raise ServerUnavailableError(
            f"{name} is not installed; Debian: apt-get install --no-install-recommends {package}"
        )
    return found


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens, for a server that can't choose one itself."""
    while True:
        port = random.SystemRandom().choice(CHOSEN_PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
