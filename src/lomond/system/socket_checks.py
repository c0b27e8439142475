"""What users give for TLS, and their sockets: refused at once where it can't be used.

socket and ssl are only imported where something is given for them.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from ..checks import check_flag, check_seconds

if TYPE_CHECKING:
    import socket as socket_module

# Compiled when they are needed, as few programs do.
_UNFIT = r"[\x00-\x20\x7f]"
_CERTIFICATE = rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----"
_KEY = rb"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----"
_ENCRYPTED = rb"(?m)-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED"
# Names as people give them, and as OpenSSL's rehash does.
_CERTIFICATE_FILE = r"(?i).+\.(pem|crt|cer)|[0-9a-f]{8}\.[0-9]+"
_LONGEST_PROBE = 32767  # seconds; Linux takes no more for TCP_KEEPIDLE
_LONGEST_PATH = 107 if sys.platform == "linux" else 103  # bytes of sun_path, see unix(7)


def check_context(context: object, name: str = "ssl_context") -> None:
    """Raise unless it is None or an ``ssl.SSLContext`` that may be a client's."""
    if context is None:
        return
    import ssl

    if not isinstance(context, ssl.SSLContext):
        raise TypeError(f"{name} must be an ssl.SSLContext, not {context!r}")
    if context.protocol is ssl.PROTOCOL_TLS_SERVER:
        raise ValueError(f"{name} is one for servers; make it with ssl.PROTOCOL_TLS_CLIENT")


def check_server_name(name: object) -> None:
    """Raise unless it is None or a name that a certificate may be for."""
    if name is None:
        return
    if not isinstance(name, str):
        raise TypeError(f"server_name must be a str, not {name!r}")
    if not name:
        raise ValueError("server_name is empty; leave it out to expect the URL's host")
    found = re.search(_UNFIT, name)
    if found:
        raise ValueError(f"server_name {name!r} holds {found.group()!r}; remove it")
    try:
        name.encode("idna")  # as ssl does
    except UnicodeError as error:
        raise ValueError(f"server_name {name!r} is no host name ({error})") from None


def check_socket(socket: object) -> None:
    """Raise unless it is None or a plain socket for streams, and connected."""
    if socket is None:
        return
    import socket as socket_module
    import ssl

    if not isinstance(socket, socket_module.socket):
        raise TypeError(f"socket must be a socket.socket, not {socket!r}")
    if isinstance(socket, ssl.SSLSocket):
        raise TypeError(
            "socket must not be an ssl.SSLSocket; give the plain socket and a wss:// URL"
        )
    if socket.type != socket_module.SOCK_STREAM:
        raise ValueError(f"socket must be a stream (SOCK_STREAM), not {socket!r}")
    if socket.fileno() < 0:
        raise ValueError("socket is closed; give one that is connected")
    try:
        socket.getpeername()
    except OSError as error:
        if error.errno != errno.ENOTCONN or _was_connected(socket):
            return  # reading will tell: of one that was reset, also what came before
        raise ValueError(
            "socket must be connected, and is not; call its connect() first, or leave it out: "
            f"lomond connects one by itself ({socket!r})"
        ) from None


def _was_connected(socket: socket_module.socket) -> bool:
    """Whether a socket without a peer had one: it keeps the port that it got for that."""
    from socket import SO_ACCEPTCONN, SOL_SOCKET

    place: tuple[object, ...] | str | bytes = socket.getsockname()
    has_port = not isinstance(place, (str, bytes)) and bool(place[1])
    return has_port and not socket.getsockopt(SOL_SOCKET, SO_ACCEPTCONN)


def check_path(path: object, name: str = "ssl_cafile") -> str | None:
    """The path as a str; raises TypeError unless it is None, a str or a path.

    Arguments:
        path: What the user gave.
        name: Of the option.
    """
    if path is None:
        return None
    try:
        found: object = os.fspath(path)  # type: ignore[call-overload]  # that is the question
    except TypeError:
        found = None
    if not isinstance(found, str):
        raise TypeError(f"{name} must be a str or path, not {path!r}")
    return found


