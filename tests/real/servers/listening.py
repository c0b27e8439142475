"""What the echo scripts in Python share: where they listen and with which certificate.

A script is started with no arguments for ws:// or with CERTIFICATE and KEY for wss://.
"""

import socket
import ssl
import sys

MAX_MESSAGE_SIZE = 32 * 1024 * 1024
PROTOCOLS = ["chat.v2", "chat.v1"]


def listening_socket() -> socket.socket:
    """Listen on a free port and print the address, which is what the tests wait for."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    return listener


def tls_context() -> ssl.SSLContext | None:
    """Return the context for the certificate on the command line, None without one."""
    if not sys.argv[1:]:
        return None
    certificate, key = sys.argv[1:]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
