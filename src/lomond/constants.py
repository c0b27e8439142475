"""Who we say we are. Knows nothing else."""

import sys

__version__ = "1.0.0.dev1"

#: Version of the protocol, RFC 6455 section 4.1.
WS_VERSION = 13

#: Concatenated to the client's key by the server, RFC 6455 section 1.3.
WS_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#: Sent as ``User-Agent``. Names the library and the Python, not the machine.
_PYTHON = {"cpython": "CPython", "pypy": "PyPy"}.get(sys.implementation.name, "Python")
USER_AGENT = f"Lomond/{__version__} {_PYTHON}/{sys.version.partition(' ')[0]}"
