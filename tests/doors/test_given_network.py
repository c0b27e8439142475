"""What users give for client certificates and sockets: refused at once, with what to write."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

from lomond.system.socket_checks import (
    check_cafile,
    check_certificate,
    check_keepalive,
    check_socket,
    check_socket_options,
    check_source_address,
    check_truststore,
    check_unix_socket,
)

SECRET = "sesame"
ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
OLD_ENCRYPTED = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Names of PEM files that a user may mix up."""
    leaf = trustme.CA().issue_cert("me.example")
    contents = {
        "both": leaf.private_key_and_cert_chain_pem.bytes().decode(),
        "certificate": leaf.cert_chain_pems[0].bytes().decode(),
        "key": leaf.private_key_pem.bytes().decode(),
        "encrypted": ENCRYPTED,
        "old": OLD_ENCRYPTED,
        "text": "hello",
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    paths = {name: str(tmp_path / name) for name in contents}
    return paths | {"nope": str(tmp_path / "nope"), "directory": str(tmp_path)}


@pytest.mark.parametrize(
    ("certfile", "keyfile", "password"),
    [
        (None, None, None),
        ("both", None, None),
        ("both", None, SECRET),
        ("certificate", "key", None),
        ("certificate", "both", None),
        ("certificate", "encrypted", SECRET),
        ("certificate", "old", SECRET),
    ],
)
def test_certificates_that_can_be(
    certfile: str | None, keyfile: str | None, password: str | None, files: dict[str, str]
) -> None:
    cert, key = (None if name is None else files[name] for name in (certfile, keyfile))
    check_certificate(cert, key, password)
    check_certificate(cert and Path(cert), key and Path(key), password)


@pytest.mark.parametrize(
    ("certfile", "keyfile", "password", "said"),
    [
        (None, "key", None, "ssl_keyfile needs ssl_certfile; give"),
        (None, None, SECRET, "ssl_password needs ssl_certfile; give"),
        ("nope", None, None, "ssl_certfile '.*nope' can't be read .No such file"),
        ("directory", None, None, "ssl_certfile '.*' can't be read .Is a dir"),
        ("text", None, None, "ssl_certfile '.*text' holds no certificate; give a PEM file"),
        ("key", None, None, "ssl_certfile '.*key' holds no certificate"),
        ("certificate", None, None, "ssl_certfile '.*' holds no private key; give ssl_keyfile"),
        ("certificate", "nope", None, "ssl_keyfile '.*nope' can't be read .No such file"),
        ("certificate", "certificate", None, "ssl_keyfile '.*' holds no private key; give a PEM"),
        ("certificate", "encrypted", None, "ssl_keyfile '.*' is encrypted; give ssl_password"),
        ("certificate", "old", None, "ssl_keyfile '.*' is encrypted; give ssl_password"),
    ],
)
def test_certificates_that_can_not_be(
    certfile: str | None,
    keyfile: str | None,
    password: str | None,
    said: str,
    files: dict[str, str],
) -> None:
    cert, key = (None if name is None else files[name] for name in (certfile, keyfile))
    with pytest.raises(ValueError, match=said) as caught:
        check_certificate(cert, key, password)
    assert SECRET not in str(caught.value)


def test_certificates_of_other_types() -> None:
    with pytest.raises(TypeError, match="ssl_certfile must be a str or path, not 5"):
        check_certificate(5, None, None)
    with pytest.raises(TypeError, match="ssl_keyfile must be a str or path, not b'x'"):
        check_certificate("x", b"x", None)
    with pytest.raises(TypeError, match="ssl_password must be a str, not bytes") as caught:
        check_certificate("x", None, SECRET.encode())
    assert SECRET not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_pipes_are_not_used_up(tmp_path: Path, files: dict[str, str]) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    check_certificate(pipe, None, None)
    check_certificate(pipe, files["key"], None)
    check_certificate(files["certificate"], pipe, None)
    check_cafile(pipe)


def test_directories_of_authorities(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no certificate; put PEM files into it whose names"):
        check_cafile(tmp_path)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.txt"))
    with pytest.raises(ValueError, match="holds no certificate"):
        check_cafile(tmp_path)
    (tmp_path / "ca.txt").rename(tmp_path / "ca.crt")
    check_cafile(tmp_path)


def test_a_directory_that_can_not_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(ValueError, match=r"ssl_cafile .* can't be read \(Permission denied\)"):
        check_cafile(tmp_path)


def test_truststore(monkeypatch: pytest.MonkeyPatch) -> None:
    check_truststore(False, "ca.pem")
    with pytest.raises(TypeError, match="truststore must be True or False, not 1"):
        check_truststore(1, None)
    with pytest.raises(ValueError, match="leave one out"):
        check_truststore(True, "ca.pem")
    monkeypatch.setitem(sys.modules, "truststore", None)
    with pytest.raises(ImportError, match=r"pip install 'lomond\[truststore\]'"):
        check_truststore(True, None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    check_truststore(True, None)


def test_source_addresses() -> None:
    assert check_source_address(None) is None
    assert check_source_address(["10.0.0.5", 0]) == ("10.0.0.5", 0)
    assert check_source_address(("fe80::1%eth0", 65535)) == ("fe80::1%eth0", 65535)


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        ("10.0.0.5", TypeError, r"must be \(host, port\), like \('10\.0\.0\.5', 0\), not '10"),
        (("10.0.0.5",), TypeError, "must be"),
        (("10.0.0.5", "0"), TypeError, "must be"),
        (("10.0.0.5", True), TypeError, "must be"),
        ((5, 0), TypeError, "must be"),
        (5, TypeError, "must be"),
        (("", 0), ValueError, "needs an IP address of this machine, not ''; write it like"),
        (("localhost", 0), ValueError, "needs an IP address of this machine, not 'localhost'"),
        (("10.0.0.5", -1), ValueError, "port -1; write 0"),
        (("10.0.0.5", 65536), ValueError, "port 65536; write 0"),
    ],
)
def test_source_addresses_that_can_not_be(value: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=f"source_address .*{said}"):
        check_source_address(value)


def test_socket_options() -> None:
    option = (socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    assert check_socket_options(()) == ()
    assert check_socket_options(each for each in [option, [1, 2, b"x"]]) == (option, (1, 2, b"x"))


@pytest.mark.parametrize("value", [None, 5, "x", b"x", (6, 1, 1), [(6, 1)], [(6, "1", 1)],
                                   [(6, 1, "x")], [(6, 1, None)], [5], ["abc"]])  # fmt: skip
def test_socket_options_that_can_not_be(value: Any) -> None:
    with pytest.raises(TypeError, match="socket_options must be"):
        check_socket_options(value)


def longest_path() -> int:
    """Bytes of a path that this system takes for a Unix socket."""
    with socket.socket(socket.AF_UNIX) as sock:
        for size in range(1, 1000):
            try:
                sock.connect("/" + "x" * size)
            except OSError as error:
                if error.errno is None:  # Python's own: it does not fit
                    return size
    raise AssertionError("there is no limit")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")
def test_unix_sockets() -> None:
    assert check_unix_socket(None) is None
    assert check_unix_socket("/not/there") == "/not/there"
    assert check_unix_socket(Path("/run/x")) == "/run/x"
    longest = "/" + "x" * (longest_path() - 1)
    assert check_unix_socket(longest) == longest
    with pytest.raises(TypeError, match="unix_socket must be a str or path, not 5"):
        check_unix_socket(5)
    for path, said in [
        ("", "is empty; give the path of the server's socket"),
        ("a\0b", r"holds '\\x00'; remove it"),
        (
            longest + "x",
            rf"{len(longest) + 1} bytes; this system takes {len(longest)}; use",
        ),
        ("\ud800", "can't be a path on this system"),
    ]:
        with pytest.raises(ValueError, match=f"unix_socket .*{said}"):
            check_unix_socket(path)


def test_abstract_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "AF_UNIX", 1, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert check_unix_socket("\0x") == "\0x"
    with pytest.raises(ValueError, match="is empty"):
        check_unix_socket("\0")
    with pytest.raises(ValueError, match="remove it"):
        check_unix_socket("\0a\0b")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ValueError, match="remove it"):
        check_unix_socket("\0x")
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(ValueError, match="this system has none; connect with TCP"):
        check_unix_socket("/run/x")


def test_keepalive() -> None:
    for seconds in (None, 0.1, 30, 32767):
        check_keepalive(seconds)
    for seconds, said in [(0, "more than 0"), (-1, "more than 0"), (float("nan"), "more than 0"),
                          (float("inf"), "keepalive"), (32768, "at most 32767")]:  # fmt: skip
        with pytest.raises(ValueError, match=said):
            check_keepalive(seconds)
    for value in ("1", True):
        with pytest.raises(TypeError, match="keepalive must be a number of seconds, or None for"):
            check_keepalive(value)


def test_a_socket_that_is_not_connected_is_refused_at_once() -> None:
    message = r"^socket must be connected, and is not; call its connect\(\) first, or"
    with socket.socket() as fresh:
        with pytest.raises(ValueError, match=message):
            check_socket(fresh)
        fresh.bind(("127.0.0.1", 0))
        fresh.listen()
        with pytest.raises(ValueError, match=message):
            check_socket(fresh)
        with socket.create_connection(fresh.getsockname()) as connected:
            check_socket(connected)
    with pytest.raises(ValueError, match=r"^socket is closed; give one that is connected"):
        check_socket(connected)


def test_a_pair_of_sockets_is_connected() -> None:
    for one in socket.socketpair():
        with one:
            check_socket(one)
