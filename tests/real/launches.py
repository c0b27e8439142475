"""How a server process is started, and the error of one that can't be had."""

from dataclasses import dataclass
from pathlib import Path

from real.certificates import Certificate

SERVERS = Path(__file__).parent / "servers"
CACHE = Path(__file__).parents[2] / ".cache"


class ServerUnavailableError(Exception):
    """This machine cannot run that server, and the message says why."""


@dataclass(frozen=True)
class Launch:
    """A command line, and what it needs in its environment on top of ours."""

    command: list[str]
    environment: dict[str, str]


def files_of(certificate: Certificate | None) -> list[str]:
    """The arguments that name the certificate's files."""
    return [str(certificate.chain), str(certificate.key)] if certificate else []
