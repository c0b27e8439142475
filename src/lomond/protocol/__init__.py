"""The RFCs: bytes in; events and bytes out. No sockets, clocks, threads or randomness here."""