def check_file(name: str, path: object) -> None:
    """Raise unless it is None, or a file that can be read.

    Raises:
        TypeError: As `check_path`.
        ValueError: It can't be read.
    """
    found = check_path(path, name)
    if found is not None:
        _contents(name, found)


def check_cafile(path: object) -> None:
    """Raise unless it is None, or a file or directory that holds certificates to trust.

    Raises:
        TypeError: As `check_path`.
        ValueError: It can't be read, or holds none.
    """
    cafile = check_path(path)
    if cafile is None:
        return
    try:
        if os.path.isdir(cafile):
            if next(certificate_files(cafile), None) is None:
                raise ValueError(empty_directory(cafile))
            return
    except OSError as error:
        raise ValueError(_unreadable("ssl_cafile", cafile, error)) from error
    data = _contents("ssl_cafile", cafile)
    if data is not None and not re.search(_CERTIFICATE, data):
        raise ValueError(f"ssl_cafile {cafile!r} holds no certificate; give a PEM file")


def empty_directory(directory: str) -> str:
    """What is said of a directory in which there is nothing to trust."""
    return (
        f"ssl_cafile {directory!r} is a directory that holds no certificate; put PEM files into "
        "it whose names end in .pem, .crt or .cer"
    )


def certificate_files(directory: str) -> Iterator[str]:
    """The files in a directory that are named as certificates and hold one. Raises OSError."""
    seen: set[str] = set()
    for name in sorted(os.listdir(directory)):
        path = os.path.realpath(os.path.join(directory, name))
        if path in seen or not re.fullmatch(_CERTIFICATE_FILE, name) or not os.path.isfile(path):
            continue  # OpenSSL's names are links to the others
        seen.add(path)
        with open(path, "rb") as file:
            data = file.read()
        if re.search(_CERTIFICATE, data) or is_der(data):
            yield path


def is_der(data: bytes) -> bool:
    """Whether it looks like one certificate without the armour of PEM: a SEQUENCE, and long."""
    return data[:2] == b"\x30\x82"


def _contents(name: str, path: str) -> bytes | None:
    """What is in the file; None for a pipe: what is read from that is gone."""
    try:
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            return None
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise ValueError(_unreadable(name, path, error)) from error


def _unreadable(name: str, path: str, error: Exception) -> str:
    said = getattr(error, "strerror", None) or error
    return f"{name} {path!r} can't be read ({said}); give the path of a PEM file"


def check_certificate(certfile: object, keyfile: object, password: object) -> None:
    """Raise unless they may be a client's certificate, its key, and what opens that.

    Arguments:
        certfile: PEM file of the certificate and those between it and the CA, or None.
        keyfile: PEM file of the private key; None if it is in `certfile`.
        password: What the key is encrypted with, or None. Never shown.

    Raises:
        TypeError: One is of the wrong type.
        ValueError: A file can't be read, or does not hold what it should; or one is missing.
    """
    cert, key = check_path(certfile, "ssl_certfile"), check_path(keyfile, "ssl_keyfile")
    check_password(password)
    if cert is None:
        if key is not None or password is not None:
            name = "ssl_password" if key is None else "ssl_keyfile"
            raise ValueError(f"{name} needs ssl_certfile; give the certificate's PEM file too")
        return
    data = _contents("ssl_certfile", cert)
    if data is not None and not re.search(_CERTIFICATE, data):
        raise ValueError(f"ssl_certfile {cert!r} holds no certificate; give a PEM file")
    name, path = ("ssl_certfile", cert) if key is None else ("ssl_keyfile", key)
    if key is not None:
        data = _contents("ssl_keyfile", key)
    if data is None:
        return
    if not re.search(_KEY, data):
        hint = "give ssl_keyfile" if key is None else "give a PEM file"
        raise ValueError(f"{name} {path!r} holds no private key; {hint}")
    if password is None and re.search(_ENCRYPTED, data):
        raise ValueError(f"the private key in {name} {path!r} is encrypted; give ssl_password")


def check_password(password: object) -> None:
    """Raise TypeError unless it is None or a str. It is not shown."""
    if password is not None and not isinstance(password, str):
        raise TypeError(f"ssl_password must be a str, not {type(password).__name__}")


