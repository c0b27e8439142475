"""Certificates that are trusted, and still are none for the name: RFC 9525, RFC 5280."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from doors.raw_server import echo, raw_server, until
from doors.tls_talk import failure, talk
from lomond import WebSocket
from lomond.system.tls import make_context

pytestmark = pytest.mark.every_door

NAME = "server.example"
_NOW = datetime.now(UTC)


class Issuer:
    """A key, and a certificate for it, which may issue others or not.

    Arguments:
        name: Its common name.
        by: Who issues it; None for itself.
        is_ca: What its basicConstraints say.
        names: For its subjectAltName; none for no such extension.
        key_usage: Whether a CA's certificate says what its key is for.
    """

    def __init__(
        self,
        name: str,
        by: Issuer | None = None,
        is_ca: bool = True,
        names: tuple[x509.GeneralName, ...] = (),
        key_usage: bool = True,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = by or self
        public = issuer.key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_NOW - timedelta(days=1))
            .not_valid_after(_NOW + timedelta(days=9))
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        if is_ca and key_usage:
            usage = x509.KeyUsage(
                True, False, False, False, False, key_cert_sign=True, crl_sign=True,
                encipher_only=False, decipher_only=False,
            )  # fmt: skip
            builder = builder.add_extension(usage, critical=True)
        self.certificate = builder.sign(issuer.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, folder: Path, *chain: Issuer) -> ssl.SSLContext:
        """The context of a server that shows it, and those between it and the root."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path = folder / "server.pem"
        path.write_bytes(key + b"".join(each.pem for each in (self, *chain)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


ROOT = Issuer("root")


@pytest.fixture
def cafile(tmp_path: Path) -> str:
    path = tmp_path / "root.pem"
    path.write_bytes(ROOT.pem)
    return str(path)


def test_a_name_that_is_only_a_common_name(cafile: str, tmp_path: Path) -> None:
    server = Issuer(NAME, ROOT, is_ca=False).server(tmp_path)
    with raw_server(echo, context=server) as raw:
        *_, failed = WebSocket(raw.url, ssl_cafile=cafile, server_name=NAME)
    assert (failed.name, failed.phase) == ("connect_fail", "tls")
    assert "(code 62; subject CN=server.example; issued by CN=root)" in failed.reason
    assert "; it has no subjectAltName, and its common name does not count" in failed.reason


def test_a_context_of_the_users_own_is_used_as_it_is(cafile: str, tmp_path: Path) -> None:
    server = Issuer(NAME, ROOT, is_ca=False).server(tmp_path)
    own = ssl.create_default_context(cafile=cafile)
    with raw_server(echo, context=server) as raw:
        websocket = WebSocket(raw.url, ssl_context=own, server_name=NAME)
        stream: Any = websocket.connect()
        assert until(stream, "ready")
        stream.close()
    assert own.hostname_checks_common_name


def test_a_proxys_certificate_without_a_name(cafile: str, tmp_path: Path, localhost: None) -> None:
    server = Issuer("localhost", ROOT, is_ca=False).server(tmp_path)
    with raw_server(echo, context=server, upgrades=False) as raw:
        proxies = {"all": f"https://localhost:{raw.port}"}
        *_, failed = WebSocket("ws://peer.example/", proxies=proxies, ssl_cafile=cafile)
    assert (failed.name, failed.phase) == ("connect_fail", "proxy")
    assert "the proxy needs another certificate, or see proxy_ssl_context" in failed.reason


@pytest.mark.parametrize("name", ["127.0.0.1", "::1"])
def test_an_address_is_no_common_name(name: str, cafile: str, tmp_path: Path) -> None:
    server = Issuer(name, ROOT, is_ca=False).server(tmp_path)
    said = failure(make_context(True, cafile), server, name)
    assert "code 64" in said
    assert "it has no subjectAltName" in said


def test_a_name_where_it_belongs(cafile: str, tmp_path: Path) -> None:
    server = Issuer("x", ROOT, is_ca=False, names=(x509.DNSName(NAME),)).server(tmp_path)
    talk(make_context(True, cafile), server, NAME)


def test_with_certificates_of_others_than_hosts(cafile: str, tmp_path: Path) -> None:
    names = (x509.RFC822Name("me@server.example"),)
    server = Issuer(NAME, ROOT, is_ca=False, names=names).server(tmp_path)
    assert "code 62" in failure(make_context(True, cafile), server, NAME)


def test_issued_by_one_that_may_not(cafile: str, tmp_path: Path) -> None:
    names = (x509.DNSName(NAME),)
    other = Issuer("other", ROOT, is_ca=False, names=names)
    server = Issuer(NAME, other, is_ca=False, names=names).server(tmp_path, other)
    said = failure(make_context(True, cafile), server, NAME)
    assert "invalid CA certificate (code 79; " in said
    assert said.endswith(
        "; one of the certificates that it was issued with may not issue any "
        "(basicConstraints): the server needs another chain"
    )


def test_strictness(cafile: str, tmp_path: Path) -> None:
    names = (x509.DNSName(NAME),)
    between = Issuer("between", ROOT, key_usage=False)
    server = Issuer(NAME, between, is_ca=False, names=names).server(tmp_path, between)
    strict = ssl.create_default_context(cafile=cafile)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    said = failure(strict, server, NAME)
    assert "(code 92; " in said
    assert "(VERIFY_X509_STRICT), see ssl_context" in said
    strict.verify_flags &= ~ssl.VERIFY_X509_STRICT
    talk(strict, server, NAME)  # as it says
