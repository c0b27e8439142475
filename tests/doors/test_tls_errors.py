"""Handshakes that fail: the code, whose certificate it was, and what to do."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doors.raw_server import raw_server, read_all
from doors.tls_talk import HOST, failure, talk
from lomond import WebSocket
from lomond.system.tls import make_context

pytestmark = pytest.mark.every_door

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def cafile(cafile: Path) -> str:
    return str(cafile)


def server(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def self_signed(path: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "me \x1b[31m")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("me.example")]), False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (NOW - 9 * DAY, NOW - DAY, r"certificate has expired[^(]* \(code 10; "),
        # OpenSSL 3.6 adds that the clock may be wrong.
        (NOW + DAY, NOW + 9 * DAY, r"certificate is not yet valid[^(]* \(code 9; "),
    ],
)
def test_outside_of_its_time(
    start: datetime,
    end: datetime,
    said: str,
    version: ssl.TLSVersion,
    authority: trustme.CA,
    cafile: str,
) -> None:
    context = server(authority.issue_cert(HOST, not_before=start, not_after=end, common_name="n"))
    context.maximum_version = version
    reason = failure(make_context(True, cafile), context)
    assert re.match(f"certificate not accepted: {said}it is for '127.0.0.1'; ", reason), reason
    assert "; valid " in reason
    assert "; subject CN=n, OU=Testing cert " in reason
    assert "; issued by OU=Testing CA " in reason
    assert reason.endswith("); check the clock of this machine too")


def test_self_signed(tmp_path: Path, cafile: str) -> None:
    context = self_signed(tmp_path / "own.pem")
    said = failure(make_context(True, cafile), context, "me.example")
    assert said == (
        "certificate not accepted: self-signed certificate (code 18; it is for 'me.example'; "
        r"subject CN=me \x1b[31m; issued by itself); "
        "if that certificate is to be trusted, name it with ssl_cafile"
    )
    talk(make_context(True, str(tmp_path / "own.pem")), context, "me.example")  # as it says


def test_unknown_authority(cafile: str) -> None:
    said = failure(make_context(True, cafile), server(trustme.CA().issue_cert(HOST)))
    assert "unable to get local issuer certificate (code 20; it is for '127.0.0.1'; " in said
    assert said.endswith("; if the server has a private CA, name it with ssl_cafile")


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [("other.example", 62, "Hostname"), ("127.0.0.9", 64, "IP address")],
)
def test_for_another_name(
    name: str, code: int, message: str, authority: trustme.CA, cafile: str
) -> None:
    context = server(authority.issue_cert("one.example", "*.two.example", "127.0.0.1", "::1"))
    said = failure(make_context(True, cafile), context, name)
    assert f"{message} mismatch, certificate is not valid for '{name}' (code {code}; " in said
    assert "it is for 'one.example', '*.two.example', '127.0.0.1', '0:0:0:0:0:0:0:1'; " in said
    assert said.endswith("; the certificate is for another name, see server_name")


def test_the_door_says_it_too(authority: trustme.CA, cafile: str) -> None:
    context = server(authority.issue_cert("one.example"))
    with raw_server(read_all, context=context) as raw:
        *_, failed = WebSocket(raw.url, ssl_cafile=cafile)
    assert failed.name == "connect_fail"
    assert "(code 64; it is for 'one.example'; subject " in failed.reason
    assert isinstance(failed.cause, ssl.SSLCertVerificationError)
    assert failed.cause.verify_code == 64


def test_a_certificate_that_can_not_be_seen(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, cafile: str
) -> None:
    """The way to it is private to Python: where it is gone, the rest is still said."""

    class Hidden(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLCertVerificationError:
                monkeypatch.setattr(self, "_sslobj", None)  # Python's own, see above
                raise

    context = ssl.create_default_context(cafile=cafile)
    context.sslobject_class = Hidden
    said = failure(context, server(authority.issue_cert("one.example")))
    assert said.endswith("(code 64); the certificate is for another name, see server_name")


# What the server says


def test_no_common_version(authority: trustme.CA, cafile: str) -> None:
    context = server(authority.issue_cert(HOST))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    client = ssl.create_default_context(cafile=cafile)
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    said = failure(client, context)
    assert said.endswith("; the server and this machine have no version of TLS in common")


def test_no_common_cipher(authority: trustme.CA, cafile: str) -> None:
    context = server(authority.issue_cert(HOST))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AES256")
    client = ssl.create_default_context(cafile=cafile)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE+CHACHA20")
    assert "no version of TLS or cipher in common, or it wants" in failure(client, context)


def test_a_name_that_the_server_does_not_know(authority: trustme.CA, cafile: str) -> None:
    context = server(authority.issue_cert("one.example"))
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    said = failure(make_context(True, cafile), context, "one.example")
    assert said.endswith("; the server does not know that name; see server_name")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_wants_a_certificate(
    version: ssl.TLSVersion, authority: trustme.CA, cafile: str
) -> None:
    context = server(authority.issue_cert(HOST))
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    said = failure(make_context(True, cafile), context)
    assert "wants a client certificate" in said
    assert "ssl_certfile" in said


@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_does_not_trust_our_certificate(
    version: ssl.TLSVersion, authority: trustme.CA, cafile: str, tmp_path: Path
) -> None:
    context = server(authority.issue_cert(HOST))
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    stranger = trustme.CA().issue_cert("me.example")
    stranger.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "me.pem"))
    said = failure(make_context(True, cafile, certfile=str(tmp_path / "me.pem")), context)
    assert said.endswith("; the server did not accept our certificate; see ssl_certfile")