def check_truststore(value: object, cafile: object) -> None:
    """Raise unless it is a bool and, if True, can be had.

    Raises:
        TypeError: It is not a bool.
        ValueError: A cafile is given too.
        ImportError: The package is not installed.
    """
    check_flag("truststore", value)
    if not value:
        return
    if cafile is not None:
        raise ValueError("truststore and ssl_cafile exclude each other; leave one out")
    from importlib.util import find_spec

    if find_spec("truststore") is None:
        raise ImportError(no_truststore())


def no_truststore() -> str:
    """What is said where the package is missing."""
    return "truststore=True needs a package; run: pip install 'lomond[truststore]'"


def _items(value: object, count: int) -> tuple[object, ...]:
    """The items of a tuple or list of that length; Nones if it is none."""
    if isinstance(value, (tuple, list)):
        found = tuple(cast("Iterable[object]", value))
        if len(found) == count:
            return found
    return (None,) * count


def check_source_address(value: object) -> tuple[str, int] | None:
    """The address to connect from: an IP address and a port (0 for any), or None.

    Raises:
        TypeError: It is not None or such a pair.
        ValueError: The host is a name, or the port is none.
    """
    if value is None:
        return None
    host, port = _items(value, 2)
    if not isinstance(host, str) or not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"source_address must be (host, port), like ('10.0.0.5', 0), not {value!r}")
    from ipaddress import ip_address

    try:
        ip_address(host)
    except ValueError:
        said = f"source_address needs an IP address of this machine, not {host!r}"
        raise ValueError(f"{said}; write it like '10.0.0.5' or '2001:db8::5'") from None
    if not 0 <= port <= 65535:
        raise ValueError(f"source_address has port {port}; write 0 (for any) to 65535")
    return host, port


def check_socket_options(value: object) -> tuple[tuple[int, int, int | bytes], ...]:
    """What to call ``setsockopt`` with, as a tuple. Raises TypeError."""
    example = "like [(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)]"
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)):
        raise TypeError(f"socket_options must be a list, {example}, not {value!r}")
    options: list[tuple[int, int, int | bytes]] = []
    for option in cast("Iterable[object]", value):
        level, name, setting = _items(option, 3)
        if isinstance(level, int) and isinstance(name, int) and isinstance(setting, (int, bytes)):
            options.append((level, name, setting))
        else:
            raise TypeError(f"socket_options must be of (int, int, int or bytes), not {option!r}")
    return tuple(options)


def check_unix_socket(path: object) -> str | None:
    """The path of a Unix socket as a str, or None. That it is there is seen when connecting.

    Raises:
        TypeError: It is not None, a str or a path.
        ValueError: No socket can have that path on this system.
    """
    found = check_path(path, "unix_socket")
    if found is None:
        return None
    import socket

    if not hasattr(socket, "AF_UNIX"):
        raise ValueError("unix_socket: this system has none; connect with TCP")
    is_abstract = found.startswith("\0") and sys.platform == "linux"
    name = found[1:] if is_abstract else found
    if not name:
        raise ValueError(f"unix_socket {found!r} is empty; give the path of the server's socket")
    if "\0" in name:
        raise ValueError(f"unix_socket {found!r} holds '\\x00'; remove it")
    try:
        size = len(os.fsencode(name))
    except UnicodeError:
        raise ValueError(f"unix_socket {found!r} can't be a path on this system") from None
    if size > _LONGEST_PATH:
        said = f"unix_socket {found!r} has {size} bytes; this system takes {_LONGEST_PATH}"
        raise ValueError(f"{said}; use a shorter path, if need be a link")
    return found


def check_keepalive(seconds: object) -> None:
    """Raise unless it is None or the seconds between two probes of TCP."""
    check_seconds("tcp_keepalive", seconds, none="what the system does", zero=False)
    if isinstance(seconds, (int, float)) and seconds > _LONGEST_PROBE:
        raise ValueError(f"tcp_keepalive must be at most {_LONGEST_PROBE} seconds, not {seconds!r}")
