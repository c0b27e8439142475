"""Contexts: what they trust, what they show of us, and that they are made once."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from doors.tls_talk import HOST, failure, talk
from lomond.system import tls
from lomond.system.tls import make_context

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def demanding(authority: trustme.CA) -> ssl.SSLContext:
    """A server that wants to know who asks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    return context


@pytest.fixture
def cafile(cafile: Path) -> str:
    return str(cafile)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    tls.kept_context.cache_clear()
    yield
    tls.kept_context.cache_clear()


# Made once


def test_the_default_context_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []
    create = ssl.create_default_context

    def counting(**arguments: object) -> ssl.SSLContext:
        built.append(arguments)
        return create(**arguments)  # type: ignore[arg-type]  # of each the right kind

    monkeypatch.setattr(ssl, "create_default_context", counting)
    assert {id(make_context(True, None)) for _ in range(5)} == {id(make_context(True, None))}
    assert len(built) == 1
    assert make_context(False, None) is not make_context(True, None)
    assert len(built) == 2
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    make_context(True, None)
    assert len(built) == 3


def test_a_file_that_changed_is_read_again(authority: trustme.CA, cafile: str) -> None:
    first = make_context(True, cafile)
    os.utime(cafile, ns=(1, 1))
    assert make_context(True, cafile) is not first


# Directories


@pytest.mark.parametrize("name", ["a.pem", "b.CRT", "c.cer", "0123abcd.0"])
def test_a_directory_of_authorities(
    name: str, authority: trustme.CA, server: ssl.SSLContext, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / name))
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----")
    (tmp_path / "sub.pem").mkdir()
    (tmp_path / "gone.pem").symlink_to("nothing")
    (tmp_path / "again.pem").symlink_to(name)
    talk(make_context(True, str(tmp_path)), server)


def test_a_directory_of_der(authority: trustme.CA, server: ssl.SSLContext, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())
    (tmp_path / "ca.cer").write_bytes(der)
    talk(make_context(True, str(tmp_path)), server)


def test_only_the_directory_is_trusted(server: ssl.SSLContext, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    assert "(code 20; " in failure(make_context(True, str(tmp_path)), server)


def test_a_directory_without_certificates(authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.txt"))
    with pytest.raises(OSError, match=r"holds no certificate; put PEM files .* \.pem, \.crt"):
        make_context(True, str(tmp_path))


def test_a_directory_with_a_broken_certificate(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n")
    with pytest.raises(ssl.SSLError, match=r"ssl_cafile '.*bad\.pem' can't be used \("):
        make_context(True, str(tmp_path))


def test_a_directory_that_changed_is_read_again(
    authority: trustme.CA, server: ssl.SSLContext, tmp_path: Path
) -> None:
    path = str(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(path)
    failure(make_context(True, str(tmp_path)), server)
    authority.cert_pem.write_to_path(path)
    os.utime(path, ns=(1, 1))
    talk(make_context(True, str(tmp_path)), server)
    assert make_context(True, str(tmp_path)) is make_context(True, str(tmp_path))


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"ssl_cafile '.*nope' can't be used"):
        make_context(True, str(tmp_path / "nope"))


# Client certificates


class Own:
    """A client's certificate in files: together, apart, and its key encrypted."""

    def __init__(self, authority: trustme.CA, path: Path) -> None:
        leaf = authority.issue_cert("me.example")
        self.both = str(path / "both.pem")
        self.certificate = str(path / "certificate.pem")
        self.key = str(path / "key.pem")
        self.encrypted = str(path / "encrypted.pem")
        leaf.private_key_and_cert_chain_pem.write_to_path(self.both)
        leaf.cert_chain_pems[0].write_to_path(self.certificate)
        leaf.private_key_pem.write_to_path(self.key)
        key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
        Path(self.encrypted).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(PASSWORD.encode()),
            )
        )


@pytest.fixture
def own(authority: trustme.CA, tmp_path: Path) -> Own:
    return Own(authority, tmp_path)


@pytest.mark.parametrize(
    ("certfile", "keyfile", "password"),
    [
        ("both", None, None),
        ("certificate", "key", None),
        ("certificate", "key", "not needed"),
        ("certificate", "encrypted", PASSWORD),
    ],
)
def test_a_server_that_wants_a_certificate_gets_it(
    certfile: str,
    keyfile: str | None,
    password: str | None,
    own: Own,
    cafile: str,
    demanding: ssl.SSLContext,
) -> None:
    context = make_context(
        True,
        cafile,
        certfile=getattr(own, certfile),
        keyfile=None if keyfile is None else getattr(own, keyfile),
        password=password,
    )
    assert talk(context, demanding)["subjectAltName"] == (("DNS", "me.example"),)


def test_the_key_stays_shut(own: Own, cafile: str) -> None:
    for password, said in [
        (None, "is encrypted; give ssl_password"),
        ("", "is encrypted; give ssl_password"),
        ("sesame", "ssl_password does not open the private key in ssl_keyfile"),
        ("\udc80", "ssl_password does not open the private key in ssl_keyfile"),
    ]:
        with pytest.raises(ssl.SSLError) as caught:
            make_context(
                True, cafile, certfile=own.certificate, keyfile=own.encrypted, password=password
            )
        assert said in str(caught.value)
        assert "sesame" not in repr(caught.value)
        assert own.encrypted in str(caught.value)


def test_a_password_that_is_too_long(own: Own) -> None:
    with pytest.raises(OSError, match=r"ssl_password can't be used \(") as caught:
        make_context(
            True, None, certfile=own.certificate, keyfile=own.encrypted, password="x" * 5000
        )
    assert "xxx" not in str(caught.value)


def test_files_that_can_not_be(own: Own, authority: trustme.CA, tmp_path: Path) -> None:
    other = Own(authority, tmp_path_of(tmp_path, "other"))
    with pytest.raises(ssl.SSLError, match="holds the key of another certificate"):
        make_context(
            True, None, certfile=own.certificate, keyfile=other.encrypted, password=PASSWORD
        )
    for certfile, keyfile, said in [
        (own.certificate, other.key, f"ssl_keyfile {other.key!r} holds the key of another"),
        (own.certificate, None, "can't be used ("),
        ("/nope", None, "ssl_certfile '/nope' can't be used (No such file"),
        ("/nope", own.key, "ssl_certfile '/nope' can't be used (No such file"),
        (own.certificate, "/nope", "ssl_keyfile '/nope' can't be used (No such file"),
    ]:
        with pytest.raises(OSError, match=r".") as caught:
            make_context(True, None, certfile=certfile, keyfile=keyfile)
        assert said in str(caught.value)


def tmp_path_of(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir()
    return path


# truststore


def test_truststore_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "truststore", None)
    with pytest.raises(ImportError, match=r"pip install 'lomond\[truststore\]'"):
        make_context(True, None, truststore=True)


def test_truststore_and_a_cafile(cafile: str) -> None:
    with pytest.raises(ValueError, match="leave one out"):
        make_context(True, cafile, truststore=True)


def test_truststore_verifies(
    cafile: str, server: ssl.SSLContext, own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    truststore = pytest.importorskip("truststore", reason="truststore is not installed")
    context = make_context(True, None, truststore=True)
    assert isinstance(context, truststore.SSLContext)
    assert context is make_context(True, None, truststore=True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert "certificate not accepted: " in failure(context, server)
    talk(make_context(False, None, truststore=True), server)
    if sys.platform == "linux":  # where it means OpenSSL's places
        monkeypatch.setenv("SSL_CERT_FILE", cafile)
        talk(make_context(True, None, certfile=own.both, truststore=True), server)
