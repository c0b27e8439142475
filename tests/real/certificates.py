"""A private certificate authority, made anew for each test session with trustme."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trustme

LONG_AGO = datetime(2021, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Certificate:
    """The PEM files a server is started with."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """One authority and what it signed: for us, by number and name; for another; for the past."""

    authority: Path
    for_loopback: Certificate
    for_elsewhere: Certificate
    expired: Certificate


def make_certificates(directory: Path) -> Certificates:
    """Write the PEM files of a new authority and its certificates into `directory`."""
    authority = trustme.CA()
    authority_file = directory / "authority.pem"
    authority.cert_pem.write_to_path(str(authority_file))
    return Certificates(
        authority=authority_file,
        for_loopback=_issue(authority, directory, "127.0.0.1", "localhost"),
        for_elsewhere=_issue(authority, directory, "elsewhere.example"),
        expired=_issue(authority, directory, "127.0.0.1", name="expired", not_after=LONG_AGO),
    )


def _issue(
    authority: trustme.CA,
    directory: Path,
    host: str,
    *others: str,
    name: str = "",
    not_after: datetime | None = None,
) -> Certificate:
    issued = authority.issue_cert(host, *others, not_after=not_after)
    name = name or host
    certificate = Certificate(directory / f"{name}.chain.pem", directory / f"{name}.key.pem")
    issued.private_key_pem.write_to_path(str(certificate.key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(certificate.chain), append=True)
    return certificate
