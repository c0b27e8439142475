"""What users give for TLS, and their sockets: refused at once where it can't be used.

socket and ssl are only imported where something is given for them.
"""

from __future__ import annotations

import os
import re

_UNFIT = re.compile(r"[\x00-\x20\x7f]")
_CERTIFICATE = re.compile(rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----")


def check_context(context: object) -> None:
    """Raise unless it is None or an ``ssl.SSLContext`` that may be a client's."""
    if context is None:
        return
    import ssl

    if not isinstance(context, ssl.SSLContext):
        raise TypeError(f"ssl_context must be an ssl.SSLContext, not {context!r}")
    if context.protocol is ssl.PROTOCOL_TLS_SERVER:
        raise ValueError("ssl_context is one for servers; make it with ssl.PROTOCOL_TLS_CLIENT")


def check_server_name(name: object) -> None:
    """Raise unless it is None or a name that a certificate may be for."""
    if name is None:
        return
    if not isinstance(name, str):
        raise TypeError(f"server_name must be a str, not {name!r}")
    if not name:
        raise ValueError("server_name is empty; leave it out to expect the URL's host")
    found = _UNFIT.search(name)
    if found:
        raise ValueError(f"server_name {name!r} holds {found.group()!r}; remove it")
    try:
        name.encode("idna")  # as ssl does
    except UnicodeError as error:
        raise ValueError(f"server_name {name!r} is no host name ({error})") from None


def check_socket(socket: object) -> None:
    """Raise unless it is None or a plain socket for streams."""
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


def check_path(path: str | os.PathLike[str] | None) -> str | None:
    """The path `ssl_cafile` as a str; raises TypeError unless it is None, a str or a path."""
    if path is None:
        return None
    try:
        found = os.fspath(path)
    except TypeError:
        found = None
    if not isinstance(found, str):
        raise TypeError(f"ssl_cafile must be a str or path, not {path!r}")
    return found


def check_cafile(path: str | os.PathLike[str] | None) -> None:
    """As `check_path`; raises ValueError unless the file can be read and holds a certificate."""
    cafile = check_path(path)
    if cafile is None:
        return
    try:
        if os.path.exists(cafile) and not os.path.isfile(cafile) and not os.path.isdir(cafile):
            return  # a pipe: what is read from it is gone
        with open(cafile, "rb") as file:
            is_found = _CERTIFICATE.search(file.read())
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise ValueError(
            f"ssl_cafile {cafile!r} can't be read ({said}); give the path of a PEM file"
        ) from error
    if not is_found:
        raise ValueError(f"ssl_cafile {cafile!r} holds no certificate; give a PEM file")
