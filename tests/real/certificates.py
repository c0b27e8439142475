"""A private certificate authority, made anew for each test session with trustme."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """The PEM files a server is started with."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """One authority and two certificates it signed: for us, by number and name, and for another."""

    authority: Path
    for_loopback: Certificate
    for_elsewhere: Certificate


def make_certificates(directory: Path) -> Certificates:
    """Write the PEM files of a new authority and its certificates into `directory`."""
    authority = trustme.CA()
    authority_file = directory / "authority.pem"
    authority.cert_pem.write_to_path(str(authority_file))
    return Certificates(
        authority=authority_file,
        for_loopback=_issue(authority, directory, "127.0.0.1", "localhost"),
        for_elsewhere=_issue(authority, directory, "elsewhere.example"),
    )


def _issue(authority: trustme.CA, directory: Path, host: str, *others: str) -> Certificate:
    issued = authority.issue_cert(host, *others)
    certificate = Certificate(directory / f"{host}.chain.pem", directory / f"{host}.key.pem")
    issued.private_key_pem.write_to_path(str(certificate.key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(certificate.chain), append=True)
    return certificate
